# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age command and we open one another's files, with every kind of key that it knows."""
from __future__ import annotations

import os

import pytest

from _restorable.errors import ConfigError
from _restorable.host.keyfiles import KeyFiles, public_keys
from _restorable.model.agekeys import PASSPHRASE_RECIPIENT, parse_recipient, parse_secret
from _restorable.model.encryption import Encryption
from _restorable.stream.age import CHUNK, seal, unseal
from _restorable.stream.agewrap import public_raw, ssh_identity
from kit.agecommand import age_command, at_terminal, run

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


def made(path):
    """Make a pair of age's own kind, the only one that it reads from a sealed file; return its public key."""
    run("age-keygen", "-o", path)
    return run("age-keygen", "-y", path).decode().strip()


def private(path, content):
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("armored", [False, True], ids=["binary", "armored"])
def test_an_identity_file_that_age_sealed_with_a_passphrase_is_read(age, tmp_path, armored):
    path, public = tmp_path / "key", made(tmp_path / "key")
    sealed = at_terminal(age, "-p", *(["--armor"] if armored else []), path, answer=b"correct horse")
    files = KeyFiles(Encryption(identity_files=(private(tmp_path / "sealed", sealed),),
                                passphrase_file=private(tmp_path / "passphrase", b"correct horse\n")))
    closed = run(age, "-r", public, data=b"content")
    assert b"".join(unseal(files.identities())([closed])) == b"content"


def test_an_identity_file_that_we_sealed_with_a_passphrase_opens_files_for_the_age_command(age, tmp_path):
    path, public = tmp_path / "key", made(tmp_path / "key")
    sealed = b"".join(seal([PASSPHRASE_RECIPIENT], b"correct horse")([path.read_bytes()]))
    closed = private(tmp_path / "closed", b"".join(seal([parse_recipient(public, "test")])([b"content"])))
    opened = at_terminal(age, "-d", "-i", private(tmp_path / "sealed", sealed), closed, answer=b"correct horse")
    assert opened == b"content"


@pytest.mark.parametrize(("change", "passphrase", "code", "said"), [
    (lambda data: data, b"wrong\n", "encryption.bad_identity", "none of the identities opens it"),
    (lambda data: data, None, "encryption.no_passphrase", "a passphrase is needed"),
    (lambda data: data[:-1], b"horse\n", "encryption.bad_identity", "cannot be opened"),
    (lambda data: data[:60], b"horse\n", "encryption.bad_identity", "cannot be opened")])
def test_a_sealed_identity_file_that_does_not_open_is_an_error_of_the_settings(tmp_path, change, passphrase, code,
                                                                               said):
    """Not of the backup that was to be opened: whatever is damaged here, its bytes are as they were."""
    sealed = b"".join(seal([PASSPHRASE_RECIPIENT], b"horse")([b"AGE-SECRET-KEY-1WHATEVER"]))
    path = private(tmp_path / "sealed", change(sealed))
    given = private(tmp_path / "passphrase", passphrase) if passphrase else ""
    with pytest.raises(ConfigError, match=said) as caught:
        KeyFiles(Encryption(identity_files=(path,), passphrase_file=given)).identities()
    assert caught.value.code == code and "WHATEVER" not in caught.value.message
    with pytest.raises(ConfigError, match="sealed with a passphrase"):
        public_keys(path)
