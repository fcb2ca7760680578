# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command on real servers: the whole chain, as a person would run it."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

import _restorable
from kit.command import Command

SHOP = ("CREATE TABLE orders (id integer PRIMARY KEY, note text)",
        "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n")

LIMIT = 120                        # seconds for what takes three on an idle machine


@pytest.fixture
def shop(server, database, tmp_path):
    """The command on a cluster whose dump holds one small database."""
    server.sql(*SHOP, database=database)
    shop = Command(tmp_path, {"shop": settings(server, database)}, repositories=("local", "second"))
    shop.server, shop.database = server, database
    return shop


def settings(server, *databases, **more):
    return {"connection": server.settings, "bin_dir": server.bin_dir,
            "jobs": {"dump": {"databases": list(databases), "globals": False}}, **more}


def test_a_quiet_backup_prints_nothing_at_all(shop):
    shop.server.sql("CREATE UNLOGGED TABLE session (id integer)", database=shop.database)
    assert "  not covered: " in shop("backup").out
    quiet = shop("backup", "-q")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")


def test_the_whole_chain_dump_list_verify_prune_drill_status_restore(shop):
    taken = shop("backup")
    assert taken.status == 0, taken.err
    assert re.fullmatch(r"done: dump shop \d{8}T\d{6}Z-dump-[0-9a-f]{8} 1 database [\d.]+ kB in [\dms.]+",
                        taken.out.splitlines()[-1])
    backup = taken.out.split()[taken.out.split().index("shop") + 1]
    assert f"{backup}  committed" in shop("list").out
    assert "every byte is as it was stored" in shop("verify").out
    assert f"keep  {backup}" in shop("prune", "--dry-run").out
    drill = shop("drill")
    assert drill.status == 0, drill.out + drill.err
    assert "\nPASSED: " in drill.out and "equals what was dumped" in drill.out
    assert f"{backup}  proven" in shop("list").out
    status = shop("status")
    assert status.status == 0 and status.out.startswith("shop: green")
    restored = shop("restore", "--database", shop.database, "--into", f"{shop.database}_copy")
    try:
        assert restored.status == 0, restored.err
        assert restored.out.startswith("plan: restore shop")
        assert shop.server.sql("SELECT count(*) FROM orders", database=f"{shop.database}_copy") == [(1000,)]
    finally:
        shop.server.sql(f'DROP DATABASE IF EXISTS "{shop.database}_copy"')


def test_a_dry_run_of_anything_changes_nothing(shop):
    assert shop("backup", "--dry-run").status == 0
    assert not (shop.folder / "local" / "shop").exists()
    shop("backup")
    before = shop.objects()
    restore = ["restore", "--database", shop.database, "--into", "nobody_needs_this"]
    for words in (["prune"], ["drill"], ["verify"], ["hold", "latest"], restore):
        ran = shop(*words, "--dry-run")
        assert ran.status == 0, (words, ran.err)
    assert shop.objects() == before and not (shop.folder / "local" / "shop" / "drill").exists()
    assert shop.server.sql("SELECT 1 FROM pg_database WHERE datname = 'nobody_needs_this'") == []


