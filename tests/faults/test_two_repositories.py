# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lost beside a backup, a repository, a database of the set, to another host: it is told, and costs no more."""
from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from _restorable.errors import Unavailable
from _restorable.model.policy import Policy
from _restorable.ops.prune import prune
from kit.chain import Chain, flipped
from kit.frozen_clock import FrozenClock


@pytest.fixture
def pair(pg16, shop, folder):
    """A chain over two repositories, with one good backup in both."""
    chain = Chain(pg16, folder, repositories=("disk", "vault"), databases=[shop])
    chain.taken()
    return chain


def later(chain, days, policy):
    """Return the plans of a prune so many days from now."""
    world = chain.world()
    return prune(replace(world, clock=FrozenClock(world.clock.now() + timedelta(days=days))), policy, dry_run=True)


def test_a_restore_takes_the_repository_that_is_left(pair, shop, pg16):
    shutil.rmtree(pair.folder / "disk")
    (pair.folder / "disk").write_text("no folder")
    plan, notes = pair.restore(databases=(shop,), into="from_the_vault")
    pg16.sql("DROP DATABASE from_the_vault")
    assert plan.repository == "vault"
    assert "disk" in notes[0] and "passed over" in notes[0]


def test_a_restore_from_nowhere_tells_the_first_repositorys_trouble(pair, shop):
    for name in ("disk", "vault"):
        shutil.rmtree(pair.folder / name)
        (pair.folder / name).write_text("no folder")
    with pytest.raises(Exception, match="repository disk"):
        pair.restore(databases=(shop,), into="from_nowhere")


def test_damage_in_one_repository_never_condemns_the_copy_in_the_other(pair, shop):
    damaged = pair.taken().id
    flipped(next(path for path in pair.objects(damaged, "disk") if path.name == f"{shop}.dump.zst"), "middle")
    evidence = pair.drill(str(damaged))
    assert (evidence.verdict, evidence.repository, evidence.copies["vault"]["verdict"]) == ("failed", "vault", "passed")
    newest = pair.taken().id
    fates = {plan.repository: {row.id: row.reasons for row in plan.plan.rows}
             for plan in later(pair, 3, Policy.of({"daily": 1, "min_keep": 0}))}
    assert fates["disk"][damaged] == ("known bad",)
    assert fates["vault"][damaged] != ("known bad",)
    assert newest in fates["disk"]


def test_an_own_check_that_fails_makes_no_backup_bad(pair):
    old = pair.taken().id
    question = {"name": "rows of today", "sql": "SELECT false"}
    assert pair.drill(str(old), checks=[question]).verdict == "failed"
    pair.taken()
    for plan in later(pair, 3, Policy.of({"last": 1, "min_keep": 0})):
        assert {row.id: row.reasons for row in plan.plan.rows}[old] != ("known bad",)


def test_a_set_that_another_host_swept_is_never_committed(pair, shop):
    class Swept:
        """A cluster beside whose last dump another host, which has another lock, sweeps the repository."""

        def __init__(self, cluster):
            self._cluster = cluster

        def __getattr__(self, name):
            return getattr(self._cluster, name)

        @contextmanager
        def session(self, database, selection, **more):
            with self._cluster.session(database, selection, **more) as session:
                yield session
            for path in pair.folder.glob("vault/app/backup/*/*.dump.zst"):
                if not (path.parent / "manifest.json").exists():
                    path.unlink()

    before = pair.ids("vault")
    pair.wrap_cluster = Swept
    with pytest.raises(Unavailable) as caught:
        pair.back_up()
    assert caught.value.code == "backup.object_gone"
    assert "vault" in caught.value.message and ".dump.zst" in caught.value.message
    assert pair.ids("vault") == pair.ids("disk") == before


def test_a_partial_set_is_told_everywhere_and_never_proven(pair, shop, pg16):
    pg16.sql("CREATE DATABASE short_lived TEMPLATE template0")
    drop = [f"{pg16.bin_dir}/psql", "-h", str(pg16.folder), "-U", "postgres", "-qc", "DROP DATABASE short_lived"]
    report = pair.back_up(databases=[shop, "short_lived"], pre_command=drop, allow_partial=True)
    assert any("partial" in each and "short_lived" in each for each in report.warnings)
    assert any("short_lived" in each for each in report.manifest.not_covered)
    evidence = pair.drill(str(report.manifest.id))
    assert evidence.verdict == "incomplete"
    assert any("short_lived" in each.detail for each in evidence.checks if each.result == "not_run")


def test_passwords_and_settings_that_no_set_holds_are_told(pair):
    told = " ".join(pair.taken(role_passwords=False).not_covered)
    assert "passwords of roles" in told
    assert "ALTER ROLE ALL" in told
