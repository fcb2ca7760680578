# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords: over the whole chain they stand in no command line, no output, and no file that others can read."""
from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from _restorable.errors import RestorableError
from kit.chain import CORE, Chain
from kit.leftovers import every_process
from kit.servers import start_server

SECRET = "xyzzy:Gehe'im\\42%"
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"


@pytest.fixture(scope="module")
def guarded(servers):
    """A server that wants passwords."""
    with start_server(16, hba=HBA) as server:
        with server.connect() as session:
            session.execute(f"CREATE ROLE backup LOGIN SUPERUSER PASSWORD {_literal(SECRET)}")
            session.execute("CREATE DATABASE vault TEMPLATE template0")
        server.sql("CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g",
                   database="vault")
        yield server


def _literal(text):
    return "'" + text.replace("'", "''") + "'"


class Watch:
    """Sees every command line, environment left aside, and every file that holds the secret, until the block ends."""

    def __init__(self, *folders):
        self._folders, self._done = folders, threading.Event()
        self.lines, self.wide = set(), set()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.wait(0.02):
            for pid in every_process():
                try:
                    self.lines.add(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
                except OSError:
                    continue
            for folder in self._folders:
                for name in (os.path.join(*each) for each in names(folder)):
                    try:
                        mode = os.stat(name).st_mode & 0o777
                        if mode & 0o077 and os.path.isfile(name) and holds(pathlib.Path(name).read_bytes()):
                            self.wide.add((name, oct(mode)))
                    except OSError:
                        continue


def names(folder):
    """Yield (folder, name) of every file; what vanishes meanwhile is left out."""
    return ((at, name) for at, _folders, found in os.walk(folder) for name in found)


def holds(data):
    """Say whether the secret stands in data, as it is or escaped for a passfile or for JSON."""
    return any(form.encode() in data for form in (SECRET, SECRET.replace("\\", "\\\\").replace(":", "\\:"),
                                                  SECRET.replace("\\", "\\\\"), "Gehe'im", "Gehe\\'im"))


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_the_password_is_seen_nowhere(guarded, folder, form):
    chain = Chain(guarded, folder, databases=["vault"], format=form, compression={"method": "none"},
                  connection={"user": "backup", "password": SECRET})
    said = []
    with Watch(folder, guarded.folder) as watch:
        for argv in (["backup"], ["verify"], ["drill"], ["show"], ["status"],
                     ["restore", "--database", "vault", "--into", "copied"],
                     ["restore", "--database", "vault", "--into", "copied", "--table", "t", "--clean"],
                     ["backup", "--json"], ["drill", "--json"], ["prune", "--json"]):
            status, out, err = chain.run(*argv)
            assert status == 0, err
            said += [out, err]
    guarded.sql("DROP DATABASE copied")
    assert any(b"pg_dump" in line for line in watch.lines)
    assert any(b"pg_restore" in line for line in watch.lines)
    assert [line for line in watch.lines if holds(line)] == []
    assert watch.wide == set()
    assert not any(holds(text.encode()) for text in said)
    assert not holds(guarded.log_text().encode())
    left = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.json"]
    assert [str(path) for path in left if holds(path.read_bytes())] == []
    assert {oct(path.stat().st_mode & 0o777) for path in left} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in (folder / "local").rglob("*") if path.is_dir()} == {"0o700"}
    assert os.listdir(chain.temporary()) == []


@pytest.mark.parametrize("advanced", [False, True], ids=["at the begin of the dump", "in its midst"])
def test_a_run_that_is_killed_leaves_no_password_behind(guarded, folder, advanced):
    chain = Chain(guarded, folder, databases=["vault"], connection={"user": "backup", "password": SECRET})
    assert chain.killed("backup", "dump vault", advanced=advanced) == -signal.SIGKILL
    left = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.json"]
    assert [str(path) for path in left if holds(path.read_bytes())] == []
    assert os.listdir(chain.temporary()) == []


def test_a_wrong_password_is_told_and_not_shown(guarded, folder):
    chain = Chain(guarded, folder, databases=["vault"], connection={"user": "backup", "password": "Gehe'im-wrong"})
    for work in (chain.back_up, lambda: chain.back_up(dry_run=True)):
        with pytest.raises(RestorableError) as caught:
            work()
        assert caught.value.code == "connect.password"
        assert "backup" in caught.value.message
        assert not holds(f"{caught.value.message} {caught.value.hint}".encode())
    assert chain.ids() == []
    status, out, err = chain.run("backup")
    assert status != 0
    assert not holds((out + err).encode())


def test_a_password_that_a_command_prints_is_masked(guarded, folder):
    chain = Chain(guarded, folder, databases=["vault"], connection={"user": "backup", "password": SECRET})
    chain.taken()
    status, out, err = chain.run("restore", "--database", "vault", "--into", "copied", "--post-command", "sh", "-c",
                                 "env; exit 3")
    guarded.sql("DROP DATABASE copied")
    assert (status, "status 3" in err, "PGPASSWORD=***" in err) == (6, True, True)
    assert not holds((out + err).encode())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_settings_file_with_a_password_that_others_can_read_is_refused(guarded, folder, mode):
    chain = Chain(guarded, folder, connection={"user": "backup", "password": SECRET})
    path = chain.config()
    os.chmod(path, mode)
    done = subprocess.run([sys.executable, "-m", "_restorable", "--config", path, "backup"], capture_output=True,
                          text=True, check=False, env={**os.environ, "PYTHONPATH": str(CORE)})
    assert (done.returncode, f"chmod 0600 {path}" in done.stderr, "password_file" in done.stderr) == (2, True, True)
    assert f"clusters.app.connection.password, and has mode {mode:04o}" in done.stderr
    assert not holds(done.stderr.encode())
