# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show how far a module is while it runs. Private to this collection.

A module cannot print while it works. So it is started in the background, as with `async`, and writes a small file on
the target, which is read every second; a line is printed when it changes. No connection stays open for the whole work.
"""
from __future__ import annotations

import json
import secrets
import shlex
import time
from typing import Any, Mapping

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash

from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import (
    human_bytes,
    human_duration,
)

LIMIT = 7 * 86400      # seconds after which the target kills the module
EVERY = 2.0            # seconds between two lines at least
LOST = 30              # polls in a row that may fail before the host counts as unreachable
PAUSES = (0.2, 0.3, 0.5)   # seconds before the first polls, so that short work ends soon; then 1 s
JOB_KEYS = ("ansible_job_id", "results_file", "started", "finished", "stdout", "stdout_lines", "stderr", "stderr_lines")


class ProgressAction(ActionBase):
    """Run the module of the task; its result and its errors pass unchanged."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run in the background and watch; in check mode, or if the user asked for async, only run."""
        result = super().run(tmp, task_vars)
        background = bool(self._task.async_val) and not self._connection.has_native_async
        plain = self._task.check_mode or self._task.async_val or self._connection.always_pipeline_modules
        if plain or self._connection.has_native_async:
            return merge_hash(result, self._execute_module(task_vars=task_vars, wrap_async=background))
        return merge_hash(result, self._watch(task_vars or {}))

    def _watch(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        folder = self.get_shell_option("async_dir", default="~/.ansible_async")
        path = f"{folder}/restorable-{secrets.token_hex(8)}.json"
        job = self._start({"progress_file": path, **self._task.args}, task_vars)
        if "ansible_job_id" not in job:
            return job
        status = {"jid": job["ansible_job_id"], "_async_dir": folder}
        lines = Lines(task_vars.get("inventory_hostname", ""))
        found = self._wait(status, self._task.args.get("progress_file", path), lines, task_vars)
        self._execute_module("ansible.legacy.async_status", {**status, "mode": "cleanup"}, task_vars=task_vars)
        if "progress_file" not in self._task.args:
            self._low_level_execute_command(f"rm -f {_quoted(path)}")
        return {key: value for key, value in found.items() if key not in JOB_KEYS}

    def _start(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._task.async_val = LIMIT
        try:
            return self._execute_module(module_args=args, task_vars=task_vars, wrap_async=True)
        finally:
            self._task.async_val = 0       # nobody else is to poll for it

    def _wait(self, status: dict[str, Any], path: str, lines: Lines, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Poll until the job has ended; a connection that is lost for a while does not matter to it."""
        pauses, lost, deadline = iter(PAUSES), 0, time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            time.sleep(next(pauses, 1.0))
            try:
                said = self._low_level_execute_command(f"cat {_quoted(path)}")
                lines.show(said.get("stdout", ""))
                found = self._execute_module("ansible.legacy.async_status", dict(status), task_vars=task_vars)
                lost = 0
            except AnsibleConnectionFailure:
                lost += 1
                if lost > LOST:
                    raise
                continue
            if found.get("finished") or found.get("failed"):
                return found
        return {"failed": True, "msg": f"job {status['jid']} did not end in {human_duration(LIMIT)}"}


class Lines:
    """Prints how far it is, when that changed, and not too often."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._last = ""
        self._when = float("-inf")

    def show(self, text: str) -> None:
        """Print the line of a progress file; a file that is not there yet, or half written, says nothing."""
        try:
            line = in_words(json.loads(text))
        except (ValueError, TypeError, KeyError):
            return
        now = time.monotonic()
        if line and line != self._last and now - self._when >= EVERY:
            Display().display(f"{self._host} | {line}")
            self._last, self._when = line, now


def in_words(facts: Mapping[str, Any]) -> str:
    """Return "dump app 412 MB of 1.2 GB, 96 MB/s, 4.2s" for the body of a progress file."""
    done, total, rate = facts["bytes"], facts["total"], facts["rate"]
    size = human_bytes(done) + (f" of {human_bytes(total)}" if total else "") if done else ""
    parts = [f"{facts['phase']} {size}".strip(), f"{human_bytes(rate)}/s" if done and rate else "",
             human_duration(facts["elapsed"])]
    return ", ".join(filter(None, parts))


def _quoted(path: str) -> str:
    """Quote a path for the shell, but let it expand the home of the user who runs the module."""
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)
