# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Settings of a server that may lose its data and shall restore fast, and of the sessions in it. Pure."""
from __future__ import annotations

from typing import Mapping

MIB = 1024 * 1024

# Nothing leaves the server, nothing in it acts by itself, nothing is made durable.
QUIET = {
    "listen_addresses": "", "wal_level": "minimal", "max_wal_senders": "0", "archive_mode": "off",
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off",
    "shared_preload_libraries": "", "session_preload_libraries": "", "local_preload_libraries": "",
    "max_logical_replication_workers": "0", "primary_conninfo": "", "restore_command": "",
    "logging_collector": "off", "log_destination": "stderr", "log_min_messages": "warning", "lc_messages": "C",
    "ssl": "off", "jit": "off", "max_connections": "50",
    # a restore locks every relation of a database in one transaction
    "max_locks_per_transaction": "1024",
    "checkpoint_timeout": "1d", "max_wal_size": "512MB", "wal_buffers": "16MB",
    "bgwriter_lru_maxpages": "0", "track_activities": "on", "track_counts": "on",
}

# What ALTER DATABASE or ALTER ROLE … SET could bend; PGOPTIONS counts for more than both
# (https://www.postgresql.org/docs/current/config-setting.html). Only a superuser may set those of SUPERUSER.
SESSION = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0",
           "default_transaction_read_only": "off", "default_transaction_isolation": "read committed",
           "default_transaction_deferrable": "off", "role": "none", "synchronous_commit": "off",
           "local_preload_libraries": ""}
# What ends a session or a statement for the time it takes, and since which version.
LIMITS = {"statement_timeout": 0, "lock_timeout": 0, "idle_in_transaction_session_timeout": 0,
          "idle_session_timeout": 140000, "transaction_timeout": 170000}
SUPERUSER = {"session_preload_libraries": "", "session_replication_role": "origin"}


def server_settings(memory: int, cores: int, *, shared: int) -> dict[str, str]:
    """Return the settings of a scratch server on a machine with that much memory; shared is what /dev/shm has free.

    All in bytes. At most 128 MiB are shared buffers: a restore reads little twice, and each TRUNCATE of a table looks
    through all of them (DropRelationBuffers); with 1 GiB it took an eighth more processor time.
    """
    buffers = max(32 * MIB, min(memory // 4, 128 * MIB))
    sorting = max(32 * MIB, min(memory // 16, 512 * MIB))
    workers = max(1, min(cores, 8))
    settings = {
        **QUIET, "shared_buffers": f"{buffers // MIB}MB", "maintenance_work_mem": f"{sorting // MIB}MB",
        "work_mem": f"{max(8, min(memory // 128 // MIB, 64))}MB", "max_parallel_maintenance_workers": str(workers),
        "max_worker_processes": str(workers * 4), "max_parallel_workers": str(workers * 2),
    }
    if shared < sorting * 2 + 64 * MIB:
        # containers have 64 MiB there, and a parallel index build or query would fail
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def session_options(version_num: int, *, superuser: bool) -> str:
    """Return PGOPTIONS for the sessions of a restore, so that no setting of a role or database bends it."""
    wanted = {**SESSION, **(SUPERUSER if superuser else {})}
    if version_num >= 140000:
        wanted["idle_session_timeout"] = "0"
    if version_num >= 170000:
        wanted["transaction_timeout"] = "0"
        if superuser:
            wanted["event_triggers"] = "off"   # a login trigger of the restored database would run as us
    return _options(wanted)


def unlimited(version_num: int) -> str:
    """Return PGOPTIONS for a session that may take all the time it needs from its first statement on."""
    return _options({name: "0" for name, since in LIMITS.items() if version_num >= since})


def bent_settings(defaults: Mapping[str, str]) -> str:
    """Return PGOPTIONS that overrule what a session's defaults have of SESSION in another way; "" if nothing."""
    return _options({name: SESSION[name] for name, value in defaults.items()
                     if value != SESSION[name] and name not in ("synchronous_commit", "local_preload_libraries")})


def _options(settings: Mapping[str, str]) -> str:
    """Write settings for libpq's option "options": a space inside a value takes a backslash (libpq-connect.html)."""
    return " ".join(f"-c {name}={value}".replace(" ", "\\ ").replace("\\ ", " ", 1) for name, value in settings.items())
