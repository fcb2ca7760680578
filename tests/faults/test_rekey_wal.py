# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New keys for archived WAL: without the server, killed at every write, locked, damaged, unsealed and pushed again."""
from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from _restorable.app import wire
from _restorable.app.report_keys import rekey_report
from _restorable.host.progress import Silent
from _restorable.model.naming import BackupId
from _restorable.model.settings import Settings
from _restorable.model.wal_sealing import sealed_suffix
from _restorable.ops.keyrung import check_keys
from _restorable.ops.ladder import Ladder
from _restorable.ops.rekey_wal import rekey_wal
from kit.agecommand import age_command, run
from kit.agekeys import make_pair
from kit.chain import flipped
from kit.command import Command
from kit.mortal import Killed, Locked, Mortal
from kit.wal import NAMES, segment_bytes, text_bytes

REPOSITORIES = ("disk", "vault")
FILES = (NAMES[0], NAMES[1], "00000002.history", f"{NAMES[1]}.00000028.backup")


class Sealed(Command):
    """A cluster with sealed WAL in two repositories; old and new are pairs of keys."""

    def __init__(self, folder):
        super().__init__(folder, {"shop": {"wal": {"spool": str(folder / "spool"), "patience": 0}}},
                         repositories=REPOSITORIES)
        self.old, self.new = make_pair(folder / "old"), make_pair(folder / "new")
        self.stores = lambda store: store
        self.seal_for(self.old)

    def seal_for(self, *pairs, having=()):
        """Name whom new files are sealed for, and whose identities are here."""
        body = json.loads(self.config.read_text())
        body["encryption"] = {"recipients": [pair.public for pair in pairs], "required": bool(pairs)}
        if having:
            body["encryption"]["identity_file"] = [str(pair.path) for pair in having]
        self.config.write_text(json.dumps(body))

    def push(self, *names):
        """Archive files, each with the content that belongs to its name."""
        for name in names:
            whole = name.endswith((".history", ".backup"))
            (self.folder / name).write_bytes(text_bytes(name) if whole else segment_bytes(name))
            ran = self("wal-push", str(self.folder / name))
            assert ran.status == 0, ran.err

    def rekey(self, **options):
        """Rekey the WAL over stores that a test has bent; return the rows as the report has them."""
        settings = Settings.of(json.loads(self.config.read_text()))
        world = wire.open_world(settings, settings.cluster("shop"), Silent())
        world = replace(world, stores=tuple(self.stores(store) for store in world.stores))
        return rekey_report([], rekey_wal(world, **options), dry_run=options.get("dry_run", False))

    def files(self, repository="disk"):
        """Return the archive's files by their names."""
        root = self.folder / repository / "shop" / "wal"
        return {path.name: path for path in sorted(root.rglob("*-*")) if path.is_file()}

    def readable(self, *names):
        """Return whether each repository by itself gives every file back as it was archived."""
        body = json.loads(self.config.read_text())
        for repository in REPOSITORIES:
            only = {**body, "repositories": {repository: body["repositories"][repository]}}
            self.config.write_text(json.dumps(only))
            for name in names or FILES:
                whole = self("wal-get", name, str(self.folder / "got"))
                if whole.status or (self.folder / "got").read_bytes() != (self.folder / name).read_bytes():
                    self.config.write_text(json.dumps(body))
                    return False
        self.config.write_text(json.dumps(body))
        return True


@pytest.fixture
def sealed(tmp_path):
    """Files of every kind, sealed for the old key; the new one is wanted, and both identities are here."""
    command = Sealed(tmp_path)
    command.push(*FILES)
    command.seal_for(command.new, having=(command.old, command.new))
    return command


def test_after_a_rekey_the_new_key_opens_all_wal_and_the_old_one_none(sealed):
    report = sealed("--json", "rekey")
    assert report.status == 0, report.err
    [cluster] = report.json["clusters"]
    assert [(each["repository"], each["rekeyed"], each["failed"]) for each in cluster["wal"]] == [
        ("disk", 4, 0), ("vault", 4, 0)]
    assert cluster["changed"] and cluster["warnings"] == []
    assert len(sealed.files()) == len(sealed.files("vault")) == 4
    sealed.seal_for(sealed.new, having=(sealed.new,))
    assert sealed.readable()
    sealed.seal_for(sealed.new, having=(sealed.old,))
    assert sealed("wal-get", FILES[0], str(sealed.folder / "got")).status == 255
    told = sealed("rekey")
    assert told.status == 0 and "done: rekey shop 0 backups" in told.out + told.err


