# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of all clusters and repositories, one structure for inventory, file and command. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Mapping

from ..errors import NotFound
from .audit_settings import AuditSettings
from .base_job import BaseJob, base_job, carrying
from .encryption import Encryption
from .evidence_retention import EVIDENCE_KEPT
from .jobs import read_schedules
from .meant import did_you_mean
from .naming import check_cluster
from .policy import Policy
from .reading import MOST_JOBS, Reader
from .repositories import Repository, repository
from .schedule import Schedule
from .server import DumpOptions, Selection
from .wal_settings import WalJob, wal_job, wal_window
from .witness import WitnessJob, witness_job

PICKS = ("latest", "oldest", "random", "random_weekly")


@dataclass(frozen=True)
class DumpJob:
    """What a dump takes and how."""

    selection: Selection = Selection()
    options: DumpOptions = DumpOptions()
    role_passwords: bool = True
    max_age: float = 0.0           # seconds; a committed set younger than this makes the run a no-op; 0 is off
    allow_partial: bool = False
    pre_command: tuple[str, ...] = ()
    post_command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One SQL expectation of a drill: the first column of the first row, as text, must equal expect."""

    sql: str
    database: str = ""             # empty: each database of the set
    expect: str | None = None      # None: at least one row, whose first column is neither false nor null
    name: str = ""


@dataclass(frozen=True)
class DrillJob:
    """How a set is proven."""

    backup: str = "latest"
    jobs: int = 2
    questions: tuple[Question, ...] = ()
    command: tuple[str, ...] = ()
    command_timeout: float = 3600.0
    keep_on_failure: bool = False
    scratch_dir: str = ""
    scratch_user: str = ""
    optional: tuple[str, ...] = ("amcheck", "checksums")   # checks that may be not run in a passed drill
    kind: str = "dump"             # dump, base
    moment: str = ""               # of kind base: empty for the end of the WAL, random, or a time with its zone


@dataclass(frozen=True)
class ClusterSettings:
    """One PostgreSQL server and everything that is done with it."""

    name: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    repositories: tuple[str, ...] = ()
    repositories_policy: str = "all"       # any: a set is committed where one of them has it
    bin_dir: str = ""
    staging: str = ""              # folder of directory dumps, of archives for a parallel restore, of chosen tables
    dump: DumpJob = DumpJob()
    drill: DrillJob = DrillJob()
    base: BaseJob = BaseJob()
    incremental: BaseJob = BaseJob()
    retention: Policy = field(default_factory=lambda: Policy.of({}))
    base_retention: Policy = field(default_factory=lambda: Policy.of({}))
    evidence_kept: timedelta = EVIDENCE_KEPT   # of drills' evidence, prune records and events
    rpo: float = 0.0               # seconds; 0: no objective
    rto: float = 0.0
    wal: WalJob = WalJob()
    wal_window: timedelta | None = None    # how far back recovery to any moment must reach; None: to the oldest base
    schedules: Mapping[str, Schedule] = field(default_factory=dict)     # by job
    witness: WitnessJob = WitnessJob()


@dataclass(frozen=True)
class Settings:
    """All of it."""

    repositories: Mapping[str, Repository]
    clusters: Mapping[str, ClusterSettings]
    state_dir: str = ""            # locks and status files; empty: in the first local repository, see app/stores.py
    audit: AuditSettings = AuditSettings()
    encryption: Encryption = Encryption()

    @classmethod
    def of(cls, body: Any) -> Settings:
        """Read everything strictly; raise ConfigError that names the path and the value."""
        top = Reader(body, "settings")
        repositories = {str(name): repository(str(name), inner)
                        for name, inner in _pairs(top, "repositories").items()}
        encryption = Encryption.of(top)
        clusters = {check_cluster(str(name)): _cluster(str(name), inner, tuple(repositories))
                    for name, inner in _pairs(top, "clusters").items()}
        state_dir = top.text("state_dir")
        audit = AuditSettings.of(top.inner("audit"))
        top.done()
        return cls(repositories, clusters, state_dir, audit, encryption)

    def cluster(self, name: str) -> ClusterSettings:
        """Return one cluster's settings; without a name, the only one."""
        if not name and len(self.clusters) == 1:
            return next(iter(self.clusters.values()))
        if name not in self.clusters:
            known = ", ".join(self.clusters) or "none"
            hint = f"{did_you_mean(name, self.clusters)} Known clusters: {known}.".strip()
            raise NotFound(f"cluster {name!r} is not in the settings" if name else "no cluster is named", hint=hint,
                           code="cluster.unknown")
        return self.clusters[name]


def _pairs(top: Reader, key: str) -> Mapping[Any, Any]:
    value = top.raw(key, {})
    if not isinstance(value, Mapping):
        raise top.wrong(key, value, "a mapping of names to settings")
    return value


