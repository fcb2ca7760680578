# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups and recoveries through Ansible, as a user runs them."""
from __future__ import annotations

import json
import pathlib
import sys

from kit.physical import Physical, archiving, home
from kit.plays import Ansible

CORE = pathlib.Path(__file__).parents[2] / "plugins" / "module_utils"


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


def test_a_recovery_is_that_of_the_printed_plan_whatever_comes_meanwhile(empty_server, folder):
    chain = Physical(empty_server(15, config=archiving(15)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    server, data = chain.server, home(folder)
    server.sql("CREATE TABLE kept AS SELECT 1 AS id")
    first = str(chain.based().id)
    moment = chain.now()
    server.sql("INSERT INTO kept VALUES (2)")
    chain.switch()
    # variables that say another thing as soon as there is a plan: a later moment, and one more base backup
    config = {**chain.body, "clusters": {"app": {**chain.own, "jobs": {"base": {"self_contained": True}}}}}
    path = folder / "meanwhile.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    command = f"PYTHONPATH={CORE} {sys.executable} -m _restorable --config {path} backup --kind base >&2 && echo false"
    later = "{{ now(utc=true).strftime('%Y-%m-%dT%H:%M:%SZ') if restorable_plan is defined else '" + moment + "' }}"
    host = {"restorable_repositories": {"local": {"path": str(folder / "local")}},
            "restorable_clusters": {"app": {"connection": server.settings, "bin_dir": server.bin_dir}},
            "restorable_time": later,
            "restorable_exclusive": f"{{{{ lookup('pipe', '{command}') if restorable_plan is defined else 'false' }}}}"}
    ansible = Ansible(folder)
    said = ansible.play("recover", ansible.inventory(db1=host), restorable_cluster="app",
                        restorable_data_directory=str(data))
    assert said.status == 0 and len(chain.ids()) > 1, said.text
    assert first in said.line("base", "from repository local")
    assert f"{first} recovered to time {moment.replace(' ', 'T')}" in said.text
    with chain.running(data) as back:
        assert back.sql("SELECT id FROM kept") == [(1,)]
