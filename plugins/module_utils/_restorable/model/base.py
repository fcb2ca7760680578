# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a base backup is asked for, and what is known of one without reading its files. Pure."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ..errors import Damaged
from .lsn import Lsn
from .timeline import Ancestor, Lineage
from .wal import Segment

INCREMENTAL_SINCE = 17             # the first major whose server gives incremental base backups
OLDEST_MAJOR = 15                  # earlier servers send each archive as a stream of its own
MAIN = "base.tar"                  # the archive of the data directory; a tablespace's is OID.tar
FILES = "backup_manifest"          # PostgreSQL's own list of the backup's files


@dataclass(frozen=True)
class BaseOptions:
    """How the server is asked for a base backup."""

    label: str = "restorable"
    checkpoint: str = "fast"       # fast, spread
    max_rate: int = 0              # kB/s; 0: as fast as it goes
    wal: bool = False              # include the WAL that makes it consistent: self-contained
    compression: str = "zstd"      # zstd, none: what the server itself does, if it can
    level: int = 1
    workers: int = 2               # the server's compression threads
    incremental: bool = False


@dataclass(frozen=True)
class Tablespace:
    """One tablespace of a base backup: its oid, where it lies on the source, and its size in bytes."""

    oid: int
    path: str
    size: int = 0


@dataclass(frozen=True)
class Left:
    """A timeline that the server left while it was copied, and where."""

    timeline: int
    lsn: str


@dataclass(frozen=True)
class BaseReport:
    """What the manifest of a base backup keeps beside its objects."""

    start_lsn: str                 # 0/2000028
    stop_lsn: str                  # recovery must reach this before the server may be used
    timeline: int                  # at stop_lsn
    stop_time: str                 # ISO time by the server's clock, once the backup had ended
    files: int
    size: int                      # bytes of the files as they will lie on the disk; of an incremental: of its own
    segment_size: int = 16777216
    checksums: bool = False        # pages have checksums, which the server has checked while it read them
    self_contained: bool = False   # the WAL from start to stop is inside
    parent: str = ""               # id of the backup that an incremental needs
    tablespaces: tuple[Tablespace, ...] = ()
    databases: tuple[str, ...] = ()    # that take connections
    left: tuple[Left, ...] = ()    # of a standby whose primary was replaced meanwhile; oldest first

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> BaseReport:
        """Read what a manifest keeps; raise TypeError for unknown keys."""
        spaces = tuple(Tablespace(**each) for each in body.get("tablespaces", ()))
        left = tuple(Left(**each) for each in body.get("left", ()))
        return cls(**{**body, "tablespaces": spaces, "databases": tuple(body.get("databases", ())), "left": left})

    @property
    def lineage(self) -> Lineage:
        """Return the timeline at the stop, with those before it as far back as the start."""
        return Lineage(self.timeline, tuple(Ancestor(each.timeline, Lsn.parse(each.lsn)) for each in self.left))

    def segments(self) -> list[Segment]:
        """Return the segments from start to stop, each on the timeline that recovery reads it from."""
        return list(self.lineage.segments(Lsn.parse(self.start_lsn), Lsn.parse(self.stop_lsn), self.segment_size))


@dataclass(frozen=True)
class FileList:
    """What a backup_manifest says: how many files of how many bytes, and which WAL makes them consistent."""

    files: int
    size: int                      # bytes of all files together
    timeline: int                  # at stop_lsn
    start_lsn: str
    stop_lsn: str
    incremental: bool = False      # files named INCREMENTAL.* are in it
    left: tuple[Left, ...] = ()    # the timelines before, oldest first

    @classmethod
    def read(cls, data: bytes, where: str) -> FileList:
        """Read a backup_manifest (backup-manifest-format.html); raise Damaged for anything else."""
        try:
            body = json.loads(data)
            files, ranges = body["Files"], body["WAL-Ranges"]
            if body["PostgreSQL-Backup-Manifest-Version"] not in (1, 2) or not ranges:
                raise ValueError(f"version {body['PostgreSQL-Backup-Manifest-Version']!r} is not known")
            # a base of a standby may span timelines, and the server writes the newest first
            *before, last = sorted(ranges, key=lambda each: int(each["Timeline"]))
            return cls(len(files), sum(int(each["Size"]) for each in files), int(last["Timeline"]),
                       str((*before, last)[0]["Start-LSN"]), str(last["End-LSN"]),
                       any(_is_incremental(each) for each in files),
                       tuple(Left(int(each["Timeline"]), str(each["End-LSN"])) for each in before))
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{where} is no backup_manifest: {error}", code="base.bad_file_list",
                          hint="Take another base backup with `restorable backup --kind base`.") from error


def _is_incremental(file: Mapping[str, Any]) -> bool:
    return str(file.get("Path", "")).rpartition("/")[2].startswith("INCREMENTAL.")


def total_size(tablespaces: Iterable[Tablespace]) -> int:
    """Return the bytes the server expects to send."""
    return sum(each.size for each in tablespaces)
