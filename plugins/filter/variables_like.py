# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.variables_like."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._stack import variables_like

DOCUMENTATION = r"""
name: variables_like
short_description: Choose names of a container's environment variables by what they mean
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Returns the names that mean a variable whose own name matches, be it under an alias or as the name of a file.
positional: _input, pattern
options:
  _input:
    description: Names of environment variables.
    type: list
    elements: str
    required: true
  pattern:
    description: A regular expression for the beginning of a variable's own name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show which variables are of a bucket
  ansible.builtin.debug:
    msg: "{{ ['S3_BUCKET', 'PGHOST'] | restorable.postgres.variables_like('BACKUP_S3_') }}"
"""

RETURN = r"""
_value:
  description: The names that match, in their order.
  type: list
  elements: str
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"variables_like": variables_like}
