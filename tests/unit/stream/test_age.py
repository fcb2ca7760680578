# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing and opening: law 1, sizes at the borders of chunks, keys of every kind, and what an attacker may try."""
from __future__ import annotations

import os
import tracemalloc

import pytest

from _restorable.errors import ConfigError, Damaged, ToolFailed
from _restorable.model.agekeys import (
    HYBRID,
    PASSPHRASE,
    PASSPHRASE_RECIPIENT,
    SSH,
    X25519,
    Identity,
    Recipient,
    parse_recipient,
    public_text,
)
from _restorable.stream import age, agewrap
from _restorable.stream.age import CHUNK, SEALED, rewrap, seal, unseal

SIZES = [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5]


def pair(kind=X25519):
    """Make a pair of keys."""
    seed = os.urandom(32)
    if kind == SSH:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Recipient(SSH, public, "ssh-ed25519 …"), Identity(SSH, public, secret=seed)
    identity = Identity(kind, seed)
    raw = agewrap.public_raw(identity)
    return parse_recipient(public_text(raw, kind), "test"), identity


@pytest.fixture(autouse=True)
def little_work(monkeypatch):
    """A passphrase costs a second and 256 MiB each; what it costs is not what these tests ask."""
    monkeypatch.setattr(agewrap, "WORK_FACTOR", 4)


def sealed(data, *recipients, passphrase=b"", size=1 << 20):
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    return b"".join(seal(recipients, passphrase)(pieces))


def opened(data, *identities):
    return b"".join(unseal(identities)([data]))


def header_size(data):
    return len(age.read_header(iter([data]))[0])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [7, CHUNK, 1 << 20])
