# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command's manners: where it writes, what it returns, and that it never does half a thing."""
from __future__ import annotations

import cProfile
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from _restorable.app import cli
from _restorable.app.cli import main
from _restorable.version import VERSION

PACKAGE = Path(cli.__file__).parents[1]
MODULE_UTILS = PACKAGE.parent


def test_the_version_is_one_line():
    out = io.StringIO()
    assert main(["--version"], out, io.StringIO(), {}) == 0
    assert out.getvalue() == f"restorable {VERSION}\n"


def test_the_version_is_told_without_loading_what_it_does_not_need():
    code = ("import sys, io; before = set(sys.modules); from _restorable.app.cli import main; "
            "main(['--version'], io.StringIO(), io.StringIO(), {}); print(sorted(set(sys.modules) - before))")
    told = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(MODULE_UTILS)})
    assert told.stdout.strip() == str(["__future__", "_restorable", "_restorable.app", "_restorable.app.cli",
                                       "_restorable.version"])


@pytest.mark.parametrize("words", [[], ["--help"], ["backup", "--help"], ["adopt", "-h"]])
def test_help_goes_to_the_output_and_is_no_error(host, words):
    ran = host.run(*words)
    assert ran.status == 0 and ran.out.startswith("usage: restorable") and ran.err == ""


@pytest.mark.parametrize(("words", "named"), [
    (["lst"], "'lst'"), (["list", "--surprise"], "--surprise"), (["restore", "--jobs", "many"], "'many'"),
    (["show", "--all"], "--all"), (["list", "--all", "--cluster", "shop"], "--cluster"), (["adopt", "/x"], "--pattern"),
    (["restore", "--jobs", "0"], "--jobs is 0"), (["drill", "--jobs", "-1"], "--jobs is -1"),
    (["backup", "--max-age", "soon"], "--max-age is 'soon'")])
def test_a_wrong_word_is_named_with_what_to_do(host, words, named):
    ran = host.run(*words)
    assert ran.status == 2 and ran.out == ""
    assert ran.err.startswith("error: ") and named in ran.err and "\nhint: " in ran.err


@pytest.mark.parametrize("words", [("backup",), ("prune",), ("drill",), ("adopt", "/tmp", "--pattern", "x")])
def test_a_repository_that_is_not_there_is_the_only_thing_that_is_told(host, words):
    host.config({"shop": {}}, repositories={"local": {"path": str(host.folder / "slip" / "repo")}})
    ran = host.run(*words)
    assert ran.err.startswith(f"error: repository local: {host.folder}/slip/repo does not exist for user ")
    assert ran.err.splitlines()[1].startswith("hint: ") and "journal" not in ran.err


@pytest.mark.parametrize(("words", "message", "meant"), [
    (["backpu"], "verb 'backpu' is not known", "`restorable backup`"),
    (["backup", "--databse=app"], "restorable backup has no option --databse\n", "`--database`"),
    (["restore", "latest", "--replce", "--jobs", "2"], "restorable restore has no option --replce", "`--replace`"),
    (["--josn", "list"], "restorable list has no option --josn", "`--json`"),
    (["backup", "--kind", "incremntal"], "--kind is 'incremntal', not one of dump, base, incremental", "`incremental`"),
    (["show", "20261119T03000Z-dump"], "'20261119T03000Z-dump' is not in the repository", "20261119T030000Z-dump"),
    (["show", "lastest"], "backup 'lastest' is not in", "latest"),
    (["list", "--cluster", "shpo"], "cluster 'shpo' is not in the settings", "shop"),
])
def test_a_mistyped_word_is_met_by_the_one_that_was_meant(host, words, message, meant):
    host.commit("20261118T030000Z-dump")
    host.commit("20261119T030000Z-dump")
    ran = host.run(*words)
    assert ran.status in (2, 5) and ran.err.startswith("error: ") and message in ran.err
    assert f"\nhint: Did you mean {meant}? " in ran.err


