# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of every module that reads backups: from which repository."""
from __future__ import annotations


class ModuleDocFragment:
    """Which of several repositories is read."""

    DOCUMENTATION = r"""
options:
  repository:
    description:
      - The name of the one repository that is read from.
      - Without it every repository counts, and of one backup the first good copy is read; which was used, and which was
        damaged, is in the result.
    type: str
"""
