# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restorable.postgres.host_settings."""
from __future__ import annotations

from typing import Any, Callable

from ansible_collections.restorable.postgres.plugins.plugin_utils._inventory import host_settings

DOCUMENTATION = r"""
name: host_settings
short_description: Split settings into a settings file and files of secrets
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Checks settings as the host command does, and returns the content of its settings file, in which every password of a
    connection and the keys of every bucket became the name of a file, and these files. Other secrets are refused.
positional: _input, secrets
options:
  _input:
    description: The settings, with the keys C(repositories), C(clusters) and so on.
    type: dict
    required: true
  secrets:
    description: The folder of the secrets on the host.
    type: path
    default: /etc/restorable
"""

EXAMPLES = r"""
- name: Show a settings file
  ansible.builtin.debug:
    msg: "{{ (settings | restorable.postgres.host_settings).config }}"
  vars:
    settings:
      clusters:
        shop:
          connection: {host: db1, user: backup}
"""

RETURN = r"""
_value:
  description:
    - C(config), the settings, C(secrets), a list of C(path) and C(content), and C(folders), those of locks and evidence
      outside of the repositories.
  type: dict
"""


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"host_settings": host_settings}
