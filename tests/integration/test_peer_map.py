# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/wal.md writes into pg_hba.conf and pg_ident.conf lets in whom it says, and nobody else."""
from __future__ import annotations

import os
import pwd
import re
import subprocess
import time
from pathlib import Path

import pytest

from kit.servers import unprivileged

PAGE = (Path(__file__).parents[2] / "docs" / "wal.md").read_text()
SQL = "SELECT current_user"
REPLICATION = "IDENTIFY_SYSTEM"

# a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts to connect from")


def block(word):
    """Return the page's block of code that has a word."""
    [found] = [each for each in re.findall(r"```\w*\n(.*?)```", PAGE, re.DOTALL) if word in each]
    return found


@pytest.fixture
def ask(empty_server):
    """A function that connects from an account as a role and returns what psql says; its server has the page's map."""
    # as Debian installs it, behind the page's lines; the account `postgres` is whoever runs the test's servers
    hba = f"{block('peer map=')}local all postgres peer\nlocal all all peer\nlocal replication all peer\n"
    own = pwd.getpwuid(unprivileged()["user"]).pw_name
    # the account of the jobs is one that every machine has
    ident = block("# MAP").replace("restorable  restorable", "restorable  daemon")
    ident = ident.replace("restorable  postgres ", f"restorable  {own} ")
    server = empty_server(15, superuser="postgres")
    server.sql("CREATE ROLE restorable LOGIN", "CREATE ROLE daemon LOGIN")
    (server.folder / "data" / "pg_hba.conf").write_text(hba)
    (server.folder / "data" / "pg_ident.conf").write_text(ident)
    server.sql("SELECT pg_reload_conf()")
    server.folder.chmod(0o711)

    def ask(account, role="postgres", statement=SQL):
        kind = "replication=true" if statement == REPLICATION else "dbname=postgres"
        where = f"host={server.folder} user={role} {kind}"
        done = subprocess.run([f"{server.bin_dir}/psql", "-XAtqw", where, "-c", statement], cwd="/", check=False,
                              user=account or own, capture_output=True, text=True)
        return done.stdout.strip() or done.stderr
    until = time.monotonic() + 60
    while ask("bin") == "postgres":                       # as long as the server has not read its files again
        assert time.monotonic() < until
        time.sleep(0.05)
    return ask


def test_the_map_lets_in_the_three_accounts_as_that_role_and_no_other(ask):
    for account in ("root", "daemon", ""):
        assert ask(account) == "postgres"
        assert "|" in ask(account, statement=REPLICATION)
    assert "Peer authentication failed" in ask("bin")
    assert "Peer authentication failed" in ask("root", "restorable")
    assert ask("daemon", "daemon") == "daemon"          # what Debian's lines let in, they still do