def _cluster(name: str, body: Any, known: tuple[str, ...]) -> ClusterSettings:
    reader = Reader(body, f"clusters.{name}")
    repositories = reader.texts("repositories", known)
    for each in repositories:
        if each not in known:
            raise reader.wrong("repositories", each, "names of repositories: " + (", ".join(known) or "none is set"))
    connection = reader.raw("connection", {})
    if not isinstance(connection, Mapping):
        raise reader.wrong("connection", connection, "a mapping of libpq parameters")
    jobs, objectives, retention = reader.inner("jobs"), reader.inner("objectives"), reader.inner("retention")
    found = ClusterSettings(
        name, dict(connection), repositories, reader.choice("repositories_policy", "all", ("all", "any")),
        reader.text("bin_dir"), reader.text("staging"),
        dump_job(jobs.inner("dump")), drill_job(jobs.inner("drill")), base_job(jobs.inner("base")),
        base_job(jobs.inner("incremental"), incremental=True),
        Policy.of(retention.raw("dump", {}), f"clusters.{name}.retention.dump"),
        Policy.of(retention.raw("base", {}), f"clusters.{name}.retention.base", bases=True), _evidence_kept(retention),
        objectives.duration("rpo", 0), objectives.duration("rto", 0),
        WalJob() if reader.raw("wal") is None else wal_job(reader.inner("wal"), name),
        wal_window(retention.inner("wal")), read_schedules(reader, jobs), witness_job(reader.inner("witness")))
    for asked in (objectives, retention, jobs, reader):
        asked.done()
    return replace(found, base=carrying(found.base, found.base_retention),
                   incremental=carrying(found.incremental, found.base_retention))


def _evidence_kept(retention: Reader) -> timedelta:
    kept = timedelta(seconds=retention.duration("evidence", EVIDENCE_KEPT.total_seconds()))
    if kept < timedelta(days=1):
        raise retention.wrong("evidence", retention.raw("evidence"), "at least 1d, such as 400d")
    return kept


def dump_job(reader: Reader) -> DumpJob:
    """Read the settings of a dump; the module's options of the same names go through here too."""
    compression = reader.inner("compression")
    method = compression.choice("method", "zstd", ("zstd", "gzip", "none"))
    level = None if compression.raw("level") is None else \
        compression.number("level", 0, least=1, most={"zstd": 19, "gzip": 9}.get(method, 1))
    compression.done()
    form = reader.choice("format", "custom", ("custom", "directory", "plain"))
    options = DumpOptions(form, reader.number("jobs", 1, least=1, most=MOST_JOBS), method, level,
                          reader.choice("fingerprint", "full", ("full", "counts", "none")),
                          reader.duration("lock_timeout", 60))
    if options.jobs > 1 and form != "directory":
        raise reader.wrong("jobs", options.jobs, f"1 with format {form}; only format directory dumps in parallel")
    job = DumpJob(_selection(reader), options, reader.flag("role_passwords", True), reader.duration("max_age", 0),
                  reader.flag("allow_partial", False), reader.texts("pre_command"), reader.texts("post_command"))
    reader.text("schedule")
    reader.done()
    return job


def _selection(reader: Reader) -> Selection:
    databases = reader.raw("databases", "all")
    return Selection(() if databases in ("all", ["all"], []) else tuple(sorted(set(reader.texts("databases")))),
                     reader.texts("exclude_databases"), reader.texts("exclude_tables"),
                     reader.texts("exclude_table_data"), reader.flag("globals", True))


def drill_job(reader: Reader) -> DrillJob:
    """Read the settings of a drill; the module's options of the same names go through here too."""
    defaults = DrillJob()
    scratch = reader.inner("scratch")
    questions = reader.raw("checks", [])
    if not isinstance(questions, (list, tuple)):
        raise reader.wrong("checks", questions, "a list of checks, each with sql and expect")
    jobs = reader.number("jobs", defaults.jobs, least=1, most=MOST_JOBS)
    job = DrillJob(reader.text("backup", defaults.backup), jobs,
                   tuple(_question(each, f"{reader.where}.checks[{number}]") for number, each in enumerate(questions)),
                   reader.texts("command"), reader.duration("command_timeout", defaults.command_timeout),
                   reader.flag("keep_on_failure", False), scratch.text("dir"), scratch.text("user"),
                   reader.texts("optional", defaults.optional), reader.choice("kind", "dump", ("dump", "base")),
                   reader.text("moment"))
    if job.moment and job.kind != "base":
        raise reader.wrong("moment", job.moment, "left out with kind dump; only base backups reach other moments")
    reader.text("schedule")
    scratch.done()
    reader.done()
    return job


def _question(body: Any, where: str) -> Question:
    reader = Reader(body, where)
    expect = reader.raw("expect")
    found = Question(reader.text("sql"), reader.text("database"), None if expect is None else _as_text(expect),
                     reader.text("name"))
    if not found.sql.strip():
        raise reader.wrong("sql", found.sql, "a query")
    reader.done()
    return found


def _as_text(value: Any) -> str:
    # PostgreSQL writes a boolean as t or f in text
    return {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)
