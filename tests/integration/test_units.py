# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units and lines that the role schedule writes, judged by systemd and by a shell; no manager starts one."""
from __future__ import annotations

import base64
import configparser
import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest

import _restorable
from kit.physical import CONFIG, Physical
from kit.plays import Ansible

BUCKET = {"type": "s3", "bucket": "b"}
CRON = {"results": [{"stat": {"exists": True}}, {"stat": {"exists": False}}]}
ODD = "a folder of 50%, $HOME and more"


class Unit(configparser.RawConfigParser):
    """A unit's settings; the last one of a name counts."""

    def __init__(self, path):
        super().__init__(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str
        self.read(path)

    def words(self, section, name):
        """Return a setting's words without systemd's quotes and doubled signs."""
        return [each.replace("%%", "%").replace("$$", "$") for each in shlex.split(self[section][name])]


@pytest.fixture
def schedule(tmp_path):
    """A function that runs one file of the role's tasks on hosts, which are this machine, and returns what was said.

    A host's `found` stands in the place of what the role would find out about the machine.
    """
    ansible = Ansible(tmp_path)

    def schedule(part, *options, **hosts):
        found = {f"_schedule_{name}": f"{{{{ found.{name} }}}}" for name in next(iter(hosts.values()))["found"]}
        role = {"name": "restorable.postgres.schedule", "tasks_from": part}
        tasks = [{"ansible.builtin.include_role": role, "vars": found}]
        play = tmp_path / "play.yml"
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        every = {"schedule_unit_dir": str(tmp_path / "units"), "schedule_cron_file": str(tmp_path / "cron")}
        inventory = ansible.inventory(**{name: {**every, **given} for name, given in hosts.items()})
        return ansible.play(str(play), inventory, *options)
    (tmp_path / "units").mkdir()
    return schedule


def cluster(*jobs, **more):
    return {"jobs": {job: {"schedule": "0 3 * * *"} for job in jobs}, **more}


def program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_units_of_any_cluster_please_systemd_and_may_write_where_locks_and_evidence_lie(schedule, tmp_path):
    command = program(tmp_path / ODD / "restorable", "exit 1")
    settings = {
        "repositories": {"odd": {"path": f"/srv/{ODD}/back ups"}, "off": {"type": "s3", "bucket": "b"},
                         "local": {"path": "/backups", "evidence": "/proofs"}},
        "clusters": {
            "shop": cluster("incremental", "check", repositories=["odd"], staging="/srv/stage é"),
            "cloud": cluster("drill", repositories=["off"]), "apart": cluster("drill", repositories=["local"]),
            "either": cluster("drill", repositories=["local", "off"], repositories_policy="any")}}
    done = schedule("systemd", db1={
        "found": {"systemd": {"stat": {"exists": False}}}, "schedule_manager": "systemd", "schedule_settings": settings,
        "schedule_command": command, "agent_home": f"/srv/{ODD}", "agent_user": "postgres",
        "schedule_notify_command": ["/bin/echo", "100%", "$HOME", "two words"]})
    assert done.status == 0, done.text
    units = sorted((tmp_path / "units").iterdir())
    assert len(units) == 11
    judged = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True,
                            check=False, env={**os.environ, "LC_ALL": "C"})
    assert (judged.returncode, [line for line in judged.stderr.splitlines() if "restorable" in line]) == (0, [])

    for job, words in {"incremental": ["backup", "--kind", "incremental"], "check": ["check"]}.items():
        unit = Unit(tmp_path / f"units/restorable-shop-{job}.service")
        assert unit.words("Service", "ExecStart") == [
            command, "--config", "/etc/restorable/config.json", "--status-file", f"/srv/{ODD}/status/shop-{job}.json",
            "--cluster", "shop", "--wait", "6h", *words]
        assert (unit["Service"]["User"], unit["Unit"]["OnFailure"]) == ("postgres", "restorable-notify@%N.service")
    notify = Unit(tmp_path / "units/restorable-notify@.service")
    assert notify["Service"]["User"] == "postgres"          # as a line of cron has it
    assert notify.words("Service", "ExecStart") == ["/bin/echo", "100%", "$HOME", "two words", "%i"]
    for name, writes, needs in [
            ("shop-check", [f"/srv/{ODD}/back ups", "/srv/stage é"], [f"/srv/{ODD}/back ups", "/srv/stage é"]),
            ("cloud-drill", ["/var/lib/restorable"], ["/var/lib/restorable"]),
            ("apart-drill", ["/backups", "/proofs"], ["/backups", "/proofs"]),
            # one of them may be gone
            ("either-drill", ["/backups", "/proofs", "/var/lib/restorable"], ["/var/lib/restorable"])]:
        unit = Unit(tmp_path / f"units/restorable-{name}.service")
        assert unit.words("Service", "ReadWritePaths") == [
            f"-/srv/{ODD}/status", "-/var/log/restorable", *(f"-{path}" for path in writes)]
        assert unit.words("Unit", "RequiresMountsFor") == needs


