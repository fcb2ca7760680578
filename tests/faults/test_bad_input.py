# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and arguments that are wrong: one error that names the value, one hint, and nothing is changed."""
from __future__ import annotations

import copy
import json
import shutil

import pytest
from faults.conftest import SHOP

from kit.chain import Chain, new_folder

CLUSTER = "clusters.app"
WRONG = {   # the place and its value; the exit status; what is told
    "an unknown key": (["clusters", "app", "jobs", "dump", "compresion"], {"method": "zstd"}, 2,
                       f"{CLUSTER}.jobs.dump.compresion"),
    "a wrong type": (["clusters", "app", "jobs", "dump", "databases"], 7, 2, "7"),
    "a flag that is a word": (["clusters", "app", "jobs", "dump", "allow_partial"], "perhaps", 2, "perhaps"),
    "a negative count": (["clusters", "app", "retention"], {"dump": {"daily": -3}}, 2, "-3"),
    "a count beyond all reason": (["clusters", "app", "retention"], {"dump": {"daily": 10 ** 30}}, 2, str(10 ** 30)),
    "jobs beyond all reason": (["clusters", "app", "jobs", "dump", "jobs"], 5000, 2, "5000"),
    "jobs of a drill beyond all reason": (["clusters", "app", "jobs", "drill", "jobs"], 65, 2, "65"),
    "a span beyond all reason": (["clusters", "app", "retention"], {"dump": {"within": "200000w"}}, 2, "200000w"),
    "a wait beyond all reason": (["clusters", "app", "jobs", "dump", "lock_timeout"], 1e308, 2, "1e+308"),
    "all tiers off": (["clusters", "app", "retention"], {"dump": {"daily": 0}}, 2, "every tier off"),
    "an unknown zone": (["clusters", "app", "retention"], {"dump": {"daily": 1, "timezone": "Mars/Olympus"}}, 2,
                        "Mars/Olympus"),
    "a span without unit": (["clusters", "app", "retention"], {"dump": {"daily": 1, "min_age": 24}}, 2, "24"),
    "an unknown format": (["clusters", "app", "jobs", "dump", "format"], "tar", 2, "tar"),
    "a level out of range": (["clusters", "app", "jobs", "dump", "compression"], {"method": "zstd", "level": 99}, 2,
                             "99"),
    "jobs without a directory": (["clusters", "app", "jobs", "dump", "jobs"], 4, 2, "directory"),
    "a relative repository": (["repositories", "local"], {"path": "backups"}, 2, "'backups'"),
    "an unknown repository": (["clusters", "app", "repositories"], ["nas"], 2, "nas"),
    "an unknown libpq setting": (["clusters", "app", "connection", "hots"], "db1", 2, "hots"),
    "a recipient that is none": (["encryption"], {"recipients": ["age1x"]}, 2, "encryption.recipients[0]"),
    "encryption for nobody": (["encryption"], {"recipients": []}, 2, "no recipient"),
    "a relative identity": (["encryption"], {"identity_file": "key.txt"}, 2, "encryption.identity_file"),
    "a file of recipients that is not there": (["encryption"], {"recipients_file": "/no/such/file"}, 2,
                                               "/no/such/file"),
    "a database that is not there": (["clusters", "app", "jobs", "dump", "databases"], ["shopp"], 5, "shopp"),
    "a server that is not there": (["clusters", "app", "connection", "port"], 1, 3, "1"),
    "a user that is not there": (["clusters", "app", "connection", "user"], "nobody_here", 2, "nobody_here"),
    "an impossible cluster name": (["clusters", "a/b"], {}, 2, "a/b"),
    "a bad table pattern": (["clusters", "app", "jobs", "dump", "exclude_tables"], ["a(b"], 2, "a(b"),
    "a folder without programs": (["clusters", "app", "bin_dir"], "/proc/self/fdinfo", 2, "/proc/self/fdinfo"),
    "a lock folder that is not there": (["state_dir"], "/proc/nowhere/at/all", 3, "/proc/nowhere/at/all"),
    "a pre_command that is not there": (["clusters", "app", "jobs", "dump", "pre_command"], ["/no/such/program"], 2,
                                        "/no/such/program"),
}
ARGUMENTS = {
    "an unknown backup": (["drill", "20300101T000000Z-dump"], 5, "20300101T000000Z-dump"),
    "a moment before all backups": (["restore", "2001-01-01"], 5, "2001-01-01"),
    "a moment that is none": (["restore", "2001-13-01"], 2, "2001-13-01"),
    "an unknown cluster": (["backup", "--cluster", "web"], 5, "web"),
    "an unknown verb": (["bakcup"], 2, "bakcup"),
    "an unknown option": (["backup", "--databse", "x"], 2, "--databse"),
    "a negative number of jobs": (["drill", "--jobs", "-2"], 2, "-2"),
    "more jobs of a drill than a machine has": (["drill", "--jobs", "1000000"], 2, "1000000"),
    "more jobs of a restore than a machine has": (["restore", "--jobs", "100000"], 2, "100000"),
    "no jobs at all": (["restore", "--jobs", "0"], 2, "0"),
    "a check of no size": (["check", "--size", "0"], 2, "0"),
    "a check of all disks": (["check", "--size", "99999999999"], 2, "99999999999"),
    "a span that is too long": (["backup", "--max-age", "200000w"], 2, "200000w"),
    "a span that is none": (["backup", "--max-age", "soon"], 2, "soon"),
    "tables without their database": (["restore", "--table", "item"], 2, "one database"),
    "a table that is not there": (["restore", "--database", "{shop}", "--table", "public.itme", "--into", "{shop}"], 5,
                                  "itme"),
    "a database that is not in the backup": (["restore", "--database", "web"], 5, "web"),
    "a database that is not empty": (["restore", "--database", "{shop}"], 4, "is not empty"),
    "a table that is there": (["restore", "--database", "{shop}", "--table", "item"], 4, "item exists"),
    "an unknown backup to hold": (["hold", "nothing"], 5, "nothing"),
    "a folder to adopt that is not there": (["adopt", "/no/such/folder", "--pattern", "*.sql"], 5, "/no/such/folder"),
}


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain with one good backup; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE input_shop TEMPLATE template0")
    pg16.sql(*SHOP, database="input_shop")
    chain = Chain(pg16, folder, databases=["input_shop"])
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE input_shop")
    shutil.rmtree(folder)


