# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails for the machine's sake leaves a backup unproven; it is no finding against it."""
from __future__ import annotations

import pytest

from _restorable.errors import Damaged, ToolFailed
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.model.drill import verdict
from _restorable.ops.ladder import Ladder
from _restorable.postgres.archives import damage

MACHINE = [
    'pg_restore: error: could not execute query: ERROR:  extension "citext" is not available',
    'ERROR:  could not open extension control file "/usr/share/postgresql/15/extension/postgis.control"',
    "ERROR:  pg_cron can only be loaded via shared_preload_libraries",
    'ERROR:  could not extend file "base/5/16384": No space left on device',
    "pg_restore: error: a worker process died unexpectedly",
    "server closed the connection unexpectedly",
    "ERROR:  out of memory",
]
BACKUP = ['ERROR:  relation "orders" already exists', 'ERROR:  role "guest" does not exist',
          'ERROR:  insert or update on table "lines" violates foreign key constraint "lines_order_fkey"']


def found(words: str, level: str = "L2") -> str:
    ladder = Ladder(SystemClock(), Silent(), frozenset())
    with ladder.rung(level, "restore shop"), damage():
        raise ToolFailed(f"pg_restore exits with status 1: {words}", code="tool.failed")
    return verdict(ladder.checks)


@pytest.mark.parametrize("words", MACHINE)
def test_what_this_machine_lacks_makes_no_backup_bad(words):
    assert found(words) == "incomplete"


@pytest.mark.parametrize("words", BACKUP)
def test_what_a_backup_lacks_does(words):
    assert found(words) == "failed"


def test_the_machine_is_an_excuse_for_the_restore_alone():
    assert found(MACHINE[0], "L4") == "failed"


def test_an_archive_that_ends_unexpectedly_is_damaged():
    with pytest.raises(Damaged), damage():
        raise ToolFailed("pg_restore: error: unexpected end of file", code="tool.failed")
