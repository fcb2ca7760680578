# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that root takes in somebody's repository can be taken by that somebody afterwards."""
from __future__ import annotations

import os

from _restorable.host.clock import SystemClock
from _restorable.host.lock import FileLock


def test_a_lock_file_belongs_to_the_owner_of_its_folders_parent(tmp_path):
    owner = 65534 if os.geteuid() == 0 else os.geteuid()       # nobody
    os.chown(tmp_path, owner, -1)
    path = tmp_path / ".state" / "shop.lock"
    with FileLock(str(path), SystemClock(), "cluster shop").hold("drill"):
        assert (path.parent.stat().st_uid, path.stat().st_uid) == (owner, owner)
