# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of base backups: jobs.base and jobs.incremental of a cluster. Pure."""
from __future__ import annotations

from dataclasses import dataclass, replace

from .base import BaseOptions
from .policy import Policy
from .reading import Reader


@dataclass(frozen=True)
class BaseJob:
    """How a base backup is taken."""

    options: BaseOptions = BaseOptions()
    self_contained: bool | None = None     # None: unless the cluster's WAL is archived
    max_age: float = 0.0           # seconds; a base of any kind younger than this makes the run a no-op; 0 is off
    wal_timeout: float = 600.0     # seconds until the WAL of the backup must be in every repository
    parent: str = "latest"         # of an incremental: an id, or the newest


def base_job(reader: Reader, *, incremental: bool = False) -> BaseJob:
    """Read the settings of a base backup; the module's options of the same names go through here too."""
    compression = reader.inner("compression")
    defaults = BaseOptions()
    options = BaseOptions(
        checkpoint=reader.choice("checkpoint", defaults.checkpoint, ("fast", "spread")),
        max_rate=_rate(reader), compression=compression.choice("method", "zstd", ("zstd", "gzip", "none")),
        level=compression.number("level", defaults.level, least=1, most=19),
        workers=compression.number("workers", defaults.workers, most=64), incremental=incremental)
    compression.done()
    job = BaseJob(options, None if reader.raw("self_contained") is None else reader.flag("self_contained", False),
                  reader.duration("max_age", 0), reader.duration("wal_timeout", BaseJob.wal_timeout),
                  reader.text("parent", "latest") if incremental else "latest")
    reader.text("schedule")
    reader.done()
    return job


def carrying(job: BaseJob, policy: Policy) -> BaseJob:
    """Return the job with its WAL inside, unless it says otherwise, if a tier keeps base backups without PITR.

    Which backup such a tier will keep is known only later; each of them can then do without the archive.
    """
    bare = [tier for tier, count in policy.tiers().items() if count and tier not in policy.pitr]
    return replace(job, self_contained=True) if bare and job.self_contained is None else job


def _rate(reader: Reader) -> int:
    """Read kB/s; PostgreSQL takes 32 to 1048576 (protocol-replication.html, MAX_RATE)."""
    rate = reader.number("max_rate", 0, most=1048576)
    if 0 < rate < 32:
        raise reader.wrong("max_rate", rate, "0 or from 32 to 1048576 kB/s")
    return rate
