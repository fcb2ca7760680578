# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of a container: environment variables in, one Settings and what its scheduler needs out. Pure."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ..errors import ConfigError
from .buckets import zone
from .interval import schedule_of
from .reading import MOST
from .settings import Settings
from .variables import KNOWN, LIBPQ
from .variables_other import judge_others

RUNS = {"": "schedule", "schedule": "schedule", "auto": "schedule", "cron": "schedule", "daemon": "schedule",
        "once": "once", "manual": "once", "now": "once"}
STAGES = {"staging": "BACKUP_PREFIX_STAGING", "stage": "BACKUP_PREFIX_STAGING",
          "prod": "BACKUP_PREFIX_PROD", "production": "BACKUP_PREFIX_PROD"}
FOREVER = ("unlimited", "-1", "false", "never")
KEEPS = {"BACKUP_KEEP_DAYS": "daily", "BACKUP_KEEP_WEEKS": "weekly", "BACKUP_KEEP_MONTHS": "monthly"}
COMPRESSIONS = {"zstd": "zstd", "zst": "zstd", "gz": "gzip", "gzip": "gzip", "none": "none"}
_ON, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
REPOSITORY, OFFSITE = "backups", "offsite"


@dataclass(frozen=True)
class Surroundings:
    """What a container is to do."""

    settings: Settings
    schedule: str                  # of backup and prune
    drill_schedule: str
    timezone: str = "UTC"
    log: str = ""                  # empty: standard output only
    dry_run: bool = False
    once: bool = False
    on_start: bool = False
    prune: bool = True
    scratch: bool = False          # restores go into a scratch server
    warnings: tuple[str, ...] = ()


def read_environment(environment: Mapping[str, str]) -> Surroundings:
    """Read variables strictly; raise ConfigError that names the variable, its value and the cure.

    What names a file (DB_PASSWORD_FILE) has been read before.
    An empty value counts as none, because compose files write ${NAME:-}.
    """
    warnings = judge_others({name: value for name, value in environment.items() if value})
    given = _Given(environment)
    timezone = given.text("TZ").lstrip(":")
    zone(timezone, "environment variable TZ")
    mode = given.text("BACKUP_MODE").lower()
    if mode not in RUNS and mode not in STAGES:
        raise given.wrong("BACKUP_MODE", "schedule, once, staging or prod")
    schedule, on_start = _schedule(given)
    folder = given.path("BACKUP_DIR")
    retention = _retention(given)
    prefix = _prefix(given, mode)
    body = _body(given, prefix, folder, {**retention, "timezone": timezone} if retention else {"last": -1})
    log = given.text("BACKUP_LOG", f"{folder}/cron.log")
    return Surroundings(
        Settings.of(body), schedule, given.text("DRILL_SCHEDULE"), timezone,
        "" if log.lower() in ("off", "none", "-") else log, given.flag("BACKUP_DRY_RUN"),
        RUNS.get(mode) == "once", on_start or given.flag("BACKUP_ON_START"), bool(retention), _scratch(given),
        tuple(warnings))


