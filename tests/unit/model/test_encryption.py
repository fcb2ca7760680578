# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of encryption: they fail closed, and never repeat a secret that somebody put there by mistake."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.encryption import Encryption
from _restorable.model.reading import Reader
from _restorable.model.settings import Settings

PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def read(body):
    return Encryption.of(Reader({"encryption": body}, "settings"))


@pytest.mark.parametrize("body", [None, {}])
def test_without_settings_nothing_is_sealed_and_nothing_is_required(body):
    assert read(body) == Encryption()


def test_every_key_is_read():
    found = read({"recipients": [PUBLIC], "recipients_file": "/r", "identity_file": ["/a", "/b"],
                  "passphrase_file": "/p", "required": False})
    assert [each.text for each in found.recipients] == [PUBLIC]
    assert (found.recipients_file, found.identity_files, found.passphrase_file) == ("/r", ("/a", "/b"), "/p")
    assert found.required is False
    assert read({"identity_file": "/a"}).identity_files == ("/a",)


@pytest.mark.parametrize("body", [{"recipients": []}, {"recipients": None}, {"identity_file": "/a"},
                                  {"passphrase_file": "/p"}, {"recipients_file": ""}])
def test_whatever_is_said_requires_sealing(body):
    found = read(body)
    assert (found.required, found.recipients) == (True, ())


@pytest.mark.parametrize(("body", "words"), [
    ({"recipients": PUBLIC}, "recipients is 'a value that is no list'"),
    ({"recipients": [PUBLIC, 7]}, "recipients is 'a int among others'"),
    ({"recipients": [PUBLIC, "age1x"]}, r"settings.encryption.recipients\[1\] is 'age1x'"),
    ({"recipients": [PUBLIC, "passphrase"]}, "a passphrase beside other recipients"),
    ({"recipient": [PUBLIC]}, "encryption.recipient is not a known setting"),
    ({"identity_file": "key.txt"}, "identity_file is"), ({"identity_file": [7]}, "identity_file is"),
    ({"passphrase_file": "pass"}, "passphrase_file is"), ({"required": "no"}, "required is 'no'"),
    ([PUBLIC], r"settings.encryption is \['age1"), ("age", "settings.encryption is 'age'")])
def test_what_is_wrong_is_named(body, words):
    with pytest.raises(ConfigError, match=words):
        read(body)
    with pytest.raises(ConfigError, match=words):
        Settings.of({"encryption": body})


@pytest.mark.parametrize("body", [{"recipients": [SECRET]}, {"identity_file": SECRET}, {"identity_file": [SECRET]},
                                  {"passphrase_file": SECRET}, {"recipients": SECRET}, {"recipients_file": SECRET}])
def test_a_secret_in_the_wrong_place_is_never_repeated(body):
    with pytest.raises(ConfigError) as caught:
        read(body)
    assert "GFPYYSJZ" not in f"{caught.value.message} {caught.value.hint}"
