# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the host command: pack the core on the controller, and let copy do the rest."""
from __future__ import annotations

import os
import tempfile
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.restorable.postgres.plugins.plugin_utils._pack import pack

PASSED = ("dest", "mode", "owner", "group", "validate")


class ActionModule(ActionBase):
    """Check mode, the comparison with what is there, and its replacement as a whole are copy's."""

    TRANSFERS_FILES = True
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS = frozenset((*PASSED, "python"))

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Pack, copy, and return copy's result."""
        result = super().run(tmp, task_vars)
        args = {"dest": "/usr/local/bin/restorable", "mode": "0755", **self._task.args}
        python = args.pop("python", "/usr/bin/python3")
        if not isinstance(python, str) or not python.startswith("/") or any(char.isspace() for char in python):
            raise AnsibleActionFail(f"python is {python!r}; it must be an absolute path without a space")
        handle, packed = tempfile.mkstemp(suffix=".pyz")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pack(python))
            task = self._task.copy()
            task.args = {**args, "src": packed}
            copy = self._shared_loader_obj.action_loader.get(
                "ansible.builtin.copy", task=task, connection=self._connection, play_context=self._play_context,
                loader=self._loader, templar=self._templar, shared_loader_obj=self._shared_loader_obj)
            result.update(copy.run(task_vars=task_vars))
        finally:
            os.unlink(packed)
        result.pop("src", None)        # a name that was gone before anybody could look
        return result
