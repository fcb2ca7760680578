# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups and recoveries against pgBackRest's full backups: zst level 1, 2 processes, with bundles and without."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import statistics
import subprocess
from typing import Any, Callable

from tests.kit.servers import unprivileged

from .dumps import environment, restorable
from .measure import Series, in_turn, ratio, run
from .table import Row

LIMIT = 128 * 2**20   # bytes
BACKUP_GOAL, SEALED_GOAL, RESTORE_GOAL = 0.6, 0.7, 0.7
ARCHIVE = "true"      # both sides take what makes a backup consistent themselves


def config() -> dict[str, str]:
    """Return what the server needs so that pgBackRest takes backups of it."""
    return {"archive_mode": "on", "archive_command": ARCHIVE, "wal_level": "replica"}


def available() -> bool:
    """Say whether pgBackRest is here."""
    return shutil.which("pgbackrest") is not None


class PgBackRest:
    """One repository of pgBackRest with its options."""

    def __init__(self, server: Any, folder: pathlib.Path, name: str, *more: str) -> None:
        self.server, self.home = server, folder / f"pgbackrest-{name}"
        self.home.mkdir()
        (self.home / "pgbackrest.conf").write_text("\n".join([
            "[global]", f"repo1-path={self.home}/repo", f"log-path={self.home}", f"lock-path={self.home}/lock",
            "log-level-console=error", "log-level-file=off", "process-max=2", "compress-type=zst", "compress-level=1",
            "repo1-retention-full=1", "start-fast=y", *more, "[bench]", f"pg1-path={server.folder}/data",
            f"pg1-socket-path={server.folder}", "pg1-port=5432", f"pg1-user={server.superuser}", ""]))
        (self.home / "pgbackrest.conf").chmod(0o644)
        _owned(self.home)
        self.words = ["pgbackrest", f"--config={self.home}/pgbackrest.conf", "--stanza=bench"]
        self._archiving()
        self._run("stanza-create")

    def _run(self, *words: str) -> tuple[float, int]:
        """Run it as the server's own account, as its documentation wants."""
        who = unprivileged()
        account = ["setpriv", f"--reuid={who['user']}", f"--regid={who['group']}", "--clear-groups"] if who else []
        return run([*account, *self.words, *words], environment(), cwd=str(self.home))

    def _archiving(self) -> None:
        """Let the server push its WAL here, so that this repository can be restored from."""
        push = " ".join([*self.words, "archive-push", "%p"])
        self.server.sql(f"ALTER SYSTEM SET archive_command = '{push}'", "SELECT pg_reload_conf()")

    def backup(self) -> tuple[float, int, int]:
        """Take a full backup."""
        self._archiving()
        seconds, peak = self._run("--type=full", "backup")
        return seconds, peak, _size(self.home / "repo")

    def restore(self, data: pathlib.Path) -> tuple[float, int, int]:
        """Restore into data and start a server, until it answers."""
        _empty(data)
        get = " ".join([*self.words, f"--pg1-path={data}", "archive-get", "%f", '"%p"'])
        seconds, peak = self._run(f"--pg1-path={data}", f"--recovery-option=restore_command={get}", "restore")
        more = _start_and_stop(self.server, data)
        return seconds + more, peak, 0