def test_a_second_rekey_has_nothing_to_do_even_where_the_identity_is_gone(sealed):
    sealed.rekey()
    before = {name: path.read_bytes() for name, path in sealed.files().items()}
    sealed.seal_for(sealed.new)
    again = sealed.rekey()
    assert (again["changed"], again["failed"]) == (False, [])
    assert [each["current"] for each in again["wal"]] == [4, 4]
    assert {name: path.read_bytes() for name, path in sealed.files().items()} == before


def test_what_was_shipped_for_the_new_key_is_known_by_its_name_and_needs_no_key(sealed):
    sealed.push(NAMES[2])
    sealed.seal_for(sealed.new, having=(sealed.old,))
    report = sealed.rekey()
    assert (report["failed"], [(each["rekeyed"], each["current"]) for each in report["wal"]]) == ([], [(4, 1)] * 2)


def test_a_dry_run_says_the_same_and_writes_nothing(sealed):
    before = sorted(sealed.files())
    planned = sealed.rekey(dry_run=True)
    assert sorted(sealed.files()) == before and not planned["changed"]
    assert planned["wal"] == sealed.rekey()["wal"]


def test_a_kill_at_any_write_leaves_every_file_readable_and_the_next_rekey_ends_the_work(sealed, tmp_path):
    """Every put and delete of four files in two repositories is struck once."""
    clean = {name: shutil.copytree(tmp_path / name, tmp_path / f"{name}.clean") for name in REPOSITORIES}
    struck = 0
    for at in range(100):
        for name, path in clean.items():
            shutil.rmtree(tmp_path / name)
            shutil.copytree(path, tmp_path / name)
        left = count(at, -1)
        sealed.stores = lambda store, left=left: Mortal(store, left)
        try:
            sealed.rekey()
        except Killed:
            struck += 1
        else:
            break
        finally:
            sealed.stores = lambda store: store
        assert sealed.readable(), at
        assert sealed.rekey()["failed"] == []
        assert len(sealed.files()) == len(sealed.files("vault")) == 4, at
        sealed.seal_for(sealed.new, having=(sealed.new,))
        assert sealed.readable(), at
        sealed.seal_for(sealed.new, having=(sealed.old, sealed.new))
    assert struck == 2 * (4 + 4)       # four files stored, and four deleted, in each of two


def test_under_a_lock_the_old_forms_stay_unread_and_go_once_it_is_over(sealed):
    sealed.stores = Locked
    report = sealed.rekey()
    assert report["failed"] == [] and len(report["warnings"]) == 2
    assert "4 files of WAL in repository disk" in report["warnings"][0] and "2030-01-01" in report["warnings"][0]
    assert len(sealed.files()) == 8
    sealed.seal_for(sealed.new, having=(sealed.new,))
    assert sealed.readable()
    sealed.stores = lambda store: store
    assert sealed.rekey()["warnings"] == []
    assert len(sealed.files()) == 4 and sealed.readable()


def test_a_reader_in_between_keeps_the_old_forms_until_the_next_rekey(sealed):
    settings = Settings.of(json.loads(sealed.config.read_text()))
    with wire.open_world(settings, settings.cluster("shop"), Silent()).reading.hold("drill", shared=True):
        report = sealed.rekey()
    assert len(report["warnings"]) == 2 and len(sealed.files()) == 8
    assert sealed.rekey()["changed"] is False and len(sealed.files()) == 4


def test_keys_that_come_back_make_a_third_form_and_never_meet_a_name_that_is_taken(sealed):
    sealed.stores = Locked
    sealed.rekey()
    sealed.seal_for(sealed.old, having=(sealed.old, sealed.new))
    assert sealed.rekey()["failed"] == []
    assert len(sealed.files()) == 12
    sealed.seal_for(sealed.old, having=(sealed.old,))
    assert sealed.readable()


