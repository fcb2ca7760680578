# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers of one process take turns at a key, and a key that was written is forgotten: a shipper writes millions."""
from __future__ import annotations

import threading

import pytest

from _restorable.store import s3_commit


def test_writers_of_one_key_take_turns_and_nothing_is_left_of_them():
    inside, most, start = [], [], threading.Barrier(8)

    def write():
        start.wait(timeout=60)
        for _time in range(50):
            with s3_commit._turn("bucket", "key"):
                inside.append(None)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=write) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(most), max(most), s3_commit._turns) == (400, 1, {})


def test_another_key_waits_for_nobody_and_a_writer_that_fails_leaves_nothing():
    with pytest.raises(ValueError, match="as planned"), s3_commit._turn("bucket", "one"):
        with s3_commit._turn("bucket", "two"):
            assert sorted(s3_commit._turns) == [("bucket", "one"), ("bucket", "two")]
        raise ValueError("as planned")
    assert s3_commit._turns == {}
