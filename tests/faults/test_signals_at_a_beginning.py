# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal that arrives the moment a child was begun, before anybody can know it: the child ends all the same."""
from __future__ import annotations

import os
import signal
import subprocess

import pytest

from _restorable.host.hooks import CommandHooks
from _restorable.host.jobs import OwnCommand
from _restorable.postgres.listing import PassingList
from _restorable.postgres.recover_place import ScratchRecovery
from _restorable.postgres.scratch import LocalScratch
from _restorable.stream.program import read_from
from kit.leftovers import is_gone


class Stopped(BaseException):
    """As the command's own."""


@pytest.fixture
def begun(monkeypatch):
    """Ids of the children that were begun in sessions of their own, each followed by a SIGTERM to this process."""
    ids = []

    class Popen(subprocess.Popen):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            if options.get("start_new_session"):
                ids.append(self.pid)
                os.kill(os.getpid(), signal.SIGTERM)

    def stop(_number, _frame):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    monkeypatch.setattr(subprocess, "Popen", Popen)
    yield ids
    signal.signal(signal.SIGTERM, before)


def ended(begun):
    """Return whether one child was begun, and ended; kill it otherwise, so that it is nobody's."""
    [pid] = begun
    gone = is_gone(pid)
    if not gone:
        os.kill(pid, signal.SIGKILL)
    return gone


def test_a_program_of_a_stream(begun):
    with pytest.raises(Stopped):
        list(read_from(["sleep", "300"]))
    assert ended(begun)


def test_a_hook(begun):
    with pytest.raises(Stopped):
        CommandHooks().run(["sleep", "300"], {})
    assert ended(begun)


def test_a_verb_of_the_scheduler(begun, tmp_path):
    # a named pipe that nobody writes to: the verb would wait for its settings
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(Stopped):
        OwnCommand(dict(os.environ), lambda: None, "--config", str(tmp_path / "config.json"))(["list"], print)
    assert ended(begun)


def test_a_list_of_an_archive(begun, tmp_path):
    tool = tmp_path / "pg_restore"
    tool.write_text("#!/bin/sh\nexec sleep 300\n")
    tool.chmod(0o700)
    with pytest.raises(Stopped):
        list(PassingList(str(tool))([b"PGDMP"]))
    assert ended(begun)


@pytest.fixture
def scratch(servers, folder):
    return LocalScratch(bin_dir=servers.of(16).bin_dir, base=str(folder))


def test_a_scratch_server(scratch, begun):
    with pytest.raises(Stopped), scratch.start(16, "postgres", keep_on_failure=False):
        pass
    assert ended(begun)
    assert os.listdir(scratch.base) == []


def test_a_recovering_server(scratch, begun):
    with pytest.raises(Stopped), ScratchRecovery(scratch).open(16, "postgres") as recovery:
        recovery.make([recovery.data])
        server = recovery.started.__self__
        server.run("initdb", "-D", recovery.data, "--auth=trust", "--no-sync", "--username=postgres")
        with server.started({}):
            pass
    assert ended(begun)
    assert os.listdir(scratch.base) == []
