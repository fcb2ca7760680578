# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before a data directory is made."""
from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from _restorable.errors import Refused, RestorableError
from _restorable.postgres.accounts import own_name
from _restorable.postgres.datadir import DataDir
from kit.accounts import as_nobody


def refusal(folder: str) -> list[str]:
    try:
        return DataDir(folder).guard([folder], force=True)
    except RestorableError as error:
        return [error.code, error.message, error.hint]


@pytest.mark.parametrize("name", ["data", "closed/data"])
def test_a_folder_that_we_may_not_read_is_called_closed_and_not_running(name):
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)
        folder = Path(made) / name
        (Path(made) / name.split("/", maxsplit=1)[0]).mkdir(mode=0o700 if os.geteuid() == 0 else 0o000)
        code, told, hint, me = as_nobody(lambda: [*refusal(str(folder)), own_name()])
    assert code == "recover.closed" and f"{folder} is closed to user {me}: Permission denied" in told
    assert "systemctl stop" not in hint


def test_a_living_process_in_postmaster_pid_is_refused_even_with_force(tmp_path):
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with pytest.raises(Refused, match="a server seems to run"):
        DataDir(str(tmp_path)).guard([str(tmp_path)], force=True)


@pytest.mark.parametrize("text", ["", "no number\n", "99999999999999999999999\n"])
def test_a_postmaster_pid_that_names_no_process_is_no_server(tmp_path, text):
    (tmp_path / "postmaster.pid").write_text(text)
    assert DataDir(str(tmp_path)).guard([str(tmp_path)], force=True) == [str(tmp_path)]
