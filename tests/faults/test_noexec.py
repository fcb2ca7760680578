# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems on which no program may be started (noexec), as /tmp often is: what works there, and what is told."""
from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import pytest
from installation import copy_installation

from kit.chain import new_folder
from kit.physical import CONFIG, Physical
from kit.servers import find_bin_dir, start_server
from kit.small_disk import command_in_tmpfs

# a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a user namespace has no account but root to run a server as")


@pytest.fixture(scope="module")
def chain():
    """A chain with a base backup and a dump, whose scratch folder is to be mounted over."""
    with ExitStack() as stack:
        folder = new_folder()
        stack.callback(shutil.rmtree, folder)
        chain = Physical(stack.enter_context(start_server(16, config=CONFIG[16])), folder, databases=["postgres"])
        chain.server.sql("CREATE TABLE kept AS SELECT g AS id FROM generate_series(1, 500) g")
        chain.taken()
        chain.based()
        yield chain


def where_nothing_starts(chain, *words):
    """Run the host command with the scratch folder being such a file system; return (status, words, its names)."""
    return command_in_tmpfs(chain.config(), words, chain.scratch, options="size=256m,mode=0755,noexec")


def test_a_drill_needs_to_start_nothing_in_its_folder(chain):
    status, said, left = where_nothing_starts(chain, "drill", "--kind", "base")
    assert (status, left) == (0, []), said
    assert "passed" in said


def test_a_recovery_needs_to_start_nothing_beside_its_data_directory(chain):
    status, said, left = where_nothing_starts(chain, "recover", str(chain.scratch / "data"))
    assert (status, left) == (0, ["data"]), said


@pytest.mark.parametrize("words", [("drill", "--kind", "base"), ("drill", "--kind", "dump"), ("recover", "DATA")],
                         ids=["base", "dump", "recover"])
def test_an_installation_that_would_have_to_be_copied_there_is_told_with_the_cure(chain, monkeypatch, words, folder):
    closed = folder / "closed"
    monkeypatch.setitem(chain.own, "bin_dir", str(copy_installation(find_bin_dir(16), closed)))
    closed.chmod(0o700)
    status, said, left = where_nothing_starts(chain, *(str(chain.scratch / "data") if word == "DATA" else word
                                                       for word in words))
    assert status not in (0, 1), said
    assert left == []
    assert "Traceback" not in said
    assert f"cannot run the programs in {closed}" in said
    assert f"no copy of them in {chain.scratch}, which is mounted noexec" in said
    assert "of a drill it is drill.scratch.dir" in said
