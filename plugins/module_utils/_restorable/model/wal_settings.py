# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of WAL archiving: clusters.NAME.wal and clusters.NAME.retention.wal. Pure."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from .reading import Reader

SPOOL = "/var/spool/restorable"
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./-]+")     # it stands in archive_command, where a shell and PostgreSQL read it
_SLOT = re.compile(r"[a-z0-9_]{1,63}")


@dataclass(frozen=True)
class WalJob:
    """How WAL gets into the repositories and out of them."""

    method: str = ""               # push, stream; empty: the cluster's WAL is not archived by us
    spool: str = ""                # folder of acknowledgements and of fetched segments, outside the data directory
    data_directory: str = ""       # of the server; empty: it is asked
    archive_timeout: float = 60.0  # seconds after which the server ends a segment that is not full
    workers: int = 2
    durable: str = "all"           # all, any: how many repositories must have a file before it is acknowledged
    wait: float = 60.0             # seconds that archive_command waits for an acknowledgement
    patience: float = 60.0         # seconds that restore_command tries again before it stops the server
    prefetch: int = 8              # segments that are fetched ahead; 0: none
    level: int = 1                 # of zstd
    slot: str = "restorable"       # of method stream


def wal_job(reader: Reader, cluster: str) -> WalJob:
    """Read clusters.NAME.wal strictly; without any of it the default is method push."""
    spool = _path(reader, "spool", f"{SPOOL}/{cluster}")
    job = WalJob(
        reader.choice("method", "push", ("push", "stream")), spool, _path(reader, "data_directory", ""),
        reader.duration("archive_timeout", WalJob.archive_timeout),
        reader.number("workers", WalJob.workers, least=1, most=64),
        reader.choice("durable", "all", ("all", "any")), reader.duration("wait", WalJob.wait),
        reader.duration("patience", WalJob.patience), reader.number("prefetch", WalJob.prefetch, most=256),
        reader.number("level", WalJob.level, least=1, most=19), reader.text("slot", WalJob.slot))
    if not _SLOT.fullmatch(job.slot):
        raise reader.wrong("slot", job.slot, "lower case letters, digits and _")
    reader.done()
    return job


def wal_window(reader: Reader) -> timedelta | None:
    """Read clusters.NAME.retention.wal: how many days back recovery to any moment must reach, None for no limit."""
    days = reader.number("days", 0, least=1, most=36500) if reader.raw("days") is not None else 0
    reader.done()
    return timedelta(days=days) if days else None


def _path(reader: Reader, key: str, default: str) -> str:
    path = reader.text(key, default)
    if path and not _PLAIN_PATH.fullmatch(path):
        raise reader.wrong(key, path, "an absolute path of letters, digits, `_`, `.`, `-` and `/`")
    return path.rstrip("/")
