# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopting what cron jobs left: real dumps of every form, and every way in which one is none."""
from __future__ import annotations

import bz2
import gzip
import json
import os
import subprocess

import pytest

from _restorable.model.manifest import Manifest
from kit.command import Command


class Inbox:
    """A folder of files that others made, and the command that adopts them."""

    def __init__(self, server, database, folder, **options):
        self.server, self.database = server, database
        self.folder = folder / "inbox"
        self.folder.mkdir()
        cluster = {"connection": server.settings, "bin_dir": server.bin_dir}
        self.command = Command(folder, {"shop": cluster}, **options)

    def dump(self, *words):
        """Return what pg_dump prints."""
        where = ["--host", str(self.server.folder), "--username", self.server.superuser, self.database]
        return subprocess.run([f"{self.server.bin_dir}/pg_dump", *words, *where], check=True,
                              capture_output=True).stdout

    def add(self, name, data):
        (self.folder / name).write_bytes(data)

    def adopt(self, pattern="*", *words):
        """Adopt; return {file: (action, reason)} having checked that nothing broke."""
        ran = self.command("adopt", str(self.folder), "--pattern", pattern, "--json", *words)
        assert ran.status == 0, ran.out
        return {row["file"]: row for row in ran.json["files"]}

    def manifest(self, backup, repository="local"):
        path = self.command.folder / repository / "shop" / "backup" / backup / "manifest.json"
        return Manifest.from_json(path.read_bytes(), str(path))

    def backups(self):
        listed = self.command("list", "--json").json["clusters"][0]["repositories"][0]
        return [row["backup"] for row in listed["backups"]]


@pytest.fixture
def roles(server):
    """Two roles that the database's objects belong to and are granted to."""
    names = ["adopt owner", "adopt_reader"]
    for name in names:
        server.sql(f'DROP ROLE IF EXISTS "{name}"', f'CREATE ROLE "{name}"')
    yield names


@pytest.fixture
def inbox(server, database, roles, tmp_path):
    server.sql("CREATE TABLE orders (id integer PRIMARY KEY, note text)",
               "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n",
               f'ALTER TABLE orders OWNER TO "{roles[0]}"', f"GRANT SELECT ON orders TO {roles[1]}", database=database)
    yield Inbox(server, database, tmp_path)
    server.sql(f'DROP DATABASE "{database}"')
    for name in roles:
        server.sql(f'DROP ROLE "{name}"')


def test_every_form_of_pg_dump_is_adopted_and_proven_by_a_drill(inbox, roles):
    plain = inbox.dump()
    inbox.add("shop_20261101.sql", plain)
    inbox.add("shop_20261102.sql.gz", gzip.compress(plain))
    inbox.add("shop_20261103.sql.gz", gzip.compress(plain[:9000]) + gzip.compress(plain[9000:]))
    inbox.add("shop_20261104.sql.gz", gzip.compress(inbox.dump("--create")))
    inbox.add("shop_20261105.backup", inbox.dump("--format=custom"))
    inbox.add("shop_20261106.tar", inbox.dump("--format=tar"))
    inbox.add("shop_20261107.backup.gz", gzip.compress(inbox.dump("--format=custom", "--compress=0")))
    found = inbox.adopt()
    assert {row["action"] for row in found.values()} == {"adopted"}, found
    assert [row["format"] for _name, row in sorted(found.items())] == \
        ["plain", "plain", "plain", "plain", "custom", "tar", "custom"]
    assert [row["database"] for _name, row in sorted(found.items())][3:] == [inbox.database] * 4
    for row in found.values():
        manifest = inbox.manifest(row["backup"])
        assert set(manifest.adopted["roles"]) == {*roles, *(set(manifest.adopted["roles"]) & {"postgres"})}
        assert manifest.server["version_num"] // 10000 == inbox.server.major
        assert manifest.plain_size >= 9000
        drill = inbox.command("drill", row["backup"])
        assert drill.status == 0, (row["file"], drill.out)
        assert "with nothing to compare with" in drill.out
    assert inbox.command("list").out.count("proven") == 7


