# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared fixtures: one server of each major for the whole run, a database for each test, more servers on demand."""
from __future__ import annotations

import itertools
import shutil
from contextlib import ExitStack

import pytest

from kit.servers import MAJORS, Missing, start_server

_numbers = itertools.count(1)


class Servers:
    """Servers that start when they are first asked for and live until the end of the run."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict = {}

    def of(self, major: int):
        """Return the shared server of that major; skip the test if this machine has none."""
        if major not in self._running:
            try:
                self._running[major] = self._stack.enter_context(start_server(major))
            except Missing as error:
                self._running[major] = error
        if isinstance(self._running[major], Missing):
            # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
            pytest.skip(str(self._running[major]))
        return self._running[major]


@pytest.fixture(scope="session")
def servers():
    """The shared servers by major: servers.of(16)."""
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture(params=MAJORS, ids=lambda major: f"pg{major}")
def server(request, servers):
    """A shared server, once for each major. Make databases of your own in it and nothing else."""
    found = servers.of(request.param)
    request.node.user_properties.append(("PostgreSQL", found.version))
    return found


@pytest.fixture
def database(server):
    """The name of a new, empty database on the shared server, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    server.sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    server.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def folder():
    """A private folder that servers of another account can pass through."""
    from kit.chain import new_folder  # here, since this file is also loaded where the collection's core is not
    path = new_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data():
    """A data directory that is not there yet, in a folder of the servers' account."""
    from kit.chain import new_folder
    from kit.physical import home
    path = new_folder()
    yield home(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def empty_server():
    """A function that starts a fresh, empty server of its own: empty_server(16, config={…}, hba="…")."""
    with ExitStack() as stack:
        def start(major: int, **options):
            try:
                return stack.enter_context(start_server(major, **options))
            except Missing as error:
                # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
                return pytest.skip(str(error))
        yield start
