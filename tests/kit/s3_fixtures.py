# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 servers as fixtures, each started once."""
from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def rclone_s3(tmp_path_factory):
    """`rclone serve s3`."""
    from kit import s3_servers  # it needs the core, which not every test can import
    with s3_servers.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_s3(tmp_path_factory):
    """moto's server."""
    from kit import s3_servers
    with s3_servers.moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(params=["rclone", "moto"])
def s3(request):
    """Each of the S3 servers in turn."""
    server = request.getfixturevalue(f"{request.param}_s3")
    request.node.user_properties.append(("S3 by", f"{server.maker} {server.version}"))
    return server
