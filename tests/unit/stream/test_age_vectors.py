# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All public vectors of the age format, release 0.2.0 of npm's cctv-age: what must open, what must not, and why."""
from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path

import pytest

from _restorable.errors import ConfigError, Damaged
from _restorable.model.agekeys import PASSPHRASE, Identity, parse_secret
from _restorable.stream.age import unseal

FILE = Path(__file__).parents[2] / "vectors" / "age" / "cctv-age-0.2.0.json"
VECTORS = json.loads(FILE.read_text())
CODES = {"header failure": {"age.header", "age.work_factor"}, "HMAC failure": {"age.mac"}, "no match": {"age.no_match"},
         "payload failure": {"age.payload", "age.truncated"}, "armor failure": {"age.armor"}}


def read(name):
    """Return (the vector's keys, the file)."""
    head, data = base64.b64decode(VECTORS[name]).split(b"\n\n", 1)
    keys = {}
    for line in head.decode().splitlines():
        key, value = line.split(": ", 1)
        keys.setdefault(key, []).append(value)
    if "compressed" in keys:
        assert keys["compressed"] == ["zlib"]
        data = zlib.decompress(data)
    return keys, data


def opened(keys, data, size):
    """Open data, given in pieces of some size; return (what came out, the error or None)."""
    identities = [parse_secret(line, "vector") for line in keys.get("identity", [])]
    identities += [Identity(PASSPHRASE, line.encode()) for line in keys.get("passphrase", [])]
    digest = hashlib.sha256()
    try:
        for chunk in unseal(identities)(data[at:at + size] for at in range(0, len(data), size)):
            digest.update(chunk)
    except (Damaged, ConfigError) as error:
        return digest.hexdigest(), error
    return digest.hexdigest(), None


@pytest.mark.parametrize("name", VECTORS)
def test_a_public_vector_of_the_format(name):
    keys, data = read(name)
    expected = keys["expect"][0]
    came, error = opened(keys, data, 1 << 20)
    if expected == "success":
        assert error is None, error
    else:
        assert error is not None
        # what does not begin like an armor is taken for a binary file, and is none of these either
        codes = CODES[expected] | ({"age.header"} if expected == "armor failure" else set())
        assert error.code in codes, (error.code, error.message)
        assert error.hint
    if "payload" in keys:
        assert came == keys["payload"][0]


@pytest.mark.parametrize("size", [1, 7, 65551, 65552, 65553])
@pytest.mark.parametrize("name", ["x25519", "armor_x25519", "hmac_bad", "stream_last_chunk_full_second",
                                  "stream_no_final_two_chunks", "stream_trailing_garbage_short", "stream_no_nonce"])
def test_the_pieces_in_which_a_file_arrives_make_no_difference(name, size):
    keys, data = read(name)
    whole, pieces = opened(keys, data, 1 << 20), opened(keys, data, size)
    assert (pieces[0], getattr(pieces[1], "code", "")) == (whole[0], getattr(whole[1], "code", ""))


def test_the_vectors_are_all_there():
    assert len(VECTORS) == 143
    assert hashlib.sha256(FILE.read_bytes()).hexdigest().startswith("35b92434199b97c3")
