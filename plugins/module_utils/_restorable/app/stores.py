# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Open the repositories of a cluster by the type of their settings, and say where its locks are."""
from __future__ import annotations

import os
from typing import Any, Callable, Mapping

from ..errors import NotFound
from ..model.repositories import LocalRepository, RcloneRepository, Repository
from ..model.s3_settings import S3Repository
from ..model.settings import ClusterSettings, Settings
from ..model.state_place import STATE_FOLDER, SYSTEM_STATE, local_repositories, told_state_dir
from ..ops.bucket import BucketSettings
from ..ports import Store
from ..store.apart import EvidenceApart
from ..store.local import LocalStore

# Locks of this host keep out its own runs only, so what looks orphaned may belong to a run of another host.
FOREIGN_ORPHAN = 86400.0   # seconds


def open_store(repository: Repository) -> Store:
    """Return the adapter of one repository; nothing is touched yet."""
    return OPENERS[type(repository)](repository)


def create_store(repository: Repository) -> None:
    """Make a repository's folder and its marker; one of another type must be there, and is checked."""
    store = open_store(repository)
    home = store.backups if isinstance(store, EvidenceApart) else store
    if isinstance(home, LocalStore):
        home.create()
    else:
        home.check()


def open_buckets(settings: Settings, cluster: ClusterSettings, repository: str = "") -> list[BucketSettings]:
    """Return the buckets of a cluster's repositories, or of one of them; raise NotFound if there is none."""
    from ..store.s3_bucket import S3Bucket
    found = [settings.repositories[name] for name in cluster.repositories if repository in ("", name)]
    buckets: list[BucketSettings] = [S3Bucket(each) for each in found if isinstance(each, S3Repository)]
    if not buckets:
        wanted = f"repository {repository!r}" if repository else "a repository of type s3"
        raise NotFound(f"cluster {cluster.name} has no bucket: {wanted} is not among its repositories",
                       hint=f"Its repositories are {', '.join(cluster.repositories) or 'none'}.", code="bucket.none")
    return buckets


def state_dir(settings: Settings, cluster: ClusterSettings, environment: Mapping[str, str]) -> str:
    """Return the folder of locks: by the settings, inside the cluster's first local repository, or the host's.

    In a local repository every user and host that writes to it meets the same lock.
    """
    told = told_state_dir(settings, cluster)
    if told:
        return told
    # an account that the folder belongs to meets root, and root it, at the same lock
    if os.geteuid() == 0 or os.access(SYSTEM_STATE, os.W_OK | os.X_OK):
        return SYSTEM_STATE
    own = environment.get("XDG_STATE_HOME") or os.path.join(environment.get("HOME", "/"), ".local", "state")
    return os.path.join(own, "restorable")


def proof_dir(settings: Settings, cluster: ClusterSettings, environment: Mapping[str, str]) -> str:
    """Return the folder of the locks that a drill takes, too: it may not be able to write to the backups."""
    apart = [each.evidence for each in local_repositories(settings, cluster) if each.evidence]
    if apart and not settings.state_dir:
        return os.path.join(apart[0], STATE_FOLDER)
    return state_dir(settings, cluster, environment)


def sweep_age(settings: Settings, cluster: ClusterSettings) -> float:
    """Return how many seconds an orphan must be old: 0 where the lock keeps all writers out."""
    if settings.state_dir or cluster.repositories_policy == "any":
        return FOREIGN_ORPHAN
    return 0.0 if len(local_repositories(settings, cluster)) == len(cluster.repositories) else FOREIGN_ORPHAN


def _local(repository: LocalRepository) -> Store:
    store = LocalStore(repository.name, repository.path, require_marker=repository.require_marker)
    return EvidenceApart(store, LocalStore(repository.name, repository.evidence)) if repository.evidence else store


def _rclone(repository: RcloneRepository) -> Store:
    from ..store.rclone import RcloneStore
    return RcloneStore(repository.name, repository.remote, config_file=repository.config_file,
                       options=repository.options, secrets=repository.secret_options)


def _s3(repository: S3Repository) -> Store:
    from ..store.s3 import S3Store
    return S3Store(repository)


OPENERS: Mapping[type, Callable[[Any], Store]] = {
    LocalRepository: _local, RcloneRepository: _rclone, S3Repository: _s3}
