# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of this collection have in common: where they run and how they keep check mode."""
from __future__ import annotations


class ModuleDocFragment:
    """Attributes; a module adds support and details of what differs."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, and then returns the plan it would follow, changing nothing.
    support: full
  diff_mode:
    description: Returns details on what has changed, or would change, in diff mode.
  platform:
    description: Target systems it can run on.
    platforms: posix
    support: full
    details:
      - Needs Python 3.9 or newer and psycopg 3 where it asks a server.
  idempotent:
    description: A second run with the same options changes nothing.
  action_group:
    description: Use C(group/restorable.postgres.all) in C(module_defaults) to set common options once.
    support: full
    membership:
      - restorable.postgres.all
"""

    # A module that has an action plugin of its own.
    PROGRESS = r"""
options:
  progress_file:
    description:
      - A file on the target that is rewritten while the module works, with what it does, how many bytes are done and of
        how many.
      - Set by the action plugin of this module, which reads it and prints a line when it changes. Without it nothing is
        written.
      - With C(async) on the task, or in check mode, no progress is printed.
      - A play that is interrupted leaves the module running on the target; it ends by itself, and the lock of the
        cluster
        keeps a second run out until then.
    type: path
"""