def test_the_drill_finds_a_damaged_object_and_says_failed(shop):
    shop("backup")
    path = next(path for path in (shop.folder / "local").rglob("*.dump.zst"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ran = shop("drill")
    # a damaged copy is a failure although the other repository's copy proves the backup
    assert ran.status == 1 and "\nFAILED: " in ran.out
    assert f"local:shop/backup/{path.parent.name}/{path.name}" in ran.out and "the copy in second passed" in ran.out
    assert shop("verify").status == 7
    assert shop("status").status == 1


def test_a_drill_that_could_not_compare_is_incomplete_and_exits_8(server, database, tmp_path):
    server.sql(*SHOP, database=database)
    shop = Command(tmp_path, {"shop": {**settings(server), "jobs": {"dump": {
        "databases": [database], "globals": False, "fingerprint": "none"}}}})
    shop("backup")
    ran = shop("drill")
    assert ran.status == 8, ran.out + ran.err
    assert "\nINCOMPLETE: " in ran.out


def test_an_answer_in_json_is_one_object_with_the_same_facts(shop):
    taken = shop("backup", "--json").json["clusters"][0]
    assert taken["changed"] and [each["name"] for each in taken["databases"]] == [shop.database]
    shown = shop("show", "--json").json
    assert shown["backup"] == taken["backup"] and shown["databases"][0]["rows"] == 1000 and shown["restore"]
    drill = shop("drill", "--json").json["clusters"][0]
    assert drill["verdict"] == "passed" and drill["rto"] > 0
    assert {each["level"] for each in drill["checks"]} >= {"L0", "L4"}


def test_max_age_makes_a_second_run_do_nothing(shop):
    shop("backup")
    again = shop("backup", "--max-age", "1h")
    assert again.status == 0 and "not needed" in again.out
    assert len({name.split("/")[0] for name in shop.objects()}) == 1


def test_what_is_in_the_way_is_refused_and_told(shop):
    shop("backup")
    ran = shop("restore", "--database", shop.database)
    assert ran.status == 4 and "is not empty" in ran.err and "hint: " in ran.err
    assert shop.server.sql("SELECT count(*) FROM orders", database=shop.database) == [(1000,)]


def test_one_cluster_that_is_down_fails_only_itself(server, database, tmp_path):
    server.sql(*SHOP, database=database)
    down = {"connection": {"host": str(tmp_path), "user": "postgres"}}
    both = Command(tmp_path, {"down": down, "shop": settings(server, database)})
    ran = both("backup")
    assert ran.status == 3 and "error: cluster down:" in ran.err
    assert "done: dump shop" in ran.out and ran.out.endswith("1 of 2 clusters need a look: down\n")
    body = both("backup", "--json").json
    assert "error" in body["clusters"][0] and body["clusters"][1]["changed"]


@pytest.fixture
def scratch_dir():
    """A folder that the server's account may enter, and that must be empty in the end."""
    folder = tempfile.mkdtemp(prefix="rs-scratch-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("verb", ["backup", "drill"])
def test_sigterm_in_the_middle_leaves_nothing_half_made(servers, tmp_path, scratch_dir, verb):
    server = servers.of(15)
    name = f"slow_{verb}"
    server.sql(f"CREATE DATABASE {name}")
    try:
        server.sql("CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS t FROM generate_series(1, 600000) AS n",
                   database=name)
        body = settings(server, name)
        body["jobs"]["drill"] = {"scratch": {"dir": scratch_dir}}
        shop = Command(tmp_path, {"shop": body})
        if verb == "drill":
            assert shop("backup").status == 0
        before = shop.objects() if verb == "drill" else []
        with subprocess.Popen([sys.executable, "-m", "_restorable", verb], env={
                **shop.environment, "PYTHONPATH": str(Path(_restorable.__path__[0]).parent)},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            try:
                wait_for_work(child, shop, scratch_dir)
            finally:
                child.send_signal(signal.SIGTERM)
                out, err = child.communicate(timeout=LIMIT)
        assert child.returncode == 124 and "stopped by SIGTERM" in err, out + err
        assert shop.objects() == before
        assert mentioned_by_processes(scratch_dir, f"dbname={name}", f"dbname='{name}'") == []
        assert os.listdir(scratch_dir) == []
        assert shop("backup").status == 0      # the lock is free again
    finally:
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def wait_for_work(child, shop, scratch_dir):
    """Wait until the command is in the midst of its work: a part of an object or of the restored table is written.

    A command that ended is waited for no longer: what it said is judged by the test.
    """
    limit = time.monotonic() + LIMIT
    while child.poll() is None:
        if biggest(shop.folder / "local" / ".part") or biggest(scratch_dir, below="base") > 32 * 1024 * 1024:
            return
        assert time.monotonic() < limit, f"the command did not begin to work within {LIMIT} s"
        time.sleep(0.05)


def biggest(folder, below=""):
    """Return the size of the biggest file in a folder whose path has that part; files may vanish meanwhile."""
    sizes = [0]
    for root, _folders, names in os.walk(folder):
        for name in names if not below or below in Path(root).parts else ():
            with suppress(FileNotFoundError):
                sizes.append(os.stat(os.path.join(root, name)).st_size)
    return max(sizes)


def mentioned_by_processes(*words):
    """Return the command lines with one of the words; ps would cut them at 80 columns without -ww."""
    found = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if any(word in line for word in words)]
