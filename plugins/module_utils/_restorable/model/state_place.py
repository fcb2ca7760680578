# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where the locks of a cluster lie by its settings, and which folders its jobs write to. Pure."""
from __future__ import annotations

from .repositories import LocalRepository
from .settings import ClusterSettings, Settings

STATE_FOLDER = ".state"    # beside the backups of a local repository; no listing shows a name with a leading dot
SYSTEM_STATE = "/var/lib/restorable"


def local_repositories(settings: Settings, cluster: ClusterSettings) -> list[LocalRepository]:
    """Return the cluster's repositories that are folders of this machine."""
    every = [settings.repositories[name] for name in cluster.repositories]
    return [each for each in every if isinstance(each, LocalRepository)]


def told_state_dir(settings: Settings, cluster: ClusterSettings) -> str:
    """Return the folder of locks that the settings tell, whoever runs; "" where it is the host's or the user's own."""
    local = local_repositories(settings, cluster)
    # where one repository is enough, the lock must not lie in one that may be gone
    if not settings.state_dir and local and cluster.repositories_policy == "all":
        return f"{local[0].path.rstrip('/')}/{STATE_FOLDER}"
    return settings.state_dir


def needed_folders(settings: Settings, cluster: ClusterSettings) -> list[str]:
    """Return the folders without which no job of the cluster can run, besides temporary ones.

    Where one repository is enough, none of them is.
    """
    local = [] if cluster.repositories_policy == "any" else local_repositories(settings, cluster)
    return _different(*_of_repositories(local), told_state_dir(settings, cluster) or SYSTEM_STATE, *_own(cluster))


def written_folders(settings: Settings, cluster: ClusterSettings) -> list[str]:
    """Return every folder that the jobs of a cluster may write to, besides temporary ones; a path stands for all below.

    The host's state folder is among them where no setting says where the locks lie.
    """
    return _different(*_of_repositories(local_repositories(settings, cluster)),
                      told_state_dir(settings, cluster) or SYSTEM_STATE, *_own(cluster))


def private_folders(settings: Settings, cluster: ClusterSettings) -> list[str]:
    """Return the folders of locks and evidence that do not lie in a repository."""
    return _different(told_state_dir(settings, cluster) or SYSTEM_STATE,
                      *(each.evidence for each in local_repositories(settings, cluster)))


def _of_repositories(local: list[LocalRepository]) -> list[str]:
    return [path for each in local for path in (each.path, each.evidence)]


def _own(cluster: ClusterSettings) -> tuple[str, str]:
    return cluster.staging, cluster.drill.scratch_dir


def _different(*paths: str) -> list[str]:
    # the state folder of a local repository lies in it
    return list(dict.fromkeys(path for path in paths if path and not path.endswith(f"/{STATE_FOLDER}")))
