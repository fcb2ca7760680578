# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of encryption: for whom backups are sealed, and where the keys lie that open them. Pure.

Fails closed: as soon as anything is said about encryption, nothing is written unsealed, unless that is said too.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .agekeys import Recipient, check_together, parse_recipient
from .reading import Reader


@dataclass(frozen=True)
class Encryption:
    """Public keys, and paths of files with keys. Secrets themselves never stand in settings."""

    recipients: tuple[Recipient, ...] = ()
    recipients_file: str = ""
    identity_files: tuple[str, ...] = ()
    passphrase_file: str = ""
    required: bool = False         # a backup without a recipient is refused

    @classmethod
    def of(cls, top: Reader) -> Encryption:
        """Read the mapping encryption of the settings; an absent or empty one is no encryption."""
        body = top.raw("encryption", {})
        if not isinstance(body, Mapping):
            raise top.wrong("encryption", body, "a mapping with recipients or identity_file")
        if not body:
            return cls()
        reader = Reader(body, f"{top.where}.encryption")
        found = cls(_recipients(reader), _path(reader, "recipients_file"), _paths(reader, "identity_file"),
                    _path(reader, "passphrase_file"), reader.flag("required", True))
        reader.done()
        return found


def _recipients(reader: Reader) -> tuple[Recipient, ...]:
    texts = reader.raw("recipients", [])
    if not isinstance(texts, (list, tuple)):
        raise reader.wrong("recipients", "a value that is no list", "a list of public keys such as age1…")
    where = f"{reader.where}.recipients"
    found = [_recipient(reader, text, f"{where}[{number}]") for number, text in enumerate(texts)]
    return check_together(tuple(found), where)


def _recipient(reader: Reader, text: Any, where: str) -> Recipient:
    if not isinstance(text, str):
        raise reader.wrong("recipients", f"a {type(text).__name__} among others", "a list of public keys such as age1…")
    return parse_recipient(text.strip(), where)


def _paths(reader: Reader, key: str) -> tuple[str, ...]:
    value = reader.raw(key, [])
    paths = (value,) if isinstance(value, str) and value else value or ()
    if not isinstance(paths, (list, tuple)) or not all(isinstance(each, str) and each.startswith("/")
                                                       for each in paths):
        raise reader.wrong(key, _unless_secret(value), "an absolute path, or a list of them")
    return tuple(paths)


def _path(reader: Reader, key: str) -> str:
    value = reader.text(key)
    if value and not value.startswith("/"):
        raise reader.wrong(key, _unless_secret(value), "an absolute path")
    return value


def _unless_secret(value: Any) -> Any:
    # somebody may have put the key itself, or the passphrase, where its file belongs
    return value if isinstance(value, str) and "/" in value and "AGE-SECRET" not in value.upper() else "***"
