# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WAL beside pgBackRest: draining 100 ready segments, fetching and replaying them, archive_command, the prune plan.

Draining and fetching are driven the way PostgreSQL does it: one command after another, by sh, in the data directory,
for each segment in its order; what replays a segment is not in the fetching. The replay is a real server's, which
recovers from a copy of before the load to the end of the archive.
"""
from __future__ import annotations

import datetime
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator

from _restorable.host.wal_scripts import write_scripts
from _restorable.model.archiving import archive_command, restore_command
from _restorable.model.lsn import Lsn
from _restorable.model.wal import Segment
from _restorable.model.wal_naming import stored_wal, wal_key
from _restorable.model.wal_retention import BaseSpan, plan_wal, wal_keep
from _restorable.model.wal_settings import WalJob
from tests.kit.servers import RunningServer, run_folder, start_server, unprivileged

from .measure import Series, in_turn, ratio
from .table import Row

COUNT = 100
NOW = datetime.datetime(2026, 11, 20, tzinfo=datetime.timezone.utc)
SHA = "ab" * 32


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the rows; those beside pgBackRest only where it is installed, and say so otherwise."""
    rows = [_plan_row(say), _memory_row(say)]
    with _segments(say) as (server, names, folder):
        ours = Ours(server, folder, names)
        rows.append(_command_row(ours, rounds, say))
        if shutil.which("pgbackrest") is None:
            say("pgbackrest is missing: `apt-get install pgbackrest` (Debian) measures WAL side by side with it")
            return rows
        theirs = Theirs(server, folder, names)
        drained = in_turn(rounds, {"restorable": ours.drain, "pgbackrest": theirs.drain}, say)
        fetched = in_turn(rounds, {"restorable": ours.fetch, "pgbackrest": theirs.fetch}, say)
        rows.append(_row(f"rate of draining {COUNT} segments", drained, 1.3))
        rows.append(_row(f"rate of fetching {COUNT} segments, without replay", fetched, 1.0))
        replayed = in_turn(rounds, {"restorable": ours.replay, "pgbackrest": theirs.replay}, say)
        rows.append(_row(f"rate of a server's replay of {COUNT} segments", replayed, 1.0))
        rows.append(Row("memory of the shipper : 128 MiB", ours.peak / 2**27, 1, detail=f"{ours.peak / 2**20:.0f} MiB"))
    return rows


def _row(what: str, runs: dict[str, Series], least: float) -> Row:
    mine, other = runs["restorable"], runs["pgbackrest"]
    return Row(f"{what} : pgBackRest async's", ratio(other, mine), least, at_most=False,
               detail=f"{mine.median:.2f} / {other.median:.2f} s")


@contextmanager
def _segments(say: Callable[[str], None]) -> Iterator[tuple[RunningServer, list[str], pathlib.Path]]:
    """Give a server with segments that wait and are of a real load, and a folder of its account."""
    config = {"wal_level": "replica", "archive_mode": "on", "archive_command": "exit 9", "max_wal_size": "1GB",
              "wal_keep_size": "4GB", "fsync": "off"}
    with start_server(15, config=config) as server:
        folder = server.folder / "bench"
        folder.mkdir(mode=0o700)
        _give(folder)
        subprocess.run([f"{server.bin_dir}/pg_basebackup", "-h", str(server.folder), "-U", server.superuser, "-c",
                        "fast", "-D", f"{folder}/base", "-X", "fetch", "--no-sync"], check=True, cwd=folder,
                       **unprivileged())
        say(f"writing {COUNT} segments")
        server.sql("CREATE TABLE t AS SELECT g n, md5(g::text) a, random() b FROM generate_series(1, 200000) g")
        status = server.folder / "data" / "pg_wal" / "archive_status"
        while len(list(status.glob("*.ready"))) <= COUNT:
            server.sql("UPDATE t SET b = random(), a = md5(b::text)")
        ready = sorted(path.name[:-len(".ready")] for path in status.glob("*.ready"))
        names = [each for each in ready if len(each) == 24][:COUNT]    # not the base backup's own history file
        yield server, names, folder


