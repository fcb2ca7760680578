# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""One event of a journal: who did what to a cluster's backups, chained to the event before. Pure.

docs/format.md describes every key; docs/adr/0002 says why each writer has a chain of its own in each repository.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, Callable, Mapping

FORMAT = 1
RESULTS = ("begun", "ok", "failed", "refused")
UPKEEP = "journal"             # what an event is about that tells of the journal itself: anchors, missed events

Sign = Callable[[bytes], Mapping[str, str]]      # bytes → {"key": id, "value": base64}


class Unreadable(ValueError):
    """Stored bytes are no event that this version can read."""


@dataclass(frozen=True)
class Head:
    """The newest event of a chain: its running count and the SHA-256 of its stored bytes."""

    number: int = 0
    sha256: str = ""               # empty: the chain has no event yet

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"number": self.number, "sha256": self.sha256}


@dataclass(frozen=True)
class Facts:
    """What happened, before it is known where it is written down."""

    what: str                      # backup, prune, restore, drill, adopt, hold, …
    result: str                    # one of RESULTS
    code: str = ""                 # of an error
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()     # manifests and evidence that it made; each repository tells what it holds of them
    deleted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)    # repository name → keys


@dataclass(frozen=True)
class Event:
    """Facts as one repository's journal holds them."""

    id: str                        # 20261120T030000Z-1f0c9ab2, the same in every repository
    repository: str                # id of the journal it was written to
    chain: str
    number: int                    # 1, 2, 3 …
    previous: str                  # SHA-256 of the stored event before; empty for number 1
    at: datetime
    who: str                       # user@host, or the identity that was given
    where: str                     # user@host of the process
    tool: str
    cluster: str
    what: str
    result: str
    code: str = ""
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    present: Mapping[str, str] = field(default_factory=dict)   # key → SHA-256, as this repository held it
    deleted: tuple[str, ...] = ()                              # keys that this repository lost by it
    heads: Mapping[str, Any] = field(default_factory=dict)     # journal id → {"name", "chains": {chain: head}}

    def as_json(self, sign: Sign | None = None) -> bytes:
        """Return the bytes that are stored; sign adds a signature over what signed_bytes gives."""
        body: dict[str, Any] = {"format": FORMAT}
        for each in fields(self):
            value = getattr(self, each.name)
            body[each.name] = value.astimezone(timezone.utc).isoformat() if isinstance(value, datetime) else \
                list(value) if isinstance(value, tuple) else value
        body["digest"] = hashlib.sha256(signed_bytes(body)).hexdigest()
        if sign is not None:
            body["signature"] = dict(sign(signed_bytes(body)))
        return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()


def signed_bytes(body: Mapping[str, Any]) -> bytes:
    """Return what digest and signature cover: all other keys as JSON, sorted, in ASCII, without spaces.

    >>> signed_bytes({"b": 1, "a": "ü", "signature": {}})
    b'{"a":"\\\\u00fc","b":1}'
    """
    covered = {key: value for key, value in body.items() if key not in ("digest", "signature")}
    return json.dumps(covered, sort_keys=True, separators=(",", ":")).encode()


def read_event(data: bytes) -> tuple[Event, Mapping[str, str], bytes]:
    """Return (event, signature or {}, the bytes it covers); raise Unreadable."""
    try:
        body = json.loads(data)
        if body["format"] != FORMAT:
            raise Unreadable(f"it has format {body['format']!r}, this version reads {FORMAT}")
        covered, signature = signed_bytes(body), dict(body.get("signature") or {})
        if body["digest"] != hashlib.sha256(covered).hexdigest():
            raise Unreadable("its content does not fit its own digest")
        values = {each.name: body[each.name] for each in fields(Event)}
        values["at"] = datetime.fromisoformat(values["at"])
        values["deleted"] = tuple(values["deleted"])
        if not all(isinstance(values[name], dict) for name in ("details", "present", "heads")) or \
                not all(isinstance(each, str) for each in (*values["present"].values(), *values["deleted"])):
            raise Unreadable("its facts have another form than those of an event")
        return Event(**values), signature, covered
    except Unreadable:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"it is no event ({type(error).__name__}: {error})") from error


def read_head(body: Any) -> Head:
    """Read what as_dict gave; raise Unreadable."""
    try:
        return Head(int(body["number"]), str(body["sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{body!r} is no head of a chain") from error
