# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of backups and of every key in a repository. Pure; only this file and its like, …_naming.py, know a "/"."""
from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from ..errors import ConfigError

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
KINDS = ("dump", "adopted", "base", "incr")
MANIFEST = "manifest.json"

_ID = re.compile(r"(\d{8}T\d{6}Z)-(dump|adopted|base|incr)(?:-([a-z0-9_.]{1,48}))?")
_STAMP = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


@dataclass(frozen=True, order=True)
class BackupId:
    """When a backup was begun, its kind, and the label of its selection: 20261120T030000Z-dump-hourly.

    Sorts by time, as text and as a value. A label tells sets with another selection of databases apart,
    so that they never compete for the same place in the retention plan.
    """

    time: datetime
    kind: str
    label: str = ""

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError("a backup id needs an aware time")
        object.__setattr__(self, "time", self.time.astimezone(timezone.utc).replace(microsecond=0))

    def __str__(self) -> str:
        stem = f"{stamp(self.time)}-{self.kind}"
        return f"{stem}-{self.label}" if self.label else stem

    @classmethod
    def parse(cls, text: str) -> BackupId:
        """Read an id such as 20261120T030000Z-dump; raise ConfigError for anything else."""
        match = _ID.fullmatch(text)
        if match:
            try:
                return cls(parse_stamp(match[1]), match[2], match[3] or "")
            except ValueError:
                pass  # digits that are no date, as in 20261399T000000Z
        raise ConfigError(f"backup id {text!r} is not valid",
                          hint="Take an id from `restorable list`; it looks like 20261120T030000Z-dump.",
                          code="backup.bad_id")

    def later(self, seconds: int = 1) -> BackupId:
        """Return the id that many seconds later, for a second run within the same second."""
        return replace(self, time=self.time + timedelta(seconds=seconds))


def stamp(time: datetime) -> str:
    """Return an aware time as 20261120T030000Z."""
    return time.astimezone(timezone.utc).strftime(TIME_FORMAT)


def parse_stamp(text: str) -> datetime:
    """Read 20261120T030000Z as an aware UTC time; raise ValueError for anything else."""
    found = _STAMP.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no time such as 20261120T030000Z")
    # not strptime, which takes a third of the time of a plan over 100,000 backups
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def check_cluster(name: str) -> str:
    """Return the cluster's name if it can be a folder's name; raise ConfigError otherwise."""
    if not _CLUSTER.fullmatch(name):
        raise ConfigError(f"cluster name {name!r} is not valid",
                          hint="Use letters, digits, `_`, `.` and `-`, at most 63, beginning with a letter or digit.",
                          code="cluster.bad_name")
    return name


def escape(name: str) -> str:
    """Return a reversible, portable file name for any database name.

    Lower case letters, digits, `_` and `-` stay; every other byte of the UTF-8 form becomes %XX. Upper case is
    escaped too, so that App and app stay apart on case-insensitive file systems.

    >>> escape("Möbel 50%")
    '%4D%C3%B6bel%2050%25'
    """
    return "".join(chr(byte) if chr(byte) in _SAFE else f"%{byte:02X}" for byte in name.encode())


