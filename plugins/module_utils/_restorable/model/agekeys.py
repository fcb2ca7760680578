# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The keys of age: public ones that backups are sealed for, and secret ones that open them. Pure.

Forms: C2SP age.md ("native recipient types"); ssh-ed25519 as in OpenSSH's PROTOCOL and the age(1) manual.
"""
from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from ..errors import ConfigError
from .bech32 import decode, encode

SUFFIX = ".age"                    # of a sealed object's name
X25519, HYBRID, SSH, PASSPHRASE = "X25519", "mlkem768x25519", "ssh-ed25519", "scrypt"
SHOWN = 20                         # letters of a public key that name it: 80 bits, enough that none is like another

_RECIPIENTS = {"age": (X25519, 32), "age1pq": (HYBRID, 1216)}      # prefix → kind, bytes
_IDENTITIES = {"age-secret-key-": X25519, "age-secret-key-pq-": HYBRID}
_SSH_WIRE = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
_MAKE = "Make a pair of keys with `restorable keygen FILE` (or age-keygen); the public key begins with age1."


@dataclass(frozen=True)
class Recipient:
    """A public key; of a passphrase, which is secret itself, only that there is one."""

    kind: str
    raw: bytes
    text: str

    @property
    def key_id(self) -> str:
        """Return the short name of the key that manifests and messages carry: age1zvkyg2lqzraa2lnj."""
        if self.kind == SSH:
            digest = hashlib.sha256(_SSH_WIRE + self.raw).digest()
            return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")      # as ssh-keygen -l prints it
        return self.text[:SHOWN + 3 if self.kind == HYBRID else SHOWN]


@dataclass(frozen=True)
class Identity:
    """A secret key. raw never appears in a message, and key_id says whose public key it belongs to, once known."""

    kind: str
    raw: bytes = field(repr=False)
    key_id: str = ""
    where: str = ""                # the file it came from
    secret: bytes = field(default=b"", repr=False)     # of ssh: the seed; of a passphrase: nothing more


PASSPHRASE_RECIPIENT = Recipient(PASSPHRASE, b"", "passphrase")


def parse_recipient(text: str, where: str) -> Recipient:
    """Read age1…, age1pq1…, `ssh-ed25519 AAAA…` or the word passphrase; raise ConfigError naming where."""
    if text == PASSPHRASE_RECIPIENT.text:
        return PASSPHRASE_RECIPIENT
    if text.upper().startswith("AGE-SECRET-KEY-"):
        # never repeat it: this error may land in a log
        raise ConfigError(f"{where} holds a secret key where a public one belongs", code="encryption.secret_key",
                          hint="Take that key out of the settings and make a new pair with `restorable keygen FILE`: "
                               "it was readable by whoever reads the settings.")
    if text.startswith("ssh-"):
        return _ssh(text, where)
    try:
        prefix, raw = decode(text)
    except ValueError as error:
        raise _wrong(text, where, str(error)) from error
    kind, size = _RECIPIENTS.get(prefix, ("", 0))
    if not kind or text != text.lower():
        raise _wrong(text, where, f"its prefix {text[:len(prefix)]!r} is none of age's public keys")
    if len(raw) != size:
        raise _wrong(text, where, f"it has {len(raw)} bytes instead of {size}")
    return Recipient(kind, raw, text)


def parse_recipients(text: str, where: str) -> tuple[Recipient, ...]:
    """Read a file of recipients: one a line, # begins a comment; raise ConfigError if one is wrong or none is there."""
    found = [parse_recipient(line.strip(), f"{where} line {number}")
             for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not found:
        raise ConfigError(f"{where} holds no recipient", hint=_MAKE, code="encryption.no_recipient")
    return tuple(found)


def check_together(recipients: tuple[Recipient, ...], where: str) -> tuple[Recipient, ...]:
    """Return the recipients without doubles; raise ConfigError for a passphrase beside another key.

    The format allows no other stanza beside that of a passphrase.
    """
    unique = tuple(dict.fromkeys(recipients))
    if PASSPHRASE_RECIPIENT in unique and len(unique) > 1:
        raise ConfigError(f"{where} has a passphrase beside other recipients", code="encryption.passphrase_mixed",
                          hint="Seal for a passphrase alone or for public keys alone, as the age format wants it.")
    return unique


def parse_secret(line: str, where: str) -> Identity:
    """Read one line AGE-SECRET-KEY-1…; raise ConfigError that never repeats it."""
    try:
        prefix, raw = decode(line)
    except ValueError as error:
        raise ConfigError(f"{where} is no secret key of age: {error}", code="encryption.bad_identity",
                          hint=_MAKE) from None
    kind = _IDENTITIES.get(prefix)
    if kind is None or len(raw) != 32 or line != line.upper():
        raise ConfigError(f"{where} is no secret key of age: its form is another", hint=_MAKE,
                          code="encryption.bad_identity")
    return Identity(kind, raw, where=where)


def secret_text(raw: bytes, kind: str = X25519) -> str:
    """Return an identity as its file holds it."""
    return encode(next(prefix for prefix, known in _IDENTITIES.items() if known == kind), raw).upper()


def ssh_text(raw: bytes) -> str:
    """Return an ssh-ed25519 public key as its file holds it."""
    return f"{SSH} {base64.b64encode(_SSH_WIRE + raw).decode()}"


def public_text(raw: bytes, kind: str = X25519) -> str:
    """Return a public key as people pass it on."""
    return encode(next(prefix for prefix, (known, _size) in _RECIPIENTS.items() if known == kind), raw)


def _ssh(text: str, where: str) -> Recipient:
    words = text.split()
    if words[0] != SSH or len(words) < 2:
        raise _wrong(text[:40], where, "of SSH's keys only ssh-ed25519 can be used")
    try:
        wire = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(text[:40], where, str(error)) from error
    if not wire.startswith(_SSH_WIRE) or len(wire) != len(_SSH_WIRE) + 32:
        raise _wrong(text[:40], where, "it is cut off or another kind of key")
    return Recipient(SSH, wire[len(_SSH_WIRE):], f"{SSH} {words[1]}")


def _wrong(text: str, where: str, why: str) -> ConfigError:
    return ConfigError(f"{where} is {text[:80]!r}, which is no public key: {why}", hint=_MAKE,
                       code="encryption.bad_recipient")
