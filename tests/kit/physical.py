# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of physical backups, wired as the app wires it: base backups, incrementals and recoveries."""
from __future__ import annotations

import pathlib
import shutil
import time
from contextlib import contextmanager
from typing import Any, Iterator

from _restorable.app import wire
from _restorable.host.wal_source import OneFile
from _restorable.model.manifest import Manifest
from _restorable.model.recovery_target import Target
from _restorable.model.settings import Settings
from _restorable.model.wal import is_wal_name
from _restorable.model.wal_settings import WalJob
from _restorable.ops import base
from _restorable.ops.drill_base import drill_base
from _restorable.ops.recover import recover
from _restorable.ops.recover_plan import RecoverWish
from _restorable.ops.wal_archive import WalArchive
from _restorable.postgres.recover_place import DataDirectory
from kit.chain import NAME, Chain
from kit.servers import RunningServer, run_folder, unprivileged

# what a server of that major needs for everything here
CONFIG = {15: {}, 16: {}, 17: {"summarize_wal": "on"}, 18: {"summarize_wal": "on"}}


def archiving(major: int) -> dict[str, str]:
    """Return the settings of a server that archives into pg_wal/../arch, from where ship() takes it.

    Real archive_commands have tests of their own; here WAL must come when the test says so.
    """
    return {**CONFIG[major], "archive_mode": "on", "wal_level": "replica", "full_page_writes": "on",
            "archive_command": "mkdir -p ../arch && cp %p ../arch/%f.part && mv ../arch/%f.part ../arch/%f"}


class Physical(Chain):
    """One cluster whose whole server is copied; jobs are settings of base and incremental."""

    def __init__(self, server: Any, folder: pathlib.Path, **options: Any) -> None:
        super().__init__(server, folder, **options)
        self.wrap_source = lambda source: source
        self.wrap_recovery = lambda place: place
        self.archived = False
        self.sleep = base.pause

    def base(self, *, kind: str = "base", dry_run: bool = False, **job: Any) -> Any:
        """Take a base backup; job are settings that count this time only. Returns what was done."""
        self.own["jobs"].setdefault(kind, {})
        body = self._with(kind, job)
        wanted = body.base if kind == "base" else body.incremental
        source = self.wrap_source(wire.open_source(body))
        return base.back_up_base(self.world(), source, wanted, archived=self.archived, dry_run=dry_run,
                                 sleep=self.sleep)

    def based(self, **how: Any) -> Manifest:
        """Take a base backup and return its manifest."""
        return self.base(**how).manifest

    def ship(self) -> list[str]:
        """Bring what the server has archived into every repository; return the names."""
        archive = WalArchive(self.world(), WalJob(method="push"))
        folder = self.server.folder / "arch"
        names = sorted(path.name for path in folder.iterdir() if is_wal_name(path.name)) if folder.exists() else []
        for name in names:
            archive.add(OneFile(str(folder / name)), name)
        return names

    def switch(self) -> str:
        """End the present segment and ship all up to it; return the place where it ended."""
        place = self.server.sql("SELECT pg_current_wal_lsn()::text")[0][0]
        segment = self.server.sql("SELECT pg_walfile_name(pg_switch_wal())")[0][0]
        while segment not in self.ship():
            time.sleep(0.05)
        return place

    def waiting(self, _seconds: float) -> None:
        """Ship while a base backup waits for its WAL."""
        self.ship()
        time.sleep(0.05)

    def now(self) -> str:
        """Return the server's time in a form that a target takes."""
        return self.server.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
                               " || '+00:00'")[0][0]

    def place(self, path: pathlib.Path | str, **options: Any) -> DataDirectory:
        """Return a data directory to recover into, with this server's programs."""
        return DataDirectory(str(path), bin_dir=options.pop("bin_dir", self.server.bin_dir), **options)

    def recover(self, path: pathlib.Path | str, kind: str = "latest", value: str = "", *, dry_run: bool = False,
                inclusive: bool = True, places: dict[str, str] | None = None, bin_dir: str | None = None,
                **wish: Any) -> Any:
        """Recover into path; return (plan, what was done)."""
        place = self.place(path, places=places or {}, bin_dir=bin_dir or self.server.bin_dir)
        return recover(self.world(), place, RecoverWish(Target.of(kind, value, inclusive=inclusive), **wish),
                       dry_run=dry_run)

    def drill_base(self, backup: str = "latest", *, dry_run: bool = False, **job: Any) -> Any:
        """Drill a base backup; job are settings of the drill. Returns the evidence, or the plan."""
        cluster = self._with("drill", {"backup": backup, "kind": "base", **job})
        place = self.wrap_recovery(wire.open_scratch_recovery(cluster))
        plan, evidence = drill_base(self.world(), place, cluster, cluster.drill, choose=wire.chooser(1),
                                    dry_run=dry_run)
        return plan if dry_run else evidence

    @contextmanager
    def running(self, path: pathlib.Path | str) -> Iterator[RunningServer]:
        """Run a recovered data directory as its owner would, on a socket beside it."""
        home = pathlib.Path(path).parent
        with open(pathlib.Path(path) / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"\nunix_socket_directories = '{home}'\n")
        with run_folder(self.server.major, self.server.bin_dir, home) as back:
            yield back

    def settings_of(self, **own: Any) -> Any:
        """Return the cluster's settings with changes."""
        return Settings.of({**self.body, "clusters": {NAME: {**self.own, **own}}}).cluster(NAME)


def home(folder: pathlib.Path, name: str = "home") -> pathlib.Path:
    """Make a folder of the servers' account and return the path of a data directory in it."""
    path = folder / name
    path.mkdir()
    who = unprivileged()
    if who:
        shutil.chown(path, who["user"], who["group"])
    return path / "data"
