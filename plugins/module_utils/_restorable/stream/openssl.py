# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Open what `openssl enc -aes-256-cbc -salt` wrote: only to read the files of older scripts, never to write any.

The form (openssl-enc(1), apps/enc.c): the word Salted__, eight bytes of salt, AES-256-CBC with PKCS 7 padding. How key
and first block came from the passphrase stands nowhere in the file, and nothing authenticates it: a changed byte is
noticed by what is inside, if at all.
"""
from __future__ import annotations

import hashlib
from itertools import chain
from typing import Any, Callable, Iterable, Iterator

from ..errors import ConfigError, Damaged
from .stage import CHUNK, Stage, owned

ciphers: Any = None
algorithms: Any = None
modes: Any = None
try:
    from cryptography.hazmat.primitives import ciphers as _ciphers
    from cryptography.hazmat.primitives.ciphers import algorithms as _algorithms
    from cryptography.hazmat.primitives.ciphers import modes as _modes
    ciphers, algorithms, modes = _ciphers, _algorithms, _modes
except ImportError:
    pass                               # python3-cryptography is not installed

MAGIC = b"Salted__"
VARIANTS = ("pbkdf2/sha256", "evp/sha256", "evp/md5", "pbkdf2/sha512", "pbkdf2/sha1", "evp/sha512")
ITERATIONS = 10_000                # openssl's own number for -pbkdf2 without -iter

_BLOCK = 16
_BEGIN = 16                        # bytes of magic and salt


def open_enc(passphrase: bytes, variant: str) -> Stage:
    """Return the stage that opens such a file; raise Damaged for what cannot be one, or ends within a block."""
    _need()

    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        with owned(chunks) as source:
            begin = b""
            while len(begin) < _BEGIN:
                more = next(source, None)
                if more is None:
                    raise _damaged(f"it ends after {len(begin)} bytes")
                begin += more
            decrypt = _decryptor(passphrase, begin[:_BEGIN], variant)
            yield from _unpadded(decrypt, begin[_BEGIN:], source)

    return stage


def variant_of(passphrase: bytes, head: bytes, fits: Callable[[bytes], bool]) -> str:
    """Return the variant by which the beginning of a file opens into something that fits, or "" if none does."""
    _need()
    whole = (len(head) - _BEGIN) // _BLOCK * _BLOCK
    for variant in VARIANTS if whole > 0 else ():
        if fits(_decryptor(passphrase, head[:_BEGIN], variant)(head[_BEGIN:_BEGIN + whole])):
            return variant
    return ""


def _unpadded(decrypt: Callable[[bytes], bytes], begin: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    """Decrypt, holding the last block back, because only the end tells which one is padded."""
    held, size = b"", 0
    for chunk in chain([begin], source):
        size += len(chunk)
        for at in range(0, len(chunk), CHUNK):
            plain = held + decrypt(chunk[at:at + CHUNK])
            if len(plain) > _BLOCK:
                yield plain[:-_BLOCK]
            held = plain[-_BLOCK:]
    if size % _BLOCK or not held:
        raise _damaged(f"its {size} bytes are no number of whole blocks")
    padding = held[-1]
    if not 1 <= padding <= _BLOCK or held[-padding:] != bytes([padding]) * padding:
        raise _damaged("its padding is wrong, as after another passphrase or a change")
    if held[:-padding]:
        yield held[:-padding]


def _decryptor(passphrase: bytes, begin: bytes, variant: str) -> Callable[[bytes], bytes]:
    if begin[:len(MAGIC)] != MAGIC:
        raise _damaged("it does not begin with Salted__")
    derivation, digest = variant.split("/")
    salt = begin[len(MAGIC):]
    made = hashlib.pbkdf2_hmac(digest, passphrase, salt, ITERATIONS, 48) if derivation == "pbkdf2" \
        else _bytes_to_key(digest, passphrase, salt)
    cipher = ciphers.Cipher(algorithms.AES(made[:32]), modes.CBC(made[32:48])).decryptor()
    update: Callable[[bytes], bytes] = cipher.update
    return update


def _bytes_to_key(digest: str, passphrase: bytes, salt: bytes) -> bytes:
    """Return 48 bytes by EVP_BytesToKey with a count of 1, what openssl does without -pbkdf2."""
    made = last = b""
    while len(made) < 48:
        last = hashlib.new(digest, last + passphrase + salt, usedforsecurity=False).digest()
        made += last
    return made


def _need() -> None:
    if ciphers is None:
        raise ConfigError("the Python package cryptography is missing, and files of openssl need it",
                          hint="Install it (Debian: `apt-get install python3-cryptography`, else "
                               "`pip install cryptography`) for the Python that runs this.",
                          code="encryption.no_cryptography")


def _damaged(why: str) -> Damaged:
    return Damaged(f"a file of openssl enc is damaged: {why}", code="openssl.damaged",
                   hint="Check the passphrase, or use another copy of the file.")
