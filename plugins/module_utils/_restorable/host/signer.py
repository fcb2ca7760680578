# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ed25519 signatures of events (RFC 8032), keys in PEM files that OpenSSL reads too."""
from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
import sys
from typing import Any, Callable, Mapping, Sequence

from ..errors import ConfigError, Refused
from ..model.audit_settings import key_text, raw_key


def signer(path: str) -> Callable[[bytes], Mapping[str, str]]:
    """Return what signs bytes; the key is read when the first are signed, and then ConfigError may come."""
    loaded: list[tuple[Any, str]] = []

    def sign(data: bytes) -> Mapping[str, str]:
        if not loaded:
            key = _load(path)
            loaded.append((key, key_id(_raw(key))))
        key, name = loaded[0]
        return {"key": name, "value": base64.b64encode(key.sign(data)).decode()}

    return sign


def verifier(verify_keys: Sequence[str]) -> Callable[[bytes, Mapping[str, str]], str]:
    """Return what says "" of a good signature by one of the keys, and what is wrong with any other."""
    kinds = _ed25519() if verify_keys else None
    known = {key_id(raw_key(each)): raw_key(each) for each in verify_keys}

    def verify(data: bytes, signature: Mapping[str, str]) -> str:
        name = str(signature.get("key", ""))
        if kinds is None or name not in known:
            return f"it is signed by the unknown key {name!r}"
        try:
            value = base64.b64decode(str(signature.get("value", "")), validate=True)
            kinds.Ed25519PublicKey.from_public_bytes(known[name]).verify(value, data)
        except (binascii.Error, ValueError, _invalid()):
            return f"its signature by key {name} does not fit"
        return ""

    return verify


def public_key(path: str) -> str:
    """Return the public half of a private key's file, as text."""
    return key_text(_raw(_load(path)))


def new_key(path: str) -> str:
    """Write a new private key into a file of mode 0600 that must not exist yet; return the public key as text."""
    from contextlib import suppress
    kinds, serialization = _ed25519(), _serialization()
    key = kinds.Ed25519PrivateKey.generate()
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Refused(f"file {path} exists already", code="audit.key_exists",
                      hint="Name another file; a key that signed events must not be lost.") from error
    except OSError as error:
        raise ConfigError(f"file {path} cannot be made: {error.strerror}", code="audit.key_file",
                          hint="Name a file in a folder that you may write to.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    return key_text(_raw(key))


def key_id(raw: bytes) -> str:
    """Return the short name of a public key: 16 hex digits of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:16]


def _load(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read()
    except OSError as error:
        raise ConfigError(f"audit.signing_key_file {path} cannot be read: {error.strerror}", code="audit.key_file",
                          hint=f"Make one with `restorable audit --new-key {path}`, or let this user read "
                               "it.") from error
    if mode & 0o077:
        raise ConfigError(f"audit.signing_key_file {path} has mode {mode:04o}, others can read it",
                          hint=f"Run `chmod 600 {path}`.", code="audit.key_mode")
    kinds, serialization = _ed25519(), _serialization()
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"audit.signing_key_file {path} holds no private key in PEM without a passphrase",
                          hint=f"Make one with `restorable audit --new-key {path}`.", code="audit.key_bad") from error
    if not isinstance(key, kinds.Ed25519PrivateKey):
        raise ConfigError(f"audit.signing_key_file {path} is no Ed25519 key", code="audit.key_bad",
                          hint="Make one with `restorable audit --new-key PATH`.")
    return key


def _raw(key: Any) -> bytes:
    serialization = _serialization()
    raw: bytes = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ConfigError(f"python package cryptography cannot be used by {sys.executable}: {error}",
                          hint="Signed journals need it: `apt-get install python3-cryptography`, `dnf install "
                               f"python3-cryptography`, or `{sys.executable} -m pip install cryptography`.",
                          code="audit.no_cryptography") from error
    return ed25519


def _serialization() -> Any:
    _ed25519()
    from cryptography.hazmat.primitives import serialization
    return serialization


def _invalid() -> type[Exception]:
    from cryptography.exceptions import InvalidSignature
    found: type[Exception] = InvalidSignature
    return found
