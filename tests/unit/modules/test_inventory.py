# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles are given on the controller: a host's settings, its jobs, and the host command in one file."""
from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from _restorable.host.clock import SystemClock
from _restorable.host.lock import FileLock
from _restorable.model import settings
from _restorable.version import VERSION

from .conftest import load

ROOT = Path(__file__).parents[3]
CORE = ROOT / "plugins/module_utils"
LOCAL = {"local": {"type": "local", "path": "/var/backups/restorable"}}


@pytest.fixture
def inventory():
    return load("plugin_utils._inventory")


@pytest.fixture
def pack():
    return load("plugin_utils._pack").pack


def body(**shop):
    return {"repositories": LOCAL, "clusters": {"shop": shop}, "encryption": {}, "state_dir": ""}


def test_what_is_empty_is_left_out_of_the_settings_file(inventory):
    assert inventory.host_settings(body())["config"] == {"repositories": LOCAL, "clusters": {"shop": {}}}


def test_a_password_becomes_a_file_and_is_nowhere_else(inventory):
    found = inventory.host_settings(body(connection={"user": "u", "password": "s3cret"}), "/etc/r")
    assert found["secrets"] == [{"path": "/etc/r/shop.inventory.password", "content": "s3cret\n"}]
    assert found["config"]["clusters"]["shop"]["connection"] == {
        "user": "u", "password_file": "/etc/r/shop.inventory.password"}
    assert "s3cret" not in str(found["config"])


@pytest.mark.parametrize("profile", ["", "backups"])
def test_the_keys_of_a_bucket_become_a_file_and_are_nowhere_else(inventory, profile):
    s3 = {"off": {"type": "s3", "bucket": "b", "profile": profile, "access_key_id": "AK",
                  "secret_access_key": "s3cret"}}
    found = inventory.host_settings({"repositories": s3, "clusters": {"shop": {}}}, "/etc/r")
    assert found["secrets"] == [{
        "path": "/etc/r/off.inventory.credentials",
        "content": f"[{profile or 'default'}]\naws_access_key_id = AK\naws_secret_access_key = s3cret\n"}]
    assert found["config"]["repositories"]["off"] == {
        "type": "s3", "bucket": "b", "profile": profile, "credentials_file": "/etc/r/off.inventory.credentials"}
    assert s3["off"]["secret_access_key"] == "s3cret"      # the inventory itself stays as it was


def test_half_of_a_buckets_keys_is_refused(inventory):
    s3 = {"off": {"type": "s3", "bucket": "b", "access_key_id": "AK"}}
    with pytest.raises(AnsibleFilterError, match="repositories.off has a part of its credentials only"):
        inventory.host_settings({"repositories": s3, "clusters": {"shop": {}}})


def test_another_secret_in_the_inventory_is_refused_with_its_cure_and_without_being_shown(inventory):
    nas = {"nas": {"type": "rclone", "remote": "nas:postgres", "secret_options": {"sftp-pass": "s3cret"}}}
    with pytest.raises(AnsibleFilterError, match="repositories.nas.secret_options.sftp-pass holds a secret") as found:
        inventory.host_settings({"repositories": nas, "clusters": {"shop": {}}})
    assert "s3cret" not in str(found.value)
    assert "name that file in config_file" in str(found.value)


def test_wrong_settings_are_told_with_path_and_cure(inventory):
    with pytest.raises(AnsibleFilterError, match=r"clusters.shop.jbos is not a known setting. Did you mean jobs\?"):
        inventory.host_settings(body(jbos={}))


def test_a_job_has_all_that_a_unit_and_a_line_need(inventory):
    job, = inventory.jobs(body(jobs={"drill": {"schedule": "0 4 * * sun#1", "scratch": {"dir": "/scratch"}}}))
    assert job["name"] == "restorable-shop-drill"
    assert job["command"] == ["--cluster", "shop", "drill"]
    assert job["on_calendar"] == ["Sun *-*-1..7 4:0:00 UTC"]
    assert job["cron"][0]["fields"] == "0 4 1-7 * *"
    assert job["paths"] == job["mounts"] == ["/var/backups/restorable", "/scratch"]


