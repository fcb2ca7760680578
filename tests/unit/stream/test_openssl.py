# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the openssl command itself encrypted, by every way it has of making a key, and what is wrong with them."""
from __future__ import annotations

import os

import pytest

from _restorable.errors import ConfigError, Damaged
from _restorable.stream import openssl
from _restorable.stream.openssl import VARIANTS, open_enc, variant_of
from kit.agecommand import run

PASSPHRASE = b"correct horse"
WAYS = {"pbkdf2/sha256": ["-pbkdf2"], "evp/sha256": [], "evp/md5": ["-md", "md5"],
        "pbkdf2/sha512": ["-pbkdf2", "-md", "sha512"], "pbkdf2/sha1": ["-pbkdf2", "-md", "sha1"],
        "evp/sha512": ["-md", "sha512"]}


@pytest.fixture
def encrypted(tmp_path):
    path = tmp_path / "passphrase"
    path.write_bytes(PASSPHRASE + b"\n")

    def encrypt(data, variant):
        return run("openssl", "enc", "-aes-256-cbc", "-salt", *WAYS[variant], "-pass", f"file:{path}", data=data,
                   stderr=-3)
    return encrypt


def opened(data, variant, size=1 << 20, passphrase=PASSPHRASE):
    return b"".join(open_enc(passphrase, variant)(data[at:at + size] for at in range(0, len(data), size)))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096, 3_000_001])
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_the_openssl_command_encrypts_is_opened(encrypted, variant, size):
    data = os.urandom(size)
    assert opened(encrypted(data, variant), variant) == data


@pytest.mark.parametrize("piece", [1, 7, 16, 4095])
def test_the_pieces_in_which_it_arrives_make_no_difference(encrypted, piece):
    data = os.urandom(5000)
    assert opened(encrypted(data, "pbkdf2/sha256"), "pbkdf2/sha256", piece) == data


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_way_is_found_by_what_comes_out(encrypted, variant):
    closed = encrypted(b"PGDMP" + os.urandom(5000), variant)
    assert variant_of(PASSPHRASE, closed[:4096], lambda head: head.startswith(b"PGDMP")) == variant
    assert variant_of(b"wrong", closed[:4096], lambda head: head.startswith(b"PGDMP")) == ""
    assert variant_of(PASSPHRASE, closed[:20], lambda head: True) == ""


@pytest.mark.parametrize(("change", "why"), [
    (lambda data: data[:-1], "no number of whole blocks"), (lambda data: data[:16], "no number of whole blocks"),
    (lambda data: data[:10], "ends after 10 bytes"), (lambda data: b"salted__" + data[8:], "Salted__"),
    (lambda data: b"", "ends after 0 bytes")])
def test_what_is_cut_off_or_none_is_damage(encrypted, change, why):
    with pytest.raises(Damaged, match=why):
        opened(change(encrypted(os.urandom(100), "evp/md5")), "evp/md5")


def test_another_passphrase_is_noticed_by_the_padding_nearly_always(encrypted):
    closed = encrypted(os.urandom(100), "evp/sha256")
    noticed = 0
    for number in range(60):
        try:
            opened(closed, "evp/sha256", passphrase=str(number).encode())
        except Damaged as error:
            noticed += "padding is wrong" in error.message
    assert noticed > 50                # one of 256 keys makes a padding that looks right


def test_without_the_package_the_error_names_it(monkeypatch):
    monkeypatch.setattr(openssl, "ciphers", None)
    with pytest.raises(ConfigError, match="package cryptography is missing"):
        open_enc(PASSPHRASE, "evp/md5")
