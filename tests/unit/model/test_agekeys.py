# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public and secret keys as people write them, and that no error ever repeats a secret."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.agekeys import (
    HYBRID,
    PASSPHRASE_RECIPIENT,
    SSH,
    X25519,
    check_together,
    parse_recipient,
    parse_recipients,
    parse_secret,
    public_text,
    secret_text,
)

# C2SP age.md's own pair
PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SSH_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBb7+P/O6+1C6J9hqvVXT2bHkQxlhrmQ7bF6NGiB2kTb somebody@there"


def test_a_public_key_is_read_and_named_by_its_beginning():
    found = parse_recipient(PUBLIC, "here")
    assert (found.kind, len(found.raw), found.key_id) == (X25519, 32, "age1zvkyg2lqzraa2lnj")
    assert public_text(found.raw) == PUBLIC


def test_a_key_of_ssh_is_named_as_ssh_keygen_names_it():
    found = parse_recipient(SSH_LINE, "here")
    assert (found.kind, len(found.raw)) == (SSH, 32)
    assert found.key_id == "SHA256:zj30vm7Zyx0hjJRvUxnJnssHUqMD3krNRJ7RqYqDLmY"
    assert found.text == SSH_LINE.rpartition(" ")[0]


def test_a_hybrid_key_is_known_by_its_prefix_and_size():
    text = public_text(bytes(1216), HYBRID)
    assert (parse_recipient(text, "here").kind, text[:7]) == (HYBRID, "age1pq1")
    with pytest.raises(ConfigError, match="has 32 bytes instead of 1216"):
        parse_recipient(public_text(bytes(32), HYBRID), "here")


@pytest.mark.parametrize(("text", "why"), [
    ("age1qqq", "too short|checksum"), (PUBLIC[:-1] + "q", "checksum"), (PUBLIC[:-3], "checksum"), ("", "too short"),
    (PUBLIC.upper(), "prefix"), ("bob", "no separator"), ("ssh-rsa AAAAB3", "only ssh-ed25519"),
    ("ssh-ed25519", "only ssh-ed25519"), ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBb7", "cut off"),
    ("ssh-ed25519 ----", "which is no public key"), (f" {PUBLIC}", "prefix")])
def test_what_is_no_public_key_is_refused_with_place_and_reason(text, why):
    with pytest.raises(ConfigError, match=why) as caught:
        parse_recipient(text, "settings.encryption.recipients[0]")
    assert caught.value.code == "encryption.bad_recipient"
    assert caught.value.message.startswith("settings.encryption.recipients[0] is ")
    assert "restorable keygen" in caught.value.hint


@pytest.mark.parametrize("text", [SECRET, SECRET.lower(), SECRET[:-2], SECRET.replace("KEY-", "KEY-PQ-")])
def test_a_secret_key_among_the_public_ones_is_refused_and_never_repeated(text):
    with pytest.raises(ConfigError) as caught:
        parse_recipient(text, "here")
    assert caught.value.code == "encryption.secret_key"
    assert "GFPYYSJZ" not in f"{caught.value.message}{caught.value.hint}".upper()


def test_a_file_of_recipients_has_one_a_line_with_comments_and_blanks():
    found = parse_recipients(f"# the safe\n\n{PUBLIC}\n  {SSH_LINE}\n", "file keys.txt")
    assert [each.kind for each in found] == [X25519, SSH]
    with pytest.raises(ConfigError, match="file keys.txt line 2 is 'what'"):
        parse_recipients(f"{PUBLIC}\nwhat\n", "file keys.txt")
    with pytest.raises(ConfigError, match="file keys.txt holds no recipient"):
        parse_recipients("# nobody\n", "file keys.txt")


def test_doubles_count_once_and_a_passphrase_stands_alone():
    one = parse_recipient(PUBLIC, "here")
    assert check_together((one, one), "here") == (one,)
    assert check_together((PASSPHRASE_RECIPIENT,), "here") == (PASSPHRASE_RECIPIENT,)
    with pytest.raises(ConfigError, match="a passphrase beside other recipients"):
        check_together((one, parse_recipient("passphrase", "here")), "here")


def test_a_secret_key_is_read_and_hidden_from_every_print():
    found = parse_secret(SECRET, "file key.txt line 3")
    assert (found.kind, secret_text(found.raw), found.where) == (X25519, SECRET, "file key.txt line 3")
    assert "42" not in repr(found).replace("file key.txt line 3", "")
    assert repr(found.raw) not in repr(found)


@pytest.mark.parametrize("line", [SECRET[:-1], SECRET.lower(), PUBLIC, SECRET[:20] + "1" + SECRET[20:], "secret"])
def test_what_is_no_secret_key_is_refused_and_never_repeated(line):
    with pytest.raises(ConfigError) as caught:
        parse_secret(line, "file key.txt line 3")
    assert caught.value.code == "encryption.bad_identity"
    assert line[20:] not in caught.value.message or line == "secret"
    assert "file key.txt line 3" in caught.value.message
