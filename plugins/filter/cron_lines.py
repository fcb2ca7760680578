# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.cron_lines."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import cron_lines

DOCUMENTATION = r"""
name: cron_lines
short_description: Read a schedule, and say it in lines of cron
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Reads a schedule as those of jobs are read, such as V(0 4 * * sun#1), which cron itself does not know.
  - Fails with the name, the value and the cure if it is wrong. cron ignores a whole file in which one line is.
positional: _input, where
options:
  _input:
    description: The schedule.
    type: str
    required: true
  where:
    description: What an error calls it, such as the name of the variable.
    type: str
    default: schedule
"""

EXAMPLES = r"""
- name: Say when cron would run it
  ansible.builtin.debug:
    msg: "{{ '*/10 * * * *' | restorable.postgres.cron_lines('schedule_catch_up') | map(attribute='fields') }}"
"""

RETURN = r"""
_value:
  description: The lines, each with C(fields), the five of cron, and C(guard), a test before the command, or empty.
  type: list
  elements: dict
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"cron_lines": cron_lines}
