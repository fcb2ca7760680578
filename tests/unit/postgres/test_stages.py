# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed restore left of a dump's plaintext is removed by the next one, and a living one's never."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from _restorable.postgres.archives import staging_folder

CORE = Path(__file__).parents[3] / "plugins" / "module_utils"
MAKER = """
import sys
from _restorable.postgres.archives import staging_folder
with staging_folder(sys.argv[1]) as folder:
    open(folder + "/archive", "w").close()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def maker(tmp_path):
    """A running process that has staged something, and the folder it staged in."""
    with subprocess.Popen([sys.executable, "-c", MAKER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONPATH": str(CORE)}) as child:
        yield child, Path(child.stdout.readline().strip())
        child.kill()


def test_the_folder_of_a_killed_run_goes_and_that_of_a_living_one_stays(maker, tmp_path):
    child, folder = maker
    foreign = tmp_path / "notes"
    foreign.mkdir()
    with staging_folder(str(tmp_path)):
        assert (folder / "archive").exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert (folder / "archive").exists()
    with staging_folder(str(tmp_path)) as own:
        assert {each.name for each in tmp_path.iterdir()} == {"notes", os.path.basename(own)}
        assert os.stat(own).st_mode & 0o777 == 0o700
    assert [each.name for each in tmp_path.iterdir()] == ["notes"]