def test_a_damaged_file_is_told_by_name_not_carried_over_and_stops_no_other(sealed):
    [path] = [path for name, path in sealed.files().items() if name.startswith(f"{NAMES[1]}-")]
    flipped(path, "last")
    before = path.read_bytes()
    ran = sealed("--json", "rekey")
    [cluster] = ran.json["clusters"]
    assert ran.status != 0
    assert [(each["rekeyed"], each["failed"]) for each in cluster["wal"]] == [(3, 1), (4, 0)]
    assert NAMES[1] in cluster["failed"][0] and "WAL of disk" in cluster["failed"][0]
    assert path.read_bytes() == before
    assert [name for name in sealed.files() if name.startswith(f"{NAMES[1]}-")] == [path.name]
    assert "FAILED in disk" in sealed("rekey").out


def test_without_the_old_identity_nothing_is_written(sealed):
    before = sorted(sealed.files())
    sealed.seal_for(sealed.new, having=(sealed.new,))
    report = sealed.rekey()
    assert [(each["rekeyed"], each["failed"]) for each in report["wal"]] == [(0, 4)] * 2
    assert "none of the identities" in report["failed"][0] and sorted(sealed.files()) == before


def test_unsealed_wal_is_sealed_and_what_an_older_version_sealed_is_known(tmp_path):
    command = Sealed(tmp_path)
    command.seal_for()
    command.push(NAMES[0], "00000002.history")
    command.seal_for(command.old)
    command.push(NAMES[1])
    for repository in REPOSITORIES:
        [(name, path)] = [pair for pair in command.files(repository).items() if pair[0].startswith(NAMES[1])]
        path.rename(path.with_name(f"{name.partition('.')[0]}.zst.age"))      # as it was called before
    command.seal_for(command.new, having=(command.old, command.new))
    names = (NAMES[0], NAMES[1], "00000002.history")
    assert command.readable(*names)
    assert [each["rekeyed"] for each in command.rekey()["wal"]] == [3, 3]
    command.seal_for(command.new, having=(command.new,))
    assert command.readable(*names)
    assert all(name.endswith(".age") for name in command.files())


def test_a_file_that_is_pushed_again_after_a_rekey_is_known_and_another_one_is_refused(sealed):
    sealed.rekey()
    again = sealed("--json", "wal-push", str(sealed.folder / NAMES[0]))
    assert again.status == 0 and not again.json["changed"]
    (sealed.folder / NAMES[0]).write_bytes(segment_bytes(NAMES[0], fill=b"another"))
    assert sealed("wal-push", str(sealed.folder / NAMES[0])).status != 0
    assert len(sealed.files()) == 4


def test_the_age_command_opens_what_was_rekeyed(sealed, request):
    age = age_command(request)
    sealed.rekey()
    [path] = [path for name, path in sealed.files().items() if name.startswith(f"{NAMES[0]}-")]
    assert run("zstd", "-dc", data=run(age, "-d", "-i", sealed.new.path, path)) == segment_bytes(NAMES[0])


def test_a_form_that_is_new_by_its_name_alone_costs_no_old_one(sealed):
    """A database host may write WAL; what it calls rekeyed is opened before the form that it hides is deleted."""
    for path in sealed.files().values():
        forged = sealed_suffix(".zst" if ".zst" in path.name else "", [sealed.new.key_id], 1)
        path.with_name(path.name[:path.name.index("-") + 33] + forged).write_bytes(b"age-encryption.org/v1\njunk")
    report = sealed.rekey()
    assert [row["failed"] for row in report["wal"]] == [4, 0] and len(sealed.files()) == 8


def test_a_drill_tries_the_form_of_wal_that_is_read(sealed):
    sealed.stores = Locked
    sealed.rekey()
    sealed.seal_for(sealed.new, having=(sealed.new,))
    settings = Settings.of(json.loads(sealed.config.read_text()))
    world = wire.open_world(settings, settings.cluster("shop"), Silent())
    ladder = Ladder(world.clock, world.progress, frozenset())
    drilled = SimpleNamespace(id=BackupId.parse("20261120T030000Z-base"))      # only its kind counts here
    check_keys(world, world.stores[0], [drilled], None, ladder)
    assert [each.result for each in ladder.checks if "key opens WAL" in each.name] == ["ok"], ladder.checks
