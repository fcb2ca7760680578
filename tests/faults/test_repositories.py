# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories that are full, read-only, not mounted, or not there: nothing half-made, nothing lost, one clear word."""
from __future__ import annotations

import os
import subprocess

import pytest

from _restorable.errors import RestorableError
from kit.chain import Chain


class Mounted:
    """A chain whose repository is a small disk of its own."""

    def __init__(self, chain):
        self.chain, self.place = chain, str(chain.folder / "local")

    def mount(self, options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.place], capture_output=True,
                              check=False)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.place], check=True)

    def unmount(self):
        subprocess.run(["umount", self.place], check=True)


@pytest.fixture
def disk(chain):
    """A chain on a tmpfs of 2 MiB."""
    mounted = Mounted(chain)
    os.mkdir(mounted.place, 0o700)
    if mounted.mount("size=2m,mode=700").returncode:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip("this account may not mount a tmpfs")
    yield mounted
    mounted.unmount()


def grow(chain, database):
    """Make the next dump too large for the disk: two megabytes that nothing compresses."""
    chain.server.sql("CREATE TABLE noise AS SELECT decode(md5(g::text || random()), 'hex') AS b FROM"
                     " generate_series(1, 150000) g", database=database)


def test_a_disk_that_fills_up_during_the_dump_keeps_only_the_good_backup(disk, shop, fails):
    disk.chain.taken()
    grow(disk.chain, shop)
    with fails(disk.chain, "store.full", disk.place, "restorable prune"):
        disk.chain.back_up()
    assert disk.chain.verify()[0].verdict == "passed"
    disk.chain.server.sql("DROP TABLE noise", database=shop)
    assert disk.chain.back_up().swept == ()


def test_a_disk_without_room_for_a_set_like_the_last_is_told_before_the_dump(disk, shop, fails):
    disk.remount("size=8m")
    grow(disk.chain, shop)
    disk.chain.taken()
    disk.remount("size=5m")
    with fails(disk.chain, "store.no_room", "free", "the last backup took", "restorable prune"):
        disk.chain.back_up()


def test_of_two_repositories_neither_keeps_what_only_one_had_room_for(disk, shop, fails):
    disk.chain.body["repositories"]["second"] = {"path": str(disk.chain.folder / "second")}
    disk.chain.taken()
    grow(disk.chain, shop)
    with fails(disk.chain, "store.full", disk.place):
        disk.chain.back_up()
    assert len(disk.chain.ids("local")) == len(disk.chain.ids("second")) == 1


def test_a_read_only_disk_is_told_and_what_it_holds_can_be_used(disk, shop, fails):
    disk.chain.taken()
    disk.remount("ro")
    with fails(disk.chain, "store.read_only", disk.place, "findmnt"):
        disk.chain.back_up()
    err = disk.chain.run("backup")[2]
    assert err.startswith(f"error: repository local: {disk.place}") and "read-only file system\nhint: " in err
    assert "warning" not in err
    with fails(disk.chain, "store.read_only"):
        disk.chain.prune(daily=1)
    disk.chain.body["state_dir"] = str(disk.chain.folder)
    assert disk.chain.verify()[0].verdict == "passed"
    disk.chain.restore(databases=(shop,), into=f"{shop}_again")
    assert disk.chain.server.sql("SELECT count(*) FROM item", database=f"{shop}_again") == [(500,)]
    disk.chain.server.sql(f"DROP DATABASE {shop}_again")


def test_a_disk_that_is_not_mounted_is_refused_by_everything_and_its_mount_point_stays_empty(disk, shop):
    chain = disk.chain
    chain.body["repositories"]["local"]["require_marker"] = True
    assert chain.run("init")[0] == 0
    chain.taken()
    disk.unmount()
    for work in (chain.back_up, lambda: chain.back_up(dry_run=True), chain.drill, lambda: chain.prune(daily=1),
                 lambda: chain.prune(daily=1, dry_run=True), chain.verify, chain.list, chain.hold, chain.show,
                 lambda: chain.restore(databases=(shop,), into="nowhere")):
        with pytest.raises(RestorableError) as caught:
            work()
        assert caught.value.code == "store.not_mounted"
        assert disk.place in caught.value.message
    assert "not to be mounted" in chain.status().repositories[0].error
    assert os.listdir(disk.place) == []
    assert disk.mount("size=2m,mode=700").returncode == 0    # what the fixture takes away


def test_a_repository_whose_parent_is_missing_is_a_slip_of_the_pen_and_not_made(chain):
    chain.body["repositories"]["local"]["path"] = str(chain.folder / "slip" / "repository")
    for work in (chain.back_up, lambda: chain.back_up(dry_run=True), chain.list, chain.verify):
        with pytest.raises(RestorableError) as caught:
            work()
        assert caught.value.code == "store.no_folder"
    assert not (chain.folder / "slip").exists()


def test_what_is_planned_is_written_nowhere(pg16, shop, folder):
    """Dry runs and everything that only looks leave an unused repository as absent as it was."""
    chain = Chain(pg16, folder, databases=[shop], repositories=("local", "second"))
    assert chain.back_up(dry_run=True).plan.databases[0].name == shop
    assert chain.list()[0].catalogue.backups == ()
    assert [row.error for row in chain.status().repositories] == ["", ""]
    assert chain.prune(daily=1, dry_run=True)[0].plan.rows == ()
    assert chain.verify(dry_run=True) == []
    (folder / "old").mkdir()
    (folder / "old" / "a.sql").write_text("--\n-- PostgreSQL database dump\n--\nSELECT 1;\n--\n"
                                          "-- PostgreSQL database dump complete\n--\n")
    assert chain.adopt(folder / "old", "*.sql", dry_run=True).files[0].action == "adopted"
    assert sorted(os.listdir(folder)) == ["old", "scratch"]


def test_dry_runs_change_nothing_in_a_used_repository(good, shop):
    before = everything(good)
    good.back_up(dry_run=True)
    good.prune(last=1, min_keep=0, min_age="0", dry_run=True)
    good.drill(dry_run=True)
    good.verify(dry_run=True)
    good.hold(dry_run=True)
    good.restore(databases=(shop,), into="planned", dry_run=True)
    good.list(), good.status(), good.show()
    assert everything(good) == before
    assert good.server.sql("SELECT datname FROM pg_database WHERE datname = 'planned'") == []


def everything(chain):
    return {str(path): path.stat().st_mtime_ns for path in chain.folder.rglob("*")}
