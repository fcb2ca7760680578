# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.jobs."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import jobs

DOCUMENTATION = r"""
name: jobs
short_description: List the scheduled jobs of some settings
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Reads settings as the host command does, and returns every job that has a schedule, translated for systemd and cron.
  - Fails with the path, the value and the cure if anything in the settings is wrong.
positional: _input, wait
options:
  _input:
    description: The settings, with the keys C(repositories), C(clusters) and so on.
    type: dict
    required: true
  wait:
    description:
      - How long a job waits for another one of its cluster to end, such as V(6h); it says who is waited for.
      - Empty lets it fail at once.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say when jobs run
  ansible.builtin.debug:
    msg: "{{ settings | restorable.postgres.jobs | map(attribute='on_calendar') }}"
  vars:
    settings:
      repositories:
        local: {type: local, path: /var/backups/restorable}
      clusters:
        shop:
          jobs:
            dump: {schedule: "0 3 * * *"}
"""

RETURN = r"""
_value:
  description:
    - The jobs, each with C(cluster), C(job), C(name), C(command), C(on_calendar), C(cron), C(warnings), the C(paths)
      that it may write to and the C(mounts) that it cannot do without.
  type: list
  elements: dict
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"jobs": jobs}
