# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An adoption that is killed by SIGKILL at any of its steps: no file is lost, and a clean run ends what was begun."""
from __future__ import annotations

import gzip
import itertools
import shutil
import signal
import subprocess

import pytest

from _restorable.app import wire
from _restorable.host.folder import LocalFolder
from _restorable.ops.adopt import AdoptWish, adopt
from kit.chain import Chain
from kit.deadly import DeadlyStore, Steps, in_child

FILES = {"shop-db-20261101-030000.sql.gz", "backup_shop.sql.gz", "shop_full_20261102.sql.gz",
         "shop_full_20261102.meta"}


class DeadlyFolder:
    """A folder in which its process dies too, before or after a file is removed."""

    def __init__(self, inner, steps):
        self._inner, self._steps = inner, steps

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def remove(self, name):
        self._steps.step()
        self._inner.remove(name)
        self._steps.step()


@pytest.fixture(scope="module")
def script(pg16):
    """A plain dump as somebody's cron job has made it, compressed."""
    pg16.sql("CREATE DATABASE cron TEMPLATE template0")
    pg16.sql("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 100) g", database="cron")
    made = subprocess.run([f"{pg16.bin_dir}/pg_dump", "-h", str(pg16.folder), "-U", "postgres", "cron"], check=True,
                          capture_output=True).stdout
    pg16.sql("DROP DATABASE cron")
    return gzip.compress(made)


@pytest.mark.parametrize("move", [False, True], ids=["copied", "moved"])
def test_killed_at_any_step_it_loses_no_file_and_a_clean_run_ends_it(pg16, folder, script, move):
    chain, inbox = Chain(pg16, folder), folder / "inbox"
    wish = AdoptWish(("*",), move=move)

    def adopted(steps):
        chain.wrap_store = lambda store: DeadlyStore(store, steps)
        return adopt(chain.world(), wire.open_archives(chain.cluster()),
                     DeadlyFolder(LocalFolder(str(inbox)), steps), wish)
    for last in itertools.count(1):
        shutil.rmtree(folder / "local", ignore_errors=True)
        shutil.rmtree(inbox, ignore_errors=True)
        inbox.mkdir()
        for name in FILES:
            (inbox / name).write_bytes(b"rows=100\n" if name.endswith(".meta") else script)
        ended = in_child(lambda last=last: adopted(Steps(last)))
        assert ended in (0, signal.SIGKILL), last
        chain.wrap_store = lambda store: store
        stored = {path.name for path in (folder / "local").rglob("*.gz")} | {
            path.name for path in (folder / "local").rglob("*.meta")}
        here = {path.name for path in inbox.iterdir()}
        assert here == FILES if not move else here | stored >= FILES, last
        if ended or not move:
            report = adopt(chain.world(), wire.open_archives(chain.cluster()), LocalFolder(str(inbox)), wish) \
                if here - {"shop_full_20261102.meta"} else None
            assert report is None or {each.action for each in report.files} <= {"adopted", "known"}, last
        found = chain.verify()
        assert [each.verdict for each in found] == ["passed"] * 3, last
        assert [each for row in chain.list() for each in row.catalogue.orphans()] == []
        assert not list((folder / "local" / ".part").glob("*")), last
        if not ended:
            break
    assert last > 20
