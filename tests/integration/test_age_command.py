# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age command and we open one another's files, with every kind of key that it knows."""
from __future__ import annotations

import os

import pytest

from _restorable.model.agekeys import parse_recipient, parse_secret
from _restorable.stream.age import CHUNK, seal, unseal
from _restorable.stream.agewrap import public_raw, ssh_identity
from kit.agecommand import age_command, run

SIZES = [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK + 77]


@pytest.fixture
def age(request):
    return age_command(request)


@pytest.fixture(params=["X25519", "ssh-ed25519"])
def keys(request, tmp_path, age):
    """(identity file, our identity, public key) that their tools made."""
    path = tmp_path / "key"
    if request.param == "X25519":
        run("age-keygen", "-o", path)
        text = path.read_text()
        public = next(line.split(": ")[1] for line in text.splitlines() if line.startswith("# public key"))
        secret = parse_secret(text.splitlines()[-1], "key")
    else:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
        public = path.with_suffix(".pub").read_text().strip()
        secret = ssh_identity(path.read_bytes(), "key")
    return path, secret, public


@pytest.mark.parametrize("size", SIZES)
def test_what_we_seal_the_age_command_opens(age, keys, size):
    path, _secret, public = keys
    data = os.urandom(size)
    closed = b"".join(seal([parse_recipient(public, "test")])([data]))
    assert run(age, "-d", "-i", path, data=closed) == data


@pytest.mark.parametrize("armored", [False, True], ids=["binary", "armored"])
@pytest.mark.parametrize("size", SIZES)
def test_what_the_age_command_seals_we_open(age, keys, size, armored):
    _path, secret, public = keys
    data = os.urandom(size)
    closed = run(age, *(["--armor"] if armored else []), "-r", public, data=data)
    assert b"".join(unseal([secret])([closed])) == data


def test_both_of_us_say_the_same_public_key(keys):
    _path, secret, public = keys
    assert public_raw(secret) == parse_recipient(public, "test").raw


def test_several_keys_of_different_kinds_open_one_file_for_both(age, tmp_path):
    run("age-keygen", "-o", tmp_path / "one")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "two")
    publics = [run("age-keygen", "-y", tmp_path / "one").decode().strip(), (tmp_path / "two.pub").read_text().strip()]
    closed = b"".join(seal([parse_recipient(each, "test") for each in publics])([b"content"]))
    for name in ("one", "two"):
        assert run(age, "-d", "-i", tmp_path / name, data=closed) == b"content"
    theirs = run(age, *(word for each in publics for word in ("-r", each)), data=b"content")
    for secret in (parse_secret((tmp_path / "one").read_text().splitlines()[-1], "one"),
                   ssh_identity((tmp_path / "two").read_bytes(), "two")):
        assert b"".join(unseal([secret])([theirs])) == b"content"
