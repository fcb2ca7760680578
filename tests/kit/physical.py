# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of physical backups, wired as the app wires it: base backups, incrementals and recoveries."""
from __future__ import annotations

import pathlib
from typing import Any

from _restorable.app import wire
from _restorable.model.manifest import Manifest
from _restorable.model.settings import Settings
from _restorable.ops import base
from kit.chain import NAME, Chain

CONFIG = {15: {}, 16: {}, 18: {"summarize_wal": "on"}}     # what a server of that major needs for everything here


class Physical(Chain):
    """One cluster whose whole server is copied; jobs are settings of base and incremental."""

    def __init__(self, server: Any, folder: pathlib.Path, **options: Any) -> None:
        super().__init__(server, folder, **options)
        self.wrap_source = lambda source: source
        self.archived = False
        self.sleep = base.pause

    def base(self, *, kind: str = "base", dry_run: bool = False, **job: Any) -> Any:
        """Take a base backup; job are settings that count this time only. Returns what was done."""
        self.own["jobs"].setdefault(kind, {})
        body = self._with(kind, job)
        wanted = body.base if kind == "base" else body.incremental
        source = self.wrap_source(wire.open_source(body))
        return base.back_up_base(self.world(), source, wanted, archived=self.archived, dry_run=dry_run,
                                 sleep=self.sleep)

    def based(self, **how: Any) -> Manifest:
        """Take a base backup and return its manifest."""
        return self.base(**how).manifest

    def settings_of(self, **own: Any) -> Any:
        """Return the cluster's settings with changes."""
        return Settings.of({**self.body, "clusters": {NAME: {**self.own, **own}}}).cluster(NAME)
