# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The environment variables that a container is set by: their names, their aliases and what they mean. Pure.

The aliases are the names that users of prodrigestivill/postgres-backup-local and tiredofit/db-backup have in their
files. docs/compose.md and docs/migration.md show this table; a test keeps them equal.
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One value: its own name first, then what else is read for it; the first that is not empty counts."""

    name: str
    means: str
    default: str = ""
    aliases: tuple[str, ...] = ()
    secret: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name of the value."""
        return (self.name, *self.aliases)


def _job(word: str) -> tuple[str, ...]:
    """Return the names of db-backup: of its first job, and of the default of all jobs."""
    return f"DB01_{word}", f"DEFAULT_{word}"


VARIABLES: tuple[Variable, ...] = (
    Variable("BACKUP_SCHEDULE", "when a backup is taken and old ones are pruned: cron notation, in the zone of `TZ`",
             "0 3 * * *", ("SCHEDULE",)),
    Variable("DRILL_SCHEDULE", "when the drill service drills the newest backup", "0 4 * * sun#1"),
    Variable("BACKUP_ON_START", "`1`: take a backup as soon as the container runs, too", "0"),
    Variable("BACKUP_MODE", "`schedule` (also `auto`, `cron`), `once` (also `manual`: one backup, then the end), "
             "`staging` or `prod`: schedule, with that prefix", "schedule", ("MODE",)),
    Variable("BACKUP_DRY_RUN", "`1`: show the plan, dump and delete nothing", "0"),
    Variable("BACKUP_PREFIX", "the name of this cluster: the folder in `BACKUP_DIR` that holds its backups", "db"),
    Variable("BACKUP_PREFIX_STAGING", "the same with `BACKUP_MODE=staging`, or where it is the only one set",
             "staging-db"),
    Variable("BACKUP_PREFIX_PROD", "the same with `BACKUP_MODE=prod`, or where it is the only one set", "prod-db"),
    Variable("BACKUP_DIR", "where backups are kept", "/backups", (*_job("FILESYSTEM_PATH"), "DB_DUMP_TARGET")),
    Variable("BACKUP_EVIDENCE_DIR", "where the verdicts of drills are kept, if apart from the backups"),
    Variable("BACKUP_LOG", "the log file beside standard output; `off`: none", "cron.log in BACKUP_DIR"),
    Variable("BACKUP_RETENTION_DAYS", "backups less than so many days older than the newest are kept, by the floors of "
             "retention.md never fewer than three; `unlimited`: nothing is deleted", "14"),
    Variable("BACKUP_KEEP_DAYS", "instead of days of age: keep the newest of so many days", "7"),
    Variable("BACKUP_KEEP_WEEKS", "and of so many ended weeks", "4"),
    Variable("BACKUP_KEEP_MONTHS", "and of so many ended months", "6"),
    Variable("BACKUP_KEEP_MINS", "and everything less than so many minutes older than the newest", "1440"),
    Variable("BACKUP_CLEANUP_MINUTES", "days of age in minutes; `FALSE`: nothing is deleted", "",
             (*_job("CLEANUP_TIME"), "DB_CLEANUP_TIME")),
    Variable("BACKUP_BEGIN", "the schedule as db-backup writes it: cron notation, `HHMM`, or `+0` for a first backup "
             "at the start", "", (*_job("BACKUP_BEGIN"), "DB_DUMP_BEGIN")),
    Variable("BACKUP_INTERVAL", "and the minutes between two backups, which must divide a day or an hour", "1440",
             (*_job("BACKUP_INTERVAL"), "DB_DUMP_FREQ")),
    Variable("BACKUP_DATABASES", "which databases, by commas or spaces; `all`: every one", "all",
             ("POSTGRES_DB", "DB_NAME", "DB01_NAME", "PGDATABASE")),
    Variable("BACKUP_EXCLUDE_DATABASES", "which ones not", "", ("DB_NAME_EXCLUDE", "DB01_NAME_EXCLUDE")),
    Variable("POSTGRES_CLUSTER", "`TRUE`: every database, whatever `POSTGRES_DB` names", "0"),
    Variable("BACKUP_GLOBALS", "`0`: leave roles and tablespaces out", "1", _job("BACKUP_GLOBALS")),
    Variable("BACKUP_ROLE_PASSWORDS", "`0`: leave the roles' password hashes out, which a superuser can read", "1"),
    Variable("BACKUP_COMPRESSION", "`zstd`, `gzip` or `none`", "zstd", (*_job("COMPRESSION"), "COMPRESSION")),
    Variable("BACKUP_COMPRESSION_LEVEL", "1 to 19 for zstd, 1 to 9 for gzip", "1, of gzip 6",
             (*_job("COMPRESSION_LEVEL"), "COMPRESSION_LEVEL")),
    Variable("BACKUP_RECIPIENTS", "public keys (`age1…`, `ssh-ed25519 …`) that backups are sealed for, by commas or a "
             "line each; without one they are stored unsealed"),
    Variable("BACKUP_IDENTITY_FILE", "the file of the secret key that opens them; the drill service needs it, and who "
             "restores"),
    Variable("BACKUP_S3_BUCKET", "a bucket that keeps every backup, too; the image needs boto3, see below", "",
             (*_job("S3_BUCKET"), "S3_BUCKET")),
    Variable("BACKUP_S3_PREFIX", "below what in the bucket", "", (*_job("S3_PATH"), "S3_PATH")),
    Variable("BACKUP_S3_ENDPOINT_URL", "where the bucket is, if not at AWS; begins with https://"),
    Variable("BACKUP_S3_REGION", "its region", "", (*_job("S3_REGION"), "S3_REGION")),
    Variable("BACKUP_S3_ADDRESSING", "`auto`, `path` or `virtual`", "auto"),
    Variable("BACKUP_S3_CA_FILE", "the certificates that the endpoint is judged by"),
    Variable("BACKUP_S3_ACCESS_KEY_ID", "who writes there; without one boto3's usual chain", "",
             (*_job("S3_KEY_ID"), "S3_KEY_ID", "AWS_ACCESS_KEY_ID")),
    Variable("BACKUP_S3_SECRET_ACCESS_KEY", "and the key; better `BACKUP_S3_SECRET_ACCESS_KEY_FILE`", "",
             (*_job("S3_KEY_SECRET"), "S3_KEY_SECRET", "AWS_SECRET_ACCESS_KEY"), secret=True),
    Variable("BACKUP_RPO", "how old the newest backup may be before the status is red", "26h"),
    Variable("BACKUP_RTO", "how long a restore may take before a drill says so"),
    Variable("TZ", "the time zone of schedules and of retention's days", "UTC"),
    Variable("DB_HOST", "the server", "db", ("POSTGRES_HOST", "DB01_HOST", "PGHOST", "POSTGRES_PORT_5432_TCP_ADDR")),
    Variable("DB_PORT", "its port", "5432", ("POSTGRES_PORT", *_job("PORT"), "PGPORT", "POSTGRES_PORT_5432_TCP_PORT")),
    Variable("DB_USER", "who dumps; the superuser that the image made sees everything", "postgres",
             ("POSTGRES_USER", "DB01_USER", "PGUSER")),
    Variable("DB_PASSWORD", "the password; better `DB_PASSWORD_FILE`", "",
             ("DB_PASS", "POSTGRES_PASSWORD", "DB01_PASS", "PGPASSWORD"), secret=True),
    Variable("PGPASSFILE", "a password file in libpq's format, mode 0600", "", ("POSTGRES_PASSFILE_STORE",)),
    Variable("BACKUP_MAINTENANCE_DATABASE", "the database that is asked for facts of the server",
             "postgres, or template1", (*_job("AUTH"), "DB_AUTH")),
    Variable("DRILL_TARGET", "where `restore` restores into: `server`, or `scratch`: a server of its own that is gone "
             "afterwards, as in the drill service", "server"),
    Variable("WAL_SLOT", "the replication slot by which a service with the command `wal-stream` receives WAL (wal.md)"),
    Variable("WAL_DATA_DIRECTORY", "instead of a slot: the server's data directory, where a service with the command "
             "`wal-ship` reads its WAL (wal.md)"),
    Variable("WAL_SPOOL", "the folder of either: what was received, or acknowledged to archive_command", "/spool"),
    Variable("DRILL_SCRATCH_DIR", "where the drill service's scratch server lives", "/scratch"),
)

