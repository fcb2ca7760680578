# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`restorable schedule` as a container runs it, without the container: the same variables, folders of a test."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CORE = Path(__file__).parents[2] / "plugins" / "module_utils"
PATIENCE = 120.0                   # seconds after which a thing that does not happen is a failure


class Container:
    """The command and its scheduler, set by environment variables."""

    def __init__(self, folder, server, **environment):
        self.folder = folder
        self.backups = folder / "backups"
        self.backups.mkdir(mode=0o700, exist_ok=True)
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith(("PG", "RESTORABLE", "BACKUP", "DB_", "POSTGRES"))}
        self.environment = {
            **clean, "PYTHONPATH": str(CORE), "RESTORABLE_CONFIG": "environment", "BACKUP_DIR": str(self.backups),
            "RESTORABLE_WATCH": str(folder / "run" / "watch.json"), "BACKUP_PREFIX": "staging-db",
            "POSTGRES_HOST": str(server.folder), "POSTGRES_USER": server.superuser,
            "PATH": f"{server.bin_dir}:{clean['PATH']}", **environment}
        self.process = None

    def start(self, *words, verb="schedule"):
        self.process = subprocess.Popen([sys.executable, "-m", "_restorable", verb, *words],
                                        env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)

    def run(self, *words):
        return subprocess.run([sys.executable, "-m", "_restorable", *words], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ask(self, host, user, database, query):
        done = subprocess.run(["psql", "-X", "-At", "-h", host, "-U", user, "-c", query, database], check=True,
                              env=self.environment, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    @property
    def log(self):
        path = self.backups / "cron.log"
        return path.read_text() if path.exists() else ""

    def wait(self, true, what):
        until = time.monotonic() + PATIENCE
        while not true():
            assert self.process.poll() is None, f"it ended: {self.process.stdout.read()}"
            assert time.monotonic() < until, f"{what} did not happen:\n{self.log}"
            time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode, said

    def files(self):
        return sorted(str(path.relative_to(self.backups)) for path in self.backups.rglob("*")
                      if path.is_file() and ".state" not in path.parts and path.name != "cron.log")
