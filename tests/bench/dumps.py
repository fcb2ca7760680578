# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps to a local repository against what runbooks and containers do."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
from typing import Any, Callable

from .database import build
from .measure import in_turn, ratio, run
from .table import Row

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATABASE = "bench"
LIMIT = 64 * 2**20   # bytes


def build_database(server: Any, scale: int) -> int:
    """Build the bench's database and return its size in bytes."""
    return build(server, DATABASE, scale)


def write_config(server: Any, path: pathlib.Path, repository: pathlib.Path, fingerprint: str) -> pathlib.Path:
    """Write the host command's settings for one contestant."""
    path.write_text(json.dumps({
        "repositories": {"local": {"type": "local", "path": str(repository)}},
        "clusters": {"bench": {"connection": server.settings, "bin_dir": server.bin_dir,
                               "jobs": {"dump": {"databases": [DATABASE], "fingerprint": fingerprint}}}}}))
    return path


def restorable(*arguments: str) -> list[str]:
    """Return the argv of the host command in this checkout."""
    return [sys.executable, "-m", "_restorable", *arguments]


def environment() -> dict[str, str]:
    """Return an environment without PG* variables, in which the host command of this checkout is found."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**clean, "PYTHONPATH": str(ROOT / "plugins" / "module_utils")}


def measure(server: Any, folder: pathlib.Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Run all ways of dumping in turn and return the rows."""
    tool, env = f"{server.bin_dir}/pg_dump", environment()
    who = ["-h", str(server.folder), "-U", server.superuser, DATABASE]

    def shell(line: str, product: pathlib.Path | None) -> tuple[float, int, int]:
        # the runbook's own words: a shell and its pipe are what we are compared with
        seconds, peak = run(["bash", "-c", line, "bash", tool, *who], env)
        return seconds, peak, product.stat().st_size if product else 0

    def ours(fingerprint: str) -> tuple[float, int, int]:
        repository = folder / f"repository-{fingerprint}"
        config = write_config(server, folder / f"{fingerprint}.json", repository, fingerprint)
        shutil.rmtree(repository, ignore_errors=True)
        seconds, peak = run(restorable("--config", str(config), "-q", "backup"), env)
        return seconds, peak, sum(path.stat().st_size for path in repository.rglob("*.dump.zst"))

    gz, z1 = folder / "runbook.sql.gz", folder / "container.sql.gz"
    runs = in_turn(rounds, {
        "floor": lambda: shell('"$@" > /dev/null', None),
        "ours": lambda: ours("none"),
        "ours, full fingerprint": lambda: ours("full"),
        "pg_dump | gzip": lambda: shell(f'"$@" | gzip > {gz}', gz),
        "pg_dump -Z1": lambda: shell(f'"$@" -Z1 > {z1}', z1),
    }, say)
    floor, plain, full = runs["floor"], runs["ours"], runs["ours, full fingerprint"]
    gzip, container = runs["pg_dump | gzip"], runs["pg_dump -Z1"]
    peak = max(plain.peak, full.peak)

    def pair(a: Any, b: Any) -> str:
        return f"{a.median:.2f} / {b.median:.2f} s"

    return [
        Row("dump, zstd : pg_dump > /dev/null", ratio(plain, floor), 1.15, detail=pair(plain, floor)),
        Row("dump, zstd, full fingerprint : pg_dump > /dev/null", ratio(full, floor), 1.40, detail=pair(full, floor)),
        Row("pg_dump | gzip : dump, zstd", ratio(gzip, plain), 3, at_most=False, detail=pair(gzip, plain)),
        Row("size of dump, zstd : of pg_dump | gzip", plain.size / gzip.size, 0.85,
            detail=f"{plain.size / 1e6:.0f} / {gzip.size / 1e6:.0f} MB"),
        Row("pg_dump -Z1 (postgres-backup-local) : dump, zstd", ratio(container, plain), 1, at_most=False,
            detail=f"{pair(container, plain)}; -Z1 is {ratio(container, floor):.2f} × the floor"),
        Row("peak memory of a dump", peak / 2**20, LIMIT / 2**20, unit="MiB"),
    ]
