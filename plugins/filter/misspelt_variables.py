# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.misspelt_variables."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import misspelt_variables

DOCUMENTATION = r"""
name: misspelt_variables
short_description: Find a variable that looks like one of a role and is none
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Tells of the first name that a role does not know and that differs from one it knows by a letter or two.
  - Other names that begin like the role's may belong to somebody else, and are left alone.
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
- name: Refuse a misspelt variable
  ansible.builtin.assert:
    that: wrong == ""
    fail_msg: "{{ wrong }}"
  vars:
    names: "{{ query('ansible.builtin.varnames', '^agent_') }}"
    wrong: "{{ names | restorable.postgres.misspelt_variables(['agent_user', 'agent_group']) }}"
"""

RETURN = r"""
_value:
  description: A sentence, or an empty text if no name is misspelt.
  type: str
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"misspelt_variables": misspelt_variables}
