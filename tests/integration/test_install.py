# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook install on this machine, in folders of the test, by the oldest and the newest ansible-core."""
from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from _restorable.version import VERSION
from kit.chain import new_folder
from kit.plays import Ansible

# a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="installing needs root"),
              pytest.mark.skipif(not os.path.exists("/usr/sbin/cron"), reason="no cron, which the role asks for")]


@pytest.fixture
def ansible(tmp_path):
    """Ansible with a home of its own."""
    return Ansible(tmp_path)


@pytest.fixture
def host(servers, tmp_path):
    """The variables of a host that has everything below one folder; given settings are put over the cluster's."""
    server = servers.of(15)
    place = tmp_path / "host"

    def host(connection=None, **shop):
        body = {"connection": {**server.settings, **(connection or {})}, "bin_dir": server.bin_dir,
                "jobs": {"dump": {"schedule": "0 3 * * *", "databases": ["postgres"]},
                         "drill": {"schedule": "0 4 * * sun#1"}}, **shop}
        return {
            "restorable_repositories": {"local": {"type": "local", "path": f"{place}/backups"}},
            "restorable_clusters": {"shop": body}, "ansible_become": False,
            "agent_user": "root", "agent_packages": [], "agent_dependencies": "packages",
            "agent_python": sys.executable, "agent_command": f"{place}/bin/restorable", "agent_logrotate": False,
            "agent_config": f"{place}/etc/config.json", "agent_home": f"{place}/lib", "agent_log_dir": f"{place}/log",
            "schedule_unit_dir": f"{place}/units", "schedule_cron_file": f"{place}/cron"}
    place.mkdir()
    for name in ("bin", "units"):
        (place / name).mkdir()
    return host


@pytest.fixture
def place(host, tmp_path):
    """What is below the host's folder: relative path → content."""
    def place():
        root = tmp_path / "host"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    return place


@pytest.mark.parametrize("core", ["oldest", "newest"])
def test_check_mode_plans_everything_on_a_bare_host_and_changes_nothing(core, tmp_path, host, place, request):
    tools = {"tools": request.getfixturevalue("oldest")} if core == "oldest" else {}
    ansible = Ansible(tmp_path, **tools)
    skipped = host(timezone="America/New_York", jobs={"dump": {"schedule": "30 2 * * *"}})
    inventory = ansible.inventory(db1={**host(), "schedule_manager": "cron"},
                                  db2={**skipped, "schedule_manager": "systemd"})
    done = ansible.play("install", inventory, "--check", "--diff", _schedule_systemd={"stat": {"exists": True}})
    assert done.status == 0, done.text
    assert place() == {}
    assert "+0 4 1-7 * * root" in done.text
    assert '+    "clusters": {' in done.text
    assert "+OnCalendar=*-*-* 2:30:00 America/New_York" in done.text
    assert done.line("WARNING: restorable-shop-dump: 30 2 * * *: 02:30 does not exist in America/New_York")
    request.node.user_properties.append(("ansible-core", version(ansible)))


@pytest.mark.parametrize("core", ["oldest", "newest"])
def test_a_backup_is_taken_by_the_playbook(core, tmp_path, host, request):
    tools = {"tools": request.getfixturevalue("oldest")} if core == "oldest" else {}
    ansible = Ansible(tmp_path, **tools)
    done = ansible.play("backup", ansible.inventory(db1=host()))
    assert done.status == 0, done.text
    assert done.line("db1   shop     ok")
    assert list((tmp_path / "host/backups/shop/backup").glob("*/manifest.json"))


