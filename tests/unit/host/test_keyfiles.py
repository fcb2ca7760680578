# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of keys: who may read them, what is in them, and that a new one never takes the place of an old one."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.host.keyfiles import KeyFiles, new_identity, public_keys, read_identities
from _restorable.model.agekeys import PASSPHRASE, PASSPHRASE_RECIPIENT, parse_recipient
from _restorable.model.encryption import Encryption
from _restorable.stream.keyring import Keyring
from kit.agekeys import make_pair


def private(path, content):
    path.touch(mode=0o600)
    path.write_text(content)
    return str(path)


def test_several_keys_and_the_passphrase_are_all_tried(tmp_path):
    one, two = make_pair(tmp_path / "one"), make_pair(tmp_path / "two")
    both = private(tmp_path / "both", one.path.read_text() + "\n# and\n" + two.path.read_text())
    files = KeyFiles(Encryption(identity_files=(both,), passphrase_file=private(tmp_path / "p", "horse\nnot this\n")))
    found = files.identities()
    assert [each.key_id for each in found[:2]] == [one.key_id, two.key_id]
    assert (found[2].kind, found[2].raw) == (PASSPHRASE, b"horse")
    assert public_keys(both) == (one.public, two.public)


def test_a_file_of_recipients_adds_to_those_of_the_settings_and_need_not_be_private(tmp_path):
    one, two = make_pair(tmp_path / "one"), make_pair(tmp_path / "two")
    path = tmp_path / "recipients.txt"
    path.write_text(f"{two.public}\n{one.public}\n")
    path.chmod(0o644)
    files = KeyFiles(Encryption((parse_recipient(one.public, "test"),), str(path)))
    assert [each.text for each in files.recipients()] == [one.public, two.public]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610])
def test_a_secret_that_others_may_touch_is_refused(tmp_path, mode):
    pair = make_pair(tmp_path / "key")
    pair.path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}") as caught:
        read_identities(str(pair.path))
    assert (caught.value.code, pair.secret in caught.value.message) == ("encryption.mode", False)


@pytest.mark.parametrize(("content", "code"), [
    ("", "encryption.no_passphrase"), ("\nsecond", "encryption.no_passphrase")])
def test_an_empty_passphrase_is_none(tmp_path, content, code):
    with pytest.raises(ConfigError) as caught:
        KeyFiles(Encryption(passphrase_file=private(tmp_path / "p", content))).passphrase()
    assert caught.value.code == code


def test_a_new_identity_is_private_and_never_takes_the_place_of_another(tmp_path):
    path = tmp_path / "key"
    public = new_identity(str(path))
    assert (path.stat().st_mode & 0o777, public_keys(str(path))) == (0o600, (public,))
    before = path.read_text()
    with pytest.raises(ConfigError, match="exists"):
        new_identity(str(path))
    assert path.read_text() == before


def test_files_are_read_once_and_only_when_they_are_needed(tmp_path):
    pair = make_pair(tmp_path / "key")
    ring = Keyring(KeyFiles(Encryption((parse_recipient(pair.public, "test"),), identity_files=("/no/such/file",))))
    assert ring.key_ids() == (pair.key_id,)
    with pytest.raises(ConfigError, match="/no/such/file cannot be read"):
        ring.opening()
    ring = Keyring(KeyFiles(Encryption(identity_files=(str(pair.path),))))
    first = ring.identities()
    pair.path.unlink()
    assert ring.identities() is first


def test_a_keyring_without_keys_seals_nothing_and_one_that_must_refuses():
    assert (Keyring().sealing(), Keyring().key_ids(), Keyring().openable) == (None, (), False)
    for work in (Keyring(KeyFiles(Encryption(required=True))).check, Keyring().identities, Keyring().passphrase,
                 Keyring(KeyFiles(Encryption((PASSPHRASE_RECIPIENT,), required=True))).check):
        with pytest.raises(ConfigError):
            work()
