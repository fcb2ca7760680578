# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role compose would write, by the oldest ansible-core; the scenario compose runs the newest."""
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from _restorable.postgres.tools import OLDEST
from kit.plays import Ansible

ROLE = Path(__file__).parents[2] / "roles" / "compose"
STACK = "services: {db: {image: 'postgres:15'}}\n"
TAGGED = "services: {shop: {image: shop, ports: !reset []}, database: {image: 'postgres:15'}}\n"
LISTED = "# ours\nSECRET=hush\nexport COMPOSE_FILE='./stack.yml:deploy/more.yml:compose.backup.yaml'  # all\n"


@pytest.fixture
def stacks(tmp_path):
    """Hosts, each with a stack in a folder of its own: stacks(name={"variable": …, "files": {path: text}})."""
    def stacks(**hosts):
        for name, each in hosts.items():
            folder = tmp_path / name
            for path, text in each.pop("files", {"compose.yaml": STACK}).items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
            each.update(compose_project_dir=str(folder), compose_password="hush")
        return hosts
    return stacks


@pytest.fixture
def said(tmp_path, oldest):
    """What a run in check mode says of hosts: said(hosts)."""
    def said(hosts):
        ansible = Ansible(tmp_path, tools=oldest)
        play = tmp_path / "play.yml"
        play.write_text("- hosts: all\n  gather_facts: false\n  roles: [restorable.postgres.compose]\n")
        done = ansible.play(str(play), ansible.inventory(**hosts), "--check", "--diff")
        assert "hush" not in done.text
        return done
    return said


def written(said, host):
    """Return the file that a host would get."""
    task = said.text.partition("Write the services]")[2].partition("\nTASK [")[0]
    before, found, _after = task.partition(f"\nchanged: [{host}]")
    assert found, said.text[-4000:]
    diff = before.rpartition("\n+++ after")[2]
    return yaml.safe_load("\n".join(line[1:] for line in diff.splitlines()[1:] if line.startswith("+")))


def refusal(said, host):
    """Return what is said to a host that is refused."""
    found = re.search(rf"(?:fatal|failed): \[{host}\].*", said.text)
    assert found, said.text[-4000:]
    return said.text[found.start():].partition("\nTASK [")[0]


def test_what_a_person_wrote_is_in_the_file_or_refused(stacks, said):
    done = said(stacks(
        named={"files": {"stack.yml": STACK}, "compose_files": ["stack.yml"], "compose_wal_slot": "shop",
               "compose_postgres_major": 17},
        listed={"files": {"stack.yml": STACK, "deploy/more.yml": "services: {}\n", ".env": LISTED},
                "compose_file": "compose.backup.yaml",
                "compose_environment": {"SCHEDULE": "0 5 * * *", "POSTGRES_HOST": "elsewhere", "BACKUP_KEEP_DAYS": "7",
                                        "S3_BUCKET": "acme"}},
        both={"compose_environment": {"SCHEDULE": "0 5 * * *"}, "compose_schedule": "0 6 * * *"},
        dry={"compose_environment": {"BACKUP_DRY_RUN": 1}},
        lost={"files": {"stack.yml": STACK, ".env": LISTED}, "compose_file": "compose.backup.yaml"},
        old={"compose_postgres_major": OLDEST - 1}, oldest={"compose_postgres_major": OLDEST},
        absent={"files": {"compose.yaml": TAGGED}}, present={"files": {"compose.yaml": TAGGED},
                                                             "compose_database_service": "database"},
        apart={"files": {"compose.yaml": TAGGED}, "compose_host": "db.example"},
        included={"files": {"compose.yaml": f"include: [more.yaml]\n{TAGGED}", "more.yaml": STACK}},
        unnamed={"files": {"stack.yml": STACK}},
        foreign={"files": {"compose.yaml": STACK, "docker-compose.override.yml": STACK}}))
    services = written(done, "named")["services"]
    assert sorted(services) == ["backup", "drill", "wal"]
    assert services["backup"]["environment"]["BACKUP_SCHEDULE"] == "${BACKUP_SCHEDULE:-0 3 * * *}"
    assert services["backup"]["build"]["args"]["APT_SOURCE"] == ""
    assert services["drill"]["network_mode"] == "none"
    assert [each["read_only"] for each in services["drill"]["volumes"] if "/backups" in str(each)] == [True]
    assert services["wal"]["command"] == ["wal-stream"]
    assert services["wal"]["environment"]["WAL_SLOT"] == "shop"
    assert services["wal"]["image"] == services["backup"]["image"] == services["wal"]["environment"]["RESTORABLE_IMAGE"]
    assert services["wal"]["image"].startswith("restorable-backup:${BACKUP_POSTGRES_MAJOR:-17}-")
    assert "COMPOSE_FILE=stack.yml:compose.override.yaml" in done.text

    services = written(done, "listed")["services"]
    assert sorted(services) == ["backup", "drill"]
    environment = services["backup"]["environment"]
    assert (environment["SCHEDULE"], environment["BACKUP_SCHEDULE"]) == ("0 5 * * *", "${BACKUP_SCHEDULE:-}")
    assert "DB_HOST" not in environment
    assert environment["BACKUP_RETENTION_DAYS"] == "${BACKUP_RETENTION_DAYS:-}"
    assert services["backup"]["build"]["args"]["PYTHON_PACKAGES"] == "boto3"
    assert not {"POSTGRES_HOST", "S3_BUCKET"} & set(services["drill"]["environment"])
    assert "does not read compose.backup.yaml" not in done.text

    assert written(done, "oldest")["services"]["backup"]["build"]["args"]["POSTGRES_MAJOR"].endswith(f":-{OLDEST}}}")
    assert [written(done, host)["services"]["backup"]["environment"]["DB_HOST"]
            for host in ("present", "apart", "included")] == ["database", "db.example", "db"]
    assert f"compose_postgres_major is {OLDEST - 1}, and {OLDEST} is the oldest" in refusal(done, "old")
    assert "compose_database_service is db, which is no service of" in refusal(done, "absent")
    assert "it has shop and database. Set it to the database's own" in refusal(done, "absent")
    assert "compose_environment.SCHEDULE and compose_schedule are both set" in refusal(done, "both")
    assert "deploy/more.yml, a compose file that COMPOSE_FILE in" in refusal(done, "lost")
    assert "compose_environment.BACKUP_DRY_RUN is 1, and the service would never take a backup" in refusal(done, "dry")
    assert "holds no compose file" in refusal(done, "unnamed")
    assert "docker-compose.override.yml was not written by this role" in refusal(done, "foreign")
    assert "COMPOSE_FILE=compose.yaml:docker-compose.override.yml:compose.backup.yaml" in refusal(done, "foreign")


