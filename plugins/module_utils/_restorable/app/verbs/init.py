# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable init."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Make the cluster's repositories; a human says with it that their disks are mounted now."""
    from ..stores import create_store
    made = [call.settings.repositories[name] for name in call.cluster.repositories]
    for each in made if not call.options.dry_run else ():
        create_store(each)
    places = ", ".join(f"repository {each.name} in {each.place}" for each in made)
    begin = "dry run: nothing was made; to make:" if call.options.dry_run else f"done: init {call.cluster.name}"
    return Result({"repositories": [each.name for each in made]}, done=f"{begin} {places}")
