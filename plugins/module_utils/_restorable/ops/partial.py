# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Say in a set itself which databases it lacks, so that a listing alone shows that it is partial."""
from __future__ import annotations

import json
from typing import Mapping

from ..errors import RestorableError
from ..model.manifest import Item
from ..model.naming import BackupId, missing_stem
from ..model.server import DumpOptions
from .dumpset import store_stream
from .world import World


def mark_missing(world: World, backup: BackupId, missing: Mapping[str, RestorableError],
                 options: DumpOptions) -> list[Item]:
    """Store one object for each database that could not be dumped; docs/adr/0003 says why objects and not names."""
    return [store_stream(world, backup, missing_stem(name), [_body(name, error)], role="missing", form="",
                         options=options, database=name) for name, error in missing.items()]


def _body(name: str, error: RestorableError) -> bytes:
    return (json.dumps({"format": 1, "database": name, **error.as_dict()}, indent=1, sort_keys=True) + "\n").encode()
