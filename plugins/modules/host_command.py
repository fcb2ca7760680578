#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the host command as one file; the work is done by the action plugin of the same name."""
from __future__ import annotations

DOCUMENTATION = r"""
module: host_command
short_description: Install the host command as one file
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Packs the core of this collection on the controller into one executable file and copies it to the host, so that the
    command there always equals the collection that put it there.
  - The same collection gives the same bytes on every controller, so a second run changes nothing.
extends_documentation_fragment:
  - restorable.postgres.attributes
attributes:
  action_group:
    support: none
    membership: []
  diff_mode:
    support: partial
    details:
      - Says that the file changes, not how, because it is not text.
  idempotent:
    support: full
  platform:
    details:
      - The command needs Python 3.9 or newer, psycopg 3 and zstandard.
options:
  dest:
    description: The file on the host.
    type: path
    default: /usr/local/bin/restorable
  python:
    description: The Python on the host that runs the command, an absolute path.
    type: path
    default: /usr/bin/python3
  mode:
    description: The file's mode.
    type: raw
    default: "0755"
  owner:
    description: The file's owner.
    type: str
  group:
    description: The file's group.
    type: str
  validate:
    description: A command that must succeed before the old file is replaced; C(%s) stands for the new one.
    type: str
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Install the host command
  restorable.postgres.host_command:
    dest: /usr/local/bin/restorable
    python: /opt/restorable/venv/bin/python

- name: Put the host command beside a Dockerfile
  restorable.postgres.host_command:
    dest: /srv/shop/backup/restorable
    python: /usr/bin/python3
"""

RETURN = r"""
dest:
  description: The file on the host.
  returned: success
  type: str
  sample: /usr/local/bin/restorable
checksum:
  description: The SHA-1 of the packed command.
  returned: success
  type: str
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
"""
