# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The environment variables that other backup images have and this one has not, each with what there is instead. Pure.

A variable that would change what is dumped, where it goes or who can read it is refused, so that nobody believes in a
protection that is not there; what only shapes a run is named in a warning.
"""
from __future__ import annotations

import re
from typing import Mapping

from ..errors import ConfigError
from .meant import did_you_mean
from .variables import READ

_OFF = ("", "0", "false", "no", "none", "unset")

# refused unless the value says that the thing is off: name or pattern → what to do instead
REFUSED: dict[str, str] = {
    "POSTGRES_EXTRA_OPTS": "Remove it: choose with BACKUP_DATABASES, and the compression with BACKUP_COMPRESSION.",
    "(DB01_|DEFAULT_)?EXTRA_(BACKUP_|ENUMERATION_)?OPTS":
        "Remove it: choose with BACKUP_DATABASES, and the compression with BACKUP_COMPRESSION.",
    "(DB01_|DEFAULT_)?ENCRYPT.*|PASSPHRASE":
        "Remove it, and set BACKUP_RECIPIENTS to a public key of age, or store backups unencrypted on purpose.",
    "(DB01_|DEFAULT_)?S3_.*":
        "Remove it; BACKUP_S3_ENDPOINT_URL names the place, and BACKUP_S3_CA_FILE its certificates.",
    "(DB01_|DEFAULT_)?BLOBXFER_.*": "Remove it, or mount the folder that backups are to be kept in.",
    "(DB01_|DEFAULT_)?ARCHIVE_TIME": "Remove it: retention decides by BACKUP_RETENTION_DAYS what is kept.",
    "(DB01_|DEFAULT_)?BACKUP_BLACKOUT_(BEGIN|END)": "Remove it, and leave those hours out of BACKUP_SCHEDULE.",
    "DB(0[2-9]|[1-9][0-9])_.*": "Give each server a backup service of its own, or deploy the role once for each.",
    "(DB01_|DEFAULT_)?(PRE_SCRIPT|POST_SCRIPT)":
        "Remove it, or write pre_command and post_command into a settings file and name it in RESTORABLE_CONFIG.",
}

# named and left alone: name or pattern → why nothing is lost
WARNED: dict[str, str] = {
    "BACKUP_SUFFIX": "names of backups are fixed; `restorable list` shows them",
    "BACKUP_WEEK_DAY|BACKUP_MONTH_DAY": "a week and a month are kept by the newest backup in them",
    "HEALTHCHECK_PORT": "the health check is a command, `restorable health`, and no port is opened",
    "LOGDIR|LOG_PATH|LOG_TYPE": "BACKUP_LOG names the log file",
    "WEBHOOK_.*|BACKUP_MATRIX_VERBOSITY|ELEMENT_SERVER|ROOM_ID|ACCESS_TOKEN|ENABLE_NOTIFICATIONS|NOTIFICATION_.*"
    "|MAIL_.*|MATRIX_.*|MATTERMOST_.*|ROCKETCHAT_.*|SMTP_.*|CONTAINER_ENABLE_MONITORING|ZABBIX_.*":
        "nothing is sent from here; watch the container's health and the exit status",
    "(DB01_|DEFAULT_)?(CHECKSUM|ENABLE_CHECKSUM)": "every object has its SHA-256 in the manifest",
    "(DB01_|DEFAULT_)?(ENABLE_PARALLEL_COMPRESSION|PARALLEL_COMPRESSION_THREADS|GZ_RSYNCABLE|RESOURCE_OPTIMIZED"
    "|LOG_LEVEL|SIZE_VALUE|SKIP_AVAILABILITY_CHECK|SPLIT_DB)": "it has no meaning here",
    "BACKUP_LATEST_TYPE|(DB01_|DEFAULT_)?(CREATE_LATEST_SYMLINK|FILESYSTEM_ARCHIVE_PATH|FILESYSTEM_PATH_PERMISSION"
    "|FILESYSTEM_PERMISSION)":
        "files have mode 0600 and folders 0700; no links are made, `latest` is a word that every command knows",
    "(DB01_|DEFAULT_)?(SCRIPT_LOCATION_PRE|SCRIPT_LOCATION_POST|POST_SCRIPT_SKIP_X_VERIFY|PRE_SCRIPT_SKIP_X_VERIFY)":
        "no scripts are run from a folder",
    "(DB01_|DEFAULT_)?(MYSQL|MSSQL|MONGO|INFLUX|REDIS)_.*": "only PostgreSQL is backed up",
    "VALIDATE_ON_START": "settings are always judged before anything is done",
    "MANUAL_RUN_FOREVER|DEBUG_MODE|BACKUP_JOB_CONCURRENCY|TEMP_LOCATION|TEMP_PATH|USER_DBBACKUP|GROUP_DBBACKUP":
        "it has no meaning here",
}

# read with one value only: pattern → the values that are what is done anyway, and what to do about others
ONLY: dict[str, tuple[tuple[str, ...], str]] = {
    "(DB01_|DEFAULT_|DB_)TYPE": (("pgsql", "postgres", "postgresql"), "Only PostgreSQL is backed up; remove it."),
    "(DB01_|DEFAULT_)?BACKUP_LOCATION": (
        ("filesystem",), "Remove it; backups are kept in BACKUP_DIR, and in the bucket of BACKUP_S3_BUCKET too."),
}

# the db image's own, which share a file of variables with ours
_OF_THE_SERVER = re.compile(r"POSTGRES_(INITDB_ARGS|INITDB_WALDIR|HOST_AUTH_METHOD|VERSION|MAJOR|IMAGE)|PGDATA")
_OURS = re.compile(r"BACKUP_.*|DRILL_.*")
_FAMILIES = re.compile(r"(BACKUP|DRILL|POSTGRES|DB|DB01|DEFAULT|PG)_.*")


def judge_others(given: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable that is not read; raise ConfigError for one that must not be missed."""
    warnings = []
    for name, value in sorted(given.items()):
        if name in READ or _OF_THE_SERVER.fullmatch(name):
            continue
        _refuse(name, value)
        why = next((each for pattern, each in WARNED.items() if re.fullmatch(pattern, name)), "")
        if why:
            warnings.append(f"environment variable {name} is not read: {why}")
        elif _OURS.fullmatch(name):
            raise ConfigError(f"environment variable {name} is not known", code="environment.unknown",
                              hint=did_you_mean(name, READ) or "Remove it; docs/compose.md lists what is.")
        elif _FAMILIES.fullmatch(name) and not _allowed(name, value):
            warnings.append(f"environment variable {name} is not read: this image does not know it")
    return warnings


def _allowed(name: str, value: str) -> bool:
    return any(re.fullmatch(pattern, name) and value.lower() in values for pattern, (values, _cure) in ONLY.items())


def _refuse(name: str, value: str) -> None:
    if value.lower() in _OFF:
        return
    cure = next((each for pattern, each in REFUSED.items() if re.fullmatch(pattern, name)), "")
    if not cure and not _allowed(name, value):
        cure = next((each for pattern, (_values, each) in ONLY.items() if re.fullmatch(pattern, name)), "")
    if cure:
        # its value is not shown: it may be a passphrase
        raise ConfigError(f"environment variable {name} is set, and this image cannot do what it asks for", hint=cure,
                          code="environment.unsupported")
