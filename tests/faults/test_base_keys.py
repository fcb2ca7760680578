# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of sealed base backups: drills try the oldest kept ones, their chains and the oldest WAL; a rekey turns all."""
from __future__ import annotations

import pytest

from _restorable.ops.rekey import rekey
from _restorable.ops.rekey_wal import rekey_wal
from kit.agekeys import make_pair
from kit.chain import failed
from kit.physical import Physical, archiving


@pytest.fixture
def turned(empty_server, folder):
    """A sealed base and its incremental, each for another key, with WAL of both; the keys were turned in between."""
    chain = Physical(empty_server(18, config=archiving(18)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.old, chain.new = make_pair(folder / "old"), make_pair(folder / "new")
    chain.server.sql("CREATE TABLE kept AS SELECT g FROM generate_series(1, 1000) g")
    with_keys(chain, chain.old, chain.old)
    chain.full = str(chain.based().id)
    with_keys(chain, chain.new, chain.old, chain.new)
    chain.part = str(chain.based(kind="incremental").id)
    with_keys(chain, chain.new, chain.new)
    chain.fresh = str(chain.based().id)
    return chain


def with_keys(chain, recipient, *identities):
    chain.body["encryption"] = {"recipients": [recipient.public],
                                "identity_file": [str(each.path) for each in identities]}


def keys(evidence):
    """Return {name: result} of the checks of keys, WAL without its name."""
    return {" ".join(each.name.split(" ")[2:3]): each.result for each in evidence.checks
            if each.name.startswith("key opens")}


def test_a_drill_of_a_base_says_which_old_one_and_which_wal_no_key_opens_and_a_rekey_mends_it(turned):
    evidence = turned.drill_base(turned.fresh)
    assert evidence.verdict == "failed"
    assert keys(evidence).items() >= {turned.full: "failed", turned.fresh: "ok", "WAL": "failed"}.items()
    assert all("key opens" in line for line in failed(evidence))
    assert any(turned.full in line and turned.old.key_id in line for line in failed(evidence))
    # the drilled one was recovered all the same, and is no bad one to prune
    assert [each.result for each in evidence.checks if each.level == "L7"] == ["ok"]
    assert evidence.copies["local"]["levels"] == ["keys"]

    evidence = turned.drill_base(turned.part)      # its parent is sealed for the key that is gone
    assert keys(evidence).items() >= {turned.full: "not_run", turned.part: "ok", "WAL": "failed"}.items()
    assert "L7" not in {each.level for each in evidence.checks if each.result == "ok"}
    told = [each.detail for each in evidence.checks if each.name == f"key opens {turned.full}"]
    assert "cannot be opened by the identities given" in told[0] and turned.old.key_id in told[0]

    with_keys(turned, turned.new, turned.old, turned.new)
    assert {each.action for each in rekey(turned.world())} == {"rekeyed", "current"}
    [row] = rekey_wal(turned.world())
    assert row.rekeyed and row.current and not row.failed
    with_keys(turned, turned.new, turned.new)
    evidence = turned.drill_base(turned.part)
    assert (evidence.verdict, failed(evidence)) == ("passed", [])
    assert keys(evidence).keys() >= {turned.full, turned.part, "WAL"} and set(keys(evidence).values()) == {"ok"}
