# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.unknown_variables."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import unknown_variables

DOCUMENTATION = r"""
name: unknown_variables
short_description: Find a variable whose name this collection does not know
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Tells of the first name that neither the playbooks nor the settings know, with the nearest that they do.
positional: _input, known
options:
  _input:
    description: The names of variables that begin with C(restorable_).
    type: list
    elements: str
    required: true
  known:
    description: The keys of the settings.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse misspelled variables
  ansible.builtin.assert:
    that: wrong == ""
    fail_msg: "{{ wrong }}"
  vars:
    names: "{{ query('ansible.builtin.varnames', '^restorable_') }}"
    wrong: "{{ names | restorable.postgres.unknown_variables(['repositories', 'clusters']) }}"
"""

RETURN = r"""
_value:
  description: A sentence, or an empty text if every name is known.
  type: str
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"unknown_variables": unknown_variables}
