#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print a table as plain, aligned lines; the work is done by the action plugin of the same name."""
from __future__ import annotations

DOCUMENTATION = r"""
module: print_table
short_description: Print a table as plain, aligned lines
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Prints rows as a person wants to read them, which C(ansible.builtin.debug) cannot do, as it prints data.
  - Runs on the controller only, without a connection to the host, and never changes anything.
extends_documentation_fragment:
  - restorable.postgres.attributes
attributes:
  action_group:
    support: none
    membership: []
  diff_mode:
    support: N/A
  idempotent:
    support: full
  platform:
    details:
      - Runs on the controller.
options:
  title:
    description: A line above the table.
    type: str
    default: ""
  header:
    description: The names of the columns. Without it there is no line of them.
    type: list
    elements: str
    default: []
  rows:
    description: The rows, each a list of cells, which are cut after 200 characters. Without any, O(empty) is printed.
    type: list
    elements: list
    required: true
  empty:
    description: What is printed if there is no row.
    type: str
    default: nothing
"""

EXAMPLES = r"""
- name: Print how every host is
  restorable.postgres.print_table:
    title: Backups
    header: [host, state]
    rows:
      - [db1, green]
      - [db2, red]
  run_once: true
"""

RETURN = r"""
lines:
  description: The lines as they were printed.
  returned: success
  type: list
  elements: str
  sample: ["Backups", "  host  state", "  db1   green", "  db2   red"]
"""
