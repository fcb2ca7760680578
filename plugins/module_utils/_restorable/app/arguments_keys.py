# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The arguments of the verbs on keys."""
from __future__ import annotations

import argparse
from typing import Any, Callable

AddVerb = Callable[[Any, str, str], argparse.ArgumentParser]


def add_keys(verbs: Any, verb: AddVerb) -> None:
    """Add keygen and rekey."""
    parser = verb(verbs, "keygen", "make a secret key in a new file of mode 0600, and print its public key")
    parser.add_argument("path", metavar="FILE", help="the new file; an existing one is never written over")
    parser.add_argument("--hybrid", action="store_true",
                        help="a key age1pq… that withstands quantum computers; wants cryptography 48 everywhere")
    parser.add_argument("--show", action="store_true", help="print the public keys of an existing file instead")
    parser = verb(verbs, "rekey", "seal stored backups for the recipients of the settings, without the database")
    parser.add_argument("backup", nargs="?", default="all", metavar="BACKUP",
                        help="an id, latest, or all of them and the WAL; the default")