@pytest.fixture
def shop():
    """The name of the database in that backup."""
    return "input_shop"


@pytest.fixture
def good(taken, folder):
    """A copy of that chain."""
    shutil.copytree(taken.folder / "local", folder / "local")
    return Chain(taken.server, folder, databases=["input_shop"])


def changed(body, keys, value):
    body = copy.deepcopy(body)
    inner = body
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return body


def told_once(err, value):
    """Assert that there is one error that names the value and one hint, and no trace of a defect."""
    lines = [line for line in err.splitlines() if line.startswith(("error:", "hint:"))]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], err
    assert value in f"{lines[0]} {lines[1]}", err
    assert "unexpected" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting(good, what):
    keys, value, expected, named = WRONG[what]
    before = good.files()
    good.body = changed(good.body, keys, value)
    status, out, err = good.run("backup")
    assert (status, out) == (expected, ""), err
    told_once(err, named)
    good.body["repositories"]["local"] = {"path": str(good.folder / "local")}
    assert good.files() == before


@pytest.mark.parametrize("what", ARGUMENTS)
def test_a_wrong_argument(good, shop, what):
    argv, expected, named = ARGUMENTS[what]
    before, databases = good.files(), good.server.sql("SELECT datname FROM pg_database ORDER BY 1")
    status, _out, err = good.run(*(word.replace("{shop}", shop) for word in argv))
    assert status == expected, err
    told_once(err, named)
    assert good.files() == before
    assert good.server.sql("SELECT datname FROM pg_database ORDER BY 1") == databases


def test_a_wrong_setting_is_one_object_with_json(good):
    good.own["jobs"]["dump"]["format"] = "tar"
    status, out, err = good.run("backup", "--json")
    assert (status, err) == (2, "")
    error = json.loads(out)["error"]
    assert (error["code"], "'tar'" in error["message"], bool(error["hint"])) == ("config.value", True, True)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "null"])
def test_a_settings_file_that_is_none(good, text):
    (good.folder / "other.json").write_text(text)
    status, out, err = good.run("--config", str(good.folder / "other.json"), "backup")
    assert (status, out) == (2, "")
    told_once(err, "")


def test_one_wrong_cluster_stops_only_itself_where_it_is_found_at_work(good):
    good.body["clusters"]["broken"] = {"connection": {"host": "/nowhere"}}
    status, _out, err = good.run("backup")
    assert status == 3
    assert "cluster broken" in err
    assert len(good.ids()) == 2
