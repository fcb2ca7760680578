# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable wal-push."""
from __future__ import annotations

import os

from ..call import Call, Result


def run(call: Call) -> Result:
    """Archive one file; done means that it is durable."""
    from ..wal import one_file, open_archive
    path = call.options.path
    name = os.path.basename(path)
    if call.options.dry_run:
        return Result({"changed": False, "name": name}, done=f"dry run: {name} was not archived")
    found = open_archive(call.world(), call.cluster).add(one_file(path), name)
    report = {"changed": bool(found.stored), "name": name, "size": found.size, "stored": list(found.stored),
              "found": list(found.found), "failed": {key: error.as_dict() for key, error in found.failed.items()}}
    where = ", ".join(found.stored + found.found)
    return Result(report, done=f"done: {name} is in {where}",
                  warnings=tuple(f"{name} is not in {key}: {error.message}" for key, error in found.failed.items()))
