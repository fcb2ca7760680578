# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module: the cluster, its settings and its repositories."""
from __future__ import annotations


class ModuleDocFragment:
    """Which cluster, and where its backups are."""

    DOCUMENTATION = r"""
options:
  cluster:
    description:
      - The name of the cluster, that is, of one PostgreSQL server; all of its backups lie in a folder of this name.
    type: str
    required: true
  repositories:
    description:
      - Where the backups are, a mapping of names to settings. Every one of them gets every backup.
      - Each has C(type), only V(local), C(path), an absolute path, and C(require_marker); if that is true, a folder
        without
        its marker file is refused, as it shows when a disk is not mounted.
      - Needed unless O(settings) has them.
    type: dict
  repository_secrets:
    description:
      - The secrets of repositories, a mapping of their names to the keys that the settings of their type take for them,
        such as C(secret_access_key).
      - They are never written into a log, a result or the arguments of a program. In O(repositories) and in O(settings)
        secrets are refused, because Ansible cannot keep a part of a mapping out of its logs.
    type: dict
  settings:
    description:
      - The whole settings as one mapping with the keys C(repositories), C(clusters), C(encryption), C(audit) and
        C(state_dir), just as the playbooks of this collection take them from the inventory and the host command from
        its file.
      - Other options of the module are put over the settings of O(cluster).
      - A password in here is refused, because Ansible cannot keep a part of a mapping out of its logs; use
        O(connection)
        or a C(password_file).
    type: dict
  state_dir:
    description:
      - A folder on the target for locks and the state of running work.
      - The default lies in the first local repository. Without one it is V(/var/lib/restorable) for root and
        C($XDG_STATE_HOME/restorable) for others.
    type: path
  identity:
    description:
      - In whose name the work is written into the journal, such as a person or a job; without it the user on
        the target.
    type: str
  bin_dir:
    description:
      - The folder of PostgreSQL's programs on the target.
      - Without it a folder that fits the server's version is searched in the usual places.
    type: path
"""