def test_an_incremental_backup_is_what_its_unit_starts(schedule, empty_server, folder, tmp_path):
    chain = Physical(empty_server(18, config=CONFIG[18]), folder)
    parent = chain.based()
    chain.server.sql("CREATE TABLE later AS SELECT 1 AS id")
    chain.own["jobs"]["incremental"] = {"schedule": "0 3 * * *"}
    done = schedule("systemd", db1={
        "found": {"systemd": {"stat": {"exists": False}}}, "schedule_manager": "systemd",
        "schedule_settings": chain.body, "schedule_config": chain.config(), "schedule_status_dir": str(tmp_path),
        "schedule_command": program(tmp_path / "bin/restorable", f'exec {sys.executable} -m _restorable "$@"')})
    assert done.status == 0, done.text
    words = Unit(tmp_path / "units/restorable-app-incremental.service").words("Service", "ExecStart")
    ran = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
                         env={**os.environ, "PYTHONPATH": os.path.dirname(_restorable.__path__[0])})
    assert ran.returncode == 0, ran.stderr
    status = json.loads((tmp_path / "app-incremental.json").read_text())
    assert (status["state"], status["exit_status"]) == ("done", 0)
    [made] = set(chain.ids()) - {str(parent.id)}
    assert f" app {made} " in status["words"] and made.endswith("-incr")
    assert ran.stdout.splitlines()[-1] == status["words"]


def test_a_line_of_cron_means_the_same_words_to_a_shell(schedule, tmp_path):
    shown = tmp_path / "shown"
    command = program(tmp_path / ODD / "restorable", f"printf '%s\\n' \"$@\" >>'{shown}'; exit 1")
    pager = program(tmp_path / "pager", f"printf 'paged %s\\n' \"$@\" >>'{shown}'")
    done = schedule("cron", db1={
        "found": {"zone": "UTC"}, "schedule_manager": "cron", "schedule_command": command, "schedule_user": "root",
        "schedule_config": f"/etc/{ODD}.json", "schedule_status_dir": str(tmp_path), "schedule_log_dir": str(tmp_path),
        "schedule_notify_command": [pager, "50% of $HOME"], "schedule_lock_wait": "90m",
        "schedule_settings": {"repositories": {"local": {"path": "/backups"}}, "clusters": {"shop": cluster("base")}}})
    assert done.status == 0, done.text
    line = next(each for each in (tmp_path / "cron").read_text().splitlines() if "--status-file" in each)
    # what cron makes of it: a % is a line's end unless it is escaped
    words = line.split(" root ", 1)[1].replace(r"\%", "\0")
    assert "%" not in words
    subprocess.run(["sh", "-c", words.replace("\0", "%").replace("logger -t", "true -t")], check=True)
    assert shown.read_text().splitlines() == [
        "--config", f"/etc/{ODD}.json", "--status-file", f"{tmp_path}/shop-base.json", "--cluster", "shop",
        "--wait", "90m", "backup", "--kind", "base", "paged 50% of $HOME", "paged restorable-shop-base"]


