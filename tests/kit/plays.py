# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Ansible for real: ad-hoc modules and playbooks by their full names, on hosts that are this machine."""
from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import collection_tree

COLLECTION = "restorable.postgres"
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
# A connection without a folder to work in counts as unreachable, and needs neither network nor ssh.
UNREACHABLE = {**HERE, "ansible_remote_tmp": "/proc/nowhere"}


@dataclass
class Said:
    """What a run of Ansible said."""

    status: int
    text: str

    def line(self, *words: str) -> str:
        """Return the one line that holds all words; the error shows everything that was said."""
        found = [line for line in self.text.splitlines() if all(word in line for word in words)]
        assert len(found) == 1, f"{len(found)} lines with {words} in:\n{self.text}"
        return found[0]


@dataclass
class Ansible:
    """Runs Ansible with files in folder; collections is where the collection is found."""

    folder: pathlib.Path
    collections: pathlib.Path = field(default_factory=collection_tree.link)
    tools: str = os.path.dirname(sys.executable)       # the folder of ansible-playbook, for another version of it

    def inventory(self, **hosts: dict[str, Any]) -> pathlib.Path:
        """Write an inventory of hosts that are this machine, with their variables."""
        path = self.folder / "inventory.json"
        body = {"all": {"hosts": {name: {**HERE, **variables} for name, variables in hosts.items()}}}
        path.write_text(json.dumps(body))
        return path

    def module(self, name: str, *options: str, **arguments: Any) -> dict[str, Any]:
        """Run one module and return its result; result["said"] is everything that was printed."""
        inventory = self.inventory(localhost={})
        said = self._run("ansible", "localhost", "-i", str(inventory), "-m", f"{COLLECTION}.{name}", *options,
                         "-a", json.dumps(arguments))
        found = re.search(r"^localhost \| [A-Z!]+ => (?=\{)", said.text, re.MULTILINE)
        assert found, said.text
        result, _end = json.JSONDecoder().raw_decode(said.text[found.end():])
        return {**result, "said": said.text}

    def play(self, name: str, inventory: pathlib.Path, *options: str, **extra: Any) -> Said:
        """Run a playbook of the collection, or a file; extra are extra variables."""
        playbook = name if name.endswith(".yml") else f"{COLLECTION}.{name}"
        return self._run("ansible-playbook", playbook, "-i", str(inventory), *options, "-e", json.dumps(extra))

    def tasks(self, *tasks: dict[str, Any]) -> Said:
        """Run tasks on this machine."""
        path = self.folder / "play.yml"
        path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        return self.play(str(path), self.inventory(localhost={}))

    def _run(self, program: str, *arguments: str) -> Said:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "ANSIBLE_"))}
        environment = {
            **kept, "PATH": f"{self.tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "HOME": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections), "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / ".ansible_async"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0"}
        done = subprocess.run([f"{self.tools}/{program}", *arguments], env=environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300, check=False)
        return Said(done.returncode, done.stdout)