class _Given:
    """The variables, found by the names of the table."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def asked(self, name: str) -> bool:
        """Return whether a value was given under any of its names."""
        return bool(self._found(name)[1])

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value, or the table's default."""
        return self._found(name)[1] or (KNOWN[name].default if default is None else default)

    def path(self, name: str) -> str:
        """Return an absolute path without a slash at its end."""
        value = self.text(name)
        if value and not value.startswith("/"):
            raise self.wrong(name, "an absolute path, where a volume is mounted")
        return value.rstrip("/") or value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.text(name).lower()
        if value not in (*_ON, *_NO):
            raise self.wrong(name, "1 or 0")
        return value in _ON

    def number(self, name: str, *, least: int = 0) -> int:
        """Return a whole number."""
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) < 20 and least <= int(value) <= MOST):
            raise self.wrong(name, f"a whole number, at least {least} and at most {MOST}")
        return int(value)

    def words(self, name: str) -> list[str]:
        """Return what commas, spaces and line ends part."""
        return [each for each in re.split(r"[\s,]+", self.text(name)) if each]

    def connection(self) -> dict[str, str]:
        """Return the parameters of the connection."""
        found = {key: self.text(name) for key, name in (
            ("host", "DB_HOST"), ("port", "DB_PORT"), ("user", "DB_USER"), ("password", "DB_PASSWORD"),
            ("passfile", "PGPASSFILE"))}
        found.update({key: self._environment.get(name, "") for name, key in LIBPQ.items()})
        if self.asked("BACKUP_MAINTENANCE_DATABASE"):
            found["dbname"] = self.text("BACKUP_MAINTENANCE_DATABASE")
        return {key: value for key, value in found.items() if value}

    def wrong(self, name: str, right: str) -> ConfigError:
        """Return the error for a value, named as the file that sets it names it."""
        spelled, value = self._found(name)
        return ConfigError(f"environment variable {spelled or name} is {value!r}", hint=f"It must be {right}.",
                           code="environment.value")

    def _found(self, name: str) -> tuple[str, str]:
        return next(((each, self._environment[each]) for each in KNOWN[name].names if self._environment.get(each)),
                    ("", ""))


def _scratch(given: _Given) -> bool:
    target = given.text("DRILL_TARGET").lower()
    if target not in ("server", "scratch"):
        raise given.wrong("DRILL_TARGET", "server or scratch")
    return target == "scratch"


def _schedule(given: _Given) -> tuple[str, bool]:
    asked = given.asked("BACKUP_BEGIN") or given.asked("BACKUP_INTERVAL")
    if asked and not given.asked("BACKUP_SCHEDULE"):
        return schedule_of(given.text("BACKUP_BEGIN"), given.text("BACKUP_INTERVAL"))
    return given.text("BACKUP_SCHEDULE"), False


def _prefix(given: _Given, mode: str) -> str:
    if mode in STAGES:
        name = STAGES[mode]
        found = given.text(name, given.text("BACKUP_PREFIX", "")) or given.text(name)
    else:
        staged = [name for name in sorted(set(STAGES.values())) if given.asked(name)]
        if len(staged) == 2 and not given.asked("BACKUP_PREFIX"):
            raise ConfigError("environment variables BACKUP_PREFIX_STAGING and BACKUP_PREFIX_PROD are both set",
                              hint="Choose with BACKUP_MODE=staging or BACKUP_MODE=prod.", code="environment.two")
        own = given.text("BACKUP_PREFIX", "")
        found = own or (given.text(staged[0]) if staged else given.text("BACKUP_PREFIX"))
    return found.rstrip("-_./ ") or found


def _retention(given: _Given) -> dict[str, Any]:
    """Return the rule; {} where nothing is ever deleted."""
    if given.asked("BACKUP_RETENTION_DAYS"):
        if given.text("BACKUP_RETENTION_DAYS").lower() in FOREVER:
            return {}
        return {"within": f"{given.number('BACKUP_RETENTION_DAYS', least=1)}d"}
    if given.asked("BACKUP_KEEP_MINS") or any(given.asked(name) for name in KEEPS):
        return {**{tier: given.number(name) for name, tier in KEEPS.items()},
                "within": f"{given.number('BACKUP_KEEP_MINS')}m"}
    if given.asked("BACKUP_CLEANUP_MINUTES"):
        if given.text("BACKUP_CLEANUP_MINUTES").lower() in FOREVER:
            return {}
        return {"within": f"{given.number('BACKUP_CLEANUP_MINUTES', least=1)}m"}
    return {"within": f"{given.number('BACKUP_RETENTION_DAYS')}d"}


