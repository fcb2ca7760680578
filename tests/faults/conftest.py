# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small database, a chain over it with one good backup, and what every failure must keep to."""
from __future__ import annotations

import itertools
from contextlib import contextmanager

import pytest

from _restorable.errors import RestorableError
from kit.chain import Chain
from kit.container import Container

SHOP = (
    "CREATE TABLE customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE item (id serial PRIMARY KEY, customer int REFERENCES customer, price numeric CHECK (price >= 0))",
    "CREATE INDEX item_price ON item (price)",
    "INSERT INTO customer (name) SELECT 'name ' || g FROM generate_series(1, 200) g",
    "INSERT INTO item (customer, price) SELECT 1 + g % 200, g FROM generate_series(1, 500) g",
    "SELECT lo_from_bytea(0, 'a large object')",
)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def pg16(servers):
    """The shared server on which faults are forced that are the same on every major."""
    return servers.of(16)


@pytest.fixture
def shop(pg16):
    """The name of a small database, dropped afterwards."""
    name = f"shop_{next(_numbers)}"
    pg16.sql(f"CREATE DATABASE {name} TEMPLATE template0")
    pg16.sql(*SHOP, database=name)
    yield name
    pg16.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def chain(pg16, shop, folder):
    """A chain over that database, with nothing taken yet."""
    return Chain(pg16, folder, databases=[shop])


@pytest.fixture
def good(chain):
    """The chain with one good backup."""
    chain.taken()
    return chain


@pytest.fixture
def fails():
    """A context that wants a failure of this code, with these words told, and every stored byte as it was before."""
    @contextmanager
    def context(chain, code, *words):
        before = chain.files()
        with pytest.raises(RestorableError) as caught:
            yield caught
        assert caught.value.code == code, caught.value
        told = f"{caught.value.message}\n{caught.value.hint}"
        assert [word for word in words if word not in told] == [], told
        assert caught.value.hint
        assert chain.files() == before
    return context


@pytest.fixture
def container(pg16, shop, folder):
    """A function that makes one: container(BACKUP_ON_START="1"); it is ended with the test."""
    made = []

    def make(server=pg16, **environment):
        made.append(Container(folder, server, **{"BACKUP_DATABASES": shop, **environment}))
        return made[-1]
    yield make
    for each in made:
        if each.process and each.process.poll() is None:
            each.process.kill()
            each.process.communicate()
