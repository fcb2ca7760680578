# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Wrap a file's key for a public key, and unwrap it with a secret one: what each kind of age stanza holds.

C2SP age.md, "native recipient types", for X25519, scrypt and mlkem768x25519; the README of age's package agessh for
ssh-ed25519. The keys are made by the cryptography package, everything else by the standard library.
"""
from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import replace
from typing import Any, Callable, Iterable

from ..errors import ConfigError, Damaged
from ..model.ageheader import BadHeader, Stanza, raw64, unraw64
from ..model.agekeys import HYBRID, PASSPHRASE, SSH, X25519, Identity, Recipient, public_text, ssh_text

aead: Any = None
curve: Any = None
forms: Any = None
hpke: Any = None
mlkem: Any = None
InvalidTag: type[Exception] = ArithmeticError      # stand for the package's own where that is not installed
Unsupported: type[Exception] = ArithmeticError
try:
    from cryptography import exceptions as _exceptions
    from cryptography.hazmat.primitives import serialization as _serialization
    from cryptography.hazmat.primitives.asymmetric import x25519 as _x25519
    from cryptography.hazmat.primitives.ciphers import aead as _aead
    aead, curve, forms = _aead, _x25519, _serialization
    InvalidTag, Unsupported = _exceptions.InvalidTag, _exceptions.UnsupportedAlgorithm
except ImportError:
    pass                               # python3-cryptography is not installed
try:
    from cryptography.hazmat.primitives import hpke as _hpke
    from cryptography.hazmat.primitives.asymmetric import mlkem as _mlkem
    hpke, mlkem = _hpke, _mlkem
except ImportError:
    pass                               # it is older than 48, and knows no key that withstands quantum computers

FILE_KEY = 16                      # bytes
WRAPPED = 32
WORK_FACTOR = 18                   # as the age command: 256 MiB and about a second
MOST_WORK = 20                     # 1 GiB; whoever can write to the repository must not be able to exhaust this host

_NONCE = b"\0" * 12
_LABEL = b"age-encryption.org/v1/"
_HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
_BASE = (9).to_bytes(32, "little")
_ENC = 1120                        # bytes of a hybrid stanza's encapsulated key
_PRIME = 2**255 - 19


def need_cryptography() -> None:
    """Raise ConfigError unless the package that has the ciphers is there."""
    if aead is None:
        raise ConfigError("the Python package cryptography is missing, and sealing needs it",
                          hint="Install it (Debian: `apt-get install python3-cryptography`, else "
                               "`pip install cryptography`) for the Python that runs this.",
                          code="encryption.no_cryptography")


def cipher(key: bytes) -> Any:
    """Return ChaCha20-Poly1305 with this key; its encrypt and decrypt take any buffer."""
    made = aead.ChaCha20Poly1305(key)
    try:
        made.encrypt(_NONCE, memoryview(b""), None)
    except TypeError:
        return _BytesOnly(made)
    return made


class _BytesOnly:
    """The cipher of cryptography 38 (Debian 12), which takes nothing but bytes."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def encrypt(self, nonce: bytes, data: bytes | memoryview, associated: None) -> bytes:
        return bytes(self._inner.encrypt(nonce, bytes(data), associated))

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated: None) -> bytes:
        return bytes(self._inner.decrypt(nonce, bytes(data), associated))


def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes by HKDF-SHA-256 (RFC 5869): one block, so that expanding is a single HMAC."""
    extracted = hmac.new(salt or b"\0" * 32, secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def wrap(recipient: Recipient, file_key: bytes, passphrase: bytes = b"") -> Stanza:
    """Return the stanza from which only the recipient's secret key gets the file key."""
    need_cryptography()
    try:
        return _WRAP[recipient.kind](recipient, file_key, passphrase)
    except ValueError as error:        # a point of low order, or an ML-KEM key that is none
        raise ConfigError(f"recipient {recipient.key_id} is no usable key: {error}", code="encryption.bad_recipient",
                          hint="Make a pair of keys with `restorable keygen FILE`, and name its public key.") from error


def unwrap(identity: Identity, stanzas: Iterable[Stanza]) -> bytes | None:
    """Return the file key that a secret key opens, None if no stanza is for it; raise BadHeader for a malformed one."""
    need_cryptography()
    for stanza in stanzas:
        if stanza.kind == identity.kind:
            key: bytes | None = _UNWRAP[identity.kind](identity, stanza)
            if key is not None:
                return key
    return None