class Contestant:
    """Drives an archive_command and a restore_command over the segments."""

    def __init__(self, server: RunningServer, folder: pathlib.Path, names: list[str]) -> None:
        self.server, self.folder, self.names = server, folder, names
        self.data = server.folder / "data"

    def each(self, command: str, *, after: Callable[[str], None] = lambda _name: None) -> float:
        """Run a command for every segment as PostgreSQL does; return the seconds."""
        began = time.monotonic()
        for name in self.names:
            path = f"pg_wal/{name}" if "RECOVERYXLOG" not in command else "pg_wal/RECOVERYXLOG"
            words = command.replace("%p", path).replace("%f", name)
            while subprocess.run(["sh", "-c", words], cwd=self.data, check=False, **unprivileged()).returncode:
                time.sleep(0.05)
            after(name)
        return time.monotonic() - began

    def recovered(self, command: str) -> float:
        """Recover a fresh copy to the end of the archive by a restore_command; return the seconds until it is open."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(mode=0o700)
        shutil.copytree(self.folder / "base", copy / "data")
        lines = {"restore_command": command, "unix_socket_directories": str(copy), "archive_mode": "off"}
        with open(copy / "data" / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in lines.items())
        (copy / "data" / "recovery.signal").touch()
        _give(copy)
        began = time.monotonic()
        with run_folder(self.server.major, self.server.bin_dir, copy, self.server.superuser) as back:
            while "database system is ready to accept connections" not in back.log_text():
                if back.process.poll() is not None:
                    raise RuntimeError(f"the server ended:\n{back.log_text()[-2000:]}")
                time.sleep(0.05)
            seconds = time.monotonic() - began
            restored = back.log_text().count("restored log file")
        if restored < COUNT - 2:
            raise RuntimeError(f"{restored} segments were replayed, not {COUNT}")
        return seconds

    def took(self, name: str) -> None:
        """Do what PostgreSQL does with a restored segment, but for replaying it."""
        path = self.data / "pg_wal" / "RECOVERYXLOG"
        if path.stat().st_size != 16 * 2**20:
            raise RuntimeError(f"{name} has {path.stat().st_size} bytes")
        path.unlink()


class Ours(Contestant):
    """Our scripts and our shipper."""

    def __init__(self, server: RunningServer, folder: pathlib.Path, names: list[str]) -> None:
        super().__init__(server, folder, names)
        self.peak = 0
        self.spool, self.repository = folder / "spool", folder / "repository"
        self.job = WalJob("push", spool=str(self.spool), wait=60)
        core = pathlib.Path(__file__).parents[2] / "plugins" / "module_utils" / "_restorable"
        shutil.copytree(core, folder / "lib" / "_restorable", ignore=shutil.ignore_patterns("__pycache__"))
        zstandard = pathlib.Path(importlib.util.find_spec("zstandard").origin).parent
        shutil.copytree(zstandard, folder / "lib" / "zstandard")
        config = folder / "config.json"
        config.write_text(json.dumps({
            "repositories": {"local": {"path": str(self.repository)}},
            "clusters": {"shop": {"wal": {"spool": str(self.spool), "data_directory": str(folder / "view")}}}}))
        # what the shipper sees of the server: the same files, which are ready when the clock starts
        self.status = folder / "view" / "pg_wal" / "archive_status"
        self.status.mkdir(parents=True)
        for name in names:
            os.link(self.data / "pg_wal" / name, self.status.parent / name)
        self.launcher = folder / "restorable"
        self.launcher.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/lib exec {_python()} -m _restorable '
                                 f'--config {config} -q "$@"\n')
        self.launcher.chmod(0o755)

    def _fresh(self) -> None:
        for each in (self.spool, self.repository, self.status):
            shutil.rmtree(each, ignore_errors=True)
        self.status.mkdir()
        self.spool.mkdir(mode=0o700)
        write_scripts(str(self.spool))
        _give(self.folder)

    @contextmanager
    def shipper(self) -> Iterator[Any]:
        """Run the shipper."""
        process = subprocess.Popen([str(self.launcher), "wal-ship"], cwd=self.folder, **unprivileged())
        try:
            yield process
        finally:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                peak = next((line for line in file if line.startswith("VmHWM")), "VmHWM: 0 kB")
            self.peak = max(self.peak, int(peak.split()[1]) * 1024)
            process.terminate()
            process.wait(60)

    def drain(self) -> tuple[float, int, int]:
        """Archive every segment once by the service that runs anyway; all of them become ready at once."""
        self._fresh()
        with self.shipper():
            while not (self.spool / "status.json").exists():
                time.sleep(0.05)
            began = time.monotonic()
            for name in self.names:
                (self.status / f"{name}.ready").touch()
            self.each(archive_command(self.job))
            return time.monotonic() - began, self.peak, 0

    def fetch(self) -> tuple[float, int, int]:
        """Fetch every segment once, by prefetching."""
        command = restore_command(self.job, [str(self.launcher), "wal-get"]).replace("%p", "pg_wal/RECOVERYXLOG")
        seconds = self.each(command, after=self.took)
        self._stop_prefetching()
        return seconds, 0, 0

    def _stop_prefetching(self) -> None:
        pid = self.spool / "get" / "pid"
        if pid.exists():
            with suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), 15)
            time.sleep(1)

    def replay(self) -> tuple[float, int, int]:
        """Let a server replay every segment, by prefetching."""
        shutil.rmtree(self.spool / "get", ignore_errors=True)
        seconds = self.recovered(restore_command(self.job, [str(self.launcher), "wal-get"]))
        self._stop_prefetching()
        return seconds, 0, 0

    def ahead(self) -> float:
        """Return the seconds of archive_command for all segments when the shipper is ahead of it."""
        for name in self.names:
            (self.spool / f"{name}.ok").touch()
        return self.each(archive_command(self.job))


class Theirs(Contestant):
    """pgBackRest, asynchronous, two processes, zst level 1."""

    def _command(self, words: str) -> str:
        return f"pgbackrest --config={self.folder}/pgbackrest.conf --stanza=shop {words}"

    def drain(self) -> tuple[float, int, int]:
        """Archive every segment once."""
        home = self.folder / "pgbackrest"
        shutil.rmtree(home, ignore_errors=True)
        for each in ("repo", "spool", "lock", "log"):
            (home / each).mkdir(parents=True, mode=0o700)
        (self.folder / "pgbackrest.conf").write_text(
            f"[global]\nrepo1-path={home}/repo\nspool-path={home}/spool\nlock-path={home}/lock\n"
            f"log-path={home}/log\nlog-level-file=off\nlog-level-console=off\ncompress-type=zst\ncompress-level=1\n"
            f"process-max=2\narchive-async=y\narchive-get-queue-max=128MiB\n[shop]\npg1-path={self.data}\n"
            f"pg1-socket-path={self.server.folder}\npg1-user={self.server.superuser}\n")
        _give(self.folder)
        subprocess.run(["sh", "-c", self._command("stanza-create")], check=True, cwd=self.data, **unprivileged())
        return self.each(self._command("archive-push %p")), 0, 0

    def fetch(self) -> tuple[float, int, int]:
        """Fetch every segment once."""
        self._empty_spool()
        return self.each(self._command("archive-get %f pg_wal/RECOVERYXLOG"), after=self.took), 0, 0

    def replay(self) -> tuple[float, int, int]:
        """Let a server replay every segment."""
        self._empty_spool()
        words = f'--pg1-path={self.folder}/copy/data archive-get %f "%p"'
        return self.recovered(self._command(words)), 0, 0

    def _empty_spool(self) -> None:
        shutil.rmtree(self.folder / "pgbackrest" / "spool")
        (self.folder / "pgbackrest" / "spool").mkdir(mode=0o700)
        _give(self.folder)


def _command_row(ours: Ours, rounds: int, say: Callable[[str], None]) -> Row:
    ours._fresh()
    runs = in_turn(rounds, {"archive.sh": lambda: (ours.ahead(), 0, 0), "sh -c :": lambda: (ours.each(":"), 0, 0)},
                   say)
    script, nothing = runs["archive.sh"], runs["sh -c :"]
    return Row("archive_command when the shipper is ahead : sh -c :", ratio(script, nothing), 4,
               detail=f"{script.median * 1000 / COUNT:.1f} / {nothing.median * 1000 / COUNT:.1f} ms")


def _plan(bases: int, segments: int) -> float:
    step = segments // bases
    spans = [BaseSpan(str(number), NOW - datetime.timedelta(hours=bases - number), 1, Lsn(number * step * 2**24),
                      Lsn((number * step + 1) * 2**24)) for number in range(bases)]
    keys = ((wal_key("shop", Segment(1, number).name, SHA, ".zst"), 1_000_000) for number in range(segments))
    began = time.process_time()
    keep = wal_keep(spans, datetime.timedelta(days=7), NOW)
    plan = plan_wal(keep, stored_wal(keys))
    if sum(each.count for each in plan.fates) != segments:
        raise RuntimeError("the plan does not tell of every segment")
    return time.process_time() - began


def _plan_row(say: Callable[[str], None]) -> Row:
    # in turn, and the best of each: the small one is over in less time than a busy machine's moods last
    both = [(_plan(100, 100_000), _plan(1000, 1_000_000)) for _round in range(3)]
    small, large = min(one for one, _other in both), min(other for _one, other in both)
    say(f"plan of WAL: {large:.1f} s for 1,000,000 segments and 1,000 bases, {small:.2f} s for a tenth of it")
    return Row("plan of 1,000,000 : of 100,000 segments", large / small, 12, detail=f"{large:.1f} / {small:.2f} s")


def _memory_row(say: Callable[[str], None]) -> Row:
    # not getrusage's ru_maxrss: that begins with what this process has at the fork (exec_mmap in Linux's fs/exec.c)
    code = ("import sys; sys.path[:0] = sys.argv[1:]; from tests.bench import wal; wal._plan(1000, 1_000_000); "
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))")
    root = pathlib.Path(__file__).parents[2]
    path = [str(root), str(root / "tests"), str(root / "tools"), str(root / "plugins" / "module_utils")]
    done = subprocess.run([sys.executable, "-c", code, *path], capture_output=True, text=True, check=True)
    peak = int(done.stdout) / 1024
    say(f"plan of WAL: {peak:.0f} MiB at most")
    return Row("memory of a plan of 1,000,000 segments : 300 MiB", peak / 300, 1, detail=f"{peak:.0f} MiB")


def _python() -> str:
    return "/usr/bin/python3" if os.geteuid() == 0 else sys.executable


def _give(path: pathlib.Path) -> None:
    who = unprivileged()
    for each in (path, *path.rglob("*")) if who else ():
        with suppress(FileNotFoundError):      # pgBackRest takes its lock away when it has long answered
            os.chown(each, who["user"], who["group"], follow_symlinks=False)