def _bucket(given: _Given) -> dict[str, Any]:
    """Return the repository in a bucket; {} without one."""
    if not given.asked("BACKUP_S3_BUCKET"):
        for name in ("BACKUP_S3_PREFIX", "BACKUP_S3_ENDPOINT_URL", "BACKUP_S3_REGION"):
            if given.asked(name):
                raise ConfigError(f"environment variable {name} is set, and BACKUP_S3_BUCKET is not",
                                  hint="Set BACKUP_S3_BUCKET, too, or neither.", code="environment.bucket")
        return {}
    found = {key: given.text(f"BACKUP_S3_{key.upper()}") for key in (
        "bucket", "prefix", "endpoint_url", "region", "addressing", "ca_file", "access_key_id", "secret_access_key")}
    return {"type": "s3", **{key: value for key, value in found.items() if value}}


def _encryption(given: _Given) -> dict[str, Any]:
    lines = [each.strip() for each in re.split("[,\n]", given.text("BACKUP_RECIPIENTS"))]
    recipients = [each for each in lines if each and not each.startswith("#")]
    identity = given.path("BACKUP_IDENTITY_FILE")
    # a key that opens does not seal, so that the drill service, which has one and writes no backup, is no error
    return {**({"recipients": recipients} if recipients or given.asked("BACKUP_RECIPIENTS") else {}),
            **({"identity_file": identity} if identity else {})}


def _body(given: _Given, prefix: str, folder: str, retention: Mapping[str, Any]) -> dict[str, Any]:
    method = given.text("BACKUP_COMPRESSION").lower()
    if method not in COMPRESSIONS:
        raise given.wrong("BACKUP_COMPRESSION", "zstd, gzip or none")
    compression: dict[str, Any] = {"method": COMPRESSIONS[method]}
    if given.asked("BACKUP_COMPRESSION_LEVEL") and compression["method"] != "none":
        compression["level"] = given.number("BACKUP_COMPRESSION_LEVEL", least=1)
    databases = given.words("BACKUP_DATABASES")
    everything = given.flag("POSTGRES_CLUSTER") or [each.lower() for each in databases] == ["all"]
    dump = {"databases": "all" if everything else databases, "compression": compression,
            "exclude_databases": given.words("BACKUP_EXCLUDE_DATABASES"), "globals": given.flag("BACKUP_GLOBALS"),
            "role_passwords": given.flag("BACKUP_ROLE_PASSWORDS")}
    repository = {"path": folder, "evidence": given.path("BACKUP_EVIDENCE_DIR")}
    bucket = _bucket(given)
    cluster = {
        "connection": given.connection(), "repositories": [REPOSITORY, *([OFFSITE] if bucket else [])],
        "retention": {"dump": retention},
        "objectives": {"rpo": given.text("BACKUP_RPO"), "rto": given.text("BACKUP_RTO") or None},
        "jobs": {"dump": dump, "drill": {"scratch": {"dir": given.path("DRILL_SCRATCH_DIR")
                                                     if given.asked("DRILL_SCRATCH_DIR") else ""}}}}
    if wal := _wal(given):
        cluster["wal"] = wal
    return {"repositories": {REPOSITORY: {key: value for key, value in repository.items() if value},
                             **({OFFSITE: bucket} if bucket else {})},
            "encryption": _encryption(given), "clusters": {prefix: cluster}}


def _wal(given: _Given) -> dict[str, Any]:
    """Return how WAL is archived; {} where it is not."""
    if given.asked("WAL_SLOT") and given.asked("WAL_DATA_DIRECTORY"):
        raise ConfigError("environment variables WAL_SLOT and WAL_DATA_DIRECTORY are both set",
                          hint="Set one of them: a slot streams WAL, a data directory is where it is shipped from.",
                          code="environment.two")
    if given.asked("WAL_SLOT"):
        return {"method": "stream", "slot": given.text("WAL_SLOT"), "spool": given.path("WAL_SPOOL")}
    if given.asked("WAL_DATA_DIRECTORY"):
        return {"method": "push", "data_directory": given.path("WAL_DATA_DIRECTORY"), "spool": given.path("WAL_SPOOL")}
    return {}
