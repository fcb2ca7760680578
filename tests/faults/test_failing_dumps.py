# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps that fail, each in its own way: nothing half-made stays, good backups stay, the next run is clean."""
from __future__ import annotations

import hashlib
import json

import pytest

from _restorable.errors import ToolFailed
from kit.chain import programs

HALF = 'out=$(mktemp); $REAL "$@" > $out; head -c 2000 $out; rm $out'
BROKEN = [
    ("kill -9 $$", "tool.killed", "SIGKILL"),
    (f"{HALF}; kill -9 $$", "tool.killed", "SIGKILL"),
    ('$REAL "$@"; exit 3', "tool.failed", "status 3"),
    (f"{HALF}; exit 1", "tool.failed", "status 1"),
    ("echo 'pg_dump: error: no space on the moon' >&2; exit 1", "tool.failed", "no space on the moon"),
]


@pytest.mark.parametrize(("script", "code", "word"), BROKEN, ids=[
    "killed at once", "killed midway", "bad status after all output", "bad status midway", "an error at once"])
def test_a_pg_dump_that_ends_badly_commits_nothing(good, fails, script, code, word):
    real = good.own["bin_dir"]
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dump=script)
    with fails(good, code, word, "pg_dump", good.own["jobs"]["dump"]["databases"][0]):
        good.back_up()
    good.own["bin_dir"] = real
    report = good.back_up()
    assert (len(good.ids()), report.swept) == (2, ())


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_a_pg_dump_that_succeeds_with_less_than_all_tables_commits_nothing(good, fails, form):
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dump='exec $REAL --exclude-table-data=item "$@"')
    with fails(good, "dump.toc_incomplete", "data of 1 tables", "2 were to be dumped"):
        good.back_up(format=form)


@pytest.mark.parametrize(("form", "code"), [("custom", "dump.unreadable"), ("plain", "archive.truncated")])
def test_a_pg_dump_that_succeeds_midway_commits_nothing(good, fails, form, code):
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dump=f"{HALF}; exit 0")
    with fails(good, code):
        good.back_up(format=form)


def test_a_pg_dump_that_prints_nothing_commits_nothing(good, fails):
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dump="exit 0")
    with fails(good, "dump.unreadable"):
        good.back_up()
    with fails(good, "archive.truncated"):
        good.back_up(format="plain")


def test_a_pg_dumpall_that_fails_after_its_output_commits_nothing(good, fails):
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dumpall='$REAL "$@"; exit 1')
    with fails(good, "tool.failed", "pg_dumpall", "status 1"):
        good.back_up()


def test_a_missing_pg_dump_is_told_before_anything_is_touched(good, fails):
    (good.folder / "empty").mkdir()
    good.own["bin_dir"] = str(good.folder / "empty")
    with fails(good, "tools.missing", "pg_dump", "empty has none", "postgresql-client-16"):
        good.back_up()


def test_an_older_pg_dump_is_refused(good, fails, servers):
    good.own["bin_dir"] = servers.of(15).bin_dir
    with fails(good, "tools.too_old", "15.", "postgresql-client-16"):
        good.back_up()


def test_a_missing_pg_restore_is_told_before_anything_is_touched(good, fails):
    good.own["bin_dir"] = programs(good.server, good.folder)
    (good.folder / "bin" / "pg_restore").unlink()
    with fails(good, "tools.missing", "pg_restore"):
        good.back_up()


def test_a_database_that_is_dropped_between_the_listing_and_its_dump_fails_the_set(good, fails, shop, pg16):
    pg16.sql("CREATE DATABASE short_lived TEMPLATE template0")
    drop = ["psql", "-h", str(pg16.folder), "-U", "postgres", "-qc", "DROP DATABASE short_lived"]
    drop[0] = f"{pg16.bin_dir}/psql"
    with fails(good, "connect.no_database", "short_lived"):
        good.back_up(databases=[shop, "short_lived"], pre_command=drop)


def test_with_allow_partial_the_databases_that_succeed_are_kept_and_the_lost_one_is_recorded(chain, shop, pg16):
    pg16.sql("CREATE DATABASE short_lived TEMPLATE template0")
    drop = [f"{pg16.bin_dir}/psql", "-h", str(pg16.folder), "-U", "postgres", "-qc", "DROP DATABASE short_lived"]
    manifest = chain.taken(databases=[shop, "short_lived"], pre_command=drop, allow_partial=True)
    assert [item.database for item in manifest.dumps()] == [shop]
    assert "short_lived" in manifest.failed[0]
    assert chain.drill().verdict == "incomplete"   # what is there was proven, and something is not there
    [row] = chain.list()
    [listed] = row.catalogue.committed()
    assert (listed.missing, listed.state()) == (("short_lived",), "partial")
    _plan, notes = chain.restore(into=f"{shop}_again", databases=(shop,), dry_run=True)
    assert [each for each in notes if "is partial" in each and "short_lived" in each]
    chain.own["jobs"]["dump"]["databases"] = [shop, "short_lived"]
    status = chain.status().health
    assert (status.colour, f"the newest backup {manifest.id} is partial: database short_lived is missing" in
            status.reasons) == ("yellow", True)
    assert [each.verdict for each in chain.verify()] == ["passed"]