def test_a_word_like_no_other_is_met_by_no_guess(host):
    for words in (["zzzz"], ["list", "--qqqqq"], ["show", "zzzz"]):
        assert "Did you mean" not in host.run(*words).err


def test_an_error_is_one_json_object_too(host):
    ran = host.run("show", "20250101", "--json")
    assert ran.status == 5 and ran.err == ""
    assert ran.json["error"]["code"] == "backup.unknown" and ran.json["error"]["hint"]


def test_a_usage_error_is_one_json_object_too(host):
    assert host.run("lst", "--json").json["error"]["code"] == "usage"


def test_settings_that_do_not_exist_are_named():
    out, err = io.StringIO(), io.StringIO()
    assert main(["list", "--config", "/nowhere/config.json"], out, err, {}) == 2
    assert "settings file /nowhere/config.json does not exist" in err.getvalue()


def test_settings_that_are_nowhere_are_missed_in_every_place_that_was_looked_at(tmp_path):
    out, err = io.StringIO(), io.StringIO()
    assert main(["list"], out, err, {"HOME": str(tmp_path)}) == 2
    assert f"neither {tmp_path}/.config/restorable/config.json nor /etc/restorable/config.json" in err.getvalue()


@pytest.mark.parametrize("words", [("--json", "list"), ("list", "--json")])
def test_a_global_option_stands_before_or_after_the_verb(host, words):
    assert host.run(*words).json["clusters"][0]["cluster"] == "shop"


def test_a_list_names_the_sets_and_their_states(host):
    host.commit("20261119T030000Z-dump")
    host.store.put("shop/backup/20261120T030000Z-dump/app.sql", [b"x"])
    ran = host.run("list")
    assert "20261119T030000Z-dump  committed" in ran.out and "20261120T030000Z-dump  orphan" in ran.out


def test_a_hold_is_set_once_and_released_once(host):
    host.commit("20261119T030000Z-dump")
    assert host.run("hold", "latest", "--reason", "audit").out == "done: shop 20261119T030000Z-dump is held\n"
    assert "was already held" in host.run("hold", "20261119").out
    assert json.loads(b"".join(host.store.get("shop/hold/20261119T030000Z-dump.json")))["reason"] == "audit"
    assert "would be released" in host.run("hold", "latest", "--release", "--dry-run").out
    assert "is released" in host.run("hold", "latest", "--release").out
    [left] = [entry.key for entry in host.store.list("shop/hold/")]
    assert left.startswith("shop/hold/20261119T030000Z-dump.released.")
    assert "already released" in host.run("hold", "latest", "--release").out


def test_quiet_leaves_only_results(host):
    host.commit("20261119T030000Z-dump")
    assert host.run("hold", "latest", "-q").out == ""


def test_red_is_an_exit_status(host):
    ran = host.run("status")
    assert ran.status == 1 and ran.out.startswith("shop: red\n")


def test_one_failing_cluster_fails_only_itself_and_is_named_in_the_end(host):
    host.config({"app": {}, "shop": {"repositories": []}, "web": {}})
    ran = host.run("list")
    assert ran.status == 2
    assert "cluster app, repository local" in ran.out and "cluster web, repository local" in ran.out
    assert "error: cluster shop: cluster shop has no repository" in ran.err
    assert ran.out.endswith("list: 1 of 3 clusters need a look: shop\n")


def test_every_cluster_stands_in_the_one_object(host):
    host.config({"app": {}, "shop": {"repositories": []}})
    body = host.run("list", "--json").json
    assert [each["cluster"] for each in body["clusters"]] == ["app", "shop"]
    assert body["error"] == body["clusters"][1]["error"] and body["error"]["code"] == "repository.none"


