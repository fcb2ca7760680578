# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure dumps, drills, plans and start-up side by side, print the ratios, and keep them as bench.json.

    run.py [--scale 100] [--rounds 3] [--only dump|drill|offsite|physical|catalogue|startup|sealing|wal]
"""
from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import sys
import tempfile
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "plugins" / "module_utils")]

from tests.bench import (  # noqa: E402 - the path above makes them importable
    catalogue,
    drills,
    dumps,
    offsite,
    physical,
    sealing,
    startup,
    wal,
)
from tests.bench.table import Row, table  # noqa: E402
from tests.kit.servers import find_bin_dir, start_server  # noqa: E402

MAJOR = 15


def main(argv: list[str]) -> int:
    """Run the chosen parts and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=100, help="percent of the full database of about 1.8 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(
        "dump", "drill", "offsite", "physical", "catalogue", "startup", "sealing", "wal"))
    options = parser.parse_args(argv)
    rows: list[Row] = []
    facts: dict[str, Any] = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                             "scale": options.scale, "rounds": options.rounds, "python": platform.python_version(),
                             "cores": os.cpu_count()}
    if options.only in (None, "startup"):
        rows += startup.measure(options.rounds, say)
    if options.only in (None, "catalogue"):
        rows += catalogue.measure(options.rounds, say)
    if options.only in (None, "sealing"):
        rows += sealing.measure(options.rounds, say)
    if options.only in (None, "wal"):
        rows += wal.measure(options.rounds, say)
    if options.only in (None, "dump", "drill", "offsite", "physical"):
        rows += _with_database(options, facts)
    say("\n" + table(rows))
    (ROOT / "bench.json").write_text(json.dumps({"facts": facts, "rows": [row.as_dict() for row in rows]}, indent=1))
    say(f"\n{json.dumps(facts)}\nkept in bench.json")
    return 0


def _with_database(options: argparse.Namespace, facts: dict[str, Any]) -> list[Row]:
    # "default server": initdb's own settings, as a runbook's reader would have them
    defaults = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on",
                "max_connections": "100", "shared_buffers": "128MB", "max_wal_size": "1GB", **physical.config()}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="rs-bench-") as folder, start_server(MAJOR, config=defaults) as server:
        os.chmod(folder, 0o755)
        say(f"building the database at scale {options.scale} on PostgreSQL {MAJOR} from {find_bin_dir(MAJOR)}")
        facts["database_bytes"] = dumps.build_database(server, options.scale)
        say(f"  {facts['database_bytes'] / 1e9:.2f} GB")
        if options.only in (None, "dump"):
            rows += dumps.measure(server, pathlib.Path(folder), options.rounds, say)
        if options.only in (None, "drill"):
            rows += drills.measure(server, pathlib.Path(folder), options.rounds, say)
        if options.only in (None, "physical") and physical.available():
            rows += physical.measure(server, pathlib.Path(folder), options.rounds, say)
        elif options.only in (None, "physical"):
            say("  pgBackRest is not installed, so base backups are not measured: apt-get install pgbackrest")
        if options.only in (None, "offsite"):
            rows += offsite.measure(server, pathlib.Path(folder), options.rounds, say)
    return rows


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
