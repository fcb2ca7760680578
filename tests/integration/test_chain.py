# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole chain where nothing fails: backup, prune, verify, drill and restore, on every major and in every form."""
from __future__ import annotations

import itertools
import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from kit import shop as shop_kit
from kit.chain import Chain, failed, programs
from kit.frozen_clock import FrozenClock
from kit.servers import MAJORS

FORMS = [("custom", "zstd", "full"), ("directory", "gzip", "counts"), ("plain", "none", "full"),
         ("custom", "none", "none"), ("plain", "zstd", "counts"), ("directory", "zstd", "full")]

_numbers = itertools.count(1)


@pytest.fixture
def shop(server):
    """The name of a database in which everything depends on something."""
    name = f"chain_{next(_numbers)}"
    shop_kit.build(server, name)
    yield name
    server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.parametrize(("form", "method", "level"), FORMS)
def test_what_was_dumped_is_verified_drilled_and_restored(server, shop, folder, form, method, level):
    chain = Chain(server, folder, databases=[shop], format=form, compression={"method": method}, fingerprint=level)
    report = chain.back_up()
    assert (report.changed, report.swept, report.manifest.failed) == (True, (), ())
    assert [found.verdict for found in chain.verify()] == ["passed"]
    evidence = chain.drill(checks=[{"sql": "SELECT count(*) FROM customers", "expect": 100}])
    assert failed(evidence) == []
    assert evidence.verdict == ("incomplete" if level == "none" else "passed")
    before = shop_kit.described(server, shop)
    chain.restore(databases=(shop,), into=f"{shop}_copy")
    assert shop_kit.described(server, f"{shop}_copy") == before
    server.sql(f"DROP DATABASE {shop}_copy")
    assert set(evidence.phases) >= {"read objects", f"restore {shop}", "compare", "integrity"}
    assert 0 < evidence.rto < 60
    assert 0 <= evidence.rpo < 60


def test_a_parallel_directory_dump_is_restored_in_parallel(server, shop, folder):
    chain = Chain(server, folder, databases=[shop], format="directory", jobs=3)
    chain.taken()
    assert chain.drill(jobs=3).verdict == "passed"


def test_two_repositories_hold_the_same_bytes_and_the_same_evidence(server, shop, folder):
    chain = Chain(server, folder, databases=[shop], repositories=("near", "far"))
    manifest = chain.taken()
    chain.drill()
    chain.hold(reason="an audit")
    found = chain.files()
    assert {path[len("near"):]: digest for path, digest in found.items() if path.startswith("near")} == {
        path[len("far"):]: digest for path, digest in found.items() if path.startswith("far")}
    assert [[(each.id, each.state(), each.held) for each in row.catalogue.backups] for row in chain.list()] == [
        [(manifest.id, "proven", True)]] * 2


def test_the_whole_cluster_with_its_roles_and_the_database_postgres_passes_a_drill(empty_server, folder):
    server = empty_server(16)
    shop_kit.build(server, "shop")
    server.sql("CREATE TABLE admin (a int)", "INSERT INTO admin VALUES (1)", database="postgres")
    chain = Chain(server, folder)
    manifest = chain.taken()
    assert sorted(item.database for item in manifest.dumps()) == ["postgres", "shop"]
    assert manifest.id.label == ""
    evidence = chain.drill()
    assert (evidence.verdict, failed(evidence)) == ("passed", [])


@pytest.fixture
def small(servers, folder):
    """A chain over one small database on the server of major 16."""
    server = servers.of(16)
    server.sql("CREATE DATABASE small TEMPLATE template0")
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 10) AS a", database="small")
    yield Chain(server, folder, databases=["small"])
    server.sql("DROP DATABASE small")


def test_hooks_run_around_the_dump_with_the_names_of_what_they_are_for(small):
    log = small.folder / "hooks"
    say = 'echo "$0 $RESTORABLE_CLUSTER $RESTORABLE_BACKUP" >> ' + str(log)
    manifest = small.taken(pre_command=["sh", "-c", say, "before"], post_command=["sh", "-c", say, "after"])
    assert log.read_text() == f"before app {manifest.id}\nafter app {manifest.id}\n"
    assert [(hook["when"], hook["command"]) for hook in manifest.hooks] == [("pre", "sh")]


