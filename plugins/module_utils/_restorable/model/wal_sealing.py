# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""For whom archived WAL is sealed, as its names tell it: there are too many files for a manifest each. Pure.

    …FF-DIGEST.zst.k9c1f03ab.age        sealed for the keys whose names have the digest 9c1f03ab
    …FF-DIGEST.zst.r1.k5be2710d.age     the same file, given other keys by a rekey; of several the highest r is valid
    …FF-DIGEST.zst.age                  sealed by a version that did not tell for whom
"""
from __future__ import annotations

import hashlib
import re
from itertools import groupby
from typing import Iterable, Iterator, Sequence

from .wal_naming import StoredWal

_FORM = re.compile(r"((?:\.zst)?)(?:\.r([1-9][0-9]{0,4}))?(?:\.(k[0-9a-f]{8}))?((?:\.age)?)")


def sealed_suffix(packed: str, key_ids: Sequence[str], generation: int = 0) -> str:
    """Return how a file that is sealed for these keys ends; packed is .zst or empty."""
    again = f".r{generation}" if generation else ""
    return f"{packed}{again}.{_mark(key_ids)}.age"


def generation_of(stored: StoredWal) -> int:
    """Return how often a file was given new keys."""
    found = _FORM.fullmatch(stored.suffix)
    return int(found[2] or 0) if found else 0


def is_sealed_for(stored: StoredWal, key_ids: Sequence[str]) -> bool:
    """Say whether a file's name tells that it is sealed for these keys and no others."""
    found = _FORM.fullmatch(stored.suffix)
    return bool(found and found[4] and found[3] == _mark(key_ids))


def rekeyed_key(stored: StoredWal, key_ids: Sequence[str]) -> str:
    """Return the key under which a file is stored again for these keys."""
    packed = ".zst" if stored.suffix.startswith(".zst") else ""
    stem = stored.key[:len(stored.key) - len(stored.suffix)]
    return stem + sealed_suffix(packed, key_ids, generation_of(stored) + 1)


def generations(listing: Iterable[StoredWal]) -> Iterator[list[StoredWal]]:
    """Yield the forms of each file of a sorted listing together, the valid one first."""
    for _file, forms in groupby(listing, key=lambda each: (each.name, each.digest)):
        yield sorted(forms, key=lambda each: (-generation_of(each), each.key))


def valid(listing: Iterable[StoredWal]) -> Iterator[StoredWal]:
    """Yield the valid form of each file of a sorted listing."""
    return (forms[0] for forms in generations(listing))


def _mark(key_ids: Sequence[str]) -> str:
    return f"k{hashlib.sha256(' '.join(sorted(key_ids)).encode()).hexdigest()[:8]}"
