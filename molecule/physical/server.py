# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario's PostgreSQL: set to archive by the module, under load, lost, and asked after its recovery.

    server.py start FOLDER | restart FOLDER | load FOLDER | lose FOLDER | compare FOLDER | stop FOLDER
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
from contextlib import contextmanager, suppress
from typing import Any, Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "plugins" / "module_utils")]

from kit.archiving import Archiving, give  # noqa: E402 - the path comes first
from kit.servers import find_bin_dir, unprivileged  # noqa: E402 - the path comes first

MAJOR = 15
LOAD = "INSERT INTO ledger DEFAULT VALUES;\n"
# A row's xid and when it was committed, by the server's own record of commits
ROWS = "SELECT xmin::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::text FROM ledger"
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
SETTINGS = {"listen_addresses": "", "track_commit_timestamp": "on"}


def main(argv: list[str]) -> int:
    """Do what argv says."""
    verbs = {"start": start, "restart": restart, "load": load, "lose": lose, "compare": compare, "stop": stop}
    if len(argv) != 2 or argv[0] not in verbs:
        sys.stderr.write(__doc__ or "")
        return 2
    verbs[argv[0]](pathlib.Path(argv[1]))
    return 0


def start(folder: pathlib.Path) -> None:
    """Run a server as initdb makes it and our shipper, and leave the settings in settings.json."""
    bin_dir = find_bin_dir(MAJOR)
    home = pathlib.Path(tempfile.mkdtemp(prefix="rs-physical-", dir="/tmp"))
    home.chmod(0o711)
    host = Archiving(home, archive_timeout="5s")
    run(bin_dir, home, "initdb", "-D", f"{home}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C",
        "-N")
    with open(home / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
        lines = {**SETTINGS, "unix_socket_directories": str(home)}
        file.writelines(f"{key} = '{value}'\n" for key, value in lines.items())
    host.write_config(data_directory=f"{home}/data")
    run(bin_dir, home, "pg_ctl", "-D", f"{home}/data", "-l", f"{home}/server.log", "-w", "start")
    connection = {"host": str(home), "port": 5432, "user": "postgres"}
    cluster = {**host.body["clusters"]["shop"], "connection": connection, "bin_dir": bin_dir,
               "repositories": ["local"]}
    # the repository is that of the account that runs the playbooks, and so is the shipper
    log = open(home / "ship.log", "ab")  # noqa: SIM115 - the shipper's, for as long as it lives
    words = [sys.executable, "-m", "_restorable", "--config", str(host.config), "wal-ship"]
    shipper = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT / "plugins" / "module_utils")},
                               cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    ask(home, "CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now())")
    body = {"repositories": host.body["repositories"], "clusters": {"shop": cluster}, "home": str(home),
            "shipper": shipper.pid, "bin_dir": bin_dir}
    (folder / "settings.json").write_text(json.dumps(body))
    sys.stdout.write(f"PostgreSQL {MAJOR} in {home}\n")


def restart(folder: pathlib.Path) -> None:
    """Restart the server, as the module asks for it when a setting waits for that."""
    body = read(folder)
    home = pathlib.Path(body["home"])
    run(body["bin_dir"], home, "pg_ctl", "-D", f"{home}/data", "-l", f"{home}/server.log", "-w", "-m", "fast",
        "restart")


def load(folder: pathlib.Path) -> None:
    """Put the server under load."""
    body = read(folder)
    home, bin_dir = pathlib.Path(body["home"]), body["bin_dir"]
    (home / "load.sql").write_text(LOAD)
    pgbench = subprocess.Popen([f"{bin_dir}/pgbench", "-n", "-c", "2", "-R", "40", "-T", "3600", "-f",
                                f"{home}/load.sql", "-h", str(home), "-U", "postgres", "postgres"],
                               stdin=subprocess.DEVNULL, cwd=home, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True, **unprivileged())
    (folder / "settings.json").write_text(json.dumps({**body, "load": pgbench.pid}))


