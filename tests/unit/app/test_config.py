# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings file is read, and what is said where there is none or it cannot be read."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

import _restorable

CORE = _restorable.__path__[0].rpartition("/")[0]
ASK = """
import os, sys
sys.path.insert(0, sys.argv[1])
from _restorable.app import config
from _restorable.errors import ConfigError
config.SYSTEM = sys.argv[2] + "/etc/config.json"
if os.geteuid() == 0:
    os.setuid(65534)               # root may look into every folder
try:
    config.load_config(config.find_config(None, {"HOME": sys.argv[2]}))
except ConfigError as error:
    print(error.code, error.message, error.hint)
"""


@pytest.fixture
def told():
    """What a user without rights is told, by the mode of the folder of the system's settings."""
    with tempfile.TemporaryDirectory() as folder:      # pytest's own are closed to other users from their top on
        os.chmod(folder, 0o755)

        def told(mode):
            os.mkdir(f"{folder}/etc")
            os.chmod(f"{folder}/etc", mode)
            try:
                return subprocess.run([sys.executable, "-c", ASK, CORE, folder], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.replace(folder, "")
            finally:
                os.chmod(f"{folder}/etc", 0o700)
        yield told


def test_a_folder_that_may_not_be_looked_into_is_not_taken_for_an_empty_one(told):
    said = told(0)
    assert said.startswith("config.unreadable settings file /etc/config.json cannot be read: Permission denied")
    assert "sudo -u restorable restorable" in said


def test_without_settings_both_places_are_named(told):
    said = told(0o755)
    assert said.startswith("config.missing there is no settings file: neither /.config/restorable/config.json nor")