def measure(server: Any, folder: pathlib.Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Take and restore backups in turn and return the rows."""
    for name, value in config().items():
        if server.sql(f"SHOW {name}")[0][0] != value and name != "archive_command":
            raise RuntimeError(f"the bench's server needs {name} = {value}")
    peers = {"pgBackRest": PgBackRest(server, folder, "plain"),
             "pgBackRest, bundles": PgBackRest(server, folder, "bundles", "repo1-bundle=y")}
    ours, sealed = _Ours(server, folder, "base"), _Ours(server, folder, "sealed", sealed=True)
    taken = in_turn(rounds, {"base backup": ours.backup, "base backup, sealed": sealed.backup,
                             **{name: each.backup for name, each in peers.items()}}, say)
    place = folder / "restored"
    place.mkdir()
    _owned(place)
    data = place / "data"
    restored = in_turn(rounds, {"recovery": lambda: ours.recover(data),
                                **{f"{name} restore": (lambda each=each: each.restore(data))
                                   for name, each in peers.items()}}, say)
    server.sql("ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()")
    best = min((taken[name] for name in peers), key=lambda each: each.median)
    best_restore = min((restored[f"{name} restore"] for name in peers), key=lambda each: each.median)
    mine, closed, back = taken["base backup"], taken["base backup, sealed"], restored["recovery"]
    return [
        Row("base backup, server zstd 1, 2 workers : best pgBackRest full", ratio(mine, best), BACKUP_GOAL,
            detail=f"{_pair(mine, best)} ({best.name}); {mine.size / 1e6:.0f} / {best.size / 1e6:.0f} MB"),
        Row("the same sealed by age : best pgBackRest full, unsealed", ratio(closed, best), SEALED_GOAL,
            detail=f"{_pair(closed, best)}; {closed.size / 1e6:.0f} MB"),
        Row("recovery to 'answers queries' : best pgBackRest restore", ratio(back, best_restore), RESTORE_GOAL,
            detail=f"{_pair(back, best_restore)} ({best_restore.name}); our whole command, with the "
                   f"shutdown and the flush to the disk, {statistics.median(ours.whole[1:]):.2f} s"),
        Row("peak memory of a base backup", max(mine.peak, closed.peak) / 2**20, LIMIT / 2**20, unit="MiB"),
        Row("peak memory of a recovery", back.peak / 2**20, LIMIT / 2**20, unit="MiB"),
    ]


class _Ours:
    def __init__(self, server: Any, folder: pathlib.Path, name: str, *, sealed: bool = False) -> None:
        from tests.kit.agekeys import make_pair  # needs the core on the path, which run.py puts there
        self.repository, self.config = folder / name, folder / f"{name}.json"
        self.whole: list[float] = []   # seconds of recoveries to their very end; the first one is the warm-up
        self.config.write_text(json.dumps({
            "repositories": {"local": {"type": "local", "path": str(self.repository)}},
            "encryption": {"recipients": [make_pair(folder / f"{name}.key").public]} if sealed else {},
            "clusters": {"bench": {"connection": server.settings, "bin_dir": server.bin_dir}}}))

    def backup(self) -> tuple[float, int, int]:
        shutil.rmtree(self.repository, ignore_errors=True)
        seconds, peak = run(restorable("--config", str(self.config), "-q", "backup", "--kind", "base"), environment())
        return seconds, peak, _size(self.repository)

    def recover(self, data: pathlib.Path) -> tuple[float, int, int]:
        # the whole command, less what it does after its server has answered: to shut it down, and to flush the disk
        _empty(data)
        heard: list[bytes] = []
        seconds, peak = run(restorable("--config", str(self.config), "-q", "--json", "recover", str(data)),
                            environment(), heard=heard)
        told = json.loads(heard[0][heard[0].index(b"{"):])
        self.whole.append(seconds)
        return seconds - (told["seconds"] - told["answers_after"]), peak, 0


def _start_and_stop(server: Any, data: pathlib.Path) -> float:
    import time
    log = data.parent / "log"
    words = [f"{server.bin_dir}/pg_ctl", "-D", str(data), "-w", "-t", "600", "-l", str(log)]
    who = unprivileged()
    options = f"-c unix_socket_directories={data.parent} -c listen_addresses= -c archive_mode=off"
    began = time.monotonic()
    subprocess.run([*words, "-o", options, "start"], check=True, cwd=data.parent, stdout=subprocess.DEVNULL, **who)
    seconds = time.monotonic() - began
    subprocess.run([*words, "-m", "immediate", "stop"], check=True, cwd=data.parent, stdout=subprocess.DEVNULL, **who)
    return seconds


def _empty(data: pathlib.Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    _owned(data)


def _owned(path: pathlib.Path) -> None:
    who = unprivileged()
    if who:
        os.chown(path, who["user"], who["group"])


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _pair(a: Series, b: Series) -> str:
    return f"{a.median:.2f} / {b.median:.2f} s"