def test_a_job_is_told_how_long_it_waits_for_another_one(inventory):
    jobs = {"drill": {"schedule": "0 4 * * *"}}
    assert [inventory.jobs(body(jobs=jobs), wait)[0]["command"] for wait in ("6h", 90, "", "0s")] == [
        ["--cluster", "shop", "--wait", "6h", "drill"], ["--cluster", "shop", "--wait", "90", "drill"],
        ["--cluster", "shop", "drill"], ["--cluster", "shop", "drill"]]
    with pytest.raises(AnsibleFilterError, match="the time that jobs wait for each other is 'soon'"):
        inventory.jobs(body(jobs=jobs), "soon")


@pytest.mark.parametrize(("repositories", "more", "folders"), [
    (LOCAL, {}, []), (LOCAL, {"state_dir": "/state"}, ["/state"]),
    ({"local": {"path": "/backups", "evidence": "/proofs"}}, {}, ["/proofs"]),
    ({"off": {"type": "s3", "bucket": "b"}}, {}, ["/var/lib/restorable"]),
])
def test_folders_of_locks_and_evidence_outside_of_the_backups_are_named(inventory, repositories, more, folders):
    given = {"repositories": repositories, "clusters": {"shop": {}}, **more}
    assert inventory.host_settings(given)["folders"] == folders


@pytest.mark.parametrize(("names", "words"), [
    (["agent_user", "agent_of_somebody_else"], ""),
    (["agent_usr"], "agent_usr is no variable of this role. Did you mean agent_user?"),
])
def test_a_variable_that_is_a_roles_but_for_a_letter_is_told(inventory, names, words):
    assert inventory.misspelt_variables(names, ["agent_user", "agent_group"]) == words


@pytest.mark.parametrize(("name", "words"), [
    ("schedule_manager", []),
    ("schedule_timezone", ["The nearest are schedule_manager and schedule_notify_command."]),
    ("schedule_notify", ["The nearest are schedule_notify_command and schedule_manager."]),
    ("schedule_of_the_cleaning_of_all_houses", ["Remove it, unless it is of something else."]),
])
def test_a_variable_that_only_begins_like_a_roles_is_told_with_the_nearest(inventory, name, words):
    assert inventory.foreign_variables([name], ["schedule_manager", "schedule_notify_command"]) == [
        f"{name} is no variable of this role, and is not read. {each}" for each in words]


@pytest.mark.parametrize("role", ["agent", "compose", "schedule", "wal_archive"])
def test_no_role_takes_its_own_results_for_foreign_variables(role):
    source = yaml.safe_load((ROOT / f"roles/{role}/vars/main.yml").read_text())
    options = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    tasks = [yaml.safe_load(path.read_text()) for path in (ROOT / f"roles/{role}/tasks").glob("*.yml")]
    own = {name for name in [*source, *defined(tasks)] if name.startswith(f"{role}_")}
    assert own - set(options["options"]) == set(source.get(f"_{role}_results", []))


def defined(tasks):
    """Yield every name that tasks give to something."""
    for each in tasks.values() if isinstance(tasks, dict) else tasks if isinstance(tasks, list) else ():
        yield from defined(each)
    for key, value in tasks.items() if isinstance(tasks, dict) else ():
        if key in ("register", "loop_var"):
            yield value
        elif key in ("vars", "ansible.builtin.set_fact"):
            yield from value


def test_a_schedule_is_said_in_lines_of_cron_or_refused_by_its_name(inventory):
    assert inventory.cron_lines("@hourly") == [{"fields": "0 * * * *", "guard": ""}]
    assert inventory.cron_lines("0 4 * * sun#1")[0]["guard"] == 'test "$(date +\\%u)" = 7'
    with pytest.raises(AnsibleFilterError, match=r"schedule_catch_up is '61 \* \* \* \*': minute 61 is not in 0-59"):
        inventory.cron_lines("61 * * * *", "schedule_catch_up")


