# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: what is written is read back, and nothing that was touched since is believed."""
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import Damaged
from _restorable.model.manifest import ROLES, DatabaseReport, Item, Manifest
from _restorable.model.naming import KINDS, BackupId
from _restorable.model.server import Database

THREE = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
DIGEST = "0" * 64
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2190, 1, 1), timezones=st.just(timezone.utc))
SIZES = st.integers(0, 2 ** 60)
PLAIN = st.recursive(st.none() | st.booleans() | st.integers(-2 ** 60, 2 ** 60) | TEXTS,
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
                     max_leaves=6)
MAPS = st.dictionaries(TEXTS, PLAIN, max_size=3)
ITEMS = st.builds(Item, name=st.from_regex(r"[a-z%][a-z.%-]{0,20}", fullmatch=True), role=st.sampled_from(ROLES),
                  size=SIZES, sha256=st.just(DIGEST), plain_size=SIZES, plain_sha256=st.just(DIGEST), database=TEXTS)
REPORTS = st.builds(DatabaseReport, name=TEXTS, begun=st.just(THREE.isoformat()), lsn=TEXTS, tables=SIZES,
                    rows=st.none() | SIZES, seconds=st.floats(0, 1e6))
MANIFESTS = st.builds(
    Manifest, id=st.builds(BackupId, TIMES, st.sampled_from(KINDS)), cluster=st.just("shop"), begun=TIMES, ended=TIMES,
    tool=TEXTS, items=st.lists(ITEMS, max_size=3).map(tuple), databases=st.lists(REPORTS, max_size=2).map(tuple),
    server=MAPS, selection=MAPS, options=MAPS, not_covered=st.lists(TEXTS, max_size=2).map(tuple),
    failed=st.lists(TEXTS, max_size=2).map(tuple), hooks=st.lists(MAPS, max_size=2).map(tuple),
    restore=st.lists(TEXTS, max_size=2).map(tuple), adopted=MAPS)


def small(**changes) -> Manifest:
    item = Item("app.dump.zst", "dump", 10, DIGEST, 20, DIGEST, "app", "custom", "zstd")
    values = {"id": BackupId(THREE, "dump"), "cluster": "shop", "begun": THREE, "ended": THREE + timedelta(seconds=9),
              "tool": "restorable 0.1.0", "items": (item,)}
    return Manifest(**{**values, **changes})


def edited(change) -> bytes:
    """Return a manifest that was changed and given the digest that fits the change."""
    from _restorable.model import manifest
    body = json.loads(small().as_json())
    change(body)
    body["digest"] = manifest._digest(body)
    return json.dumps(body).encode()


@given(MANIFESTS)
def test_a_manifest_comes_back_as_it_was(manifest):
    assert Manifest.from_json(manifest.as_json(), "x") == manifest


@given(MANIFESTS)
def test_the_same_manifest_is_the_same_bytes(manifest):
    assert Manifest.from_json(manifest.as_json(), "x").as_json() == manifest.as_json()


@given(st.data())
def test_no_changed_byte_is_overlooked(data):
    stored = bytearray(small().as_json())
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    try:
        read = Manifest.from_json(bytes(stored), "x")
    except Damaged:
        return
    assert read == small()     # a changed space means nothing


def test_an_edited_value_is_found():
    with pytest.raises(Damaged, match=r"manifest r:k cannot be read: .*does not fit its own digest"):
        Manifest.from_json(small().as_json().replace(b'"cluster": "shop"', b'"cluster": "shoq"'), "r:k")


def test_an_unknown_format_is_refused_and_names_both_versions():
    with pytest.raises(Damaged, match="has format 3, this version reads 1 to 2") as caught:
        Manifest.from_json(edited(lambda body: body.update(format=3)), "x")
    assert caught.value.code == "manifest.unknown_format"


@pytest.mark.parametrize(("why", "change"), [
    ("unknown keys", lambda body: body.update(surprise=1)),
    ("backup id", lambda body: body.update(id="nonsense")),
    ("no zone", lambda body: body.update(begun="2026-11-20T03:00:00")),
    ("unknown role", lambda body: body["items"][0].update(role="virus")),
    ("not described well", lambda body: body["items"][0].update(name="../../etc/passwd")),
    ("not described well", lambda body: body["items"][0].update(name=".hidden")),
    ("not described well", lambda body: body["items"][0].update(sha256="short")),
    ("", lambda body: body.update(items=None)),
    ("", lambda body: body.update(items=[7])),
    ("", lambda body: body.pop("cluster")),
    ("", lambda body: body["items"][0].pop("size")),
    ("", lambda body: body.update(databases=[{"name": "app"}])),
])
def test_a_manifest_that_makes_no_sense_is_damaged_whatever_its_digest_says(why, change):
    with pytest.raises(Damaged, match=f"cannot be read.*{why}"):
        Manifest.from_json(edited(change), "x")


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"7", b"{}", b"\xff\xfe", b'{"format": 1}', b"not json"])
def test_what_is_no_manifest_is_damaged(data):
    with pytest.raises(Damaged):
        Manifest.from_json(data, "x")


def test_a_manifest_of_format_1_is_read_and_its_objects_are_not_sealed():
    def older(body):
        body["format"] = 1
        for item in body["items"]:
            del item["encryption"], item["recipients"]
    read = Manifest.from_json(edited(older), "x")
    assert read == small()
    assert {(item.encryption, item.recipients) for item in read.items} == {("", ())}


def test_the_keys_of_a_set_are_those_of_all_its_objects():
    items = (Item("a.age", "dump", 1, DIGEST, 1, DIGEST, encryption="age", recipients=("age1b", "age1a")),
             Item("b.age", "globals", 1, DIGEST, 1, DIGEST, encryption="age", recipients=("age1a",)))
    read = Manifest.from_json(small(items=items).as_json(), "x")
    assert (read.items, read.key_ids()) == (items, ("age1a", "age1b"))


def test_sizes_are_sums_and_objects_are_found_by_role_and_database():
    items = (Item("globals.sql", "globals", 1, DIGEST, 2, DIGEST), Item("a", "dump", 10, DIGEST, 20, DIGEST, "a"),
             Item("b", "dump", 100, DIGEST, 200, DIGEST, "b"), Item("a.fp", "fingerprint", 3, DIGEST, 4, DIGEST, "a"))
    report = DatabaseReport("a", "", "", 1, None, 0.0)
    manifest = small(items=items, databases=(report,))
    assert (manifest.size, manifest.plain_size) == (114, 226)
    assert [each.database for each in manifest.dumps()] == ["a", "b"]
    assert manifest.find("globals") == items[0] and manifest.find("fingerprint", "b") is None
    assert manifest.report("a") == report and manifest.report("b") is None


def test_a_report_without_locale_provider_is_read_and_one_with_it_makes_the_same_database():
    body = {"name": "a", "begun": "", "lsn": "", "tables": 1, "rows": None, "seconds": 0.0, "collate": "de"}
    read = Manifest.from_json(edited(lambda manifest: manifest.update(databases=[body])), "x")
    assert read.like("a") == Database("a", 0, collate="de") and read.like("b") is None
    report = DatabaseReport("a", "", "", 1, None, 0.0, "LATIN1", "de", "fr", "i", "de-AT", "&a < b")
    manifest = Manifest.from_json(small(databases=(report,)).as_json(), "x")
    assert manifest.like("a") == Database("a", 0, encoding="LATIN1", collate="de", ctype="fr", provider="i",
                                          locale="de-AT", rules="&a < b")
