# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The fingerprint: what a restored database must show again to equal the one that was dumped. Pure.

Names in it are identities as PostgreSQL prints and quotes them (public.orders, "Odd ""Name"".t), never numbers of
catalogue rows. docs/format.md describes the JSON.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from ..errors import Damaged

FORMAT = 1
LEVELS = ("full", "counts", "none")
METHODS = ("hash", "text", "count")

Range = tuple["int | None", "int | None"]


@dataclass(frozen=True)
class TableDigest:
    """A table's rows, and the sum over the hashes of all of them, which no order and no duplicate hides from.

    method says how a row became a number: hash (by its types' hash functions), text (of its text form, PostgreSQL 13),
    count (it did not; digest is None).
    """

    rows: int
    digest: str | None = None
    method: str = "count"


@dataclass(frozen=True)
class LargeObjects:
    """How many large objects there are, their bytes, and a digest over numbers, sizes and contents."""

    count: int = 0
    bytes: int | None = 0          # None where the contents were not read
    digest: str | None = None


@dataclass(frozen=True)
class Fingerprint:
    """Counts, digests and definitions of one database, all of one snapshot.

    sequences holds the lowest and highest acceptable next value; None is no bound. objects holds the acceptable
    definitions under "kind identity", such as "index public.orders_pkey on public.orders": one, or two if the
    definition changed while it was dumped. Level none compares nothing and holds nothing.
    """

    level: str
    tables: Mapping[str, TableDigest] = field(default_factory=dict)
    sequences: Mapping[str, Range] = field(default_factory=dict)
    large_objects: LargeObjects = LargeObjects()
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_covered: tuple[str, ...] = ()

    @property
    def total_rows(self) -> int:
        """Return the rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def widened(self, later: Fingerprint) -> Fingerprint:
        """Return this fingerprint, also accepting what later shows of sequences and definitions it knows.

        PostgreSQL reads sequences, and definitions behind pg_get_viewdef and its kin, as they are and not as the
        snapshot saw them (pg_dump's manual, app-pgdump.html, and the comment on top of pg_dump.c), so the dump may
        hold either state, or for a sequence any between.
        """
        sequences = {name: self._moved(name, known, later.sequences[name]) if name in later.sequences else known
                     for name, known in self.sequences.items()}
        objects = {key: known + tuple(each for each in later.objects.get(key, ()) if each not in known)
                   for key, known in self.objects.items()}
        return replace(self, sequences=sequences, objects=objects)

    def _moved(self, name: str, before: Range, after: Range) -> Range:
        """Return the range a sequence ran through; no bounds if it went back, by a cycle or a setval."""
        low, high = before
        if before == after or low is None or high is None or after[0] is None or after[1] is None:
            return before if before == after else (None, None)
        downwards = any(re.search(r" increment -", text) for text in self.objects.get(f"sequence {name}", ()))
        if (after[0] > low) if downwards else (after[0] < low):
            return (None, None)
        return (min(low, after[0]), max(high, after[1]))

    def as_dict(self) -> dict[str, Any]:
        """Return what is stored as JSON: {"format": 1, "level": …, "tables": {name: [rows, digest, method]}, …}."""
        return {
            "format": FORMAT, "level": self.level,
            "tables": {name: [each.rows, each.digest, each.method] for name, each in self.tables.items()},
            "sequences": {name: list(bounds) for name, bounds in self.sequences.items()},
            "large_objects": [self.large_objects.count, self.large_objects.bytes, self.large_objects.digest],
            "objects": {key: list(texts) for key, texts in self.objects.items()},
            "not_covered": list(self.not_covered),
        }

    @classmethod
    def from_dict(cls, body: Any) -> Fingerprint:
        """Read what as_dict wrote, strictly; raise Damaged for an unknown format or anything malformed."""
        if isinstance(body, dict) and body.get("format", FORMAT) != FORMAT:
            raise Damaged(f"fingerprint has format {body['format']!r}, this version reads {FORMAT}",
                          hint="Use the version of restorable that wrote it, or a newer one.",
                          code="fingerprint.unknown_format")
        try:
            return _read(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Damaged(f"fingerprint cannot be read: {type(error).__name__} {error}",
                          hint="Run `restorable verify` on the backup and take another one.",
                          code="fingerprint.damaged") from error


_KEYS = {"format", "level", "tables", "sequences", "large_objects", "objects", "not_covered"}


def _read(body: dict[str, Any]) -> Fingerprint:
    if set(body) != _KEYS:
        raise ValueError(f"keys {sorted(_KEYS ^ set(body))} are missing or unknown")
    if body["level"] not in LEVELS:
        raise ValueError(f"level {body['level']!r}")
    count, size, digest = body["large_objects"]
    return Fingerprint(
        body["level"],
        {_text(name): _table(*row) for name, row in body["tables"].items()},
        {_text(name): _range(*row) for name, row in body["sequences"].items()},
        LargeObjects(_count(count), None if size is None else _count(size), None if digest is None else _text(digest)),
        {_text(key): tuple(_text(each) for each in texts) for key, texts in body["objects"].items()},
        tuple(_text(each) for each in body["not_covered"]))


def _table(rows: Any, digest: Any, method: Any) -> TableDigest:
    if method not in METHODS or (digest is None) != (method == "count"):
        raise ValueError(f"table digest {[rows, digest, method]!r}")
    return TableDigest(_count(rows), None if digest is None else _text(digest), method)


def _range(low: Any, high: Any) -> Range:
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise ValueError(f"sequence bound {bound!r}")
    return (low, high)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"count {value!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text {value!r}")
    return value
