# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command as a function: run(*words) → Ran(status, out, err), with settings in a folder of its own."""
from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from _restorable.app.cli import main
from _restorable.model.manifest import Item, Manifest
from _restorable.model.naming import BackupId
from _restorable.store.local import LocalStore


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Host:
    """A host with one repository; commit() puts sets there without a server."""

    def __init__(self, folder):
        self.folder = folder
        self.store = LocalStore("local", str(folder / "repo"))
        self.config({"shop": {}})

    def config(self, clusters, **other):
        body = {"repositories": {"local": {"path": str(self.folder / "repo")}}, "clusters": clusters, **other}
        (self.folder / "config.json").write_text(json.dumps(body))

    def run(self, *words, stream=io.StringIO, **environment):
        out, err = stream(), stream()
        status = main(words, out, err, {"RESTORABLE_CONFIG": str(self.folder / "config.json"), **environment})
        return Ran(status, out.getvalue(), err.getvalue())

    def commit(self, text, *, cluster="shop", database="app"):
        backup = BackupId.parse(text)
        stored = self.store.put(f"{cluster}/backup/{text}/{database}.sql", [b"-- nothing\n"])
        size, sha256 = stored.size, stored.sha256
        item = Item(f"{database}.sql", "dump", size, sha256, size, sha256, database, "plain")
        manifest = Manifest(backup, cluster, backup.time, backup.time, "restorable 0.1.0", (item,))
        self.store.put(f"{cluster}/backup/{text}/manifest.json", [manifest.as_json()])
        return backup


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def terminal():
    return Terminal


@pytest.fixture
def three():
    return datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
