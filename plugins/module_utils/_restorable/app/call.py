# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a verb of the host command is given, and what it gives back."""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Mapping

from ..errors import RestorableError
from ..model.reading import duration
from ..model.settings import ClusterSettings, Settings
from .console import Console

if TYPE_CHECKING:
    from ..ops.world import World


@dataclass(frozen=True)
class Call:
    """One verb on one cluster."""

    options: argparse.Namespace
    settings: Settings
    cluster: ClusterSettings
    console: Console

    def world(self) -> World:
        """Open the cluster's repositories, locks and clock."""
        from .wire import open_world
        world = open_world(self.settings, self.cluster, self.console.progress(), say=self.console.warn,
                           wait=duration(self.options.wait, "--wait"))
        return replace(world, source=getattr(self.options, "repository", ""))


@dataclass(frozen=True)
class Result:
    """What a verb found: values for --json, a text for a person, and the exit status."""

    report: Mapping[str, Any]
    text: str = ""
    done: str = ""                 # the closing line
    status: int = 0
    warnings: tuple[str, ...] = ()
    error: RestorableError | None = None   # told beside the report, such as a refused plan
