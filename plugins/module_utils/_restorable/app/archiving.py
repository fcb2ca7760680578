# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give the operations on a server's archiving their adapters."""
from __future__ import annotations

from typing import Any, Sequence

from ..errors import Refused, RestorableError
from ..host.archiving import SettingsFile, SpoolMaker
from ..host.wal_spool import FileSpool
from ..model.archiving import Archiver, Change
from ..model.settings import ClusterSettings
from ..ops.wal_info import RepositoryWal, wal_info
from ..ops.world import World
from ..postgres.archiver import PgArchiver
from . import wal
from .wal import spool_folder

pause = wal.pause                  # Ansible's side asks this file alone


class BySystem:
    """Writes settings by ALTER SYSTEM."""

    def __init__(self, server: PgArchiver) -> None:
        self._server = server

    def write(self, changes: Sequence[Change], wanted: dict[str, str]) -> None:  # noqa: ARG002 - the port's signature
        """Write what changes."""
        self._server.alter(changes)


class ByFile:
    """Writes settings into a file of our own, and sees that the server reads it."""

    def __init__(self, server: PgArchiver, path: str) -> None:
        self._server, self._file = server, SettingsFile(path)

    def write(self, changes: Sequence[Change], wanted: dict[str, str]) -> None:
        """Write all that is wanted."""
        self._file.write(wanted)
        self._server.reload()
        configured = self._server.facts().configured
        for change in changes:
            if configured.get(change.name) != change.after:
                self._file.take_back()
                raise Refused(f"the server does not read {change.name} from {self._file.path}",
                              hint="Name its folder in postgresql.conf by include_dir, and see that no later file and "
                                   f"no ALTER SYSTEM overrules it (`ALTER SYSTEM RESET {change.name}`).",
                              code="archiver.not_read")


def open_archiver(cluster: ClusterSettings) -> PgArchiver:
    """Return the archiving side of the cluster's server."""
    return PgArchiver(cluster.connection)


def open_place(server: PgArchiver, path: str) -> BySystem | ByFile:
    """Return where settings are written: by ALTER SYSTEM, or into a file."""
    return ByFile(server, path) if path else BySystem(server)


def open_spool_maker(cluster: ClusterSettings) -> SpoolMaker:
    """Return what makes the spool and its scripts."""
    return SpoolMaker(spool_folder(cluster))


def ask_wal(world: World, cluster: ClusterSettings) -> tuple[tuple[RepositoryWal, ...], Archiver | None,
                                                             dict[str, Any], str]:
    """Return what every repository holds, the server's facts if it can be asked, the shipper's report, and why not."""
    found, error = None, ""
    try:
        found = open_archiver(cluster).facts(cluster.wal.slot if cluster.wal.method == "stream" else "")
    except RestorableError as failure:
        error = failure.message
    return wal_info(world, found), found, FileSpool(spool_folder(cluster)).read_report(), error