def test_a_defect_is_told_like_an_error_and_stops_no_other_cluster(host, monkeypatch):
    from _restorable.app import dispatch
    verbs = {**dispatch.EACH, "list": lambda call: 1 // 0 if call.cluster.name == "app" else dispatch.status.run(call)}
    monkeypatch.setattr(dispatch, "EACH", verbs)
    host.config({"app": {}, "shop": {}})
    ran = host.run("list")
    assert ran.status == 70 and "unexpected ZeroDivisionError" in ran.err and "shop: red" in ran.out
    assert "Traceback" not in ran.err and "Traceback" in host.run("list", RESTORABLE_TRACE="1").err


def test_colour_is_for_terminals_without_no_color_only(host, terminal):
    assert "\033[" in host.run("status", stream=terminal).out
    assert "\033[" not in host.run("status", stream=terminal, NO_COLOR="1").out
    assert "\033[" not in host.run("status", stream=terminal, TERM="dumb").out
    assert "\033[" not in host.run("status").out


def test_colour_changes_nothing_but_colour(host, terminal):
    import re
    host.commit("20261119T030000Z-dump")
    coloured = re.sub(r"\033\[\d+m", "", host.run("prune", "--dry-run", stream=terminal).out)
    assert coloured == host.run("prune", "--dry-run").out


def started(*words, **environment):
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": str(MODULE_UTILS), **environment})


def test_it_runs_as_a_module_and_as_a_zip_with_a_first_line(tmp_path):
    archive = tmp_path / "restorable"
    with open(archive, "wb") as file:
        file.write(f"#!{sys.executable}\n".encode())
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("__main__.py", "import runpy\nrunpy.run_module('_restorable', run_name='__main__')\n")
            for path in sorted(PACKAGE.rglob("*.py")):
                packed.write(path, path.relative_to(MODULE_UTILS).as_posix())
    archive.chmod(0o755)
    assert subprocess.run([archive, "--version"], capture_output=True, text=True, check=True).stdout == \
        started("-m", "_restorable", "--version").communicate()[0] == f"restorable {VERSION}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_run_cleanly_with_a_status_of_at_most_125(host, number):
    code = ("import os, sys, time, signal\nfrom _restorable.app import cli, dispatch\n"
            "def wait(call):\n    with call.world().lock.hold('test'):\n        print('ready', flush=True)\n"
            "        time.sleep(60)\ndispatch.EACH['list'] = wait\n"
            "raise SystemExit(cli.main(['list'], sys.stdout, sys.stderr, os.environ))\n")
    child = started("-c", code, RESTORABLE_CONFIG=str(host.folder / "config.json"))
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    _out, err = child.communicate(timeout=20)
    assert child.returncode == cli.STOPPED <= 125 and f"stopped by {number.name}" in err


@pytest.mark.parametrize(("words", "status"), [
    (["wal-ship"], 0), (["--config", "x.json", "wal-stream"], 0), (["wal-ship", "--once"], cli.STOPPED),
    (["list"], cli.STOPPED)])
def test_a_signal_before_the_command_line_is_read_is_the_good_end_of_a_verb_that_has_no_other(words, status):
    code = ("import os, sys, time, signal\nfrom _restorable.app import arguments, cli\n"
            "def parse(argv):\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(60)\narguments.parse = parse\n"
            f"raise SystemExit(cli.main({words!r}, sys.stdout, sys.stderr, os.environ))\n")
    child = started("-c", code)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, "stopped by SIGTERM" in out + err) == (status, True)


def test_a_signal_while_the_program_is_loaded_is_no_defect_either():
    code = ("import os, sys, time, signal, io\nfrom _restorable.app import cli\n"
            "class Loaded:\n    def find_spec(self, name, path, target=None):\n        if name.endswith('.console'):\n"
            "            os.kill(os.getpid(), signal.SIGTERM)\n            time.sleep(60)\n"
            "sys.meta_path.insert(0, Loaded())\n"
            "raise SystemExit(cli.main(['wal-stream'], sys.stdout, sys.stderr, os.environ))\n")
    child = started("-c", code)
    assert (*child.communicate(timeout=20), child.returncode) == ("", "", 0)