def public_raw(identity: Identity) -> bytes:
    """Return the public key that belongs to a secret one."""
    need_cryptography()
    if identity.kind == HYBRID:
        lattice, scalar = _hybrid_private(identity.raw)
        return bytes(lattice.public_key().public_bytes_raw()) + _multiply(scalar, _BASE)
    return identity.raw if identity.kind == SSH else _multiply(identity.raw, _BASE)


def public_of(identity: Identity) -> str:
    """Return the public key that belongs to a secret one, as people pass it on."""
    raw = public_raw(identity)
    return ssh_text(raw) if identity.kind == SSH else public_text(raw, identity.kind)


def named(identity: Identity) -> Identity:
    """Return the identity with the short name of its public key."""
    return replace(identity, key_id=Recipient(identity.kind, public_raw(identity), public_of(identity)).key_id)


def ssh_identity(data: bytes, where: str) -> Identity:
    """Read an ssh-ed25519 private key as ssh-keygen writes it; raise ConfigError for another one."""
    need_cryptography()
    try:
        private = forms.load_ssh_private_key(data, password=None)
        seed = private.private_bytes(forms.Encoding.Raw, forms.PrivateFormat.Raw, forms.NoEncryption())
        public = private.public_key().public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw)
    except (ValueError, TypeError, Unsupported) as error:      # TypeError: it has a passphrase
        raise ConfigError(f"{where} holds a private key of SSH that cannot be used: {error}",
                          code="encryption.bad_identity",
                          hint="Only ssh-ed25519 keys without a passphrase can be used; `restorable keygen FILE` makes "
                               "a key of age's own.") from None
    return Identity(SSH, public, where=where, secret=seed)


def _multiply(secret: bytes, point: bytes) -> bytes:
    """Return X25519(secret, point); raise ValueError if that is zero (RFC 7748 section 6.1)."""
    private = curve.X25519PrivateKey.from_private_bytes(secret)
    return bytes(private.exchange(curve.X25519PublicKey.from_public_bytes(point)))


def _seal(key: bytes, file_key: bytes) -> bytes:
    return bytes(cipher(key).encrypt(_NONCE, file_key, None))


def _open(key: bytes, body: bytes) -> bytes | None:
    try:
        return bytes(cipher(key).decrypt(_NONCE, body, None))
    except InvalidTag:
        return None                    # it is for somebody else


def _take(stanza: Stanza, *sizes: int) -> tuple[bytes, ...]:
    """Return a stanza's arguments as bytes; raise BadHeader unless number and sizes, and its body's, are right."""
    if len(stanza.arguments) != len(sizes):
        raise BadHeader(f"a stanza {stanza.kind} has {len(stanza.arguments)} arguments")
    found = tuple(unraw64(text) for text in stanza.arguments)
    if tuple(map(len, found)) != sizes or len(stanza.body) != WRAPPED:
        raise BadHeader(f"a stanza {stanza.kind} has parts of a wrong length")
    return found


def _wrap_x25519(recipient: Recipient, file_key: bytes, _passphrase: bytes) -> Stanza:
    secret = os.urandom(32)
    share = _multiply(secret, _BASE)
    key = derive(_multiply(secret, recipient.raw), share + recipient.raw, _LABEL + b"X25519")
    return Stanza(X25519, (raw64(share),), _seal(key, file_key))


def _unwrap_x25519(identity: Identity, stanza: Stanza) -> bytes | None:
    (share,) = _take(stanza, 32)
    try:
        shared = _multiply(identity.raw, share)
    except ValueError:
        raise BadHeader("a stanza X25519 has a share of low order") from None
    return _open(derive(shared, share + _multiply(identity.raw, _BASE), _LABEL + b"X25519"), stanza.body)


def _ssh_tag(public: bytes) -> str:
    return raw64(hashlib.sha256(_wire(public)).digest()[:4])


def _wire(public: bytes) -> bytes:
    return b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + public


