# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of the journal: in whose name it is written, how it is signed, whose signatures count. Pure."""
from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from .reading import Reader

PUBLIC = "ed25519:"            # and 32 bytes as base64


@dataclass(frozen=True)
class AuditSettings:
    """Who writes events and whose events are trusted."""

    identity: str = ""             # who asked for the work; empty: user@host
    writer: str = ""               # names this writer's chain; empty: the host and the user
    signing_key_file: str = ""     # a private key; empty: events are not signed
    verify_keys: tuple[str, ...] = ()      # public keys; empty: signatures are not asked for

    @classmethod
    def of(cls, reader: Reader) -> AuditSettings:
        """Read settings strictly."""
        found = cls(reader.text("identity"), reader.text("writer"), reader.text("signing_key_file"),
                    reader.texts("verify_keys"))
        if found.signing_key_file and not found.signing_key_file.startswith("/"):
            raise reader.wrong("signing_key_file", found.signing_key_file, "an absolute path")
        for each in found.verify_keys:
            if len(raw_key(each)) != 32:
                raise reader.wrong("verify_keys", each, f"public keys such as {PUBLIC}… that "
                                                        "`restorable audit --new-key` prints")
        reader.done()
        return found


def raw_key(text: str) -> bytes:
    """Return the 32 bytes of a public key's text, or other bytes if it is none."""
    if not text.startswith(PUBLIC):
        return b""
    try:
        return base64.b64decode(text[len(PUBLIC):], validate=True)
    except (binascii.Error, ValueError):
        return b""


def key_text(raw: bytes) -> str:
    """Return a public key as text."""
    return PUBLIC + base64.b64encode(raw).decode()