def test_what_the_host_cannot_keep_is_refused_before_anything_is_changed(schedule):
    link = {"exists": True, "islnk": True, "lnk_source": "/usr/share/zoneinfo/Asia/Kolkata"}

    def host(localtime=None, timezone="", zone="UTC", **more):
        content = {"content": base64.b64encode(timezone.encode()).decode()} if timezone else {}
        at_hand = localtime or {"exists": True, "islnk": False}
        return {"found": {"link": {"stat": at_hand}, "named": {"stat": {}}, "timezone": content,
                          "systemd": {"stat": {"exists": False}}, "crond": CRON},
                "schedule_manager": "cron", **more, "schedule_settings": {
                    "repositories": {"local": {"path": "/backups"}},
                    "clusters": {"shop": {"timezone": zone, "jobs": {"dump": {"schedule": "0 3 * * *"}}}}}}

    good = {"copied": host(timezone="Europe/Berlin\n", zone="Europe/Berlin"), "linked": host(link, zone="Asia/Kolkata"),
            "none": host({"exists": False})}
    pager, far = "/usr/local/bin/page-us", {"exists": False}
    good.update(listed=host(far, schedule_notify_command=[pager, 5]),
                empty=host(far, restorable_notify={"command": None}),
                none_at_all=host(far, restorable_notify=None),
                spans=host(far, schedule_randomized_delay="1h30min 5 s"),
                full=host(far, schedule_notify_command=["x" * 600]))
    bad = {"another": host(timezone="Europe/Berlin\n"), "nameless": host(), "long": host(schedule_lock_wait="long"),
           "texted": host(far, restorable_notify={"command": pager}), "told": host(far, restorable_notify=pager),
           "spelt": host(far, schedule_notify_command=f"{pager} us"),
           "late": host(far, schedule_catch_up="61 * * * *"),
           "nested": host(far, schedule_notify_command=[[pager]]),
           "never": host(far, schedule_randomized_delay="5minx"),
           "filled": host(far, schedule_notify_command=["x" * 900])}
    done = schedule("check", **good, **bad)
    said = " ".join(done.text.split())
    for name in good:
        assert "failed=0" in done.line(f"{name} ", "ok="), done.text
    for name in bad:
        assert "failed=1" in done.line(f"{name} ", "ok="), done.text
    for words in ("cron on another runs by the host's time zone, Europe/Berlin, and clusters.shop.timezone is UTC",
                  "cron on nameless runs by the host's time zone, and /etc/localtime is a copy that does not",
                  "the time that jobs wait for each other is 'long'",
                  'restorable_notify.command is "/usr/local/bin/page-us" and must be a list of words',
                  'restorable_notify is "/usr/local/bin/page-us", which is not a known setting',
                  'schedule_notify_command is "/usr/local/bin/page-us us" and must be a list of words',
                  'schedule_notify_command is [["/usr/local/bin/page-us"]] and must be a list of words',
                  "schedule_catch_up is '61 * * * *': minute 61 is not in 0-59",
                  'schedule_randomized_delay is "5minx", of which systemd makes no time',
                  "because the command of a line has more than 998 characters: 0 3 * * *"):
        assert words in said, done.text


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_cron_that_is_not_there_is_refused_while_the_timers_still_run(options, schedule, tmp_path):
    timer = tmp_path / "units/restorable-shop-dump.timer"
    timer.write_text("# Made by restorable.postgres.schedule; changes are lost.\n")
    done = schedule("main", *options, db1={
        "found": {"systemd": {"stat": {"exists": False}}, "link": {"stat": {"exists": False}},
                  "crond": {"results": [{"stat": {"exists": False}}] * 2}},
        "schedule_manager": "auto", "schedule_timezone": "UTC",
        "schedule_settings": {"repositories": {"local": {"path": "/backups"}}, "clusters": {"shop": cluster("dump")}}})
    assert done.status == 2, done.text
    assert "db1 has no cron: there is neither /usr/sbin/cron nor /usr/sbin/crond" in " ".join(done.text.split())
    assert list(tmp_path.glob("units/*")) == [timer]
    assert not (tmp_path / "cron").exists()


@pytest.mark.skipif(not shutil.which("crontab"), reason="no cron, whose reader judges the line")
def test_a_line_of_the_greatest_length_pleases_cron_and_a_longer_one_does_not(schedule, tmp_path):
    """Ask cron's own reader, because a file in which one line is too long is ignored as a whole."""
    def host(fill):
        return {"found": {"zone": "UTC", "systemd": {"stat": {"exists": False}}, "crond": CRON},
                "schedule_manager": "cron", "schedule_cron_file": str(tmp_path / "cron"),
                "schedule_catch_up": "@hourly",
                "schedule_log_dir": "/log", "schedule_notify_command": ["x" * fill], "schedule_settings": {
                    "repositories": {"local": {"path": "/backups"}}, "clusters": {"shop": cluster("dump")}}}

    assert schedule("cron", db1=host(1)).status == 0
    lines = [line for line in (tmp_path / "cron").read_text().splitlines() if " restorable " in line[:40]]
    commands = [line.split(" ", 6)[6] for line in lines]
    assert len(commands) == 2
    most = 998 - max(map(len, commands)) + 1
    for fill, status in [(most, 0), (most + 1, 1)]:
        crontab = tmp_path / "crontab"             # a person's, which names no user
        filled = [each.replace(" x ", f" {'x' * fill} ") for each in commands]
        crontab.write_text("".join(f"0 * * * * {each}\n" for each in filled))
        assert subprocess.run(["crontab", "-n", crontab], capture_output=True, check=False).returncode == status
    judged = schedule("check", most=host(most), more=host(most + 1))
    assert "failed=0" in judged.line("most ", "ok=")
    assert "failed=1" in judged.line("more ", "ok=")
    assert "has more than 998 characters" in " ".join(judged.text.split())