def test_what_was_sealed_comes_back_and_has_the_size_of_the_format(size, piece):
    public, secret = pair()
    data = os.urandom(size)
    closed = sealed(data, public, size=piece)
    assert opened(closed, secret) == data
    chunks = max(1, -(-size // CHUNK))
    assert len(closed) == header_size(closed) + 16 + size + 16 * chunks


@pytest.mark.parametrize("kind", [X25519, HYBRID, SSH])
def test_every_one_of_several_keys_opens_and_no_other(kind):
    pairs = [pair(kind), pair(), pair(kind)]
    closed = sealed(b"content", *(public for public, _secret in pairs))
    for _public, secret in pairs:
        assert opened(closed, secret) == b"content"
    assert opened(closed, pair(kind)[1], pairs[1][1]) == b"content"
    with pytest.raises(ConfigError) as caught:
        opened(closed, pair(kind)[1], pair()[1])
    assert caught.value.code == "age.no_match"


def test_a_passphrase_opens_and_another_does_not():
    closed = sealed(b"content", PASSPHRASE_RECIPIENT, passphrase=b"right")
    assert opened(closed, Identity(PASSPHRASE, b"right")) == b"content"
    with pytest.raises(ConfigError, match="none of the identities opens it: sealed for scrypt, tried pass.txt"):
        opened(closed, Identity(PASSPHRASE, b"wrong", where="pass.txt"))


def test_a_work_factor_that_would_exhaust_this_host_is_refused_before_any_work():
    closed = sealed(b"content", PASSPHRASE_RECIPIENT, passphrase=b"right")
    asked = closed.replace(b" 4\n", b" 21\n", 1)
    assert asked != closed
    with pytest.raises(Damaged, match="asks for the scrypt work factor 21, 20 is the most") as caught:
        opened(asked, Identity(PASSPHRASE, b"right"))
    assert caught.value.code == "age.work_factor"


def failing(data):
    yield data
    raise ToolFailed("pg_dump exited with status 1")


@pytest.mark.parametrize("before", [b"", b"x", b"x" * CHUNK, b"x" * (2 * CHUNK), b"x" * (3 * CHUNK + 9)])
def test_a_stream_that_fails_above_never_gets_its_last_chunk(before):
    public, secret = pair()
    came = bytearray()
    with pytest.raises(ToolFailed, match="status 1"):
        for chunk in seal([public])(failing(before)):
            came += chunk
    with pytest.raises(Damaged) as caught:
        opened(bytes(came), secret)
    assert caught.value.code in ("age.payload", "age.truncated")


def test_what_is_above_is_closed_with_the_stage():
    public, secret = pair()
    closed = []

    def source(data):
        try:
            yield data
            yield data
        finally:
            closed.append(True)

    sealing = seal([public])(source(b"x" * 2 * CHUNK))
    next(sealing)                      # the header comes before the source is begun
    stages = [sealing,
              unseal([secret])(source(sealed(b"x" * 3 * CHUNK, public)[:2 * SEALED]))]
    for stage in stages:
        next(stage)
        stage.close()
    assert closed == [True, True]


def test_no_two_streams_share_a_key():
    public, _secret = pair()
    stage = seal([public])
    first = b"".join(stage([b"same"]))
    with pytest.raises(ValueError, match="one stream only"):
        stage([b"same"])
    assert sealed(b"same", public)[-20:] != first[-20:]


@pytest.mark.parametrize("place", ["version", "kind", "share", "body", "mac", "nonce", "first", "middle", "last"])
def test_a_flipped_bit_anywhere_is_found_and_nothing_after_it_comes_out(place):
    public, secret = pair()
    data = os.urandom(3 * CHUNK + 100)
    closed = bytearray(sealed(data, public))
    head = header_size(bytes(closed))
    payload = head + 16
    at = {"version": 20, "kind": 26, "share": 40, "body": 90, "mac": head - 5, "nonce": head + 3, "first": payload + 9,
          "middle": payload + SEALED + 9, "last": len(closed) - 1}[place]
    closed[at] ^= 1
    came = b""
    with pytest.raises((Damaged, ConfigError)) as caught:
        for chunk in unseal([secret])([bytes(closed)]):
            came += chunk
    assert isinstance(caught.value, Damaged) or place in ("kind", "share", "body")
    assert came == data[:{"middle": CHUNK, "last": 3 * CHUNK}.get(place, 0)]


@pytest.mark.parametrize(("of", "more"), [
    ("file", 10), ("file", 100), ("header", 0), ("header", 15), ("payload", 0), ("payload", SEALED),
    ("payload", SEALED + 1), ("payload", 2 * SEALED), ("payload", 3 * SEALED), ("payload", 3 * SEALED + 115)])
def test_a_file_that_was_cut_off_anywhere_is_never_taken_for_whole(of, more):
    public, secret = pair()
    closed = sealed(os.urandom(3 * CHUNK + 100), public)
    head = header_size(closed)
    with pytest.raises(Damaged):
        opened(closed[:{"file": 0, "header": head, "payload": head + 16}[of] + more], secret)
    assert len(closed) == head + 16 + 3 * SEALED + 116


def test_chunks_that_were_swapped_doubled_or_left_out_are_found():
    public, secret = pair()
    closed = sealed(os.urandom(3 * CHUNK + 100), public)
    begin = header_size(closed) + 16
    head, one, two, rest = (closed[:begin], closed[begin:begin + SEALED], closed[begin + SEALED:begin + 2 * SEALED],
                            closed[begin + 2 * SEALED:])
    assert opened(head + one + two + rest, secret)
    for forged in (head + two + one + rest, head + one + one + two + rest, head + two + rest, head + one + rest,
                   closed + b"x", closed + closed):
        with pytest.raises(Damaged):
            opened(forged, secret)


def test_a_new_header_gives_the_old_payload_to_other_keys_only():
    old, new = pair(), pair()
    data = os.urandom(CHUNK + 9)
    closed = sealed(data, old[0])
    again = b"".join(rewrap([old[1]], [new[0]])([closed[at:at + 1000] for at in range(0, len(closed), 1000)]))
    assert opened(again, new[1]) == data
    assert again[header_size(again):] == closed[header_size(closed):]
    with pytest.raises(ConfigError):
        opened(again, old[1])
    with pytest.raises(ConfigError):
        b"".join(rewrap([new[1]], [new[0]])([closed]))


def test_sealing_for_nobody_is_refused():
    with pytest.raises(ConfigError) as caught:
        seal([])
    assert caught.value.code == "encryption.no_recipient"


@pytest.mark.parametrize("raw", [bytes(32), b"\1" + bytes(31)])
def test_a_public_key_of_low_order_is_refused_before_the_stream_begins(raw):
    with pytest.raises(ConfigError, match="no usable key") as caught:
        seal([Recipient(X25519, raw, public_text(raw))])
    assert caught.value.code == "encryption.bad_recipient"


def test_without_the_package_the_error_names_it(monkeypatch):
    public, secret = pair()
    monkeypatch.setattr(agewrap, "aead", None)
    for work in (lambda: seal([public]), lambda: list(unseal([secret])([b"x"]))):
        with pytest.raises(ConfigError, match="package cryptography is missing") as caught:
            work()
        assert "apt-get install python3-cryptography" in caught.value.hint


class OnlyBytes:
    """The cipher as cryptography 38 has it."""

    def __init__(self, key):
        self.inner = REAL.ChaCha20Poly1305(key)

    def encrypt(self, nonce, data, associated):
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes")
        return self.inner.encrypt(nonce, data, associated)

    def decrypt(self, nonce, data, associated):
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes")
        return self.inner.decrypt(nonce, data, associated)


REAL = agewrap.aead


@pytest.mark.parametrize("size", SIZES)
def test_an_older_package_that_takes_bytes_only_seals_and_opens_the_same(monkeypatch, size):
    public, secret = pair()
    data = os.urandom(size)
    now = sealed(data, public)
    monkeypatch.setattr(agewrap, "aead", type("Aead", (), {"ChaCha20Poly1305": OnlyBytes}))
    assert opened(now, secret) == data
    then = sealed(data, public)
    monkeypatch.setattr(agewrap, "aead", REAL)
    assert opened(then, secret) == data


def test_memory_stays_constant_however_long_the_stream():
    public, secret = pair()

    def peak(mib):
        piece = os.urandom(1 << 20)
        tracemalloc.start()
        try:
            for _chunk in unseal([secret])(seal([public])(piece for _number in range(mib))):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(24) < 1.2 * peak(6) < 12 << 20
