# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the plan and the list grow from 10,000 to 100,000 backups."""
from __future__ import annotations

import datetime
import io
import json
import os
import pathlib
import tempfile
import time
from typing import Callable

from _restorable.app.cli import main as restorable
from _restorable.model.catalogue import Catalogue
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.model.policy import Policy
from _restorable.model.retention import Plan, plan_prune
from _restorable.ops.prune import candidates

from .measure import in_turn, ratio
from .table import Row

NOW = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.timezone.utc)
SMALL, LARGE = 10_000, 100_000


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the rows of `pg_prune`'s plan and of `restorable list`."""
    plans = {count: _plan(count) for count in (SMALL, LARGE)}
    rows = [_row("plan", rounds, plans, say)]
    with tempfile.TemporaryDirectory(prefix="rs-bench-") as folder:
        lists = {count: _list(pathlib.Path(folder), count, say) for count in (SMALL, LARGE)}
        rows.append(_row("restorable list", rounds, lists, say))
    return rows


def _row(what: str, rounds: int, work: dict[int, Callable[[], None]], say: Callable[[str], None]) -> Row:
    runs = in_turn(rounds, {str(count): lambda job=job: _timed(job) for count, job in work.items()}, lambda _text: None)
    small, large = runs[str(SMALL)], runs[str(LARGE)]
    say(f"{what}: {large.median:.2f} s for {LARGE:,}, {small.median:.3f} s for {SMALL:,}")
    return Row(f"{what} of {LARGE:,} : of {SMALL:,} backups", ratio(large, small), 12,
               detail=f"{large.median:.2f} / {small.median:.3f} s")


def _timed(job: Callable[[], None]) -> tuple[float, int, int]:
    began = time.monotonic()
    job()
    return time.monotonic() - began, 0, 0


def _ids(count: int) -> list[BackupId]:
    return [BackupId(NOW - datetime.timedelta(hours=number), "dump") for number in range(count)]


def _plan(count: int) -> Callable[[], None]:
    listing = [(key, 1000) for each in _ids(count)
               for key in (object_key("shop", each, "shop.dump.zst"), manifest_key("shop", each))]
    policy = Policy.of({"hourly": 48, "daily": 30, "weekly": 26, "monthly": 60, "yearly": -1})
    return lambda: _check(plan_prune(candidates(Catalogue.of("shop", listing)), policy, NOW), count)


def _check(plan: Plan, count: int) -> None:
    rows = len(plan.rows)
    if rows != count:
        raise RuntimeError(f"the plan has {rows} rows, expected {count}")


def _list(folder: pathlib.Path, count: int, say: Callable[[str], None]) -> Callable[[], None]:
    root = folder / str(count)
    say(f"laying out {count:,} backups")
    for each in _ids(count):
        home = root / object_key("shop", each, "x").rpartition("/")[0]
        home.mkdir(parents=True)
        for name in ("shop.dump.zst", "manifest.json"):
            (home / name).write_bytes(b"x" * 100)
    config = folder / f"{count}.json"
    config.write_text(json.dumps({"repositories": {"local": {"type": "local", "path": str(root)}},
                                  "clusters": {"shop": {}}}))

    def job() -> None:
        out, err = io.StringIO(), io.StringIO()
        if restorable(["--config", str(config), "list"], out, err, dict(os.environ)):
            raise RuntimeError(err.getvalue())
        if len(out.getvalue().splitlines()) < count:
            raise RuntimeError("the list is too short")

    return job
