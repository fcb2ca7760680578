# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command with settings of its own: run(*words) → Ran(status, out, err)."""
from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

from _restorable.app.cli import main


@dataclass(frozen=True)
class Ran:
    """What one run gave."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """Return the one object of a run with --json."""
        return json.loads(self.out)


class Command:
    """The host command, its repositories below one folder."""

    def __init__(self, folder, clusters, *, repositories=("local",)):
        self.folder = Path(folder)
        body = {"repositories": {name: {"path": str(self.folder / name)} for name in repositories},
                "clusters": clusters}
        self.config = self.folder / "config.json"
        self.config.write_text(json.dumps(body))
        self.config.chmod(0o600)

    @property
    def environment(self):
        """Return the environment that leads the command to its settings."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "RESTORABLE"))}
        return {**clean, "RESTORABLE_CONFIG": str(self.config)}

    def __call__(self, *words):
        """Run the command in this process."""
        out, err = io.StringIO(), io.StringIO()
        return Ran(main(words, out, err, self.environment), out.getvalue(), err.getvalue())

    def objects(self, repository="local", cluster="shop"):
        """Return the paths of all sets' objects, relative to the folder of backups."""
        root = self.folder / repository / cluster / "backup"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
