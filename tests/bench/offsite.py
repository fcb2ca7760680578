# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps into and restores from S3 on loopback against a local repository; listings against a bare paginator."""
from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Callable

from tests.kit import s3_servers
from tests.kit.s3_pages import BUCKET, pages

from .dumps import DATABASE, environment, restorable
from .measure import in_turn, ratio, run
from .table import Row

KEYS = 100_000
LIMIT = 160 * 2**20    # bytes
COPY = "bench_copy"

# each in a process of its own, as a command is; only the listing is timed
LISTING = """
import json, sys, time
from _restorable.model.repositories import repository
from _restorable.store.s3 import S3Store
who, settings, bucket, wanted = sys.argv[1:]
store = S3Store(repository("many", json.loads(settings)))
client = store.client
began = time.monotonic()
if who == "ours":
    count = sum(1 for _entry in store.list(""))
else:
    count = sum(len(page["Contents"]) for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket))
assert count == int(wanted), count
print(time.monotonic() - began)
"""


def measure(server: Any, folder: pathlib.Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Run everything in turn and return the rows."""
    place = folder / "offsite"
    place.mkdir()
    with s3_servers.rclone(place) as endpoint:
        return [*_listings(rounds, say), *_dumps(server, place, endpoint, rounds, say),
                *_restores(server, place, endpoint, rounds, say)]


def _config(server: Any, path: pathlib.Path, repository: dict[str, Any], **more: Any) -> list[str]:
    path.write_text(json.dumps({
        "repositories": {"it": repository}, "state_dir": str(path.parent / "state"),
        "clusters": {"bench": {"connection": server.settings, "bin_dir": server.bin_dir,
                               "jobs": {"dump": {"databases": [DATABASE], "fingerprint": "none"}}}}, **more}))
    path.chmod(0o600)
    return restorable("--config", str(path), "-q")


def _identity(folder: pathlib.Path) -> str:
    from tests.kit.agekeys import make_pair
    return make_pair(folder / "identity.txt").public


def _dumps(server: Any, folder: pathlib.Path, endpoint: Any, rounds: int, say: Callable[[str], None]) -> list[Row]:
    env = environment()
    seal = {"encryption": {"recipients": [_identity(folder)]}}

    def local() -> tuple[float, int, int]:
        shutil.rmtree(folder / "local", ignore_errors=True)
        return (*run([*_config(server, folder / "local.json", {"path": str(folder / "local")}), "backup"], env), 0)

    def offsite(name: str, **more: Any) -> Callable[[], tuple[float, int, int]]:
        def once() -> tuple[float, int, int]:
            bucket = endpoint.bucket()
            argv = _config(server, folder / f"{name}.json", endpoint.settings(bucket, parallel=8), **more)
            found = run([*argv, "backup"], env)
            shutil.rmtree(endpoint.folder / bucket)
            return (*found, 0)
        return once

    runs = in_turn(rounds, {"local": local, "S3": offsite("s3"), "S3, sealed": offsite("sealed", **seal)}, say)
    own, plain, sealed = runs["local"], runs["S3"], runs["S3, sealed"]
    return [
        Row("dump to S3 : dump to a local repository", ratio(plain, own), 1.25, detail=_pair(plain, own)),
        Row("sealed dump to S3 : unsealed to a local repository", ratio(sealed, own), 1.25, detail=_pair(sealed, own)),
        Row("peak memory of a dump to S3, 8 parts at once", max(plain.peak, sealed.peak) / 2**20, LIMIT / 2**20,
            unit="MiB"),
    ]


def _restores(server: Any, folder: pathlib.Path, endpoint: Any, rounds: int, say: Callable[[str], None]) -> list[Row]:
    env = environment()
    ways = {"restore from local": _config(server, folder / "local.json", {"path": str(folder / "local")}),
            "restore from S3": _config(server, folder / "s3.json", endpoint.settings(endpoint.bucket(), parallel=8))}
    run([*ways["restore from S3"], "backup"], env)

    def restore(argv: list[str]) -> Callable[[], tuple[float, int, int]]:
        def once() -> tuple[float, int, int]:
            found = run([*argv, "restore", "latest", "--database", DATABASE, "--into", COPY], env)
            server.sql(f"DROP DATABASE {COPY}", "CHECKPOINT")
            return (*found, 0)
        return once

    runs = in_turn(rounds, {name: restore(argv) for name, argv in ways.items()}, say)
    local, offsite = runs["restore from local"], runs["restore from S3"]
    return [Row("restore from S3 : from a local repository", ratio(offsite, local), 1.2, detail=_pair(offsite, local))]


def _listings(rounds: int, say: Callable[[str], None]) -> list[Row]:
    with pages(KEYS) as url:
        settings = json.dumps({"type": "s3", "bucket": BUCKET, "endpoint_url": url, "addressing": "path",
                               "access_key_id": "id", "secret_access_key": "x"})

        def listing(who: str) -> Callable[[], tuple[float, int, int]]:
            def once() -> tuple[float, int, int]:
                done = subprocess.run([sys.executable, "-c", LISTING, who, settings, BUCKET, str(KEYS)], check=True,
                                      env=environment(), stdout=subprocess.PIPE, text=True)
                return float(done.stdout), 0, 0
            return once

        runs = in_turn(rounds, {f"list {KEYS} keys": listing("ours"), "bare paginator": listing("bare")}, say)
    ours, bare = runs[f"list {KEYS} keys"], runs["bare paginator"]
    return [Row(f"listing {KEYS} keys : bare boto3 paginator", ratio(ours, bare), 1.2, detail=_pair(ours, bare))]


def _pair(a: Any, b: Any) -> str:
    return f"{a.median:.2f} / {b.median:.2f} s"
