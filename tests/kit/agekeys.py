# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of keys for tests: a file of mode 0600 and its public key."""
from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from _restorable.model.agekeys import X25519, Identity, parse_recipient, public_text, secret_text
from _restorable.stream.agewrap import public_raw


@dataclass(frozen=True)
class Pair:
    """One pair."""

    path: Path
    public: str

    @property
    def key_id(self):
        """Return the short name of the public key."""
        return parse_recipient(self.public, "test").key_id

    @property
    def secret(self):
        """Return the line that must never be shown."""
        return self.path.read_text().splitlines()[-1]


def make_pair(path):
    """Make a pair whose secret key is in a new file."""
    raw = os.urandom(32)
    path = Path(path)
    path.touch(mode=0o600)
    path.write_text(f"# made by a test\n{secret_text(raw)}\n")
    return Pair(path, public_text(public_raw(Identity(X25519, raw))))