def version(ansible):
    said = subprocess.run([f"{ansible.tools}/ansible", "--version"], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    return said.stdout.split("core ")[1].split("]")[0]


def test_an_install_by_the_oldest_core_is_idempotent_and_leaves_backups_when_it_goes(oldest, host, place, tmp_path):
    ansible = Ansible(tmp_path, tools=oldest)      # the newest one installs in the scenarios systemd and cron
    wheel = tmp_path / "host/opt/wheels/somebodys.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"not ours")
    shared = {name: tmp_path / "host" / name for name in ("etc", "log", "lib", "backups", "state")}
    for path in shared.values():                   # as /etc, /var/log and /srv are, which are others' too
        path.mkdir()
        path.chmod(0o1775)
        os.chown(path, 1, 2)
    inventory = ansible.inventory(db1={**host(), "schedule_manager": "cron", "agent_venv": f"{tmp_path}/host/opt/venv",
                                       "restorable_state_dir": str(shared["state"])})
    done = ansible.play("install", inventory)
    assert done.status == 0, done.text
    kept = {name: path.stat() for name, path in shared.items()}
    assert {(each.st_mode & 0o7777, each.st_uid, each.st_gid) for each in kept.values()} == {(0o1775, 1, 2)}
    command = [tmp_path / "host/bin/restorable", "--config", tmp_path / "host/etc/config.json"]
    subprocess.run([*command, "backup"], check=True, env={"PATH": os.environ["PATH"]})
    assert {"bin/restorable", "etc/config.json", "cron"} <= set(place())
    # what the agent was told reaches the schedule
    for path in ("bin/restorable --config", "etc/config.json", "lib/status/shop-dump.json", "log/shop-dump.log"):
        assert f"{tmp_path}/host/{path}" in place()["cron"].decode()

    again = ansible.play("install", inventory)
    assert "changed=0 " in again.line("db1 ", "ok="), again.text

    before = place()
    looked = ansible.play("uninstall", inventory, "--check", "--diff")
    assert (looked.status, place() == before) == (0, True), looked.text
    assert "changed=0 " not in looked.line("db1 ", "ok=")

    gone = ansible.play("uninstall", inventory)
    assert gone.status == 0, gone.text
    left = place()
    assert not {"bin/restorable", "etc/config.json", "cron"} & set(left)
    assert wheel.exists()
    assert any(name.endswith("manifest.json") for name in left)
    assert "changed=0 " in ansible.play("uninstall", inventory).line("db1 ", "ok=")


def test_a_password_of_the_inventory_is_written_into_a_private_file_and_shown_nowhere(ansible, host, tmp_path):
    inventory = ansible.inventory(db1={**host({"password": "s3cret-word"}), "schedule_manager": "cron"})
    done = ansible.play("install", inventory, "--diff", "-vvv")
    assert done.status == 0, done.text
    said = done.text.replace(str(inventory), "")
    assert "s3cret-word" not in said
    secret = tmp_path / "host/etc/shop.inventory.password"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("s3cret-word\n", 0o600)
    config = tmp_path / "host/etc/config.json"
    assert config.stat().st_mode & 0o777 == 0o640
    assert json.loads(config.read_text())["clusters"]["shop"]["connection"]["password_file"] == str(secret)

    # another command's settings in the same folder, and a file that somebody wrote
    used, mine = (secret.with_name(name) for name in ("crm.inventory.password", "mine.password"))
    for path in (used, mine):
        path.write_text("word\n")
    other = config.with_name("other.json")
    other.write_text(json.dumps({"password_file": str(used)}))
    without = ansible.inventory(db1={**host(), "schedule_manager": "cron", "agent_client_version": 15})
    assert ansible.play("install", without, "--check").status == 0
    assert secret.exists()
    done = ansible.play("install", without)
    assert done.status == 0, done.text
    assert {path.name for path in config.parent.iterdir()} == {path.name for path in (config, used, mine, other)}
    assert "agent_client_version is no variable of this role" in done.line("WARNING: ")
    assert "changed=0 " in ansible.play("install", without).line("db1 ", "ok=")


def earlier(command):
    """Turn the installed command into the one of an earlier version."""
    data = command.read_bytes()
    line, packed = data[:data.index(b"\n") + 1], io.BytesIO(data)
    with zipfile.ZipFile(packed) as old, open(command, "wb") as file:
        file.write(line)
        with zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(VERSION.encode(), b"0.0.9"))


def says(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}).stdout


@pytest.fixture
def closed():
    """A folder that every account may pass through, with three that postgres cannot work in."""
    folder = new_folder()
    for name, mode in (("lent", 0o755), ("shut", 0o700), ("own", 0o700)):
        (folder / name).mkdir(mode=mode)
        (folder / name / "content").write_text("root's")
        (folder / name / "content").chmod(0o600)
    yield folder
    shutil.rmtree(folder)


