# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pg_recover and show how far it is."""
from __future__ import annotations

from ansible_collections.restorable.postgres.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """The module of the same name, with its progress."""
