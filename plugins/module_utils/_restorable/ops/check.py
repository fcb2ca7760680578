# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Prove a repository fit before it is trusted: what every store must do, tried on the real one in a scratch folder."""
from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Callable, Iterator

from ..errors import Damaged, NotFound, Refused, RestorableError
from ..model.scratch_naming import SCRATCH, scratch_prefix, scratch_time
from ..model.text import human_bytes, human_duration
from ..ports import Clock, Progress, Store
from .protect import delete_unless_retained

LARGE = 64 * 1024 * 1024           # bytes of the large object
CHUNK = 1024 * 1024
LEFT = timedelta(days=1)           # so old is what a killed check left, or one whose objects were locked
SKEW = 60.0                        # seconds that the repository's clock may be off; retention counts in hours
# what a database called "Möbel 50%" becomes, and a name that another one begins with
ODD = ("%4D%C3%B6bel%2050%25.dump.zst", "app.dump.zst", "app.dump.zst.age")


@dataclass(frozen=True)
class Probe:
    """One thing that was tried."""

    name: str
    result: str                    # ok, failed, not_run; retained: kept by a lock, which is no fault
    detail: str
    seconds: float = 0.0


@dataclass(frozen=True)
class _Place:
    store: Store
    clock: Clock
    progress: Progress
    prefix: str
    size: int

    @property
    def beside(self) -> str:
        """Return a folder whose name begins like that of the check."""
        return f"{self.prefix[:-1]}-beside/"

    def key(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def listed(self) -> list[str]:
        return [entry.key for entry in self.store.list(self.prefix)]

    def read(self, name: str) -> bytes:
        return b"".join(self.store.get(self.key(name)))


def check_repository(store: Store, clock: Clock, progress: Progress, token: str, *, size: int = LARGE) -> list[Probe]:
    """Try everything below a folder of its own, and remove that again; return what was found, in order.

    Where a bucket locks all that comes, what was written stays until the locks end; a later check removes it then.
    A repository that cannot be reached or written to at all has that one finding.
    """
    place = _Place(store, clock, progress, scratch_prefix(clock.now(), token), size)
    reached = _probe(place, "reachable and writable", _reach)
    if reached.result != "ok":
        return [reached]
    try:
        found = [_probe(place, name, work) for name, work in PROBES.items()]
    finally:
        cleaned = _probe(place, "clean up", _clean)
    return [reached, *found, cleaned]


def fit(probes: list[Probe]) -> bool:
    """Say whether nothing failed."""
    return all(each.result != "failed" for each in probes)


class _Unfit(Exception):
    """The store does not keep its contract."""


class _Retained(Exception):
    """The place keeps by a lock what was to be deleted; that is what it was set up for."""


class _NotTold(Exception):
    """The place does not tell what was asked for; that is no fault."""


class _Planned(Exception):
    """The failure of a stream, on purpose."""


def _probe(place: _Place, name: str, work: Callable[[_Place], str]) -> Probe:
    place.progress.phase(name)
    began = place.clock.elapsed()
    try:
        result, detail = "ok", work(place)
    except _NotTold as why:
        result, detail = "not_run", str(why)
    except _Retained as why:
        result, detail = "retained", str(why)
    except _Unfit as why:
        result, detail = "failed", str(why)
    except RestorableError as error:
        result, detail = "failed", f"{error.message}. {error.hint}".strip()
    return Probe(name, result, detail, round(place.clock.elapsed() - began, 3))


def _reach(place: _Place) -> str:
    place.store.check(write=True)
    return ""


def _round_trip(place: _Place) -> str:
    stored = place.store.put(place.key("small"), [b"one ", b"", b"two"])
    if (stored.size, stored.sha256) != (7, hashlib.sha256(b"one two").hexdigest()):
        raise _Unfit(f"7 bytes were given, {stored.size} are said to be stored")
    if place.read("small") != b"one two":
        raise _Unfit("other bytes came back")
    return "7 bytes came back as they were"


def _listing(place: _Place) -> str:
    for name in ODD:
        place.store.put(place.key(name), [b"x"])
    wanted = sorted(place.key(name) for name in (*ODD, "small"))
    if place.listed() != wanted:
        raise _Unfit(f"a listing shows {len(place.listed())} of {len(wanted)} objects right after they were written")
    beside = f"{place.beside}x"
    place.store.put(beside, [b"x"])
    try:
        seen = beside in place.listed()
    finally:
        delete_unless_retained(place.store, beside)
    if seen:
        raise _Unfit("a listing of one folder shows a folder whose name begins alike")
    return f"{len(wanted)} objects are seen at once, by their names and no others"


def _all_or_nothing(place: _Place) -> str:
    with suppress(_Planned):
        place.store.put(place.key("half"), _failing())
        raise _Unfit("a stream that failed was stored")
    if place.key("half") in place.listed():
        raise _Unfit("a stream that failed left an object")
    return "a stream that fails leaves nothing"


def _failing() -> Iterator[bytes]:
    yield bytes(CHUNK)
    raise _Planned


def _overwrite(place: _Place) -> str:
    try:
        place.store.put(place.key("small"), [b"another"])
    except Refused:
        if place.read("small") == b"one two":
            return "a second put of the same key is refused"
    raise _Unfit("an object was overwritten")


def _large(place: _Place) -> str:
    chunk = hashlib.sha256(place.prefix.encode()).digest() * (CHUNK // 32)
    count = max(place.size // CHUNK, 1)
    began = place.clock.elapsed()
    stored = place.store.put(place.key("large"), _counted(place, chunk, count))
    written = place.clock.elapsed()
    digest, size = hashlib.sha256(), 0
    for data in place.store.get(place.key("large")):
        digest.update(data)
        size += len(data)
    read = place.clock.elapsed()
    if (size, digest.hexdigest()) != (stored.size, stored.sha256) or size != count * CHUNK:
        raise Damaged(f"{count * CHUNK} bytes were written, {size} or others were read", code="store.differs")
    rates = [human_bytes(size / max(seconds, 0.001)) for seconds in (written - began, read - written)]
    return f"{human_bytes(size)}: written and confirmed at {rates[0]}/s, read at {rates[1]}/s"


def _counted(place: _Place, chunk: bytes, count: int) -> Iterator[bytes]:
    for _index in range(count):
        place.progress.advance(len(chunk))
        yield chunk


def _clock(place: _Place) -> str:
    before = place.clock.now()
    place.store.put(place.key("clock"), [b"x"])
    after = place.clock.now()
    modified = next((entry.modified for entry in place.store.list(place.key("clock"))), None)
    if modified is None:
        raise _NotTold("the repository tells no times")
    off = max((before - modified).total_seconds(), (modified - after).total_seconds(), 0.0)
    if off > SKEW:
        raise _Unfit(f"the repository's clock and this machine's are {human_duration(off)} apart")
    return f"at most {human_duration(off)} apart"


def _room(place: _Place) -> str:
    free = place.store.free_bytes()
    if free is None:
        raise _NotTold("the repository tells no limit")
    return f"{human_bytes(free)} free"


def _delete(place: _Place) -> str:
    for _twice in range(2):
        until = delete_unless_retained(place.store, place.key("small"))
        if until:
            raise _Retained(f"what is written here is kept by a lock: {until}")
    if place.key("small") in place.listed():
        raise _Unfit("a deleted object is still listed")
    with suppress(NotFound):
        place.read("small")
        raise _Unfit("a deleted object can still be read")
    return "what is deleted is gone, and deleting it again is fine"


def _clean(place: _Place) -> str:
    now = place.clock.now()
    older = [entry for entry in place.store.list(SCRATCH) if now - (scratch_time(entry.key) or now) > LEFT]
    entries = [*older, *place.store.list(place.prefix), *place.store.list(place.beside)]
    locked = {entry.key: until for entry in entries
              for until in [delete_unless_retained(place.store, entry.key)] if until}
    left = [key for key in place.listed() if key not in locked]
    if left:
        raise _Unfit(f"{len(left)} objects of this check stay: {left[0]}")
    if locked:
        size = human_bytes(sum(entry.size for entry in entries if entry.key in locked))
        raise _Retained(f"{len(locked)} objects of {size} stay, kept by locks: {max(locked.values())}; "
                        f"a check after that removes them")
    return f"{len(entries) - len(older)} objects removed" + (f", and {len(older)} of older checks" if older else "")


PROBES: dict[str, Callable[[_Place], str]] = {
    "round trip": _round_trip, "listing after write": _listing, "all or nothing": _all_or_nothing,
    "overwrite refused": _overwrite, "large object": _large, "clock": _clock, "free space": _room, "delete": _delete}
