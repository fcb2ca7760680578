# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A private server on a restored data directory: it recovers, tells where it stopped, and is ended."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping

from ..errors import ConfigError, ToolFailed, Unavailable
from ..model.recovery_log import Told
from ..model.row_data import without_rows
from ..stream.held import HeldSignals
from .accounts import Account
from .connect import Connection, open_maintenance
from .flush import flush
from .leftovers import socket_folder
from .restore import PgTarget
from .scratch import SHARED, server_environment, server_leash, stop_at_once
from .tools import Tool
from .tuning import QUIET, server_settings

STOP_PATIENCE = 600.0              # seconds a clean shutdown may take: its checkpoint writes what recovery changed

# Whatever the restored configuration says: nothing leaves this server, and nobody but us comes in.
PRIVATE = {
    "listen_addresses": "", "archive_mode": "off", "archive_command": "", "primary_conninfo": "",
    "primary_slot_name": "", "recovery_min_apply_delay": "0", "recovery_end_command": "",
    "archive_cleanup_command": "", "hot_standby": "on", "shared_preload_libraries": "",
    "session_preload_libraries": "", "local_preload_libraries": "", "logging_collector": "off",
    "log_destination": "stderr", "log_min_messages": "warning", "log_line_prefix": "%m [%p] ", "lc_messages": "C",
    "ssl": "off", "external_pid_file": "", "synchronous_standby_names": "", "max_logical_replication_workers": "0",
    "jit": "off", "port": "5432", "log_timezone": "UTC", "TimeZone": "UTC",
}
# postmaster.pid says "ready" as soon as a standby takes readers (postmaster.c), so the log is asked.
_READY = "database system is ready to accept connections"
_TARGETS = ("recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
            "recovery_target_name")
# What a hot standby must have at least as large as the server that wrote the WAL (hot-standby.html).
_AT_LEAST = {"max_connections setting": "max_connections", "max_worker_processes setting": "max_worker_processes",
             "max_wal_senders setting": "max_wal_senders", "max_prepared_xacts setting": "max_prepared_transactions",
             "max_locks_per_xact setting": "max_locks_per_transaction"}


