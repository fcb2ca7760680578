# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give the operations on WAL their adapters."""
from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import datetime
from typing import Any, Mapping

from ..errors import ConfigError, RestorableError
from ..host.wal_ahead import AheadFolder
from ..host.wal_source import OneFile, PgWal, ServerSpool, StreamFolder
from ..host.wal_spool import FileSpool
from ..model.settings import ClusterSettings
from ..model.wal_watch import SILENCE
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


def waiting_wal(cluster: ClusterSettings, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what waits to be archived, looked at by ourselves where we may; a slot is asked for if nobody reports it.

    Trouble with that is no news: a server that is away holds nothing back, and a folder may be closed to us.
    """
    with suppress(RestorableError):
        if cluster.wal.method == "push" and cluster.wal.data_directory:
            return PgWal(cluster.wal.data_directory).waiting()
        if cluster.wal.method == "stream" and not _lately(said):
            from ..postgres.archiver import PgArchiver
            slot = PgArchiver(cluster.connection).facts(cluster.wal.slot).slot
            return {"slot_bytes": slot["lag"]} if slot else {}
    return {}


def _lately(said: Mapping[str, Any]) -> bool:
    return bool(said) and time.time() - datetime.fromisoformat(said["updated"]).timestamp() < SILENCE


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
