# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The arguments of the verbs on WAL."""
from __future__ import annotations

import argparse
from typing import Any, Callable

AddVerb = Callable[[Any, str, str], argparse.ArgumentParser]


def add_wal(verbs: Any, verb: AddVerb) -> None:
    """Add wal-push, wal-ship, wal-get and wal-stream, and witness."""
    verb(verbs, "witness", "write a row into the database that `witness` names, for drills of base backups to find")
    parser = verb(verbs, "wal-push", "archive one WAL file now; what archive_command does where no shipper runs")
    parser.add_argument("path", metavar="PATH", help="the file, as PostgreSQL gives it by %%p")
    parser = verb(verbs, "wal-ship", "archive what the server finishes, in parallel, until stopped")
    parser.add_argument("--once", action="store_true", help="archive what waits now, then end")
    parser = verb(verbs, "wal-get", "fetch one WAL file; exit status 1 only if it is proven to be absent, else 255")
    parser.add_argument("name", metavar="NAME", help="the file, as PostgreSQL gives it by %%f")
    parser.add_argument("path", metavar="PATH", help="where to put it, as PostgreSQL gives it by %%p")
    parser.add_argument("--absent", type=int, default=1, metavar="STATUS", help="the exit status of proven absence")
    parser = verb(verbs, "wal-stream", "receive WAL by a replication slot and archive it, until stopped")
    parser.add_argument("--once", action="store_true", help="receive until now, archive what is complete, then end")
