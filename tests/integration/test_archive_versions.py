# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of a newer pg_dump are read on a host that has older programs too."""
from __future__ import annotations

import os
import subprocess

import pytest

from _restorable.ports import RestoreOptions
from _restorable.postgres.archive_reader import PgArchives
from _restorable.postgres.outline import outline
from kit.servers import find_bin_dir


@pytest.mark.parametrize("major", [16, 18])
def test_an_archive_of_the_newest_of_two_versions_is_read(servers, monkeypatch, major):
    server = servers.of(major)
    archive = subprocess.run([f"{server.bin_dir}/pg_dump", "-h", str(server.folder), "-U", server.superuser, "-Fc",
                              "-Z0", "postgres"], capture_output=True, check=True).stdout
    monkeypatch.setenv("PATH", os.pathsep.join([find_bin_dir(15), server.bin_dir, "/usr/bin", "/bin"]))
    assert outline([archive], "custom").database == "postgres"
    assert PgArchives().contents([archive], RestoreOptions())
    assert b"CREATE DATABASE" in b"".join(PgArchives().sql([archive], RestoreOptions()))