class RecoveringServer:
    """The server of one data directory; folder is private, for its socket, its log and what it is configured by."""

    def __init__(self, folder: str, data: str, tool: Tool, bin_dir: str, account: Account | None, superuser: str, *,
                 disposable: bool) -> None:
        self.folder, self.data, self.bin_dir = folder, data, bin_dir
        self.tool = tool
        self._account, self._superuser, self._disposable = account, superuser, disposable
        self._socket = socket_folder(folder, (account.uid, account.gid) if account else None)
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def log_path(self) -> str:
        """Return where the server's log lies."""
        return os.path.join(self.folder, "log")

    def control(self) -> dict[str, str]:
        """Return what pg_controldata says, by its English names."""
        said = self.run("pg_controldata", "-D", self.data)
        return {key.strip(): value.strip() for key, _colon, value in
                (line.partition(":") for line in said.splitlines())}

    def run(self, name: str, *arguments: str, limit: float | None = None) -> str:
        """Run a program of the same installation as the server's account; raise ToolFailed unless it exits 0."""
        argv = [os.path.join(self.bin_dir, name), *arguments]
        if not os.path.exists(argv[0]):
            raise ConfigError(f"program {name} is not in {self.bin_dir}", code="tools.missing",
                              hint="Install the server's whole package, or set bin_dir to a folder that has it.")
        done = subprocess.run(argv, cwd=self.folder, env=server_environment(), stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, **self._drop())
        words = str(done.stdout.decode(errors="replace"))
        if done.returncode < 0:
            # a program that died has proven nothing, good or bad
            raise ConfigError(f"{name} died by signal {-done.returncode}", code="tool.died",
                              hint=f"Reinstall the package that holds {argv[0]}.")
        if done.returncode:
            raise ToolFailed(f"{name} exits {done.returncode}: {' '.join(words.split())[-600:]}",
                             hint="Read what it says.", code="tool.failed")
        return words

    @contextmanager
    def started(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Run the server with these settings; ended cleanly if all went well, otherwise at once."""
        with HeldSignals() as held:
            self._launch(settings)
            try:
                held.let_through()
                yield
            except BaseException:
                self._kill()
                raise
        self.stop()

    def wait_until_recovered(self, trouble: Callable[[], BaseException | None]) -> Told:
        """Wait until recovery has ended and return what the log says; raise what trouble tells first.

        Recovery takes as long as it takes, so only the server's end or its readiness end the waiting. Returns also
        if the server died: then there is a fatal line, and nothing answers.
        """
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            tail = ""
            while True:
                dead = not self.alive()
                tail = tail[-len(_READY):] + log.read()
                error = trouble()
                if error is not None:
                    raise error
                if dead or _READY in tail:
                    return Told.read(self.log())
                time.sleep(0.02)

    def alive(self) -> bool:
        """Say whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def ask(self) -> dict[str, str]:
        """Return where recovery ended: replayed, last_commit (ISO or empty), in_recovery, timeline."""
        with open_maintenance(self._connection()) as session:
            row = session.execute(
                "SELECT pg_last_wal_replay_lsn()::text, pg_last_xact_replay_timestamp(), pg_is_in_recovery()::text,"
                " (SELECT timeline_id::text FROM pg_control_checkpoint())").fetchone() or ("", None, "", "")
        return {"replayed": row[0] or "", "last_commit": row[1].isoformat() if row[1] else "",
                "in_recovery": row[2], "timeline": row[3]}

    def target(self, stage: str) -> PgTarget:
        """Return the running server as a Target that is asked and checked."""
        return PgTarget(self._connection(), bin_dir=self.bin_dir, stage=stage, scratch=True)

    def dump_to_nothing(self, database: str) -> None:
        """Read every row of a database by pg_dump and throw its output away."""
        self.run("pg_dump", "--no-password", "--no-sync", f"--file={os.devnull}", "--format=plain",
                 f"--dbname={self._connection().conninfo(database)}")

    def stop(self) -> None:
        """Shut down cleanly, so that the data directory is whole without any recovery."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._kill()
            raise Unavailable(f"the server did not shut down within {STOP_PATIENCE:.0f} s", code="recover.slow_stop",
                              hint="The data directory recovers by itself at its next start.") from None
        self._process = None
        if status:
            raise ToolFailed(f"the server ended with status {status}: {self.last_words()}", code="recover.bad_stop",
                             hint="Read its words; start it by hand and look at its log.")
        if not self._disposable:
            flush(self.data)

    def log(self) -> str:
        """Return all that the server has said."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def last_words(self) -> str:
        """Return the log's last lines as one."""
        return "; ".join(without_rows(self.log()[-4096:]).strip().splitlines()[-3:]) or "it said nothing"

    def _kill(self) -> None:
        if self._process is not None:
            stop_at_once(self._process, self.data)
            self._process = None

    def _configure(self) -> None:
        for name, text in (("postgresql.conf", ""), ("pg_ident.conf", ""), ("pg_hba.conf", "local all all trust\n")):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text)
            if self._account:
                os.chown(path, self._account.uid, self._account.gid)

    def _settings(self, wanted: Mapping[str, str]) -> dict[str, str]:
        control = self.control()
        settings: dict[str, str] = {}
        if self._disposable:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
            shared = shutil.disk_usage(SHARED).free if os.path.isdir(SHARED) else 0
            settings.update({key: value for key, value in server_settings(memory, os.cpu_count() or 1, shared=shared)
                             .items() if key not in ("wal_level", "restore_command")})
        else:
            settings.update({key: QUIET[key] for key in ("autovacuum",)})
            settings["max_wal_size"] = "4GB"
            # nothing is told as recovered before all of it was flushed at once, see stop
            settings["fsync"] = "off"
        settings.update(PRIVATE)
        settings.update(dict.fromkeys(_TARGETS, ""))
        for line, name in _AT_LEAST.items():
            settings[name] = str(max(int(control.get(line, "0") or 0), int(settings.get(name, "0"))))
        settings["max_connections"] = str(max(int(settings["max_connections"]), 20))
        settings["wal_level"] = control.get("wal_level setting", "replica") or "replica"
        settings["unix_socket_directories"] = '"' + self._socket.replace('"', '""') + '"'
        settings.update(wanted)
        # several of these at once are refused even if all but one are empty on some majors
        return {key: value for key, value in settings.items() if key not in _TARGETS or value}

    def _launch(self, wanted: Mapping[str, str]) -> None:
        files = {"config_file": "postgresql.conf", "hba_file": "pg_hba.conf", "ident_file": "pg_ident.conf"}
        settings = {**{key: os.path.join(self.folder, name) for key, name in files.items()}, **self._settings(wanted)}
        argv = [os.path.join(self.bin_dir, "postgres"), "-D", self.data,
                *(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))]
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            self._process = subprocess.Popen([*server_leash(), *argv], cwd=self.data, env=server_environment(),
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             start_new_session=True, **self._drop())
        finally:
            os.close(log)

    def _connection(self) -> Connection:
        return Connection({"host": self._socket, "port": "5432", "user": self._superuser,
                           "application_name": "restorable recovery"})

    def _drop(self) -> dict[str, Any]:
        return self._account.arguments() if self._account else {}
