# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable keygen."""
from __future__ import annotations

import argparse

from ..call import Result


def run(options: argparse.Namespace) -> Result:
    """Make a pair of keys, or show the public keys of a file; no settings are needed for it."""
    from ...host.keyfiles import new_identity, public_keys
    path = options.path
    if options.show:
        found = public_keys(path)
        return Result({"changed": False, "identity_file": path, "recipients": list(found)},
                      "".join(f"{each}\n" for each in found))
    if options.dry_run:
        return Result({"changed": False, "identity_file": path, "recipients": []},
                      done=f"dry run: no key was made; it would be {path}")
    public = new_identity(path, hybrid=options.hybrid)
    return Result({"changed": True, "identity_file": path, "recipients": [public]}, f"public key  {public}\n",
                  f"done: the secret key is {path}; keep copies of it away from the hosts that dump, because backups "
                  "without it are lost")
