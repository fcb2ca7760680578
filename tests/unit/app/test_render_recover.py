# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that are left to do after a recovery can be copied into a shell as they are printed."""
from __future__ import annotations

import shlex

from _restorable.app.arguments import parse
from _restorable.app.render_recover import render_recovered

REPORT = {"reached": "end of the WAL", "replayed": "0/5000000", "new_timeline": 2, "last_commit": None,
          "answers_after": 3.0, "asides": {}, "data_directory": "/srv/recovered {copy} of 'shop'"}


def test_the_commands_name_their_cluster_and_a_path_with_a_space_is_one_word():
    lines = render_recovered("shop", REPORT).splitlines()
    push, backup = (shlex.split(line) for line in lines if line.startswith("    restorable "))
    assert push == ["restorable", "wal-push", "--cluster", "shop",
                    "/srv/recovered {copy} of 'shop'/pg_wal/00000002.history"]
    assert backup == ["restorable", "backup", "--cluster", "shop", "--kind", "base"]
    assert [parse(words[1:]).cluster for words in (push, backup)] == ["shop", "shop"]
    assert any("account of the server" in line for line in lines)
