# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.stack_variables."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._stack import stack_variables

DOCUMENTATION = r"""
name: stack_variables
short_description: Put a role's variables and those of a person together for a container
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - What a person wrote under any name of a variable wins over a default of the role. Over an option of the role that
    was set, too, neither wins, and both are named.
positional: _input, options, secrets
options:
  _input:
    description: The environment variables that a person wrote.
    type: dict
    required: true
  options:
    description: What the role sets, each with C(variable), C(option), C(value) and C(default).
    type: list
    elements: dict
    required: true
  secrets:
    description: The names of variables that have a secret file.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what wins
  ansible.builtin.debug:
    msg: "{{ {'SCHEDULE': '0 5 * * *'} | restorable.postgres.stack_variables(own) }}"
  vars:
    own:
      - {variable: BACKUP_SCHEDULE, option: compose_schedule, value: 0 3 * * *, default: 0 3 * * *}
"""

RETURN = r"""
_value:
  description: C(variables), all that the container is given, and C(wrong), a sentence or an empty text.
  type: dict
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"stack_variables": stack_variables}