def test_a_partial_set_is_no_reason_not_to_try_again(chain, shop, pg16):
    pg16.sql("CREATE DATABASE short_lived TEMPLATE template0")
    drop = [f"{pg16.bin_dir}/psql", "-h", str(pg16.folder), "-U", "postgres", "-qc", "DROP DATABASE short_lived"]
    job = {"databases": [shop, "short_lived"], "max_age": "20h"}
    assert chain.back_up(pre_command=drop, allow_partial=True, **job).changed
    pg16.sql("CREATE DATABASE short_lived TEMPLATE template0")
    try:
        assert [chain.back_up(**job).changed for _each in range(2)] == [True, False]
    finally:
        pg16.sql("DROP DATABASE short_lived")


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_a_database_may_be_called_globals(chain, pg16, form):
    pg16.sql("CREATE DATABASE globals TEMPLATE template0")
    try:
        manifest = chain.taken(databases=["globals"], format=form)
    finally:
        pg16.sql("DROP DATABASE globals")
    assert sorted(item.role for item in manifest.items) == ["dump", "fingerprint", "globals", "globals_inventory"]
    assert [each.verdict for each in chain.verify()] == ["passed"]


def test_every_database_that_fails_is_named_and_the_others_were_tried(good, fails, shop, pg16):
    pg16.sql("CREATE DATABASE one TEMPLATE template0", "CREATE DATABASE two TEMPLATE template0")
    drop = [f"{pg16.bin_dir}/psql", "-h", str(pg16.folder), "-U", "postgres", "-qc", "DROP DATABASE one", "-c",
            "DROP DATABASE two"]
    with fails(good, "connect.no_database", "2 of 3", "one", "two", "allow_partial") as caught:
        good.back_up(databases=["one", shop, "two"], pre_command=drop)
    assert shop not in caught.value.message


@pytest.fixture
def reader(good, pg16, shop):
    """A role that may read everything of the database but what a test forbids."""
    pg16.sql("CREATE ROLE dump_reader LOGIN")
    pg16.sql("GRANT USAGE ON SCHEMA public TO dump_reader",
             "GRANT SELECT ON ALL TABLES IN SCHEMA public TO dump_reader",
             "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dump_reader", database=shop)
    good.own["connection"]["user"] = "dump_reader"
    good.own["jobs"]["dump"].update(globals=False)
    yield good
    pg16.sql("DROP OWNED BY dump_reader", database=shop)
    pg16.sql("DROP ROLE dump_reader")


def test_a_missing_right_is_named_with_its_table_and_grant(reader, fails, pg16, shop):
    pg16.sql("REVOKE SELECT ON item FROM dump_reader", database=shop)
    with fails(reader, "dump.privilege", "public.item", "GRANT"):
        reader.back_up()


def test_rows_that_a_policy_hides_are_told_before_they_are_missed(reader, fails, pg16, shop):
    pg16.sql("ALTER TABLE item ENABLE ROW LEVEL SECURITY", "CREATE POLICY few ON item USING (price < 3)", database=shop)
    with fails(reader, "dump.row_security", "item", "BYPASSRLS"):
        reader.back_up()


def test_a_pre_command_that_fails_stops_the_run_before_the_dump(good, fails):
    with fails(good, "hook.pre_failed", "nothing was dumped", "status 4", "quiet please"):
        good.back_up(pre_command=["sh", "-c", "echo quiet please; exit 4"])


def test_a_post_command_that_fails_leaves_the_committed_backup_and_says_so(good):
    with pytest.raises(ToolFailed, match="is committed and stays") as caught:
        good.back_up(post_command=["sh", "-c", "exit 4"])
    assert caught.value.code == "hook.post_failed"
    assert len(good.ids()) == 2
    assert good.verify("latest")[0].verdict == "passed"


@pytest.mark.parametrize("command", [["sh", "-c", "exit 4"], ["/no/such/program"]])
def test_the_journal_knows_the_backup_whose_post_command_failed(chain, command):
    chain.own["jobs"]["dump"]["post_command"] = command
    assert chain.run("backup")[0] != 0
    [made] = chain.ids()
    [event] = [json.loads(path.read_text()) for path in (chain.folder / "local").glob("*/journal/*/*.json")]
    assert (event["what"], event["result"], event["details"]["backup"]) == ("backup", "failed", made)
    assert list(event["present"].values()) == [
        hashlib.sha256((chain.folder / "local" / "app" / "backup" / made / "manifest.json").read_bytes()).hexdigest()]
    status, out, _err = chain.run("--json", "audit")
    assert (status, json.loads(out)["clusters"][0]["findings"]) == (0, [])
