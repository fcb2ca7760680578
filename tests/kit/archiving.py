# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server that archives its WAL by our scripts and our shipper, and recoveries from what they stored."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Iterator

import _restorable
from _restorable.host.wal_scripts import write_scripts
from kit.place import new_place
from kit.servers import RunningServer, find_bin_dir, run_folder, start_server, unprivileged

PATIENCE = 120                     # seconds in which what must happen has happened


class Archiving:
    """The host side of one cluster: settings, repositories, spool and a launcher, all the server's own account's."""

    def __init__(self, folder: pathlib.Path, *, repositories: tuple[str, ...] = ("local",), **wal: Any) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        self.config = folder / "config.json"
        shutil.copytree(os.path.dirname(str(_restorable.__path__[0])) + "/_restorable", folder / "lib" / "_restorable",
                        ignore=shutil.ignore_patterns("__pycache__"))
        _copy_driver(folder / "lib")
        self.body: dict[str, Any] = {
            "repositories": {name: {"path": str(folder / name)} for name in repositories},
            "clusters": {"shop": {"wal": {"spool": str(self.spool), "wait": 20, "patience": 1, **wal}}}}
        self.spool.mkdir(mode=0o700)
        write_scripts(str(self.spool))
        self.launcher = folder / "restorable"
        self.launcher.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/lib exec {_python()} -m _restorable --config '
                                 f'{self.config} "$@"\n')
        self.launcher.chmod(0o755)
        self.write_config()

    def write_config(self, **wal: Any) -> None:
        """Write the settings, changed, and give everything to the server's account."""
        self.body["clusters"]["shop"]["wal"].update(wal)
        self.config.write_text(json.dumps(self.body))
        self.config.chmod(0o600)
        give(self.folder)

    @property
    def archive_command(self) -> str:
        """Return archive_command with the shipper alone."""
        return (f"[ -r {self.spool}/archive.sh ] || exit 3; "
                f"exec /bin/sh {self.spool}/archive.sh {self.spool} 20 %p %f")

    @property
    def fallback_command(self) -> str:
        """Return archive_command that pushes by itself while no shipper runs."""
        return f"{self.archive_command} {self.launcher} wal-push"

    @property
    def restore_command(self) -> str:
        """Return restore_command."""
        return (f"[ -r {self.spool}/restore.sh ] || exit 255; "
                f"exec /bin/sh {self.spool}/restore.sh {self.spool} %p %f {self.launcher} wal-get")

    def run(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the host command as the server's account."""
        return subprocess.run([str(self.launcher), *words], capture_output=True, text=True, check=False,
                              cwd=self.folder, **unprivileged(), **options)

    @contextmanager
    def shipper(self, verb: str = "wal-ship") -> Iterator[subprocess.Popen[bytes]]:
        """Run the shipper until the context ends."""
        with open(self.folder / "ship.log", "ab") as log:
            process = subprocess.Popen([str(self.launcher), verb], stdout=log, stderr=log, cwd=self.folder,
                                       **unprivileged())
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)

    def log_text(self) -> str:
        """Return what the shipper said."""
        return (self.folder / "ship.log").read_text()

    def archived(self, repository: str = "local") -> list[str]:
        """Return the names of all files in a repository's archive."""
        root = self.folder / repository / "shop" / "wal"
        return sorted(path.name.partition("-")[0] for path in root.rglob("*") if path.is_file() and "-" in path.name)

    def stop_prefetching(self) -> None:
        """End the process that fetches ahead, by its own id."""
        with suppress(OSError, ValueError):
            pid = int((self.spool / "get" / "pid").read_text())
            # a process id is used again, by somebody else's server for example
            if b"wal-get" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)


@contextmanager
def archiving(major: int, *, fallback: bool = False, config: dict[str, str] | None = None,
              **options: Any) -> Iterator[tuple[RunningServer, Archiving]]:
    """Run a server with segments of 1 MiB that archives; the shipper is up to the test."""
    folder = new_place("wal-")
    folder.chmod(0o755)
    try:
        host = Archiving(folder, **options)
        command = host.fallback_command if fallback else host.archive_command
        settings = {"wal_level": "replica", "archive_mode": "on", "archive_command": command, "min_wal_size": "2MB",
                    "max_wal_size": "16MB", **(config or {})}
        with start_server(major, config=settings, initdb=("--wal-segsize=1",)) as server:
            host.write_config(data_directory=str(server.folder / "data"))
            yield server, host
            host.stop_prefetching()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shipping(major: int, **options: Any) -> Iterator[tuple[RunningServer, Archiving]]:
    """Run a server as archiving does, with its shipper."""
    with ExitStack() as stack:
        server, host = stack.enter_context(archiving(major, **options))
        stack.enter_context(host.shipper())
        yield server, host


