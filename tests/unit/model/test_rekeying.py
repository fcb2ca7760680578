# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rekey changes: names, descriptions and the commands that restore without us."""
from __future__ import annotations

from datetime import datetime, timezone

import pytest

from _restorable.model.manifest import Item, Manifest
from _restorable.model.naming import BackupId, later_manifest, manifest_generation
from _restorable.model.rekeying import changes, new_name, next_generation, rekeyed

THREE = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
DIGEST, OTHER = "0" * 64, "1" * 64


def item(name, encryption="age", recipients=("age1old",), **more):
    return Item(name, "dump", 1, DIGEST, 2, DIGEST, "app", "custom", "zstd", encryption, recipients, **more)


def manifest(*items, **more):
    return Manifest(BackupId(THREE, "dump"), "shop", THREE, THREE, "test", items, **more)


@pytest.mark.parametrize(("name", "generation", "new"), [
    ("app.dump.zst.age", 1, "app.dump.zst.r1.age"), ("app.dump.zst.r1.age", 2, "app.dump.zst.r2.age"),
    ("app.dump.zst", 1, "app.dump.zst.r1.age"), ("x.r1.sql", 3, "x.r1.sql.r3.age"), ("a.r12.age", 13, "a.r13.age")])
def test_each_generation_has_a_name_of_its_own(name, generation, new):
    assert new_name(name, generation) == new


@pytest.mark.parametrize(("newest", "taken", "number"), [
    ("manifest.json", (), 1), ("manifest.2.json", (), 3), ("manifest.json", ("app.dump.zst.r1.age",), 2),
    ("manifest.4.json", ("app.dump.zst.r1.age", "app.dump.zst.age"), 5),
    ("manifest.1.json", ("app.dump.zst.r2.age", "globals.sql.zst.r7.age", "x.r9.sql"), 8)])
def test_the_next_generation_takes_no_name_that_is_taken(newest, taken, number):
    assert next_generation(newest, taken) == number


@pytest.mark.parametrize(("name", "generation"), [
    ("manifest.json", 0), ("manifest.1.json", 1), ("manifest.12.json", 12), ("manifest.0.json", None),
    ("manifest.01.json", None), ("manifest.x.json", None), ("manifest.json.age", None), ("app.dump.zst.age", None)])
def test_manifests_are_known_by_their_names(name, generation):
    assert manifest_generation(name) == generation
    assert generation in (None, 0) or later_manifest(generation) == name


def test_only_what_is_sealed_for_other_keys_or_not_at_all_is_changed():
    current, old, bare, foreign = (item("a.age", recipients=("age1new",)), item("b.age"), item("c", "", ()),
                                   item("d.enc", "openssl/evp/md5", ()))
    todo = changes(manifest(current, old, bare, foreign), ("age1new",), 1)
    assert [(each.old, each.name) for each in todo] == [(old, "b.r1.age"), (bare, "c.r1.age")]


def test_the_new_manifest_names_the_new_objects_and_how_to_restore_them():
    fresh = item("app.dump.zst.r1.age", recipients=("age1new",))
    new = rekeyed(manifest(item("app.dump.zst.age"), restore=("old",)), {"app.dump.zst.age": fresh})
    assert new.items == (fresh,)
    [line] = new.restore
    assert line == ("age -d -i key.txt app.dump.zst.r1.age | zstd -d | "
                    "pg_restore --exit-on-error --create --dbname=postgres")


def test_an_adopted_set_keeps_the_digest_of_the_file_it_was():
    fresh = item("app.sql.r1.age")
    for adopted, kept in (({"path": "/old"}, DIGEST), ({"path": "/old", "sha256": OTHER}, OTHER)):
        assert rekeyed(manifest(item("app.sql", "", ()), adopted=adopted), {"app.sql": fresh}).adopted["sha256"] == kept