def test_an_adopted_set_is_unproven_shown_verified_and_restored(inbox):
    inbox.add("shop_full_20261105.backup", inbox.dump("--format=custom"))
    inbox.add("shop_full_20261105.meta", b"database=ignored, the archive knows better\nrows=5000\npassword=hunter2\n")
    row = inbox.adopt("*_full_*.backup")["shop_full_20261105.backup"]
    assert row["backup"] == "20261105T000000Z-adopted-shop_full" and row["database"] == inbox.database
    shown = inbox.command("show", row["backup"])
    assert ": adopted\n" in shown.out and "rows:      5000" in shown.out and "hunter2" not in shown.out
    assert "createuser --no-login -- 'adopt owner'" in shown.out and "this backup is not proven" in shown.out
    assert [item.role for item in inbox.manifest(row["backup"]).items] == ["dump", "sidecar"]
    assert inbox.command("verify").status == 0
    copy = f"{inbox.database}_copy"
    restored = inbox.command("restore", row["backup"], "--database", inbox.database, "--into", copy)
    try:
        assert restored.status == 0, restored.err
        assert inbox.server.sql("SELECT count(*) FROM orders", database=copy) == [(5000,)]
    finally:
        inbox.server.sql(f'DROP DATABASE IF EXISTS "{copy}"')