def base_backup(server: RunningServer, host: Archiving, name: str = "copy") -> pathlib.Path:
    """Copy the server without its WAL into a folder of its own; return the folder above data/."""
    folder = host.folder / name
    folder.mkdir(mode=0o700)
    give(folder)
    subprocess.run([f"{server.bin_dir}/pg_basebackup", "-h", str(server.folder), "-U", server.superuser, "-c", "fast",
                    "-D", f"{folder}/data", "-X", "none", "--no-sync"], check=True, capture_output=True, cwd=folder,
                   env={**os.environ, "LC_ALL": "C"}, **unprivileged())
    return folder


@contextmanager
def recovered(server: RunningServer, host: Archiving, copy: pathlib.Path, *, archive: bool = False,
              **settings: str) -> Iterator[RunningServer]:
    """Start a copy as a recovery by our restore_command; RuntimeError with the log if it does not come up."""
    lines = {"restore_command": host.restore_command, "unix_socket_directories": str(copy),
             "recovery_target_action": "promote", **settings}
    lines.update({} if archive else {"archive_mode": "off"})
    with open(copy / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
        file.writelines(f"{key} = '{value}'\n" for key, value in lines.items())
    (copy / "data" / "recovery.signal").touch()
    host.write_config(data_directory=str(copy / "data"))
    give(copy)
    with run_folder(server.major, server.bin_dir, copy) as copied:
        wait_until(lambda: _is_up(copied), copied.log_text)
        yield copied


def _is_up(server: RunningServer) -> bool:
    """Say whether a recovery is over; RuntimeError if the server has stopped instead."""
    import psycopg
    if server.process.poll() is not None:
        raise RuntimeError(f"PostgreSQL {server.major} did not start:\n{server.log_text()[-2000:]}")
    try:
        return server.sql("SELECT pg_is_in_recovery()") == [(False,)]
    except psycopg.OperationalError:
        return False                   # between two states, or stopped: the process tells


def fill(server: RunningServer, count: int, *, segments: int = 1) -> int:
    """Commit count more rows of table t, spread over so many segments; return how many rows there are."""
    server.sql("CREATE TABLE IF NOT EXISTS t (n int, filler text)")
    for _segment in range(segments):
        server.sql(f"INSERT INTO t SELECT g, repeat('x', 50) FROM generate_series(1, {count // segments}) g",
                   "SELECT pg_switch_wal()")
    return rows(server)


def rows(server: RunningServer) -> int:
    """Return how many rows table t has."""
    return int(server.sql("SELECT count(*) FROM t")[0][0])


def wait_archived(server: RunningServer) -> None:
    """Wait until the server has been told that all finished segments are archived."""
    status = server.folder / "data" / "pg_wal" / "archive_status"
    wait_until(lambda: not list(status.glob("*.ready")), lambda: server.log_text()[-3000:])


def wait_until(condition: Any, explain: Any = lambda: "") -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"it did not come about within {PATIENCE} s: {explain()}")
        time.sleep(0.05)


def give(path: pathlib.Path) -> None:
    """Give a tree to the account that servers run as; files that a shipper removes meanwhile are nobody's any more."""
    who = unprivileged()
    if who:
        for each in (path, *path.rglob("*")):
            with suppress(FileNotFoundError):
                os.chown(each, who["user"], who["group"], follow_symlinks=False)


def _copy_driver(folder: pathlib.Path) -> None:
    """Copy the part of psycopg that is pure Python, which finds the system's libpq by itself."""
    import psycopg
    home = pathlib.Path(psycopg.__file__).parents[1]
    shutil.copytree(home / "psycopg", folder / "psycopg", ignore=shutil.ignore_patterns("__pycache__"))
    for each in home.glob("typing_extensions.py"):
        shutil.copy(each, folder)


def _python() -> str:
    """Return a Python that the server's account can run; root's own may lie below /root."""
    for path in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            subprocess.run([path, "-c", "import sys; assert sys.version_info >= (3, 9)"], check=True, cwd="/",
                           capture_output=True, **unprivileged())
        except (OSError, subprocess.CalledProcessError):
            continue
        return path
    raise RuntimeError("the account of the test's servers can run no Python 3.9 or newer: install python3")


__all__ = ["Archiving", "archiving", "base_backup", "fill", "find_bin_dir", "recovered", "rows", "wait_archived",
           "wait_until"]