def _on_curve25519(public: bytes) -> bytes:
    """Return an Ed25519 key's point as X25519 has it: u = (1 + y) / (1 - y), RFC 7748 section 4.1."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, _PRIME - 2, _PRIME) % _PRIME).to_bytes(32, "little")


def _ssh_key(shared: bytes, share: bytes, public: bytes, point: bytes) -> bytes:
    label = _LABEL + b"ssh-ed25519"
    tweaked = _multiply(derive(b"", _wire(public), label), shared)
    return derive(tweaked, share + point, label)


def _wrap_ssh(recipient: Recipient, file_key: bytes, _passphrase: bytes) -> Stanza:
    secret, point = os.urandom(32), _on_curve25519(recipient.raw)
    share = _multiply(secret, _BASE)
    key = _ssh_key(_multiply(secret, point), share, recipient.raw, point)
    return Stanza(SSH, (_ssh_tag(recipient.raw), raw64(share)), _seal(key, file_key))


def _unwrap_ssh(identity: Identity, stanza: Stanza) -> bytes | None:
    if stanza.arguments[:1] != (_ssh_tag(identity.raw),):
        return None
    _tag, share = _take(stanza, 4, 32)
    scalar = hashlib.sha512(identity.secret).digest()[:32]
    try:
        shared = _multiply(scalar, share)
    except ValueError:
        raise BadHeader("a stanza ssh-ed25519 has a share of low order") from None
    return _open(_ssh_key(shared, share, identity.raw, _multiply(scalar, _BASE)), stanza.body)


def _wrap_passphrase(_recipient: Recipient, file_key: bytes, passphrase: bytes) -> Stanza:
    salt = os.urandom(16)
    key = _scrypt(passphrase, salt, WORK_FACTOR)
    return Stanza(PASSPHRASE, (raw64(salt), str(WORK_FACTOR)), _seal(key, file_key))


def _unwrap_passphrase(identity: Identity, stanza: Stanza) -> bytes | None:
    if len(stanza.arguments) != 2 or len(stanza.body) != WRAPPED:
        raise BadHeader("a stanza scrypt has parts of a wrong number or length")
    salt, work = unraw64(stanza.arguments[0]), stanza.arguments[1]
    if len(salt) != 16 or not re.fullmatch(r"[1-9][0-9]*", work, re.ASCII):
        raise BadHeader("a stanza scrypt has a salt or a work factor of a wrong form")
    if len(work) > 2 or int(work) > MOST_WORK:
        raise Damaged(f"it asks for the scrypt work factor {work[:12]}, {MOST_WORK} is the most that is done",
                      code="age.work_factor",
                      hint="We seal with 18, so the header was changed, or somebody else wrote it: in that case open "
                           "it with the age command.")
    return _open(_scrypt(identity.raw, salt, int(work)), stanza.body)


def _scrypt(passphrase: bytes, salt: bytes, work: int) -> bytes:
    return hashlib.scrypt(passphrase, salt=_LABEL + b"scrypt" + salt, n=1 << work, r=8, p=1, dklen=32,
                          maxmem=(1 << work) * 1024 + (1 << 24))


def _hybrid_suite() -> Any:
    if hpke is None:
        raise ConfigError("a key age1pq… needs the Python package cryptography 48 or newer",
                          code="encryption.no_hybrid",
                          hint="Run `pip install --upgrade cryptography` for the Python that runs this, or use a key "
                               "age1….")
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def _hybrid_private(seed: bytes) -> tuple[Any, bytes]:
    _hybrid_suite()
    expanded = hashlib.shake_256(seed).digest(96)      # X-Wing: 64 bytes for ML-KEM-768, 32 for X25519
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def _wrap_hybrid(recipient: Recipient, file_key: bytes, _passphrase: bytes) -> Stanza:
    suite = _hybrid_suite()
    public = hpke.MLKEM768X25519PublicKey(mlkem.MLKEM768PublicKey.from_public_bytes(recipient.raw[:1184]),
                                          curve.X25519PublicKey.from_public_bytes(recipient.raw[1184:]))
    sealed = bytes(suite.encrypt(file_key, public, info=_HYBRID_INFO))
    return Stanza(HYBRID, (raw64(sealed[:_ENC]),), sealed[_ENC:])


def _unwrap_hybrid(identity: Identity, stanza: Stanza) -> bytes | None:
    (enc,) = _take(stanza, _ENC)
    suite = _hybrid_suite()
    lattice, scalar = _hybrid_private(identity.raw)
    private = hpke.MLKEM768X25519PrivateKey(lattice, curve.X25519PrivateKey.from_private_bytes(scalar))
    try:
        _multiply(scalar, enc[-32:])   # the package hashes a shared secret of zeros like any other
    except ValueError:
        raise BadHeader("a stanza mlkem768x25519 has a share of low order") from None
    try:
        return bytes(suite.decrypt(enc + stanza.body, private, info=_HYBRID_INFO))
    except InvalidTag:
        return None


_WRAP: dict[str, Callable[[Recipient, bytes, bytes], Stanza]] = {
    X25519: _wrap_x25519, SSH: _wrap_ssh, PASSPHRASE: _wrap_passphrase, HYBRID: _wrap_hybrid}
_UNWRAP: dict[str, Callable[[Identity, Stanza], Any]] = {
    X25519: _unwrap_x25519, SSH: _unwrap_ssh, PASSPHRASE: _unwrap_passphrase, HYBRID: _unwrap_hybrid}
