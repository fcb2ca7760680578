# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.foreign_variables."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import foreign_variables

DOCUMENTATION = r"""
name: foreign_variables
short_description: List variables that begin like those of a role and are none
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Tells of each name that a role does not know, with the nearest ones that it knows.
  - Such a variable may be meant for the role, or belong to somebody else; so this is for a warning.
positional: _input, known
options:
  _input:
    description: The names of variables.
    type: list
    elements: str
    required: true
  known:
    description: The names that the role knows.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Warn of what the role does not read
  ansible.builtin.debug:
    msg: "WARNING: {{ item }}"
  loop: "{{ names | restorable.postgres.foreign_variables(['schedule_manager', 'schedule_settings']) }}"
  vars:
    names: "{{ query('ansible.builtin.varnames', '^schedule_') }}"
"""

RETURN = r"""
_value:
  description: A sentence for each of them.
  type: list
  elements: str
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"foreign_variables": foreign_variables}
