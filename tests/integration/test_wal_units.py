# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that the role wal_archive writes and removes, judged by systemd itself; nothing is started."""
from __future__ import annotations

import os
import pathlib
import shlex
import subprocess

import pytest
from integration.test_units import ODD, Unit, program

from kit.plays import Ansible

ROLE = pathlib.Path(__file__).parents[2] / "roles" / "wal_archive"
# what the role asks of systemd is kept, and nothing is done
SYSTEMCTL = """echo "$@" >> "$(dirname "$0")/asked"
case "$1" in show) echo "LoadState=loaded
ActiveState=active" ;; is-enabled) echo enabled ;; esac"""


@pytest.mark.parametrize(("method", "verb"), [("push", "wal-ship"), ("stream", "wal-stream")])
def test_a_unit_of_odd_paths_pleases_systemd_and_starts_the_verb_of_the_method(tmp_path, method, verb):
    command = program(tmp_path / ODD / "restorable", "exit 1")
    unit = tmp_path / "restorable-wal-shop.service"
    done = Ansible(tmp_path).tasks(
        {"ansible.builtin.include_vars": str(ROLE / "vars" / "main.yml")},
        {"ansible.builtin.template": {"src": str(ROLE / "templates" / "unit.service.j2"), "dest": str(unit)},
         "vars": {"wal_archive_name": "shop", "wal_archive_user": "postgres", "wal_archive_group": "postgres",
                  "wal_archive_command": command, "wal_archive_config": f"/etc/{ODD}/config.json",
                  "restorable_clusters": {"shop": {"wal": {"method": method}}}}})
    assert done.status == 0, done.text
    judged = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                            check=False, env={**os.environ, "LC_ALL": "C"})
    assert (judged.returncode, [line for line in judged.stderr.splitlines() if "restorable" in line]) == (0, [])
    assert Unit(unit).words("Service", "ExecStart") == [command, "--config", f"/etc/{ODD}/config.json", "--cluster",
                                                        "shop", "--quiet", verb]
    assert shlex.split(unit.read_text().partition("ExecStart=")[2].splitlines()[0])[0] == command.replace("%", "%%")


def test_what_lies_in_tmp_is_in_sight_of_the_service(tmp_path):
    places = {"private": ({}, {"host": "/run/postgresql"}, "/srv/tmp"), "spool": ({"spool": "/tmp/spool"}, {}, "/srv"),
              "data": ({"data_directory": "/var/tmp/data"}, {}, "/srv"), "socket": ({}, {"host": "/tmp"}, "/srv"),
              "repository": ({}, {}, "/var/tmp/backups")}
    template = str(ROLE / "templates" / "unit.service.j2")
    units = [{"ansible.builtin.template": {"src": template, "dest": f"{tmp_path}/{name}"},
              "vars": {"wal_archive_name": "shop", "restorable_repositories": {"local": {"path": repository}},
                       "restorable_clusters": {"shop": {"wal": wal, "connection": connection}}}}
             for name, (wal, connection, repository) in places.items()]
    files = [{"ansible.builtin.include_vars": str(ROLE / each / "main.yml")} for each in ("defaults", "vars")]
    done = Ansible(tmp_path).tasks(*files, *units)
    assert done.status == 0, done.text
    assert [name for name in places if "PrivateTmp=true" in (tmp_path / name).read_text()] == ["private"]


def test_removal_lets_systemd_read_its_units_again_and_happens_once(tmp_path, monkeypatch):
    units = tmp_path / "units"
    units.mkdir()
    (units / "restorable-wal-shop.service").write_text("[Service]\nExecStart=/bin/true\n")
    program(tmp_path / "programs" / "systemctl", SYSTEMCTL)
    ansible = Ansible(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/programs:{os.environ['PATH']}")
    role = {"ansible.builtin.include_role": {"name": "restorable.postgres.wal_archive"},
            "vars": {"wal_archive_state": "absent", "wal_archive_clusters": ["shop"],
                     "wal_archive_unit_dir": str(units)}}
    done = ansible.tasks(role)
    assert done.status == 0, done.text
    assert list(units.iterdir()) == []
    asked = (tmp_path / "programs" / "asked").read_text().splitlines()
    assert asked[-1] == "daemon-reload" and "stop restorable-wal-shop.service" in asked, asked
    again = ansible.tasks(role)
    assert again.status == 0 and "changed=0" in again.text
    assert len((tmp_path / "programs" / "asked").read_text().splitlines()) == len(asked)


def test_settings_that_the_servers_account_cannot_read_are_refused_before_anything_is_made(tmp_path):
    host = tmp_path / "host"
    (host / "units").mkdir(parents=True)
    program(host / "restorable", "exit 1")
    (host / "config.json").write_text("{}")
    tmp_path.chmod(0o700)
    ansible = Ansible(tmp_path)
    inventory = ansible.inventory(db1={
        "restorable_repositories": {"local": {"path": str(tmp_path / "local")}}, "restorable_become": False,
        "restorable_clusters": {"shop": {"connection": {"host": str(tmp_path)}, "wal": {"spool": str(host / "spool")}}},
        "wal_archive_service": False, "wal_archive_unit_dir": str(host / "units"), "wal_archive_user": "nobody",
        "wal_archive_command": str(host / "restorable"), "wal_archive_config": str(host / "config.json")})
    done = ansible.play("wal_archive", inventory, "--check")
    told = " ".join(done.text.split())
    assert done.status == 2 and f"{host / 'config.json'} is closed to user nobody on db1" in told, done.text
    assert "Set agent_user to nobody" in told and "changed=0" in told and not (host / "spool").exists()


@pytest.mark.parametrize(("lacking", "words", "options"), [
    ("restorable", "restorable.postgres.install", ()), ("config.json", "restorable.postgres.install", ["--check"]),
    ("units", "wal_archive_unit_dir", ["--check"]), ("root", "-e ansible_become_user=root", ["--check"]),
])
def test_a_host_that_could_not_ship_is_refused_before_anything_is_made(tmp_path, monkeypatch, lacking, words, options):
    host = tmp_path / "host"
    for name in {"restorable", "config.json", "units"} - {lacking}:
        (host / name).mkdir(parents=True)
    if lacking == "root":
        program(tmp_path / "programs" / "id", "echo 4711")
        monkeypatch.setenv("PATH", f"{tmp_path}/programs:{os.environ['PATH']}")
    ansible = Ansible(tmp_path)
    inventory = ansible.inventory(db1={
        "restorable_repositories": {"local": {"path": str(tmp_path / "local")}}, "restorable_become": False,
        "restorable_clusters": {"shop": {"connection": {"host": str(tmp_path)}, "wal": {"spool": str(host / "spool")}}},
        "wal_archive_service": False, "wal_archive_unit_dir": str(host / "units"),
        "wal_archive_command": str(host / "restorable"), "wal_archive_config": str(host / "config.json")})
    done = ansible.play("wal_archive", inventory, *options)
    named = "user 4711" if lacking == "root" else f"{host / lacking} does not exist on db1"
    assert (done.status, named in done.text, words in done.text) == (2, True, True), done.text
    assert "changed=0" in done.text and not (host / "spool").exists()


def test_a_misspelt_variable_of_the_role_is_refused(tmp_path):
    done = Ansible(tmp_path).tasks({"ansible.builtin.include_role": {"name": "restorable.postgres.wal_archive"},
                                    "vars": {"wal_archive_clusters": [], "wal_archive_comand": "/bin/true"}})
    assert done.status == 2 and "Did you mean wal_archive_command?" in done.text, done.text
