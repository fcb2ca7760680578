# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill against a plain restore of the runbook's file into a default server.

The first row is what a drill and a plain restore have in common, and the full comparison. The second is all that a
drill does: start, initdb, amcheck of every index and table, stop, evidence.
"""
from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any, Callable

from tests.kit.servers import start_server

from .dumps import DATABASE, environment, restorable, write_config
from .measure import Series, in_turn, ratio, run
from .table import Row


def measure(server: Any, folder: pathlib.Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Run drills and plain restores in turn and return the row."""
    env = environment()
    gz = folder / "restore.sql.gz"
    with open(gz, "wb") as file:
        dump = subprocess.Popen([f"{server.bin_dir}/pg_dump", "-h", str(server.folder), "-U", server.superuser,
                                 DATABASE], stdout=subprocess.PIPE, env=env)
        subprocess.run(["gzip"], stdin=dump.stdout, stdout=file, check=True)
        if dump.wait():
            raise RuntimeError("pg_dump failed")
    config = write_config(server, folder / "drill.json", folder / "repository-drill", "full")
    run(restorable("--config", str(config), "-q", "backup"), env)

    proof = Series("restore and comparison")

    def drill() -> tuple[float, int, int]:
        heard: list[bytes] = []
        seconds, peak = run(restorable("--config", str(config), "--json", "drill"), env, heard=heard)
        proof.seconds.append(sum(took for phase, took in _phases(heard[0]).items()
                                 if phase.startswith(("read", "restore", "compare"))))
        return seconds, peak, 0

    defaults = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on",
                "max_connections": "100", "shared_buffers": "128MB", "max_wal_size": "1GB"}

    def plain() -> tuple[float, int, int]:
        with start_server(server.major, config=defaults) as fresh:
            fresh.sql(f"CREATE DATABASE {DATABASE}")
            line = 'gunzip -c "$0" | "$@" > /dev/null'
            argv = ["bash", "-c", line, str(gz), f"{fresh.bin_dir}/psql", "-X", "-q", "-h", str(fresh.folder), "-U",
                    fresh.superuser, DATABASE]
            return (*run(argv, env), 0)

    runs = in_turn(rounds, {"drill": drill, "gunzip | psql": plain}, say)
    a, b = runs["drill"], runs["gunzip | psql"]
    del proof.seconds[0]               # the round before the first
    return [Row("drill, restore and full comparison : gunzip | psql", ratio(proof, b), 0.8,
                detail=f"{proof.median:.1f} / {b.median:.1f} s"),
            Row("drill, all of it : gunzip | psql", ratio(a, b), 0.8, detail=f"{a.median:.1f} / {b.median:.1f} s"),
            Row("peak memory of a drill", a.peak / 2**20, 64, unit="MiB")]


def _phases(printed: bytes) -> dict[str, float]:
    """Return the seconds of each phase of the one drill that a run reports."""
    [cluster] = json.loads(printed)["clusters"]
    return {str(name): float(took) for name, took in cluster["phases"].items()}