def test_a_server_that_loses_its_service_wal_is_not_left_to_fill_its_disk(stacks, said):
    head = "# Written by the role restorable.postgres.compose; what is changed here is overwritten.\n"
    wal = head + "services:\n  backup:\n    environment: {}\n\n  wal:\n    environment:\n      "
    slot, data = wal + 'WAL_SLOT: "shop"\n', wal + 'WAL_DATA_DIRECTORY: "/server"\n'
    done = said(stacks(**{
        name: {"files": {"compose.override.yaml": text, **({} if gone else {"compose.yaml": STACK})}, **more}
        for name, text, gone, more in [
            ("removed_slot", slot, True, {"compose_state": "absent"}),
            ("removed_data", data, True, {"compose_state": "absent"}),
            ("removed_without", head, True, {"compose_state": "absent"}),
            ("cleared_slot", slot, False, {}), ("cleared_data", data, False, {}),
            ("other_way", data, False, {"compose_wal_slot": "shop"}),
            ("other_slot", slot, False, {"compose_wal_slot": "other"}),
            ("kept", slot, False, {"compose_wal_slot": "shop"})]}))

    messages = re.findall(r"ok: \[(\w+)\] => \{\s+\"msg\": (.*)", done.text)
    assert {host for host, text in messages if "pg_drop_replication_slot('shop')" in text} == {
        "removed_slot", "cleared_slot", "other_slot"}, done.text[-4000:]
    assert {host for host, text in messages if "ALTER SYSTEM RESET archive_mode" in text} == {
        "removed_data", "cleared_data", "other_way"}


# what the role reads of docker compose's answer to `config --format json`, of a server 15 and one of 18 (compose 2.26)
MOUNTED = {"db": {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data", "volume": {}},
           "db18": {"type": "volume", "source": "data", "target": "/var/lib/postgresql", "volume": {}}}
CONFIG = {"services": {name: {"image": "postgres", "volumes": [each]} for name, each in MOUNTED.items()}}


def test_a_stack_with_a_slot_has_a_service_that_recovers_the_whole_server_too(tmp_path, oldest):
    found = {"compose_config": {"stdout": json.dumps(CONFIG)}, "compose_contents": {"results": []}, "compose_uid": 999}
    ways = {"slot": {"compose_wal_slot": "shop", "compose_recover_data_directory": "/var/lib/postgresql/data"},
            "slot18": {"compose_wal_slot": "shop", "compose_recover_data_directory": "/var/lib/postgresql/18/docker",
                       "compose_database_service": "db18"},
            "push": {"compose_wal_data_directory": "/var/lib/postgresql/data"}, "bare": {"compose_wal_slot": "shop"}}
    play = [{"hosts": "all", "gather_facts": False, "vars_files": [str(ROLE / "vars/main.yml")],
             "tasks": [{"ansible.builtin.template": {"src": str(ROLE / "templates/compose.yaml.j2"), "mode": "0600",
                                                     "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.yaml"}}]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    ansible = Ansible(tmp_path, tools=oldest)
    defaults = {**yaml.safe_load((ROLE / "defaults/main.yml").read_text()), **found, "compose_project_dir": "/srv/shop"}
    hosts = {name: {**defaults, **way} for name, way in ways.items()}
    done = ansible.play(str(tmp_path / "play.yml"), ansible.inventory(**hosts))
    assert done.status == 0, done.text
    slot, _slot18, push, bare = (yaml.safe_load((tmp_path / f"{name}.yaml").read_text())["services"] for name in ways)

    assert slot["wal"]["command"] == ["wal-stream"]
    assert slot["recover"]["command"] == ["recover", "/recovery/plan", "--dry-run"]
    assert slot["recover"]["volumes"][-1] == {"type": "volume", "source": "data", "target": "/recovery/data"}
    assert slot["recover"]["user"] == "999:999"
    assert slot["recover"]["network_mode"] == "none"
    assert "db" not in slot                               # its container stays as it is
    assert slot["recover"] == push["recover"]
    assert "/recovery/data/18/docker" in (tmp_path / "slot18.yaml").read_text()
    assert sorted(bare) == ["backup", "drill", "wal"]
    assert "compose_recover_data_directory in the inventory adds" in (tmp_path / "bare.yaml").read_text()


def test_a_recovery_without_wal_and_one_into_another_folder_are_refused(stacks, said):
    pgdata = "/var/lib/postgresql/data"
    done = said(stacks(without={"compose_recover_data_directory": pgdata},
                       other={"compose_recover_data_directory": "/data", "compose_wal_data_directory": pgdata}))
    assert "no WAL is archived to recover by. Set compose_wal_slot, too." in refusal(done, "without")
    assert "compose_wal_data_directory is /var/lib/postgresql/data. Leave the first out." in refusal(done, "other")
