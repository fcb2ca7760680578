# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules as tasks, word for word but for what names replaces, and what Ansible said of each."""
from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass, field
from typing import Any

import yaml
from ansible.utils.plugin_docs import read_docstring

from kit.plays import Ansible

PLUGINS = pathlib.Path(__file__).parents[2] / "plugins" / "modules"

# every module stands in one row; within a row one leaves what the next needs
DUMPED = ("pg_repository_check", "pg_dump", "pg_repository_sync", "pg_backup_info", "pg_verify", "pg_drill",
          "pg_audit_info")
LOST = ("pg_prune", "pg_restore")
PHYSICAL = ("pg_wal_archive", "pg_basebackup", "pg_wal_archive_info", "pg_recover")
ALONE = ("s3_bucket", "host_command", "print_table")


@dataclass
class Examples:
    """Where the examples run: names gives what stands for a host, a folder or a date of theirs."""

    ansible: Ansible
    names: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    said: str = ""                 # all that the last play printed

    def of(self, *modules: str) -> list[dict[str, Any]]:
        """Return the tasks of some modules."""
        found = []
        for module in modules:
            text = read_docstring(str(PLUGINS / f"{module}.py"))["plainexamples"]
            for name, mine in self.names.items():
                text = text.replace(name, str(mine))
            found += yaml.safe_load(text)
        return found

    def run(self, *tasks: dict[str, Any]) -> list[dict[str, Any]]:
        """Run tasks in one play, none of which may fail, and return the result of each."""
        around = {"environment": self.environment, "vars": self.variables}
        registered = [{"register": f"example_{number}", **task, **around} for number, task in enumerate(tasks)]
        kept = ", ".join(task["register"] for task in registered)
        results = self.ansible.folder / "results.json"
        keep = {"name": "Keep what was said", "ansible.builtin.copy": {
            "dest": str(results), "content": f"{{{{ [{kept}] | to_json }}}}", "mode": "0600"}}
        done = self.ansible.tasks(*registered, keep)
        self.said = done.text
        assert (done.status, f"ok={len(tasks) + 1} " in done.text) == (0, True), done.text
        return json.loads(results.read_text())


def modules() -> set[str]:
    """Return the names of all modules of the collection."""
    return {path.stem for path in PLUGINS.glob("*.py")}
