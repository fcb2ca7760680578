# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore that is killed by SIGKILL: every database is as it was or as it is wanted, and the next run works."""
from __future__ import annotations

import re
import signal
import time

import pytest

from _restorable.errors import ToolFailed
from kit.chain import programs

LIVING = "SELECT count(*) FROM item"


@pytest.fixture
def lost(good, shop, pg16):
    """The chain with one good backup, and a function that says what databases there are of the shop's name."""
    def names():
        found = pg16.sql(f"SELECT datname FROM pg_database WHERE datname ~ '^{shop}(_|$)' ORDER BY 1")
        return [row[0] for row in found]
    good.names = names
    yield good
    for each in names():
        pg16.sql(f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)')


def shown(names, shop):
    """Return the names without their times: shop_restoring_*."""
    return [re.sub(r"\d{8}t\d{6}z", "*", each.replace(shop, "shop", 1)) for each in names]


def stop_in(chain, tool, pattern, before=""):
    """Let a program, when it is called with words that fit, do something and then hang; returns its marker."""
    marker = chain.folder / "reached"
    marker.unlink(missing_ok=True)
    chain.own["bin_dir"] = programs(chain.server, chain.folder, **{tool: (
        f'case "$*" in {pattern}) {before} touch {marker}; sleep 60;; esac\nexec $REAL "$@"')})
    return marker


def kill_when(chain, marker, *argv):
    """Run the host command and kill it when the marker is there."""
    run = chain.command(*argv)
    until = time.monotonic() + 60
    while not marker.exists():
        assert run.poll() is None and time.monotonic() < until, run.communicate()
        time.sleep(0.02)
    run.kill()
    run.communicate()
    chain.own["bin_dir"] = chain.server.bin_dir


@pytest.mark.parametrize(("phase", "midst"), [("restore", False), ("restore", True), ("swap", False),
                                              ("drop what was", False)])
def test_killed_on_the_way_to_replace_a_database(lost, shop, pg16, phase, midst):
    pg16.sql("DELETE FROM item WHERE id > 100", database=shop)
    killed = lost.killed("restore", f"{phase} {shop}", advanced=midst, databases=[shop], replace=True)
    assert killed == -signal.SIGKILL
    assert pg16.sql(LIVING, database=shop) == [(500 if phase == "drop what was" else 100,)]
    left = {"swap": ["shop", "shop_restoring_*"], "drop what was": ["shop", "shop_before_*"]}.get(phase, ["shop"])
    assert shown(lost.names(), shop) == left
    plan, notes = lost.restore(databases=(shop,), replace=True, disconnect=True, dry_run=True)
    assert [each for each in lost.names() if each != shop] == list(plan.leftovers)
    assert all(any(each in note and "restore that was stopped" in note for note in notes) for each in plan.leftovers)
    time.sleep(1.1 if plan.leftovers else 0)       # their names have seconds in them
    lost.restore(databases=(shop,), replace=True, disconnect=True)
    assert pg16.sql(LIVING, database=shop) == [(500,)]
    assert shown(lost.names(), shop) == left


@pytest.mark.parametrize(("tool", "words", "jobs", "left"), [
    ("pg_restore", "*--exit-on-error*", "1", ["shop_restoring_*"]),
    ("pg_restore", "*--exit-on-error*", "2", ["shop_restoring_*"]),
    ("psql", "*", "1", []),
])
def test_killed_while_a_lost_database_is_made(lost, shop, pg16, tool, words, jobs, left):
    pg16.sql(f"DROP DATABASE {shop}")
    # with several jobs the structure is there by then: half of a database
    half = '"$REAL" --section=pre-data "$@";' if jobs == "2" else ""
    marker = stop_in(lost, tool, words, half)
    kill_when(lost, marker, "restore", "--database", shop, "--jobs", jobs)
    assert shown(lost.names(), shop) == left
    status, out, err = lost.run("restore", "--database", shop, "--dry-run")
    assert (status, "create" in out) == (0, True), out + err
    assert [each for each in lost.names() if each not in out] == []
    time.sleep(1.1 if left else 0)                 # their names have seconds in them
    status, out, err = lost.run("restore", "--database", shop)
    assert status == 0, out + err
    assert pg16.sql(LIVING, database=shop) == [(500,)]
    assert [each for each in shown(lost.names(), shop) if each not in left] == ["shop"]


def test_killed_while_a_table_is_added_to_a_living_database(lost, shop, pg16):
    pg16.sql("DROP TABLE item", database=shop)
    marker = stop_in(lost, "pg_restore", "*--use-list*")
    kill_when(lost, marker, "restore", "--database", shop, "--table", "item")
    assert pg16.sql("SELECT to_regclass('item') IS NULL", database=shop) == [(True,)]
    status, out, err = lost.run("restore", "--database", shop, "--table", "item")
    assert status == 0, out + err
    assert pg16.sql(LIVING, database=shop) == [(500,)]
    assert lost.names() == [shop]


def test_what_was_there_is_dropped_only_after_the_new_one_is_whole(lost, shop, pg16):
    pg16.sql(f"CREATE ROLE {shop}_guest", f"GRANT TEMPORARY ON DATABASE {shop} TO {shop}_guest")
    lost.back_up()
    pg16.sql(f"REVOKE ALL ON DATABASE {shop} FROM {shop}_guest", f"DROP ROLE {shop}_guest",
             "DELETE FROM item WHERE id > 100", database=shop)
    with pytest.raises(ToolFailed, match=f"{shop}_guest") as caught:
        lost.restore(databases=(shop,), replace=True)
    [before] = [each for each in lost.names() if "_before_" in each]
    assert before in caught.value.hint
    assert pg16.sql(LIVING, database=before) == [(100,)] and pg16.sql(LIVING, database=shop) == [(500,)]