def test_bad_input_leaves_all_in_force_and_an_upgrade_leaves_the_backups(ansible, host, place, tmp_path, closed):
    good = ansible.inventory(db1={**host(), "schedule_manager": "cron"})
    assert ansible.play("install", good).status == 0
    command = [tmp_path / "host/bin/restorable", "--config", tmp_path / "host/etc/config.json"]
    earlier(command[0])
    assert says(*command, "backup").splitlines()[-1].startswith("done: dump shop ")
    assert says(command[0], "--version") == "restorable 0.0.9\n"
    before = place()
    loose = tmp_path / "secret"
    loose.write_text("x")
    loose.chmod(0o644)
    old = tmp_path / "python"                      # one that cannot run this version of the command
    old.write_text("#!/bin/sh\necho 'SyntaxError: future feature annotations is not defined' >&2\nexit 1\n")
    old.chmod(0o755)
    bad = {
        "minute 61 is not in 0-59": host(jobs={"dump": {"schedule": "61 * * * *"}}),
        "is '0 3 30 feb *': no year has such a day": host(jobs={"dump": {"schedule": "0 3 30 feb *"}}),
        "password_file is '/none', which cannot be": host({"password_file": "/none"}),
        f"Run `chmod 0600 {loose}`": host({"password_file": str(loose)}),
        "restorable_notify.mail is not a known setting": {**host(), "restorable_notify": {"mail": "me"}},
        "restorable_cluters is no variable of this collection. Did you mean restorable_clusters?":
            {**host(), "restorable_cluters": {}},
        "agent_usr is no variable of this role. Did you mean agent_user?": {**host(), "agent_usr": "root"},
        "future feature annotations is not defined": {**host(), "agent_python": str(old)},
        f"postgres cannot write into {closed}/lent (agent_log_dir), which is there already: root:root 0755. It may be "
        f"others' too and is left as it is. Run `chown -R postgres: {closed}/lent` if it is not, or name one that is "
        f"not there yet, such as {closed}/lent/restorable.":
            {**host(), "agent_user": "postgres", "agent_log_dir": f"{closed}/lent"},
        f"`chown -R postgres: {closed}/own` if it is not, or name one that is not there yet, such as "
        f"{closed}/restorable.": {**host(), "agent_user": "postgres", "restorable_state_dir": f"{closed}/own"},
        f"postgres cannot pass through {closed}/shut to {closed}/shut/log (agent_log_dir): it is root:root 0700. It "
        f"may be others' too and is left as it is. Run `chmod o+x {closed}/shut` if others may pass, or name one "
        f"elsewhere, such as {closed}/restorable.":
            {**host(), "agent_user": "postgres", "agent_log_dir": f"{closed}/shut/log"},
        # the schedule is judged before the agent replaces the settings
        "and clusters.shop.timezone is Pacific/Chatham": host(timezone="Pacific/Chatham"),
        "value of schedule_manager must be one of": {**host(objectives={"rpo": "1d"}), "schedule_manager": "corn"},
    }
    hosts = {f"db{number}": {"schedule_manager": "cron", **given} for number, given in enumerate(bad.values())}
    done = ansible.play("install", ansible.inventory(**hosts))
    said = " ".join(done.text.split())
    assert [words for words in bad if words not in said] == [], done.text
    for name in hosts:
        assert "failed=1" in done.line(f"{name} ", "ok=")
    assert place() == before
    # what they were told opens the folders, and what is in them
    for line in set(re.findall(rf"`(ch[^`]* {closed}/[a-z]+)`", said)):
        subprocess.run(line.split(), check=True)
    for test, name in (("-w", "lent/content"), ("-w", "own/content"), ("-x", "shut")):
        subprocess.run(["runuser", "-u", "postgres", "--", "test", test, closed / name], check=True)

    more = {**host(objectives={"rpo": "1d"}), "schedule_manager": "cron"}
    done = ansible.play("install", ansible.inventory(db1=more))
    assert done.status == 0, done.text
    after = place()
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert {"bin/restorable", "etc/config.json"} <= changed
    assert not [name for name in changed if name.startswith("backups/shop/")]
    assert says(command[0], "--version") == f"restorable {VERSION}\n"
    assert says(*command, "verify").splitlines()[-1].startswith("done: verify shop 1 backup")
