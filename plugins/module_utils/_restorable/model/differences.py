# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What tells two fingerprints apart. Pure.

One loss is told once: what hangs on a lost table is counted beside it, not listed.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterable, Mapping

from .deparsed import same_meaning
from .fingerprint import Fingerprint

SHOWN = 160                        # characters of a definition

# Kinds of keys that say something of another object, and are lost with it: "owner table public.orders".
FACETS = ("owner", "grants", "comment", "label")
# Kinds on which others hang by their names: schema.table.column, index on table, table in publication.
_CARRIERS = ("schema", "table", "foreign_table", "view", "materialized_view", "type", "domain", "publication",
             "foreign_server", "role")
# What a faithful restore may change, because the target's software decides it.
_NOTES = ("extension_version", "collation_version")
# template0 has it, and pg_dump does not drop it where the source has dropped it.
_TEMPLATE = "schema public"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was: problem is lost, added, changed, rows, content or sequence.

    A note is worth showing and fails nothing.
    """

    level: str                     # L3 structure, L4 data
    kind: str                      # table, index, grants, large objects …
    name: str                      # public.orders
    problem: str
    expected: str
    actual: str
    note: bool = False


def compare(expected: Fingerprint, actual: Fingerprint) -> list[Difference]:
    """Return every difference, structure first; level none on either side compares nothing."""
    if "none" in (expected.level, actual.level):
        return []
    structure = _objects(expected.objects, {key: texts[0] for key, texts in actual.objects.items() if texts})
    missing = {key for key in expected.objects if key not in actual.objects}
    added = {key for key in actual.objects if key not in expected.objects}
    return [*structure, *_tables(expected, actual, missing, added), *_sequences(expected, actual, missing),
            *_large_objects(expected, actual)]


def compare_globals(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[Difference]:
    """Return what of roles, memberships and tablespaces is lost or changed.

    A server that is restored into may have roles of its own and no room for tablespaces, so both are notes.
    """
    found = _objects({key: (text,) for key, text in expected.items()}, _as_an_older_server_tells(expected, actual))
    return [_as_note(each) if each.problem == "added" or each.kind == "tablespace" else each for each in found]


def _as_an_older_server_tells(expected: Mapping[str, str], actual: Mapping[str, str]) -> dict[str, str]:
    """Return actual with memberships as a server before 16 tells them, where expected does: no grantor, no options."""
    told = dict(actual)
    for key, text in actual.items():
        short = key.rpartition(" granted by ")[0]
        if key.startswith("membership ") and short in expected and short not in actual:
            told.pop(key)
            told[short] = " ".join(word for word in text.split() if word not in ("inherit", "set"))
    return told


def split_key(key: str) -> tuple[str, str]:
    """Return ("index", "public.orders_pkey") of a key of Fingerprint.objects."""
    kind, _space, name = key.partition(" ")
    return kind, name


def _objects(expected: Mapping[str, tuple[str, ...]], actual: Mapping[str, str]) -> list[Difference]:
    lost = _folded(key for key in expected if key not in actual)
    added = _folded(key for key in actual if key not in expected)
    found = [_difference(key, "lost", _cut(expected[key][0]), _absent(count)) for key, count in lost.items()]
    found += [_difference(key, "added", _absent(count), _cut(actual[key]), note=key == _TEMPLATE)
              for key, count in added.items()]
    for key, texts in expected.items():
        if key in actual and actual[key] not in texts:
            before, after = _excerpts(texts[0], actual[key])
            kind = split_key(key)[0]
            note = any(same_meaning(kind, text, actual[key]) for text in texts)
            found.append(_difference(key, "changed", before, after, note=note))
    return sorted(found, key=lambda each: (each.note, each.kind, each.name))


def _difference(key: str, problem: str, expected: str, actual: str, *, note: bool = False) -> Difference:
    kind, name = split_key(key)
    if kind in FACETS:
        name = _spaced(name)
    return Difference("L3", kind.replace("_", " "), name, problem, expected, actual, note or kind in _NOTES)


def _spaced(key: str) -> str:
    kind, name = split_key(key)
    return f"{kind.replace('_', ' ')} {name}"


def _folded(keys: Iterable[str]) -> dict[str, int]:
    """Return the keys that hang on no other of these keys, each with the number of those that hang on it."""
    gone = sorted(keys)
    carriers = {split_key(key)[1]: key for key in gone if split_key(key)[0] in _CARRIERS}
    whole = set(gone)
    counts: dict[str, int] = {}
    carrier_of = {key: _carrier(key, carriers, whole) for key in gone}
    for key in gone:
        top, seen = key, {key}
        while carrier_of[top] is not None and carrier_of[top] not in seen:
            top = carrier_of[top] or top
            seen.add(top)
        counts[top] = counts.get(top, 0) + (top != key)
    return counts


def _carrier(key: str, carriers: Mapping[str, str], gone: set[str]) -> str | None:
    """Return the gone key that this gone key hangs on, or None."""
    kind, name = split_key(key)
    if kind in FACETS:
        return name if name in gone else _carrier(name, carriers, gone)
    for start in _dots(name):      # schema.table.column hangs on schema.table, and that on schema
        if name[:start] in carriers and carriers[name[:start]] != key:
            return carriers[name[:start]]
    for word in (" on ", " in "):  # an index on a table, a table in a publication
        after = name.rpartition(word)[2]
        if after != name and after in carriers:
            return carriers[after]
    return carriers.get(name.rpartition(" in ")[0])


def _dots(name: str) -> list[int]:
    """Return where the dots outside double quotes are, the last one first."""
    quoted, found = False, []
    for at, sign in enumerate(name):
        if sign == '"':
            quoted = not quoted
        elif sign == "." and not quoted:
            found.append(at)
    return found[::-1]


def _tables(expected: Fingerprint, actual: Fingerprint, missing: set[str], added: set[str]) -> list[Difference]:
    found = []
    for name, before in sorted(expected.tables.items()):
        after = actual.tables.get(name)
        if after is None:
            if f"table {name}" not in missing:
                found.append(Difference("L4", "table", name, "lost", f"{before.rows} rows", "not among the data"))
        elif before.rows != after.rows:
            found.append(Difference("L4", "table", name, "rows", f"{before.rows} rows", f"{after.rows} rows"))
        elif None not in (before.digest, after.digest) and before.method == after.method:
            wanted, got = (f"{each.method} {each.digest}" for each in (before, after))
            found += [Difference("L4", "table", name, "content", wanted, got)] if wanted != got else []
    found += [Difference("L4", "table", name, "added", "no data", f"{actual.tables[name].rows} rows")
              for name in sorted(actual.tables)
              if name not in expected.tables and f"table {name}" not in added and actual.tables[name].rows]
    return found


def incomparable(expected: Fingerprint, actual: Fingerprint) -> list[str]:
    """Return the tables whose rows became digests in two ways, as those of PostgreSQL 13 and of a newer one do."""
    return [name for name, before in sorted(expected.tables.items())
            for after in [actual.tables.get(name)]
            if after and None not in (before.digest, after.digest) and before.method != after.method]


def _sequences(expected: Fingerprint, actual: Fingerprint, missing: set[str]) -> list[Difference]:
    found = []
    for name, (low, high) in sorted(expected.sequences.items()):
        wanted = f"next value {_number(low)}" if low == high else f"next value {_number(low)} to {_number(high)}"
        if name not in actual.sequences:
            if f"sequence {name}" not in missing:
                found.append(Difference("L4", "sequence", name, "lost", wanted, "not among the data"))
            continue
        value = actual.sequences[name][0]
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            found.append(Difference("L4", "sequence", name, "sequence", wanted, f"next value {value}"))
    return found


def _large_objects(expected: Fingerprint, actual: Fingerprint) -> list[Difference]:
    before, after = expected.large_objects, actual.large_objects
    if before.count != after.count:
        problem = "lost" if after.count < before.count else "added"
        return [Difference("L4", "large objects", "all", problem, f"{before.count} objects", f"{after.count} objects")]
    if None not in (before.bytes, after.bytes) and before.bytes != after.bytes:
        return [Difference("L4", "large objects", "all", "content", f"{before.bytes} bytes", f"{after.bytes} bytes")]
    if None not in (before.digest, after.digest) and before.digest != after.digest:
        return [Difference("L4", "large objects", "all", "content", str(before.digest), str(after.digest))]
    return []


def _excerpts(before: str, after: str) -> tuple[str, str]:
    """Return both texts from shortly before the first difference on."""
    at = next((n for n, (one, other) in enumerate(zip(before, after)) if one != other), min(len(before), len(after)))
    start = 0 if at < SHOWN // 2 else at - SHOWN // 4
    return _cut(before[start:], start), _cut(after[start:], start)


def _cut(text: str, start: int = 0) -> str:
    return ("…" if start else "") + (text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _absent(count: int) -> str:
    return f"absent, with {count} that hang on it" if count else "absent"


def _number(bound: int | None) -> str:
    return "any" if bound is None else str(bound)


def _as_note(each: Difference) -> Difference:
    return replace(each, note=True)