def lose(folder: pathlib.Path) -> None:
    """Note a moment and what was committed, end the load, kill the server and remove its data directory."""
    body = read(folder)
    home = pathlib.Path(body["home"])
    time.sleep(3)
    moment = ask(home, "SELECT clock_timestamp()")[0][0]
    time.sleep(3)
    end(body["load"], signal.SIGINT, home)
    # A commit may still wait for its flush: its record is in the WAL, its row is not yet seen
    wait_until(lambda: ask(home, OTHERS) == [(0,)])
    rows = {xid: float(when) for xid, when in ask(home, ROWS)}
    last = ask(home, "SELECT pg_walfile_name(pg_switch_wal())")[0][0]
    wait_until(lambda: ask(home, "SELECT last_archived_wal FROM pg_stat_archiver")[0][0] == last)
    end(int((home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT, home)
    end(body["shipper"], signal.SIGTERM, home)
    shutil.rmtree(home / "data")
    (home / "moment").mkdir()
    give(home / "moment")
    (folder / "lost.json").write_text(json.dumps({
        "home": str(home), "moment": moment.isoformat(), "epoch": moment.timestamp(), "rows": rows}))
    sys.stdout.write(f"lost {len(rows)} transactions\n")


def compare(folder: pathlib.Path) -> None:
    """Start both recovered servers; each must hold exactly the transactions that were committed by its moment."""
    body, lost = read(folder), json.loads((folder / "lost.json").read_text())
    home = pathlib.Path(body["home"])
    every = set(lost["rows"])
    by_then = {xid for xid, when in lost["rows"].items() if when <= lost["epoch"]}
    for name, data, wanted in (("moment", home / "moment" / "data", by_then), ("latest", home / "data", every)):
        with running(body["bin_dir"], data):
            found = {row[0] for row in ask(data.parent, "SELECT xmin::text FROM ledger")}
        if found != wanted:
            raise SystemExit(f"{name}: {len(wanted - found)} transactions are missing, {len(found - wanted)} are too "
                             f"many, of {len(wanted)}")
        sys.stdout.write(f"{name}: all {len(wanted)} of {len(every)} transactions, and no other\n")
    if not by_then or by_then == every:
        raise SystemExit("the moment does not lie between transactions, so nothing was shown")


def stop(folder: pathlib.Path) -> None:
    """End what still runs by its process id, and remove what was made."""
    if not (folder / "settings.json").exists():
        return
    body = read(folder)
    home = pathlib.Path(body["home"])
    if "load" in body:
        end(body["load"], signal.SIGKILL, home)
    end(body["shipper"], signal.SIGTERM, home)
    state = home / "data" / "postmaster.pid"
    if state.exists():
        end(int(state.read_text().split()[0]), signal.SIGQUIT, home)
    shutil.rmtree(home)
    for name in ("settings.json", "lost.json"):
        (folder / name).unlink(missing_ok=True)
    sys.stdout.write(f"stopped and removed {home}\n")


@contextmanager
def running(bin_dir: str, data: pathlib.Path) -> Iterator[None]:
    """Run a recovered server as its owner would."""
    words = ["pg_ctl", "-D", str(data), "-l", f"{data.parent}/recovered.log", "-w"]
    run(bin_dir, data.parent, *words, "-o", f"-c unix_socket_directories={data.parent}", "start")
    try:
        yield
    finally:
        run(bin_dir, data.parent, *words, "-m", "fast", "stop")


def run(bin_dir: str, home: pathlib.Path, name: str, *words: str) -> None:
    """Run one of PostgreSQL's programs as the server's account."""
    subprocess.run([f"{bin_dir}/{name}", *words], check=True, cwd=home, stdout=subprocess.DEVNULL, **unprivileged())


def ask(home: pathlib.Path, query: str) -> list[tuple[Any, ...]]:
    """Return a query's rows."""
    import psycopg
    with psycopg.connect(autocommit=True, host=str(home), user="postgres", dbname="postgres") as session:
        cursor = session.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return what start left."""
    return dict(json.loads((folder / "settings.json").read_text()))


def end(pid: int, number: signal.Signals, home: pathlib.Path) -> None:
    """End a process of ours and wait until it is gone."""
    if _lives(pid, home):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    wait_until(lambda: not _lives(pid, home))


def _lives(pid: int, home: pathlib.Path) -> bool:
    # a process id is used again; ours work in the scenario's home
    try:
        where = pathlib.Path(os.readlink(f"/proc/{pid}/cwd"))
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and home in (where, *where.parents)


def wait_until(condition: Any) -> None:
    """Wait two minutes for a condition."""
    for _attempt in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise SystemExit("it did not come about within two minutes")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
