# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What is sealed for whom, and opened by what: the one place where operations get these stages."""
from __future__ import annotations

from typing import Protocol

from ..errors import ConfigError
from ..model.agekeys import PASSPHRASE_RECIPIENT, Identity, Recipient
from .stage import Stage


class Keys(Protocol):
    """Where keys come from; every call may read files and raises ConfigError if one of them cannot be used."""

    required: bool                 # nothing may be written unsealed
    openable: bool                 # a file with a secret is named

    def recipients(self) -> tuple[Recipient, ...]:
        """Return the public keys."""

    def identities(self) -> tuple[Identity, ...]:
        """Return the secret keys and the passphrase."""

    def passphrase(self) -> bytes:
        """Return the passphrase."""


class Keyring:
    """The keys of one cluster's operations; without keys nothing is sealed and nothing sealed can be opened.

    Files are read at the first use and then kept, for as long as this run lasts.
    """

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys
        self._recipients: tuple[Recipient, ...] | None = None
        self._identities: tuple[Identity, ...] | None = None

    @property
    def openable(self) -> bool:
        """Say whether an identity or a passphrase is set here; it may still be the wrong one."""
        return self._keys is not None and self._keys.openable

    def recipients(self) -> tuple[Recipient, ...]:
        """Return for whom new objects are sealed; none means unsealed. Raises ConfigError where that is not allowed."""
        if self._keys is None:
            return ()
        if self._recipients is None:
            self._recipients = self._keys.recipients()
        if self._keys.required and not self._recipients:
            raise ConfigError("encryption is set, but no recipient to seal for", code="encryption.no_recipient",
                              hint="Name a public key under `encryption.recipients`, or say `required: false` to store "
                                   "new backups unsealed on purpose.")
        return self._recipients

    def check(self) -> None:
        """Raise ConfigError unless new objects can be sealed as the settings want; to be asked before any writing."""
        stage = self.sealing()
        if stage is not None:
            for _chunk in stage([b""]):
                pass

    def key_ids(self) -> tuple[str, ...]:
        """Return the short names of the keys that new objects are sealed for."""
        return tuple(each.key_id for each in self.recipients())

    def sealing(self) -> Stage | None:
        """Return a stage that seals one object, or None where objects are stored unsealed."""
        recipients = self.recipients()
        if not recipients:
            return None
        from .age import seal  # cryptography costs time and memory, which nobody pays who seals nothing
        return seal(recipients, self._passphrase(recipients))

    def opening(self, encryption: str = "age") -> Stage:
        """Return the stage that opens an object: age's, or openssl/KDF/DIGEST of an adopted file."""
        if encryption.startswith("openssl/"):
            from .openssl import open_enc
            return open_enc(self.passphrase(), encryption.partition("/")[2])
        from .age import unseal
        return unseal(self.identities())

    def unopened(self) -> Stage:
        """Return the stage that passes a sealed object on as it is, if it has a whole header."""
        from .age import unopened
        return unopened

    def rewrapping(self) -> Stage:
        """Return the stage that gives a sealed object a header for the recipients of today."""
        from .age import rewrap
        recipients = self.recipients()
        return rewrap(self.identities(), recipients, self._passphrase(recipients))

    def identities(self) -> tuple[Identity, ...]:
        """Return the secret keys that are set here; raise ConfigError if there is none."""
        if self._keys is None or not self._keys.openable:
            raise ConfigError("no identity is set here", code="encryption.no_identity",
                              hint="On the machine that restores or drills, name the file with the secret key under "
                                   "`encryption.identity_file`.")
        if self._identities is None:
            self._identities = self._keys.identities()
        return self._identities

    def passphrase(self) -> bytes:
        """Return the passphrase; raise ConfigError if none is set."""
        if self._keys is None:
            raise ConfigError("a passphrase is needed and none is set", code="encryption.no_passphrase",
                              hint="Name a file of mode 0600 with the passphrase under `encryption.passphrase_file`.")
        return self._keys.passphrase()

    def _passphrase(self, recipients: tuple[Recipient, ...]) -> bytes:
        return self.passphrase() if PASSPHRASE_RECIPIENT in recipients else b""
