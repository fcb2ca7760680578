# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository that breaks one rule is found unfit by the check of that rule, and nothing of the check stays."""
from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import Refused, Unavailable
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.model.retained import retained
from _restorable.ops.check import PROBES, check_repository, fit
from _restorable.ports import Stored
from kit.chain import Chain
from kit.memory_store import MemoryStore

UNTIL = datetime(2030, 1, 1, tzinfo=timezone.utc)


class Good(MemoryStore):
    """A store in memory whose times are those of this machine."""

    def list(self, prefix):
        for entry in super().list(prefix):
            yield replace(entry, modified=SystemClock().now())


class Overwriting(Good):
    def put(self, key, chunks):
        self.objects.pop(key, None)
        return super().put(key, chunks)


class Late(Good):
    """Shows an object only at the second listing after it was written."""

    def list(self, prefix):
        seen = getattr(self, "seen", set())
        self.seen = set(self.objects)
        yield from (entry for entry in super().list(prefix) if entry.key in seen)


class Halving(Good):
    """Keeps what came of a stream that failed."""

    def put(self, key, chunks):
        data = b""
        try:
            for chunk in chunks:
                data += chunk
        finally:
            if key not in self.objects:
                super().put(key, [data])
            else:
                raise Refused(f"object {key} exists", code="store.exists", hint="x")
        return Stored(key, len(data), __import__("hashlib").sha256(data).hexdigest())


class Clinging(Good):
    def delete(self, key):
        if not key.endswith("/small"):
            super().delete(key)


class Garbling(Good):
    def get(self, key):
        for data in super().get(key):
            yield data[:-1] + b"!" if len(data) > 100 else data


class Loose(Good):
    """Takes a prefix for a name's beginning whatever stands after it."""

    def list(self, prefix):
        yield from super().list(prefix.rstrip("/") if prefix.startswith("_check/") else prefix)


class Slow(Good):
    def list(self, prefix):
        for entry in super().list(prefix):
            yield replace(entry, modified=entry.modified - timedelta(minutes=5))


class Locking(Good):
    """Locks all that comes."""

    locked = True

    def delete(self, key):
        if self.locked:
            raise retained(f"x:{key}", UNTIL)
        super().delete(key)


class Ahead(SystemClock):
    """Is a week ahead."""

    def now(self):
        return super().now() + timedelta(days=7)


def found(store, clock=None, token="3f2a"):
    probes = check_repository(store, clock or SystemClock(), Silent(), token, size=1024 * 1024)
    return {each.name: each for each in probes}, probes


def test_a_store_that_keeps_every_rule_is_fit_and_nothing_stays():
    store = Good()
    named, probes = found(store)
    assert fit(probes)
    assert list(named) == ["reachable and writable", *PROBES, "clean up"]
    assert {name for name, each in named.items() if each.result == "not_run"} == {"free space"}
    assert store.objects == {}


@pytest.mark.parametrize(("store", "rule", "words"), [
    (Overwriting, "overwrite refused", "overwritten"), (Late, "listing after write", "right after"),
    (Halving, "all or nothing", "left an object"), (Clinging, "delete", "still listed"),
    (Garbling, "large object", "were read"), (Loose, "listing after write", "begins alike"),
    (Slow, "clock", "5m00s apart"),
])
def test_the_broken_rule_is_named(store, rule, words):
    named, probes = found(store())
    assert not fit(probes)
    assert named[rule].result == "failed"
    assert words in named[rule].detail


def test_a_repository_that_locks_all_that_comes_is_fit_and_says_what_stays_and_a_later_check_removes_it():
    store = Locking()
    named, probes = found(store)
    assert fit(probes)
    assert [each.name for each in probes if each.result == "retained"] == ["delete", "clean up"]
    assert "2030-01-01" in named["delete"].detail
    stay = len(store.objects)
    assert named["clean up"].detail.startswith(f"{stay} objects of 1.0 MB stay")
    store.objects["_check/notes.txt"] = store.objects["shop/cluster.json"] = b"not of a check"
    store.locked = False
    assert fit(found(store, token="77aa")[1])    # what is young may be of a check that runs
    assert len(store.objects) == stay + 2
    named, _probes = found(store, Ahead())
    assert f"{stay} of older checks" in named["clean up"].detail
    assert set(store.objects) == {"_check/notes.txt", "shop/cluster.json"}


def test_a_bucket_with_a_default_retention_is_fit(moto_s3):
    bucket = moto_s3.bucket(ObjectLockEnabledForBucket=True)
    moto_s3.client().put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
    named, probes = found(moto_s3.store(bucket))
    assert fit(probes), probes
    assert [each.name for each in probes if each.result == "retained"] == ["delete", "clean up"]
    assert " stay, kept by locks: 20" in named["clean up"].detail


def test_a_repository_that_is_away_has_that_one_finding():
    class Away(MemoryStore):
        def check(self, *, write=True):
            raise Unavailable("repository x: no answer", code="store.unreachable", hint="Wait.")

    named, probes = found(Away())
    assert list(named) == ["reachable and writable"] and not fit(probes)
    assert "no answer" in named["reachable and writable"].detail


def test_the_verb_checks_what_is_named_and_says_so_in_a_table(pg16, folder):
    chain = Chain(pg16, folder, repositories=("disk", "vault"))
    status, out, err = chain.run("check", "--repository", "vault", "--size", "2")
    assert (status, "repository vault at" in out, "disk" in out) == (0, True, False), err
    assert "large object" in out and "2.1 MB" in out
    assert [path.name for path in (folder / "vault").iterdir() if path.name[0] != "."] in ([], ["_check"])
    (folder / "vault2").write_text("no folder")
    chain.body["repositories"]["vault"]["path"] = str(folder / "vault2")
    status, out, _err = chain.run("check", "--json")
    told = {row["repository"]: row["fit"] for row in json.loads(out)["repositories"]}
    assert (status, told) == (1, {"disk": True, "vault": False})
    status, _out, err = chain.run("check", "--repository", "attic")
    assert status == 5 and "disk, vault" in err
