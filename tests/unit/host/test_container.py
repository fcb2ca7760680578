# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container is told apart from the next one by what its engine mounts."""
from __future__ import annotations

import pytest

from _restorable.host.container import container_id

ID = "4f5e" * 16


@pytest.mark.parametrize("root", [f"/var/lib/docker/containers/{ID}/hostname",
                                  f"/containers/storage/overlay-containers/{ID}/userdata/hostname", f"/{ID}/hostname"])
def test_the_folder_of_its_host_name_tells(root, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"600 599 0:50 /{'0' * 64}/x /data rw - overlay overlay rw\n"
                      f"634 600 254:0 {root} /etc/hostname rw,relatime - ext4 /dev/vda rw\n")
    assert container_id({}, str(mounts)) == ID


@pytest.mark.parametrize("text", ["", "634 600 254:0 / / rw - ext4 /dev/vda rw\n", "odd\n",
                                  "634 600 254:0 /etc/hostname /etc/hostname rw - ext4 /dev/vda rw\n"])
def test_outside_a_container_there_is_none(text, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(text)
    assert container_id({}, str(mounts)) == ""
    assert container_id({}, str(tmp_path / "absent")) == ""
    assert container_id({"RESTORABLE_CONTAINER": "mine"}, str(mounts)) == "mine"
