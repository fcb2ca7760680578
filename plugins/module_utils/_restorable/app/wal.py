# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give the operations on WAL their adapters."""
from __future__ import annotations

import os
import time
from typing import Any

from ..errors import ConfigError
from ..host.wal_ahead import AheadFolder
from ..host.wal_source import OneFile, PgWal, ServerSpool, StreamFolder
from ..host.wal_spool import FileSpool
from ..model.settings import ClusterSettings
from ..ops.wal_archive import WalArchive
from ..ops.world import World

pause = time.sleep


def open_archive(world: World, cluster: ClusterSettings) -> WalArchive:
    """Return the archive of a cluster's WAL."""
    return WalArchive(world, cluster.wal)


def one_file(path: str) -> OneFile:
    """Return a single file as a source."""
    return OneFile(path)


def open_server_wal(cluster: ClusterSettings) -> tuple[PgWal, ServerSpool]:
    """Return pg_wal of the cluster's server and the spool of its archive_command."""
    source = PgWal(data_directory(cluster))
    return source, ServerSpool(spool_folder(cluster), source)


def open_stream(cluster: ClusterSettings) -> tuple[StreamFolder, ServerSpool]:
    """Return the folder of a stream, and a spool for the shipper's reports."""
    folder = os.path.join(spool_folder(cluster), "stream")
    source = StreamFolder(folder)
    return source, ServerSpool(spool_folder(cluster), source)


def spool_folder(cluster: ClusterSettings) -> str:
    """Return the spool's folder; raise ConfigError if the cluster's WAL is not archived by us."""
    if not cluster.wal.method:
        raise ConfigError(f"clusters.{cluster.name}.wal is not set", code="wal.not_set",
                          hint="Set it, for example to {method: push}; docs/wal.md shows how.")
    return cluster.wal.spool


def shipper_report(cluster: ClusterSettings) -> dict[str, Any]:
    """Return what the cluster's shipper last said of itself; nothing where there is none, or it is closed to us."""
    return FileSpool(cluster.wal.spool).read_report() if cluster.wal.method else {}


def data_directory(cluster: ClusterSettings) -> str:
    """Return the server's data directory: by the settings, else the server is asked."""
    if cluster.wal.data_directory:
        return cluster.wal.data_directory
    from ..postgres.archiver import ask_data_directory
    return ask_data_directory(cluster.connection)


def fetch_ahead_folder(cluster: ClusterSettings) -> AheadFolder | None:
    """Return the folder of fetched segments, None where there is no spool to put it into."""
    spool = spool_folder(cluster)
    return AheadFolder(os.path.join(spool, "get")) if os.access(spool, os.W_OK) else None
