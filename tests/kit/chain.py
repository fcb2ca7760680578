# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole chain, wired as the app wires it: backup, verify, drill, prune and restore of a real server.

Its world may be bent where the ports are: another store, another scratch, a bin_dir with a program of our own.
"""
from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from typing import Any, Callable

from _restorable.app import wire
from _restorable.host.progress import Silent
from _restorable.model.drill import Evidence
from _restorable.model.manifest import Manifest
from _restorable.model.policy import Policy
from _restorable.model.settings import ClusterSettings, Settings
from _restorable.ops import adopt, backup, drill, hold, prune, restore, status, sync, verify
from kit.place import new_place

HERE = pathlib.Path(__file__).parents[1]
CORE = HERE.parent / "plugins" / "module_utils"
NAME = "app"                       # of the cluster


class Chain:
    """One cluster and its repositories below folder; jobs are the settings of its dump and drill."""

    def __init__(self, server: Any, folder: pathlib.Path, *, repositories: tuple[str, ...] = ("local",),
                 bin_dir: str | None = None, connection: dict[str, Any] | None = None,
                 repository: dict[str, Any] | None = None, **dump: Any) -> None:
        self.server, self.folder = server, folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.body: dict[str, Any] = {
            "repositories": {name: {"path": str(folder / name), **(repository or {})} for name in repositories},
            "clusters": {NAME: {
                "connection": {**server.settings, **(connection or {})}, "bin_dir": bin_dir or server.bin_dir,
                "jobs": {"dump": dump, "drill": {"scratch": {"dir": str(self.scratch)}}}}}}
        self.wrap_store: Callable[[Any], Any] = lambda store: store
        self.wrap_cluster: Callable[[Any], Any] = lambda cluster: cluster
        self.wrap_scratch: Callable[[Any], Any] = lambda scratch: scratch
        self.progress: Any = Silent()
        self.source = ""           # the one repository that is read from

    @property
    def own(self) -> dict[str, Any]:
        """The cluster's settings, to be changed."""
        return self.body["clusters"][NAME]

    def settings(self) -> Settings:
        return Settings.of(json.loads(json.dumps(self.body)))

    def cluster(self) -> ClusterSettings:
        return self.settings().cluster(NAME)

    def world(self) -> Any:
        world = wire.open_world(self.settings(), self.cluster(), self.progress)
        return replace(world, stores=tuple(self.wrap_store(store) for store in world.stores), source=self.source)

    def back_up(self, *, dry_run: bool = False, **job: Any) -> Any:
        """Take a set; job are settings that count this time only. Returns the report."""
        cluster = self._with("dump", job)
        return backup.back_up(self.world(), self.wrap_cluster(wire.open_cluster(cluster)), cluster.dump,
                              dry_run=dry_run)

    def taken(self, **job: Any) -> Manifest:
        """Take a set and return its manifest."""
        return self.back_up(**job).manifest

    def drill(self, backup: str = "latest", *, dry_run: bool = False, **job: Any) -> Evidence:
        cluster = self._with("drill", {"backup": backup, **job})
        scratch = self.wrap_scratch(wire.open_scratch(cluster))
        plan, evidence = drill.drill(self.world(), scratch, cluster, cluster.drill, choose=wire.chooser(1),
                                     dry_run=dry_run)
        return plan if dry_run else evidence

    def verify(self, wish: str = "all", *, dry_run: bool = False) -> list[Any]:
        return verify.verify(self.world(), wire.open_archives(self.cluster()), wish, dry_run=dry_run)

    def prune(self, *, dry_run: bool = False, confirm: bool = False, **policy: Any) -> list[Any]:
        return prune.prune(self.world(), Policy.of(policy), dry_run=dry_run, confirm=confirm)

    def sync(self, **how: Any) -> dict[str, Any]:
        """Bring the repositories level; return the rows by repository."""
        return {row.repository: row for row in sync.sync(self.world(), self.cluster(), **how)}

    def restore(self, *, dry_run: bool = False, **wish: Any) -> Any:
        return restore.restore(self.world(), wire.open_target(self.cluster()), restore.RestoreWish(**wish),
                               choose=wire.chooser(1), dry_run=dry_run)

    def hold(self, backup: str = "latest", **how: Any) -> Any:
        return hold.hold(self.world(), backup, **how)

    def adopt(self, folder: pathlib.Path, *patterns: str, dry_run: bool = False) -> Any:
        from _restorable.host.folder import LocalFolder
        return adopt.adopt(self.world(), wire.open_archives(self.cluster()), LocalFolder(str(folder)),
                           adopt.AdoptWish(patterns), dry_run=dry_run)

    def list(self) -> list[Any]:
        return status.list_backups(self.world(), self.cluster())

    def status(self) -> Any:
        return status.status(self.world(), self.cluster())

    def show(self, backup: str = "latest") -> Any:
        return status.show(self.world(), backup)

    def ids(self, repository: str = "local") -> list[str]:
        """Return the ids of the committed sets of one repository."""
        return [str(each.id) for row in self.list() if row.name == repository for each in row.catalogue.committed()]

    def files(self, *under: str) -> dict[str, str]:
        """Return {path: SHA-256} of every file of the repositories but locks and journals; under cuts to sets by id."""
        found = {}
        for name in self.body["repositories"]:
            root = self.folder / name
            for path in sorted(root.rglob("*")):
                key = str(path.relative_to(self.folder))
                kept = "/.state/" not in key and f"/{NAME}/journal/" not in key
                if path.is_file() and kept and (not under or any(each in key for each in under)):
                    found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def objects(self, backup: Any, repository: str = "local") -> list[pathlib.Path]:
        """Return the files of one set."""
        return sorted((self.folder / repository / NAME / "backup" / str(backup)).iterdir())

    def modes(self) -> set[str]:
        """Return the modes of all files below folder."""
        return {oct(stat.S_IMODE(path.stat().st_mode)) for path in self.folder.rglob("*") if path.is_file()}

    def config(self) -> str:
        """Write the settings file of the host command and return its path."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.body))
        path.chmod(0o600)
        return str(path)

    def command(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start the host command."""
        words = [sys.executable, "-m", "_restorable", "--config", self.config(), *argv]
        return subprocess.Popen(words, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, **options)

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Run the host command to its end; return (status, out, err)."""
        process = self.command(*argv)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def killed(self, verb: str, phase: str, *, advanced: bool = False, **wish: Any) -> int:
        """Run a verb in a process of its own that kills itself by SIGKILL as a phase begins, or in its midst."""
        words = [sys.executable, "-m", "kit.killed", self.config(), verb, phase, "midst" if advanced else "",
                 json.dumps(wish)]
        process = subprocess.run(words, env=self._environment(), stdin=subprocess.DEVNULL, timeout=120,
                                 capture_output=True, text=True, check=False)
        assert process.returncode in (-9, 0), process.stderr
        return process.returncode

    def waiting(self, verb: str, phase: str) -> subprocess.Popen[str]:
        """Run a verb in a process of its own that waits as a phase begins; return it there. It is to be killed."""
        words = [sys.executable, "-m", "kit.killed", self.config(), verb, phase, "wait"]
        process = subprocess.Popen(words, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "reached\n", process.communicate()[1]
        return process

    def _environment(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "RESTORABLE"))}
        return {**clean, "PYTHONPATH": os.pathsep.join((str(CORE), str(HERE), str(HERE.parent / "tools"))),
                "TMPDIR": str(self.temporary()), "NO_COLOR": "1"}

    def temporary(self) -> pathlib.Path:
        """Return the folder that takes the temporary files of commands."""
        path = self.folder / "tmp"
        path.mkdir(exist_ok=True)
        path.chmod(0o711)
        return path

    def _with(self, job: str, changes: dict[str, Any]) -> ClusterSettings:
        body = json.loads(json.dumps(self.body))
        body["clusters"][NAME]["jobs"][job].update(changes)
        return Settings.of(body).cluster(NAME)


def new_folder() -> pathlib.Path:
    """Make a folder with a short name that every account may pass through: scratch servers run as another one."""
    path = new_place("rf-")
    path.chmod(0o711)
    return path


def programs(server: Any, folder: pathlib.Path, **scripts: str) -> str:
    """Make a bin_dir with the server's programs, of which some are shell scripts; $REAL in one is what it replaces.

    Asked for its version, a script answers as the real program does.
    """
    bin_dir = folder / "bin"
    shutil.rmtree(bin_dir, ignore_errors=True)
    bin_dir.mkdir()
    for program in pathlib.Path(server.bin_dir).iterdir():
        if program.name in scripts:
            (bin_dir / program.name).write_text(
                f'#!/bin/bash\nREAL={program}\nif [ "$1" = --version ]; then exec $REAL --version; fi\n'
                f"{scripts[program.name]}\n")
            (bin_dir / program.name).chmod(0o755)
        else:
            (bin_dir / program.name).symlink_to(program)
    return str(bin_dir)


def flipped(path: pathlib.Path, where: str) -> None:
    """Flip one bit of a file's first, middle or last byte."""
    data = bytearray(path.read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[where]] ^= 0x10
    path.write_bytes(data)


def failed(evidence: Any) -> list[str]:
    """Return "L3 structure app: index public.x lost" of every failed check."""
    return [f"{each.level} {each.name}: {each.detail}" for each in evidence.checks if each.result == "failed"]
