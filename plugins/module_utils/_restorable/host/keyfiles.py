# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read keys from files that only their owner may read, and write new ones."""
from __future__ import annotations

import os
import stat
from typing import Callable

from ..errors import ConfigError, RestorableError
from ..model.ageheader import INTRO
from ..model.agekeys import (
    HYBRID,
    PASSPHRASE,
    X25519,
    Identity,
    Recipient,
    check_together,
    parse_recipients,
    parse_secret,
    secret_text,
)
from ..model.encryption import Encryption

LARGEST = 1 << 20                  # bytes; a file of keys is never larger


class KeyFiles:
    """Keeps stream.keyring.Keys. Each file is read when somebody asks, so a host needs only the files that it uses."""

    def __init__(self, settings: Encryption) -> None:
        self._settings = settings
        self.required = settings.required
        self.openable = bool(settings.identity_files or settings.passphrase_file)

    def recipients(self) -> tuple[Recipient, ...]:
        """Return the public keys of the settings and of their file; raise ConfigError if that cannot be used."""
        found = self._settings.recipients
        if self._settings.recipients_file:
            path = self._settings.recipients_file
            found += parse_recipients(_text(path, _read(path, secret=False)), f"file {path}")
        return check_together(found, "encryption.recipients")

    def identities(self) -> tuple[Identity, ...]:
        """Return the secret keys of all identity files, and the passphrase as one of them."""
        found = [each for path in self._settings.identity_files for each in read_identities(path, self.passphrase)]
        if self._settings.passphrase_file:
            found.append(Identity(PASSPHRASE, self.passphrase(), where=f"file {self._settings.passphrase_file}"))
        return tuple(found)

    def passphrase(self) -> bytes:
        """Return the first line of the passphrase file; raise ConfigError if there is none."""
        path = self._settings.passphrase_file
        if not path:
            raise ConfigError("a passphrase is needed and none is set", code="encryption.no_passphrase",
                              hint="Name a file of mode 0600 with the passphrase under `encryption.passphrase_file`.")
        lines = _read(path, secret=True).splitlines()
        if not lines or not lines[0]:
            raise ConfigError(f"passphrase file {path} is empty", code="encryption.no_passphrase",
                              hint="Write the passphrase into its first line.")
        return lines[0]


def read_identities(path: str, passphrase: Callable[[], bytes] | None = None) -> tuple[Identity, ...]:
    """Return every secret key of one file: age-keygen's form, or one ssh-ed25519 key as ssh-keygen writes it.

    The file may be sealed with a passphrase, as `age -p` does, binary or armored.
    """
    from ..stream.agewrap import named, ssh_identity
    data = _opened(path, _read(path, secret=True), passphrase)
    if b"-----BEGIN OPENSSH PRIVATE KEY-----" in data:
        return (named(ssh_identity(data, f"file {path}")),)
    lines = [(number, line.strip()) for number, line in enumerate(_text(path, data).splitlines(), 1)]
    found = tuple(named(parse_secret(line, f"file {path} line {number}")) for number, line in lines
                  if line and not line.startswith("#"))
    if not found:
        raise ConfigError(f"identity file {path} holds no secret key", code="encryption.bad_identity",
                          hint="Make one with `restorable keygen FILE`.")
    return found


def _opened(path: str, data: bytes, passphrase: Callable[[], bytes] | None) -> bytes:
    """Return what a file of secret keys holds, once it is opened if it is sealed with a passphrase."""
    from ..stream.age import unseal
    from ..stream.armor import BEGIN
    if not data.lstrip().startswith((INTRO, BEGIN)):
        return data
    if passphrase is None:
        raise ConfigError(f"identity file {path} is sealed with a passphrase", code="encryption.no_passphrase",
                          hint=f"Run `age -d {path}` to see it.")
    secret = passphrase()
    try:
        return b"".join(unseal([Identity(PASSPHRASE, secret, where="the passphrase file")])([data]))
    except RestorableError as error:
        # whatever is wrong, it is of this host's keys: a backup is not damaged by it
        raise ConfigError(f"identity file {path} cannot be opened: {error.message}", code="encryption.bad_identity",
                          hint="Its passphrase must be the first line of `encryption.passphrase_file`; only files that "
                               "were sealed by `age -p` can be used.") from error


def public_keys(path: str) -> tuple[str, ...]:
    """Return the public keys that belong to a file of secret ones, as people pass them on."""
    from ..stream.agewrap import public_of
    return tuple(public_of(each) for each in read_identities(path))


def new_identity(path: str, *, hybrid: bool = False) -> str:
    """Make a secret key in a new file, in age-keygen's form, and return its public key."""
    from ..stream.agewrap import public_of
    identity = Identity(HYBRID if hybrid else X25519, os.urandom(32))
    public = public_of(identity)
    write_identity(path, f"# public key: {public}\n{secret_text(identity.raw, identity.kind)}\n")
    return public


def write_identity(path: str, text: str) -> None:
    """Write a new file of mode 0600; raise ConfigError rather than write over one, which may be the only key."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise ConfigError(f"file {path} exists", code="encryption.key_exists",
                          hint="Choose another name: a key that is written over can never open its backups again."
                          ) from None
    except OSError as error:
        raise ConfigError(f"file {path} cannot be made: {error.strerror}", code="encryption.key_unwritable",
                          hint="Name a folder that exists and that you may write to.") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: str, *, secret: bool) -> bytes:
    try:
        with open(path, "rb") as file:
            state = os.fstat(file.fileno())
            if secret and stat.S_IMODE(state.st_mode) & 0o077:
                raise ConfigError(f"file {path} holds a secret and has mode {stat.S_IMODE(state.st_mode):04o}",
                                  hint=f"Run `chmod 0600 {path}`, and make a new key if others have read it.",
                                  code="encryption.mode")
            return file.read(LARGEST)
    except OSError as error:
        raise ConfigError(f"file {path} cannot be read: {error.strerror}", code="encryption.unreadable",
                          hint="Check the path under `encryption`, and that the account which runs this may read it."
                          ) from error


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"file {path} is no text", hint="Name a file of keys as age-keygen writes it.",
                          code="encryption.bad_identity") from None