def unescape(text: str) -> str:
    """Undo escape."""
    return re.sub(rb"%([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), text.encode()).decode()


def missing_stem(database: str) -> str:
    """Return the name, before its suffixes, of the object that says a set lacks a database: app.missing.json ."""
    return f"{escape(database)}.missing.json"


def missing_database(name: str) -> str:
    """Return the database that an object's name says is missing, or "" if it is another object."""
    stem, _dot, rest = name.partition(".")
    return unescape(stem) if rest == "missing.json" or rest.startswith("missing.json.") else ""


def cluster_prefix(cluster: str) -> str:
    """Return the prefix of everything of one cluster: shop/ ."""
    return f"{cluster}/"


def backup_prefix(cluster: str) -> str:
    """Return the prefix of all backups: shop/backup/ ."""
    return f"{cluster}/backup/"


def set_prefix(cluster: str, backup: BackupId) -> str:
    """Return the prefix of one set: shop/backup/20261120T030000Z-dump/ ."""
    return f"{cluster}/backup/{backup}/"


def object_key(cluster: str, backup: BackupId, name: str) -> str:
    """Return the key of one object of a set: shop/backup/20261120T030000Z-dump/app.dump.zst ."""
    if not name or "/" in name or name.startswith("."):
        raise ValueError(f"{name!r} is no object name")
    return set_prefix(cluster, backup) + name


def manifest_key(cluster: str, backup: BackupId) -> str:
    """Return the key whose presence commits a set: …/manifest.json ."""
    return set_prefix(cluster, backup) + MANIFEST


def later_manifest(generation: int) -> str:
    """Return the name of the manifest that takes the place of a set's first one, such as manifest.1.json.

    The first one stays, because it commits the set; of the later ones the highest is valid.
    """
    return f"manifest.{generation}.json"


def manifest_generation(name: str) -> int | None:
    """Return 0 for manifest.json, 1 for manifest.1.json, None for another object's name."""
    found = re.fullmatch(r"manifest(?:\.([1-9][0-9]{0,5}))?\.json", name)
    return int(found[1] or 0) if found else None


def hold_prefix(cluster: str) -> str:
    """Return the prefix of all holds: shop/hold/ ."""
    return f"{cluster}/hold/"


def hold_key(cluster: str, backup: BackupId) -> str:
    """Return the key of a hold: shop/hold/20261120T030000Z-dump.json ."""
    return f"{cluster}/hold/{backup}.json"


def release_key(cluster: str, backup: BackupId, when: datetime) -> str:
    """Return the key that tells when a hold ended: shop/hold/20261120T030000Z-dump.released.20261126T180000Z.json ."""
    return f"{cluster}/hold/{backup}.released.{stamp(when)}.json"


def parse_hold_key(key: str) -> tuple[str, bool]:
    """Read (backup id as text, whether it tells of the hold's end) from a key below hold/."""
    stem = key.rpartition("/")[2][:-len(".json")]
    name, ended, _when = stem.partition(".released.")
    return name, bool(ended)


def drill_prefix(cluster: str) -> str:
    """Return the prefix of all drill evidence: shop/drill/ ."""
    return f"{cluster}/drill/"


def drill_key(cluster: str, begun: datetime, backup: BackupId, verdict: str) -> str:
    """Return the key of one drill's evidence; the name alone tells the verdict.

    shop/drill/20261206T040000Z.20261120T030000Z-dump.passed.json
    """
    return f"{cluster}/drill/{stamp(begun)}.{backup}.{verdict}.json"


def parse_drill_key(key: str) -> tuple[datetime, BackupId, str] | None:
    """Read (begun, backup, verdict) from a drill key, or None if it is no such key."""
    name = key.rpartition("/")[2]
    found = re.fullmatch(r"(\d{8}T\d{6}Z)\.(.+)\.(passed|failed|incomplete)\.json", name)
    if not found:
        return None
    try:
        return parse_stamp(found[1]), BackupId.parse(found[2]), found[3]
    except (ValueError, ConfigError):
        return None


def every_name(key: str) -> list[str]:
    """Return the names that one drill's evidence may have: in each repository it tells the verdict there."""
    stem = key.rpartition(".json")[0].rpartition(".")[0]
    return [f"{stem}.{verdict}.json" for verdict in ("passed", "failed", "incomplete")]


def page_key(key: str) -> str:
    """Return the key of the page for people that stands beside a drill's evidence: ….passed.html ."""
    return f"{key[:-len('.json')]}.html"


def is_page(key: str) -> bool:
    """Say whether a key is that of such a page."""
    return key.endswith(".html") and parse_drill_key(f"{key[:-len('.html')]}.json") is not None


def prune_prefix(cluster: str) -> str:
    """Return the prefix of the records of all prunes: shop/prune/ ."""
    return f"{cluster}/prune/"


def prune_key(cluster: str, when: datetime, digest: str, family: str = "dump") -> str:
    """Return the key of one prune's record: shop/prune/20261120T033000Z.1f0c….json, with its policy's digest.

    That of the base backups' policy ends in .base.json .
    """
    ending = "" if family == "dump" else f".{family}"
    return f"{cluster}/prune/{stamp(when)}.{digest}{ending}.json"


def parse_prune_key(key: str, family: str = "dump") -> tuple[datetime, str] | None:
    """Read (when, policy digest) from the key of a prune's record, or None if it is no such key of that family."""
    ending = "" if family == "dump" else rf"\.{family}"
    found = re.fullmatch(rf"(\d{{8}}T\d{{6}}Z)\.([0-9a-f]+){ending}\.json", key.rpartition("/")[2])
    try:
        return (parse_stamp(found[1]), found[2]) if found else None
    except ValueError:
        return None


def journal_prefix(cluster: str) -> str:
    """Return the prefix of the journal: shop/journal/ ."""
    return f"{cluster}/journal/"


def journal_id_key(cluster: str) -> str:
    """Return the key that tells one repository's journal from another's: shop/journal/repository.json ."""
    return f"{cluster}/journal/repository.json"


def chain_prefix(cluster: str, chain: str) -> str:
    """Return the prefix of one writer's events: shop/journal/db1.postgres/ ."""
    return f"{cluster}/journal/{chain}/"


def event_key(cluster: str, chain: str, number: int) -> str:
    """Return the key of one event: shop/journal/db1.postgres/000000012.json .

    Nothing but the number stands in it, so that of two writers of one chain a store refuses the second.
    """
    return f"{chain_prefix(cluster, chain)}{number:09}.json"


def parse_event_key(key: str) -> tuple[str, int] | None:
    """Read (chain, number) from an event's key, or None if it is no such key."""
    found = re.fullmatch(r"[^/]+/journal/([^/]+)/(\d{9})\.json", key)
    return (found[1], int(found[2])) if found else None


def chain_name(text: str) -> str:
    """Return a writer's name as a portable folder name: DB1.Post Gres becomes db1.post-gres ."""
    return re.sub(r"[^a-z0-9_.-]+", "-", text.lower()).strip(".-")[:80] or "unnamed"


def cluster_key(cluster: str) -> str:
    """Return the key that binds a folder to one system identifier: shop/cluster.json ."""
    return f"{cluster}/cluster.json"


def is_evidence(key: str) -> bool:
    """Return whether a key holds what is told of backups, shop/drill/… or shop/journal/…, and no backup itself."""
    return key.split("/")[1:2] in (["drill"], ["journal"])


def split_set_key(key: str) -> tuple[str, str, str] | None:
    """Split shop/backup/ID/NAME into (cluster, id text, object name), or None for another key."""
    parts = key.split("/")
    return (parts[0], parts[2], parts[3]) if len(parts) == 4 and parts[1] == "backup" else None


def kind_of(key: str) -> str:
    """Return what kind of thing a key is: backup, wal, hold, drill, prune, journal …; "" for cluster.json."""
    parts = key.split("/")
    return parts[1] if len(parts) > 2 else ""