def test_a_young_backup_makes_the_next_run_a_no_op_until_it_is_old_enough(small):
    first = small.taken()
    report = small.back_up(max_age="1h")
    assert (report.changed, str(first.id) in report.plan.skipped_because) == (False, True)
    assert small.ids() == [str(first.id)]
    time.sleep(1.1)
    assert small.back_up(max_age="1s").changed


def test_a_set_of_other_databases_is_no_reason_to_skip_this_one(small):
    small.taken(databases=["postgres"])
    assert small.back_up(max_age="1h").changed


def test_a_partial_set_tells_in_its_manifest_what_it_lacks(small):
    server = small.server
    server.sql("CREATE DATABASE brief TEMPLATE template0")
    drop = [f"{server.bin_dir}/psql", "-h", str(server.folder), "-U", server.superuser, "-qc", "DROP DATABASE brief"]
    manifest = small.taken(databases=["brief", "small"], allow_partial=True, pre_command=drop)
    assert [item.database for item in manifest.dumps()] == ["small"]
    assert "'brief'" in manifest.failed[0]


def test_a_year_of_backups_is_pruned_to_the_policy_and_the_dry_run_said_so(small, monkeypatch):
    clock = FrozenClock(datetime(2025, 11, 20, 3, tzinfo=timezone.utc))
    monkeypatch.setattr("_restorable.app.wire.SystemClock", lambda: clock)
    for _week in range(12):
        small.taken(globals=False, fingerprint="none")
        clock.move(timedelta(days=7).total_seconds())
    policy = {"weekly": 2, "monthly": 2, "min_keep": 1, "max_delete_percent": 90}
    planned = small.prune(dry_run=True, **policy)[0].plan
    assert len(small.ids()) == 12
    done = small.prune(**policy)[0]
    assert done.plan.rows == planned.rows
    assert small.ids() == sorted(str(row.id) for row in planned.kept)
    assert done.freed == sum(done.sizes[row.id] for row in planned.dropped)
    [record] = [path for path in small.files() if "/prune/" in path]
    body = json.loads((small.folder / record).read_text())
    assert sorted(body["deleted"]) == sorted(str(row.id) for row in planned.dropped)
    assert [found.verdict for found in small.verify()] == ["passed"] * len(planned.kept)
    again = small.prune(**policy)[0]
    assert (again.deleted, again.plan.dropped) == (False, ())


def test_a_held_backup_survives_every_prune_until_it_is_released(small):
    held = small.taken()
    small.hold(str(held.id), reason="a trial")
    for _again in range(3):
        newest = small.taken()
    while newest.id.time > datetime.now(timezone.utc):
        time.sleep(0.1)
    policy = {"last": 1, "min_keep": 1, "min_age": "0"}
    small.prune(**policy)
    assert small.ids() == [str(held.id), str(newest.id)]
    small.hold(str(held.id), release=True)
    pruned = datetime.now(timezone.utc).replace(microsecond=0)
    while datetime.now(timezone.utc) < pruned + timedelta(seconds=1):
        time.sleep(0.1)                # ids count seconds: one of the prune's own second is no newer backup
    newer = small.taken()              # time alone deletes nothing
    while newer.id.time > datetime.now(timezone.utc):
        time.sleep(0.1)
    small.prune(**policy)
    assert small.ids() == [str(newer.id)]


def test_a_newer_pg_dump_dumps_an_older_server_and_the_drill_passes(servers, folder):
    old, new = servers.of(15), servers.of(18)
    shop_kit.roles(old)
    old.sql("CREATE DATABASE aged TEMPLATE template0")
    old.sql("CREATE TABLE t (id int DEFAULT 1, a text)", database="aged")
    try:
        chain = Chain(old, folder, databases=["aged"], bin_dir=programs(new, folder))
        assert "(PostgreSQL) 18" in chain.taken().server["pg_dump"]
        evidence = chain.drill()
        assert (evidence.verdict, failed(evidence)) == ("passed", []), evidence.checks
    finally:
        old.sql("DROP DATABASE aged")


@pytest.mark.parametrize("major", MAJORS)
def test_a_lost_table_comes_back_into_the_live_database_with_its_rows(servers, folder, major):
    server = servers.of(major)
    name = f"chain_{next(_numbers)}"
    shop_kit.build(server, name)
    try:
        chain = Chain(server, folder, databases=[name])
        chain.taken()
        before = shop_kit.described(server, name)
        server.sql("DROP TABLE sales.lines", database=name)
        chain.restore(databases=(name,), tables=("sales.lines",))
        assert shop_kit.described(server, name) == before
    finally:
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")
