# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module: for whom backups are sealed, and what opens them."""
from __future__ import annotations


class ModuleDocFragment:
    """Public keys on hosts that dump, identities where restores and drills run."""

    DOCUMENTATION = r"""
options:
  encryption:
    description:
      - For whom new backups are sealed, in the age format, and with which keys sealed ones are opened.
      - It replaces C(encryption) of O(settings) as a whole. Without both nothing is sealed.
      - As soon as anything is set here, a backup without a recipient is refused, and so is one for a malformed public
        key, before anything is written.
      - The target needs the Python package C(cryptography).
    type: dict
    suboptions:
      recipients:
        description:
          - Public keys. Each is C(age1…), C(age1pq1…) or an C(ssh-ed25519) line; any one of their secret keys opens a
            backup.
          - V(passphrase), alone, stands for the passphrase of O(encryption.passphrase_file), which costs 256 MiB of
            memory and about a second for each object.
        type: list
        elements: str
      recipients_file:
        description: A file on the target with more public keys, one a line.
        type: path
      identity_file:
        description:
          - Files on the target with secret keys. Each must have mode 0600 or stricter.
          - Hosts that only dump need none.
        type: list
        elements: path
      passphrase_file:
        description: A file on the target, of mode 0600 or stricter, with a passphrase in its first line.
        type: path
      required:
        description: Whether a backup without any recipient is refused. V(false) stores it unsealed on purpose.
        type: bool
"""
