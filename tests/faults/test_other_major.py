# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump of one major, drilled where only a newer server is installed."""
from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest

from kit.chain import Chain, new_folder
from kit.servers import Missing, find_bin_dir


@pytest.fixture
def chain(pg16):
    folder = new_folder()
    pg16.sql("CREATE DATABASE majors")
    yield Chain(pg16, folder, databases=["majors"])
    pg16.sql("DROP DATABASE majors")
    shutil.rmtree(folder)


@pytest.fixture
def newer():
    try:
        return find_bin_dir(18)
    except Missing as error:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip(str(error))


def test_a_newer_server_proves_the_data_and_raises_no_false_alarm_on_the_structure(chain, newer, pg16):
    # 18 keeps NOT NULL as a constraint, which 16 has no word for
    pg16.sql("CREATE TABLE t (id int PRIMARY KEY, word text NOT NULL)", "INSERT INTO t VALUES (1, 'x')",
             database="majors")
    chain.taken()
    chain.own["bin_dir"] = newer
    evidence = chain.drill()
    assert [each for each in evidence.checks if each.result == "failed"] == []
    assert evidence.verdict == "incomplete"
    [structure] = [each for each in evidence.checks if each.name == "structure majors"]
    assert (structure.result, "PostgreSQL 18, the dump is of 16" in structure.detail) == ("not_run", True)
    [data] = [each for each in evidence.checks if each.name == "data majors"]
    assert (data.result, data.detail) == ("ok", "1 rows in 1 tables, full")


def test_a_newer_server_still_finds_lost_rows(chain, newer, pg16):
    pg16.sql("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)", database="majors")
    chain.taken()
    chain.own["bin_dir"] = newer
    scratch = chain.wrap_scratch

    class Thief:
        """A scratch server that loses a row before it is asked."""

        def __init__(self, inner):
            self.inner = inner

        def plan(self, major):
            return self.inner.plan(major)

        def discard(self):
            self.inner.discard()

        def start(self, *given, **named):
            @contextmanager
            def stealing():
                with self.inner.start(*given, **named) as target:
                    fingerprint = target.fingerprint

                    def robbed(database, *rest):
                        with target.databases.open(database) as session:
                            session.execute("DELETE FROM public.t")
                        return fingerprint(database, *rest)

                    target.fingerprint = robbed
                    yield target
            return stealing()

    chain.wrap_scratch = lambda inner: Thief(scratch(inner))
    assert chain.drill().verdict == "failed"