def test_what_would_displace_good_ones_is_left_out_with_its_reason(inbox):
    plain, custom, tar = inbox.dump(), inbox.dump("--format=custom"), inbox.dump("--format=tar")
    whole = subprocess.run([f"{inbox.server.bin_dir}/pg_dumpall", "--host", str(inbox.server.folder), "--username",
                            inbox.server.superuser, "--schema-only"], check=True, capture_output=True).stdout
    bad = {
        "a_20261101.sql.gz": (b"", "empty (0 bytes)"), "b_20261101.sql.gz": (gzip.compress(b""), "empty once unpacked"),
        "c_20261101.sql.gz": (gzip.compress(plain)[:-2000], "ends before its end"),
        "d_20261101.sql.gz": (gzip.compress(plain[:-3000]), "cut off"), "e_20261101.sql": (plain[:-3000], "cut off"),
        "f_20261101.backup": (custom[:-2000], "end of file"), "g_20261101.tar": (tar[:len(tar) // 2], "cut off"),
        "h_20261101.sql.bz2": (bz2.compress(plain), "bunzip2"), "i_20261101.enc": (b"Salted__" + plain, "encrypted"),
        "j_20261101.sql": (b"-- MySQL dump\n", "no PostgreSQL dump"), "k_20261101.sql": (whole, "pg_dumpall"),
        "l_20261399.sql": (plain, "20261399"), "m_20261101.sql.gz": (gzip.compress(plain) + b"garbage", "damaged"),
        "n_20261101.backup": (custom + b"x" * 2_000_000, "unread")}
    for name, (data, _why) in bad.items():
        inbox.add(name, data)
    inbox.add("z_20261101.sql", plain)
    (inbox.folder / "latest.sql").symlink_to("z_20261101.sql")
    (inbox.folder / "folder_20261101").mkdir()
    found = inbox.adopt()
    assert found.pop("z_20261101.sql")["action"] == "adopted"
    assert found.pop("latest.sql")["reason"] == "it is a symbolic link"
    assert found.pop("folder_20261101")["reason"] == "it is a folder"
    assert set(found) == set(bad)
    for name, (_data, why) in bad.items():
        assert found[name]["action"] == "skipped" and why in found[name]["reason"], (name, found[name]["reason"])
    assert inbox.backups() == ["20261101T000000Z-adopted-z"]


@pytest.mark.parametrize("words", [[], ["--dry-run"]], ids=["real", "dry"])
def test_where_every_file_is_left_out_that_is_said_and_is_no_success(inbox, words):
    inbox.add("a_20261101.sql.gz", b"")
    inbox.add("b_20261101.sql", b"-- MySQL dump\n")
    ran = inbox.command("adopt", str(inbox.folder), "--pattern", "*", *words)
    assert ran.status == 4, ran.out
    assert "nothing would be adopted for shop: 2 files left out" in ran.out if words else \
        "nothing was adopted for shop: 2 files left out" in ran.out
    assert "empty (0 bytes)" in ran.out and "no PostgreSQL dump" in ran.out
    # one that is whole makes it a success, the first time and again
    inbox.add("z_20261101.sql", inbox.dump())
    assert [inbox.command("adopt", str(inbox.folder), "--pattern", "*", *words).status for _twice in range(2)] == [0, 0]


def test_adopting_twice_adopts_nothing_twice(inbox):
    inbox.add("shop_20261101.sql.gz", gzip.compress(inbox.dump(), mtime=0))
    first = inbox.adopt()["shop_20261101.sql.gz"]
    before = inbox.command.objects()
    second = inbox.adopt()["shop_20261101.sql.gz"]
    assert (first["action"], second["action"]) == ("adopted", "known") and first["backup"] == second["backup"]
    assert inbox.command.objects() == before


def test_another_content_of_the_same_second_gets_a_place_of_its_own(inbox):
    plain = inbox.dump()
    inbox.add("shop_20261101.sql.gz", gzip.compress(plain, mtime=0))
    inbox.add("shop-20261101.sql.gz", gzip.compress(plain, mtime=1))
    found = inbox.adopt()
    assert sorted(row["backup"] for row in found.values()) == ["20261101T000000Z-adopted-shop",
                                                               "20261101T000001Z-adopted-shop"]


def test_two_series_of_one_glob_stay_two(inbox):
    inbox.add("app-20261101.sql", inbox.dump())
    inbox.add("app-archive-20261101.sql", inbox.dump())
    assert {row["series"] for row in inbox.adopt("app-*.sql").values()} == {"app", "app_archive"}
    assert list(inbox.adopt("app-YYYYMMDD.sql")) == ["app-20261101.sql"]


def test_stems_that_make_the_same_label_stay_apart_in_every_order(inbox):
    inbox.add("a-b-20261101.sql", inbox.dump())
    first = inbox.adopt("a-b-*")["a-b-20261101.sql"]["series"]
    inbox.add("a_b-20261102.sql", inbox.dump())
    later = inbox.adopt("a_b-*")["a_b-20261102.sql"]["series"]
    assert first == "a_b" and later.startswith("a_b.")
    inbox.add("a_b-20261103.sql", inbox.dump())
    assert inbox.adopt("a_b-*")["a_b-20261103.sql"]["series"] == later


def test_move_removes_an_original_only_when_its_set_is_committed_everywhere(server, database, tmp_path):
    inbox = Inbox(server, database, tmp_path, repositories=("local", "second"))
    inbox.add("shop_20261101.sql", inbox.dump())
    inbox.add("shop_20261101.meta", b"{}")
    inbox.add("shop_20261102.sql", inbox.dump()[:-500])
    for path in inbox.folder.iterdir():
        path.chmod(0o644)
    found = inbox.adopt("shop_*.sql", "--move")
    assert found["shop_20261101.sql"]["moved"] and not found["shop_20261102.sql"]["moved"]
    assert os.listdir(inbox.folder) == ["shop_20261102.sql"]
    for repository in ("local", "second"):
        assert inbox.command.objects(repository) == inbox.command.objects("local")
        stored = (tmp_path / repository / "shop").rglob("*.*")
        assert {f"{path.stat().st_mode & 0o777:04o}" for path in stored if path.is_file()} == {"0600"}
    assert inbox.command("verify").status == 0


def test_a_repository_that_missed_a_set_gets_it_at_the_next_run(server, database, tmp_path):
    inbox = Inbox(server, database, tmp_path, repositories=("local", "second"))
    inbox.add("shop_20261101.sql", inbox.dump())
    backup = inbox.adopt()["shop_20261101.sql"]["backup"]
    os.unlink(tmp_path / "second" / "shop" / "backup" / backup / "manifest.json")
    again = inbox.adopt("*", "--move")["shop_20261101.sql"]
    assert (again["action"], again["backup"], again["moved"]) == ("adopted", backup, True)
    assert inbox.command.objects("second") == inbox.command.objects("local")


def test_a_file_without_a_date_is_copied_because_its_writer_will_write_over_it(inbox):
    inbox.add("nightly.sql", inbox.dump())
    inbox.add("shop_20261101.sql", inbox.dump())
    found = inbox.adopt()
    stored = {name: inbox.command.folder / "local" / "shop" / "backup" / row["backup"] / name
              for name, row in found.items()}
    assert "its name tells no time" in found["nightly.sql"]["notes"][0]
    assert not stored["nightly.sql"].samefile(inbox.folder / "nightly.sql")
    (inbox.folder / "nightly.sql").write_bytes(b"-- half of tomorrow's dump")
    assert inbox.command("verify").status == 0
    assert stored["shop_20261101.sql"].samefile(inbox.folder / "shop_20261101.sql")


def test_a_dry_run_tells_the_same_and_writes_nothing(inbox):
    inbox.add("shop_20261101.sql", inbox.dump())
    inbox.add("shop_20261102.sql", b"")
    planned = inbox.adopt("*", "--dry-run", "--move")
    assert not (inbox.command.folder / "local" / "shop").exists() and len(os.listdir(inbox.folder)) == 2
    real = inbox.adopt("*")
    same = ("action", "backup", "series", "database", "reason")
    assert all(planned[name][key] == real[name][key] for name in real for key in same)


def test_adopted_sets_are_pruned_by_series_like_ours(inbox):
    data = gzip.compress(inbox.dump())
    for day in range(1, 29):
        inbox.add(f"shop_202606{day:02}.sql.gz", data)
    inbox.add("archive_20260101.sql.gz", data)
    inbox.adopt()
    plan = inbox.command("prune", "--dry-run", "--confirm", "--json").json["clusters"][0]["repositories"][0]
    dropped = {row["backup"] for row in plan["dropped"]}
    assert dropped and all("-adopted-shop" in backup for backup in dropped)
    ran = inbox.command("prune", "--confirm")
    assert ran.status == 0, ran.err
    assert set(inbox.backups()) == {row["backup"] for row in plan["kept"]}
    assert len(os.listdir(inbox.folder)) == 29     # originals are somebody else's


@pytest.mark.parametrize(("words", "status", "named"), [
    (["--pattern", "nothing-*"], 5, "no file in"), (["--pattern", "a/b"], 2, "'a/b'"),
    (["--pattern", "*", "--timezone", "Mars/Olympus"], 2, "'Mars/Olympus'")])
def test_a_wrong_wish_is_named_and_changes_nothing(inbox, words, status, named):
    inbox.add("shop_20261101.sql", inbox.dump())
    ran = inbox.command("adopt", str(inbox.folder), *words)
    assert ran.status == status and named in ran.err
    # the journal alone tells of the refusal
    assert {path.name for path in (inbox.command.folder / "local" / "shop").glob("*")} <= {"journal"}


def test_a_folder_that_is_not_there_is_named(inbox):
    ran = inbox.command("adopt", "/nowhere/at/all", "--pattern", "*")
    assert ran.status == 5 and "/nowhere/at/all" in ran.err


def test_odd_names_are_adopted_under_portable_ones(inbox):
    odd = "möbel \"50%\"; rm -rf\n_20261101.sql"
    inbox.add(odd, inbox.dump())
    with open(os.fsencode(inbox.folder) + b"/caf\xe9_20261102.sql", "wb") as file:
        file.write(inbox.dump())
    found = inbox.adopt()
    assert found.pop(odd)["action"] == "adopted"
    assert next(iter(found.values()))["reason"] == "its name is not UTF-8"
    backup = inbox.backups()[0]
    assert json.loads(json.dumps(inbox.manifest(backup).adopted["name"])) == odd
    assert all(name.isascii() for name in inbox.command.objects())
    assert inbox.command("drill").status == 0
