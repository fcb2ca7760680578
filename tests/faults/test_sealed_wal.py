# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed WAL in a repository: read with the identity, seen whole without one, damaged, and sealed for another."""
from __future__ import annotations

import hashlib
import os

import pytest

from _restorable.errors import ConfigError, Damaged, NotFound
from _restorable.host.clock import SystemClock
from _restorable.host.keyfiles import KeyFiles
from _restorable.host.progress import Silent
from _restorable.model.encryption import Encryption
from _restorable.model.reading import Reader
from _restorable.model.wal import Segment
from _restorable.model.wal_naming import wal_key
from _restorable.ops.wal_reading import find_wal, read_wal, verify_segment
from _restorable.ops.world import World
from _restorable.stream.compress import compressor
from _restorable.stream.keyring import Keyring
from kit.agekeys import make_pair
from kit.memory_store import MemoryStore

SIZE = 1 << 20
NAME = "000000010000000000000003"


def world(store, **encryption):
    read = Encryption.of(Reader({"encryption": encryption}, "settings"))
    return World("shop", (store,), SystemClock(), Silent(), None, None, None, keys=Keyring(KeyFiles(read)))


@pytest.fixture
def archived(tmp_path):
    """(store, keys, plain bytes) of one sealed segment."""
    store, pair, plain = MemoryStore(), make_pair(tmp_path / "key"), os.urandom(SIZE)
    sealing = world(store, recipients=[pair.public]).keys.sealing()
    store.put(wal_key("shop", NAME, hashlib.sha256(plain).hexdigest(), ".zst.age"),
              sealing(compressor("zstd")([plain])))
    return store, pair, plain


def segment():
    return Segment.parse(NAME, SIZE)


def test_sealed_wal_is_read_with_the_identity(archived):
    store, pair, plain = archived
    mine = world(store, identity_file=str(pair.path))
    assert b"".join(read_wal(mine, store, find_wal(mine, store, NAME))) == plain
    verify_segment(mine, store, segment())


def test_a_host_with_public_keys_only_sees_that_a_segment_is_there_and_whole(archived):
    store, pair, _plain = archived
    mine = world(store, recipients=[pair.public])
    verify_segment(mine, store, segment())
    with pytest.raises(ConfigError, match="no identity"):
        list(read_wal(mine, store, find_wal(mine, store, NAME)))
    store.objects.clear()
    with pytest.raises(NotFound):
        verify_segment(mine, store, segment())


def test_wal_sealed_for_another_key_or_changed_is_never_handed_out(archived, tmp_path):
    store, pair, _plain = archived
    other = world(store, identity_file=str(make_pair(tmp_path / "other").path))
    with pytest.raises(ConfigError, match="none of the identities"):
        list(read_wal(other, store, find_wal(other, store, NAME)))
    [key] = store.objects
    store.objects[key] = store.objects[key][:-1] + bytes([store.objects[key][-1] ^ 1])
    mine = world(store, identity_file=str(pair.path))
    with pytest.raises(Damaged):
        list(read_wal(mine, store, find_wal(mine, store, NAME)))
