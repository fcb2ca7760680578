# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One compose stack, driven as its operator would: docker compose in its folder."""
from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

PSQL = ("exec", "-T", "db", "psql", "-h", "/tmp", "-U", "owner", "-XAtqc")     # noqa: S108 - inside the container
PATIENCE = 150.0                   # seconds after which a thing that does not happen is a failure
FOLDER = Path(os.environ["STACKS"])
ROWS = "5000"


def started(name: str) -> Stack:
    """Return a stack whose database runs and has a table."""
    stack = Stack(FOLDER / name)
    stack.compose("up", "-d", "db")
    stack.wait_for_server()
    stack.sql("CREATE TABLE IF NOT EXISTS orders AS SELECT g AS id, md5(g::text) AS body "
              f"FROM generate_series(1, {ROWS}) g")
    return stack


class Stack:
    """A stack's folder and what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backups, self.evidence = folder / "backups", folder / "evidence"
        self.name = folder.name

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run docker compose."""
        done = subprocess.run(["docker", "compose", *words], cwd=self.folder, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert not check or done.returncode == 0, done.stdout
        return done

    def told(self, *words: str) -> str:
        """Run docker compose and return its answer alone, without what it may say beside it."""
        done = subprocess.run(["docker", "compose", *words], cwd=self.folder, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, service: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a verb in a container of its own: docker compose run --rm SERVICE WORDS."""
        return self.compose("run", "--rm", "-T", service, *words, check=check)

    def begin(self, service: str, *words: str) -> subprocess.Popen[str]:
        """Begin a verb and do not wait for it."""
        return subprocess.Popen(["docker", "compose", "run", "--rm", "-T", service, *words], cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def sql(self, statement: str) -> str:
        """Run a statement in the shop's database, inside its own container."""
        return self.told(*PSQL, statement, "shop")

    def wait_for_server(self) -> None:
        """Wait until the database is there and takes sessions."""
        self.wait(lambda: self.compose(*PSQL, "SELECT 1", "shop", check=False).returncode == 0, "a server")

    def container(self, service: str) -> dict:
        """Return what the engine says of a service's container."""
        name = self.told("ps", "--all", "--quiet", service)
        return json.loads(subprocess.run(["docker", "inspect", name], check=True, stdout=subprocess.PIPE).stdout)[0]

    def health(self) -> tuple[str, str]:
        """Return (status, what the last check said) of the backup service."""
        health = self.container("backup")["State"].get("Health", {})
        log = health.get("Log") or [{"Output": ""}]
        return health.get("Status", ""), log[-1]["Output"]

    def wait(self, true, what: str, every: float = 0.5) -> None:
        """Wait for something."""
        until = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < until, f"{what} did not happen:\n{self.compose('logs', 'backup').stdout[-3000:]}"
            time.sleep(every)

    def sets(self) -> list[str]:
        """Return the ids of committed dumps, oldest first."""
        return sorted(path.parent.name for path in self.backups.glob("*/backup/*-dump*/manifest.json"))

    def unfinished(self) -> list[str]:
        """Return the files of sets without a manifest, and parts of files."""
        parts = [str(path) for path in self.backups.rglob(".part/*")]
        return parts + [str(path) for path in self.backups.glob("*/backup/*/*")
                        if not (path.parent / "manifest.json").exists()]

    def begun(self) -> bool:
        """Return whether an unfinished set holds bytes; its files come and go while they are looked at."""
        for path in self.unfinished():
            try:
                if Path(path).stat().st_size:
                    return True
            except FileNotFoundError:
                continue
        return False
