# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore into a scratch server: what a drill service does, which cannot reach the live server."""
from __future__ import annotations

import json

import pytest


@pytest.fixture
def backed_up(container, shop):
    """A container with one backup, whose restores go into a scratch server."""
    assert container().run("backup").returncode == 0
    return container(DRILL_TARGET="scratch", DB_HOST="/nowhere")


def test_a_restore_goes_into_a_server_that_is_gone_afterwards(backed_up, shop, pg16):
    done = backed_up.run("restore", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["contents"] == {shop: 2}
    assert pg16.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'") == [(1,)]


def test_a_backup_and_a_database_can_be_named(backed_up, shop):
    [backup] = [name.split("/")[2] for name in backed_up.files() if name.endswith("manifest.json")]
    done = backed_up.run("restore", backup, shop)
    assert done.returncode == 0, done.stdout
    assert f"{shop}: 2 tables" in done.stdout
    assert "the scratch server is gone again" in done.stdout
    wrong = backed_up.run("restore", backup, "nowhere")
    assert wrong.returncode == 5
    assert "database 'nowhere' is not in backup" in wrong.stdout


def test_a_dry_run_says_what_server_it_would_be_and_starts_none(backed_up):
    done = backed_up.run("restore", "--dry-run")
    assert done.returncode == 0, done.stdout
    assert "scratch server: PostgreSQL" in done.stdout
    assert "dry run: " in done.stdout


def test_a_server_that_stays_can_be_asked_until_it_is_told_to_end(backed_up, shop):
    backed_up.start("--stay", verb="restore")
    lines = []
    while not any("psql -h" in line for line in lines):
        line = backed_up.process.stdout.readline()
        assert line, lines
        lines.append(line)
    words = next(line for line in lines if "psql -h" in line).split()
    asked = backed_up.ask(words[2], words[4], shop, "SELECT count(*) FROM item")
    assert asked == "500"
    status, said = backed_up.stop()
    assert status == 0, said
    assert "the scratch server is gone again" in said
