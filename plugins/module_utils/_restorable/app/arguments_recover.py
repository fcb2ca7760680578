# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The arguments of `restorable recover`."""
from __future__ import annotations

import argparse
import shlex


def recover_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to the verb's parser."""
    parser.add_argument("data_directory", metavar="DATA",
                        help="the data directory to make; it must be empty, or not there")
    parser.add_argument("--backup", default="", metavar="BACKUP", help="begin with this base backup; default: the best")
    parser.add_argument("--time", default="", metavar="TIME",
                        help="to a moment with its zone, such as '2026-11-20 14:30:00 Europe/Berlin' or …T13:30:00Z")
    parser.add_argument("--lsn", default="", metavar="LSN", help="to a place in the WAL, such as 0/16B3748")
    parser.add_argument("--xid", default="", metavar="XID", help="to the commit of a transaction")
    parser.add_argument("--name", default="", metavar="NAME", help="to a restore point (pg_create_restore_point)")
    parser.add_argument("--immediate", action="store_true", help="to the end of the base backup")
    parser.add_argument("--exclusive", action="store_true",
                        help="stop before the time, the LSN or the transaction and not after it")
    parser.add_argument("--timeline", type=int, default=0, metavar="N", help="on this timeline; default: the newest")
    parser.add_argument("--tablespace", action="append", default=[], metavar="OLD=NEW",
                        help="put a tablespace, by its path or oid, elsewhere; repeatable")
    parser.add_argument("--owner", default="", metavar="USER",
                        help="the account of the files if run as root; default: whose folder it is, else postgres")
    parser.add_argument("--force", action="store_true", help="move what is in DATA aside, and keep it")


def again(options: argparse.Namespace, cluster: str, *, timeline: int) -> str:
    """Return the command that asks for the same on another timeline, for a shell."""
    words = ["restorable", "recover", options.data_directory, "--cluster", cluster]
    given = {key: getattr(options, key) for key in ("backup", "time", "lsn", "xid", "name", "owner")}
    for name, value in given.items():
        words += [f"--{name}", value] if value else []
    for place in options.tablespace:
        words += ["--tablespace", place]
    words += [f"--{flag}" for flag in ("immediate", "exclusive", "force") if getattr(options, flag)]
    words += ["--dry-run"] if options.dry_run else []
    return shlex.join([*words, "--timeline", str(timeline)])
