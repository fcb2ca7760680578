# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give the operations their adapters: the only file that knows which class keeps which port."""
from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from ..errors import ConfigError
from ..host.clock import SystemClock
from ..host.hooks import CommandHooks
from ..host.keyfiles import KeyFiles
from ..host.lock import FileLock
from ..host.progress import Silent, StatusFile
from ..model.reading import MOST, within
from ..ops.world import World
from ..stream.keyring import Keyring
from . import pen, stores
from .page import evidence_page
from .pen import open_pen
from .stores import open_store, proof_dir, state_dir, sweep_age

if TYPE_CHECKING:
    from ..model.journal_view import Verify
    from ..model.pick import Choose
    from ..model.settings import ClusterSettings, Settings
    from ..ops.dump_ports import Cluster
    from ..ops.recovery_ports import RecoveryPlace
    from ..ops.source import BaseSource
    from ..ops.witness import Witnessing
    from ..ports import Archives, Progress, Scratch, Target

operator, open_buckets = pen.operator, stores.open_buckets     # Ansible's side asks this file alone


def open_world(settings: Settings, cluster: ClusterSettings, progress: Progress, *, wait: float = 0.0,
               say: Callable[[str], None] | None = None) -> World:
    """Return the ports of one cluster's operations; nothing is touched yet.

    wait is how many seconds a lock of another run is waited for at most, and say is told whose it is.
    """
    if not cluster.repositories:
        raise ConfigError(f"cluster {cluster.name} has no repository", code="repository.none",
                          hint="Name at least one under `repositories`.")
    clock = SystemClock()
    state, proof = state_dir(settings, cluster, os.environ), proof_dir(settings, cluster, os.environ)
    return World(
        cluster.name, tuple(open_store(settings.repositories[name]) for name in cluster.repositories), clock, progress,
        FileLock(os.path.join(state, f"{cluster.name}.lock"), clock, f"cluster {cluster.name}", wait=wait, say=say),
        FileLock(os.path.join(proof, f"{cluster.name}.reading.lock"), clock, f"cluster {cluster.name}", wait=wait,
                 say=say),
        CommandHooks(), sweep_age(settings, cluster), open_pen(settings.audit, cluster.name, proof, clock),
        Keyring(KeyFiles(settings.encryption)), page=evidence_page,
        any_is_enough=cluster.repositories_policy == "any", witness=_open_witness(cluster),
        retentions={name: settings.repositories[name].retention for name in cluster.repositories})


def _open_witness(cluster: ClusterSettings) -> Witnessing | None:
    if not cluster.witness.database:
        return None
    from ..postgres.witness import PgWitness
    return PgWitness(cluster.connection, cluster.witness)


def open_progress(path: str | None) -> Progress:
    """Return what writes progress into a file, for a caller that polls it, or nothing without a path."""
    return StatusFile(path) if path else Silent()


def schedule_file(settings: Settings, cluster: ClusterSettings, name: str) -> str:
    """Return the file in which the cluster's scheduler remembers its runs."""
    return os.path.join(proof_dir(settings, cluster, os.environ), name)


def check_repositories(settings: Settings, names: Sequence[str], progress: Progress, *, size_mib: int,
                       dry_run: bool) -> tuple[dict[str, Any], str]:
    """Check repositories and return the report and the result in words."""
    from .checking import MIB, check, in_words
    within(size_mib, "size", 1, MOST)
    report = check(settings, names, progress, size=size_mib * MIB, dry_run=dry_run)
    return report, in_words(report)


def open_cluster(cluster: ClusterSettings) -> Cluster:
    """Return the server that is dumped."""
    from ..postgres.cluster import PgCluster
    return PgCluster(cluster.connection, bin_dir=cluster.bin_dir or None, staging=cluster.staging or None,
                     role_passwords=cluster.dump.role_passwords)


def open_source(cluster: ClusterSettings) -> BaseSource:
    """Return the same server as one that gives base backups."""
    from ..postgres.basebackup import PgBase
    return PgBase(cluster.connection, slot=cluster.wal.slot if archives_wal(cluster) == "stream" else "")


def archives_wal(cluster: ClusterSettings) -> str:
    """Return how the cluster's WAL goes into its repositories: push, stream, or "" if it does not."""
    return cluster.wal.method


def open_recovery(cluster: ClusterSettings, path: str, places: Mapping[str, str], owner: str = "") -> RecoveryPlace:
    """Return a data directory to recover into."""
    from ..postgres.recover_place import DataDirectory
    return DataDirectory(path, places, cluster.bin_dir, owner)


def open_scratch_recovery(cluster: ClusterSettings) -> RecoveryPlace:
    """Return the maker of data directories that vanish."""
    from ..postgres.recover_place import ScratchRecovery
    from ..postgres.scratch import LocalScratch
    return ScratchRecovery(LocalScratch(cluster.bin_dir, cluster.drill.scratch_dir, cluster.drill.scratch_user))


def open_target(cluster: ClusterSettings) -> Target:
    """Return the same server as a place to restore into."""
    from ..postgres.connect import Connection
    from ..postgres.restore import PgTarget
    return PgTarget(Connection.of(cluster.connection), bin_dir=cluster.bin_dir, stage=cluster.staging)


def open_scratch(cluster: ClusterSettings) -> Scratch:
    """Return the maker of scratch servers."""
    from ..postgres.connect import driver
    from ..postgres.scratch import LocalScratch
    driver()                           # missing, it would be missed only after everything was read and restored
    return LocalScratch(cluster.bin_dir, cluster.drill.scratch_dir, cluster.drill.scratch_user)


def open_archives(cluster: ClusterSettings) -> Archives:
    """Return the reader of archives."""
    from ..postgres.archive_reader import PgArchives
    return PgArchives(cluster.bin_dir, cluster.staging)


def open_verifier(settings: Settings) -> Verify | None:
    """Return what judges signatures: by verify_keys, else by the public half of the signing key, else none is asked."""
    from ..host.signer import public_key, verifier
    keys = settings.audit.verify_keys
    if not keys and settings.audit.signing_key_file:
        keys = (public_key(settings.audit.signing_key_file),)
    return verifier(keys) if keys else None


def chooser(seed: int | None = None) -> Choose:
    """Return chance: the system's, or a repeatable one for tests."""
    source = random.SystemRandom() if seed is None else random.Random(seed)
    return source.choice