@pytest.mark.parametrize(("names", "words"), [
    (["restorable_clusters", "restorable_max_age", "restorable_hosts"], ""),
    (["restorable_cluters"], "restorable_cluters is no variable of this collection. Did you mean restorable_clusters?"),
    (["restorable_zzz9"], "restorable_zzz9 is no variable of this collection. Remove it."),
])
def test_a_variable_that_nobody_reads_is_told_with_the_nearest(inventory, names, words):
    assert inventory.unknown_variables(names, ["repositories", "clusters"]) == words


@pytest.mark.parametrize("role", ["agent", "schedule"])
def test_the_roles_take_every_key_of_the_settings(role):
    source = Path(settings.__file__).read_text()
    keys = {one or other for one, other in re.findall(r'\btop\.\w+\("(\w+)"|_pairs\(top, "(\w+)"\)', source)}
    keys |= {"encryption"} if "Encryption.of(top)" in source or "encryption" in source else set()
    variables = yaml.safe_load((ROOT / f"roles/{role}/vars/main.yml").read_text())
    assert set(variables[f"_{role}_inventory"]) == keys


def test_the_packed_command_is_the_same_each_time_and_runs(pack, tmp_path):
    first, second = pack(sys.executable), pack(sys.executable)
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()
    command = tmp_path / "restorable"
    command.write_bytes(first)
    command.chmod(0o755)
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, cwd="/",
                          env={"PYTHONPATH": "/none", "PATH": os.defpath})
    assert said.stdout == f"restorable {VERSION}\n"
    helped = subprocess.run([command, "config", "--help"], capture_output=True, text=True, check=True, cwd="/")
    assert "--for-user" in helped.stdout


def test_the_packed_command_runs_no_code_of_the_folder_one_stands_in(pack, tmp_path):
    command = tmp_path / "restorable"
    command.write_bytes(pack(sys.executable))
    command.chmod(0o755)
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    said = subprocess.run([command, "--config", "/none", "status"], capture_output=True, text=True, check=False,
                          cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert "settings file /none does not exist" in said.stderr


def test_the_packed_command_writes_a_name_without_an_encoding_as_the_package_does(pack, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"repositories": {"local": {"path": f"{tmp_path}/repo\udcff"}},
                                  "clusters": {"shop": {}}}))
    (tmp_path / "restorable").write_bytes(pack(sys.executable))
    said = [subprocess.run([sys.executable, *door, "--config", config, "--dry-run", "init"], capture_output=True,
                           check=True, env={"LC_ALL": "C.UTF-8", "PYTHONPATH": str(CORE)}).stdout
            for door in ([tmp_path / "restorable"], ["-m", "_restorable"])]
    assert said[0] == said[1]
    assert b"repo\\udcff" in said[0]


@pytest.mark.parametrize("then", ["replaced", "overwritten", "removed"])
def test_a_run_that_waits_ends_well_though_its_command_is_replaced_or_removed_meanwhile(pack, tmp_path, then):
    command, lock = tmp_path / "restorable", tmp_path / "state" / "shop.lock"
    command.write_bytes(pack(sys.executable))
    command.chmod(0o755)
    config, err = tmp_path / "config.json", tmp_path / "err"
    config.write_text(json.dumps({"repositories": {"local": {"path": str(tmp_path / "repo")}}, "clusters": {"shop": {}},
                                  "state_dir": str(lock.parent)}))
    subprocess.run([command, "--config", config, "init"], check=True, cwd="/")
    words = [command, "--config", config, "--wait", "1h", "prune"]
    with FileLock(str(lock), SystemClock(), "cluster shop").hold("an upgrade"), open(err, "wb") as said:
        waiting = subprocess.Popen(words, stdout=said, stderr=said, cwd="/")
        end = time.monotonic() + 60
        while "waiting at most 1h" not in err.read_text():
            assert waiting.poll() is None and time.monotonic() < end, err.read_text()
            time.sleep(0.02)
        if then == "removed":
            command.unlink()
        else:
            newer = command if then == "overwritten" else tmp_path / "newer"
            newer.write_bytes(b"#!/bin/sh\n# of another length\nexit 9\n" * 9)
            newer.rename(command)
    assert (waiting.wait(60), "done: prune shop" in err.read_text()) == (0, True), err.read_text()
