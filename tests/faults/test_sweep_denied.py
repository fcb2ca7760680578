# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose credential cannot delete takes backups all the same; what was unfinished waits for who may."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError, Unavailable
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.ops.sweep import Swept
from _restorable.ops.tidy import sweep_where_allowed
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.journals import CLUSTER, Journals

ORPHAN = object_key(CLUSTER, BackupId.parse("20200101T000000Z-dump"), "any.dump.zst")


def swept(error):
    journals = Journals("local")
    journals.objects()[ORPHAN] = b"half"
    world = journals.world()
    with Faults(Fault("delete", error)) as faults:
        object.__setattr__(world, "stores", (FaultyStore(world.stores[0], faults),))
        return sweep_where_allowed(world), journals


def test_what_may_not_be_deleted_stays_and_stops_no_backup():
    found, journals = swept(ConfigError("closed to these credentials", code="store.denied"))
    assert (found, ORPHAN in journals.objects()) == (Swept(), True)


@pytest.mark.parametrize("error", [ConfigError("no credentials", code="store.credentials"),
                                   Unavailable("the network went away", code="store.unreachable")])
def test_any_other_failure_is_told(error):
    with pytest.raises(type(error)):
        swept(error)


def test_who_may_delete_sweeps_and_leaves_committed_sets():
    journals = Journals("local")
    made = journals.backup()
    journals.objects()[ORPHAN] = b"half"
    assert sweep_where_allowed(journals.world()) == Swept(names=["local:20200101T000000Z-dump"])
    assert (ORPHAN in journals.objects(), manifest_key(CLUSTER, made) in journals.objects()) == (False, True)