# libpq's other variables (libpq-envars.html) and the connection parameters they are
LIBPQ = {
    "PGHOSTADDR": "hostaddr", "PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert", "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey", "PGSSLCRL": "sslcrl", "PGSSLCRLDIR": "sslcrldir", "PGSSLSNI": "sslsni",
    "PGSSLNEGOTIATION": "sslnegotiation", "PGSSLCERTMODE": "sslcertmode", "PGREQUIREAUTH": "require_auth",
    "PGREQUIREPEER": "requirepeer", "PGCHANNELBINDING": "channel_binding",
    "PGSSLMINPROTOCOLVERSION": "ssl_min_protocol_version", "PGSSLMAXPROTOCOLVERSION": "ssl_max_protocol_version",
    "PGGSSENCMODE": "gssencmode", "PGKRBSRVNAME": "krbsrvname", "PGCONNECT_TIMEOUT": "connect_timeout",
    "PGOPTIONS": "options", "PGAPPNAME": "application_name", "PGTARGETSESSIONATTRS": "target_session_attrs",
    "PGLOADBALANCEHOSTS": "load_balance_hosts",
}

KNOWN: dict[str, Variable] = {name: each for each in VARIABLES for name in each.names}
READ: frozenset[str] = frozenset((*KNOWN, *LIBPQ))
