# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups and recoveries through Ansible, as a user runs them."""
from __future__ import annotations

import json
import shutil

import pytest

from kit.chain import new_folder
from kit.physical import Physical, home
from kit.plays import Ansible


@pytest.fixture
def folder():
    path = new_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_server_is_copied_and_recovered_by_the_playbooks(empty_server, folder):
    server = empty_server(15)
    server.sql("CREATE TABLE kept AS SELECT generate_series(1, 7) AS id")
    ansible, data = Ansible(folder), home(folder)
    cluster = {"connection": server.settings, "bin_dir": server.bin_dir, "repositories": ["local"]}
    host = {"restorable_repositories": {"local": {"path": str(folder / "local")}},
            "restorable_clusters": {"app": cluster}}
    inventory = ansible.inventory(db1=host)
    said = ansible.play("basebackup", inventory)
    assert said.status == 0, said.text
    assert " ok " in said.line("db1", "app", "-base:")
    again = ansible.play("basebackup", inventory, "-e", "restorable_max_age=1h")
    assert "skipped" in again.line("db1", "app", "younger than max_age"), again.text
    wish = json.dumps({"restorable_cluster": "app", "restorable_data_directory": str(data)})
    checked = ansible.play("recover", inventory, "-e", wish, "--check")
    assert checked.status == 0 and "planned" in checked.text and not data.exists(), checked.text
    said = ansible.play("recover", inventory, "-e", wish)
    assert said.status == 0, said.text
    assert "recovered to the end of the archived WAL" in said.text
    with Physical(server, folder).running(data) as back:
        assert back.sql("SELECT count(*) FROM kept") == [(7,)]
    refused = ansible.play("recover", inventory, "-e", wish)
    assert refused.status != 0 and "is not empty" in refused.text