@pytest.mark.parametrize(("verb", "status"), [("wal-ship", 0), ("list", cli.STOPPED)])
def test_a_signal_while_a_failure_is_told_is_no_defect(verb, status):
    code = ("import os, sys, time, signal\nfrom _restorable.app import cli, console\n"
            "def fail(*given):\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(60)\n"
            "console.Console.fail = fail\n"
            f"words = ['--config', '/nowhere.json', {verb!r}]\n"
            "raise SystemExit(cli.main(words, sys.stdout, sys.stderr, os.environ))\n")
    child = started("-c", code)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (status, "", "")


def test_an_ignored_hangup_stays_ignored(host):
    code = ("import os, sys, time, signal\nfrom _restorable.app import cli, dispatch\n"
            "def wait(call):\n    os.kill(os.getpid(), signal.SIGHUP)\n    time.sleep(0.2)\n"
            "    return dispatch.status.run(call)\ndispatch.EACH['list'] = wait\n"
            "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "raise SystemExit(cli.main(['list'], sys.stdout, sys.stderr, os.environ))\n")
    child = started("-c", code, RESTORABLE_CONFIG=str(host.folder / "config.json"))
    assert "shop: red" in child.communicate(timeout=20)[0]


def test_a_reader_that_goes_away_is_no_defect(host):
    for day in range(1, 29):
        host.commit(f"202601{day:02}T030000Z-dump")
    read, write = os.pipe()
    os.close(read)
    child = subprocess.Popen([sys.executable, "-m", "_restorable", "list"], stdout=write, stderr=subprocess.PIPE,
                             text=True, env={**os.environ, "PYTHONPATH": str(MODULE_UTILS),
                                             "RESTORABLE_CONFIG": str(host.folder / "config.json")})
    os.close(write)
    assert child.communicate(timeout=20)[1] == "" and child.returncode == cli.STOPPED


def test_the_handlers_of_the_caller_are_given_back(host):
    before = signal.getsignal(signal.SIGTERM)
    host.run("list")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_list_of_many_backups_takes_work_in_proportion():
    from _restorable.app.render import render_list
    from _restorable.app.report import list_report
    from _restorable.model.catalogue import Catalogue
    from _restorable.ops.status import RepositoryStatus
    now = datetime(2026, 11, 20, tzinfo=timezone.utc)

    def calls(count):
        ids = [f"{now - timedelta(hours=hour):%Y%m%dT%H%M%SZ}-dump" for hour in range(count)]
        listing = [(f"shop/backup/{each}/{name}", 10) for each in ids for name in ("app.dump.zst", "manifest.json")]
        profile = cProfile.Profile()
        profile.runcall(lambda: render_list(
            "shop", list_report([RepositoryStatus("local", Catalogue.of("shop", listing))], now)))
        return sum(entry.callcount for entry in profile.getstats())

    calls(100)
    assert calls(20_000) < 11 * calls(2_000)


def test_a_check_on_schedule_looks_at_the_repositories_of_its_cluster_and_keeps_a_status(host):
    (host.folder / "config.json").write_text(json.dumps({
        "repositories": {"local": {"path": str(host.folder / "repo")}, "other": {"path": str(host.folder / "other")}},
        "clusters": {"shop": {"repositories": ["local"]}, "blog": {"repositories": ["other"]}}}))
    status = host.folder / "check.json"
    ran = host.run("--cluster", "shop", "--status-file", str(status), "check", "--size", "1")
    assert ran.status == 0, ran.err
    assert "done: check local: fit" in ran.err + ran.out
    assert "repository other" not in ran.out
    kept = json.loads(status.read_text())
    assert (kept["exit_status"], kept["words"]) == (0, "done: check local: fit")
