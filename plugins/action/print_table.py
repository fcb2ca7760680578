# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print a table on the controller, as plain lines."""
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import table

WIDEST = 500     # characters of a cell, enough for an error with its hint; what is longer was told where it happened


class ActionModule(ActionBase):
    """Print rows; nothing is sent to the host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS = frozenset(("title", "header", "rows", "empty"))

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print title, header and rows, and return the lines."""
        result = super().run(tmp, task_vars)
        args = self._task.args
        rows, header = args.get("rows"), args.get("header") or []
        if not isinstance(rows, list) or not all(isinstance(row, (list, tuple)) for row in rows):
            raise AnsibleActionFail(f"rows is {rows!r}; it must be a list of rows, each a list of cells")
        body = table([[_clean(cell) for cell in row] for row in [*([header] if header and rows else []), *rows]])
        title = [_clean(args["title"])] if args.get("title") else []
        lines = ["", *title, *(f"  {line}".rstrip() for line in body or [_clean(args.get("empty") or "nothing")])]
        for line in lines:
            Display().display(line)
        return {**result, "changed": False, "lines": lines}


def _clean(cell: object) -> str:
    """Return a cell without control characters, so that a strange name cannot forge a row or colour a terminal."""
    text = "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
                   for char in str(cell))
    return text if len(text) <= WIDEST else text[:WIDEST - 1] + "…"
