# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Seal and open streams in the age v1 format (C2SP age.md): any age command opens what we seal, and the reverse.

Law 1 lives here: the last chunk of a sealed stream is marked as the last, so it is sealed only after everything above
has ended well. What was cut off, by whomever, has no such chunk and is never taken for whole.
"""
from __future__ import annotations

import hashlib
import hmac
import os
from itertools import chain
from typing import Any, Iterable, Iterator, Sequence

from ..errors import ConfigError, Damaged
from ..model.ageheader import BadHeader, Header, Stanza, covered_by_mac, end_of_header, parse_header, raw64
from ..model.agekeys import PASSPHRASE, Identity, Recipient
from .agewrap import FILE_KEY, InvalidTag, cipher, derive, need_cryptography, unwrap, wrap
from .armor import BEGIN, dearmor
from .stage import Stage, owned

CHUNK = 64 * 1024                  # bytes of plain text that are sealed at once
TAG = 16
SEALED = CHUNK + TAG
NONCE = 16

_HINT = "Use another backup or another repository's copy of it; `restorable verify` says which are intact."


def seal(recipients: Sequence[Recipient], passphrase: bytes = b"") -> Stage:
    """Return the stage that seals a stream for all recipients; raise ConfigError now if one cannot be used."""
    if not recipients:
        raise ConfigError("nobody is named whom to seal for", code="encryption.no_recipient",
                          hint="Name a public key under `encryption.recipients`.")
    file_key = os.urandom(FILE_KEY)
    header = render_header(recipients, file_key, passphrase)

    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        nonce = os.urandom(NONCE)
        yield header + nonce
        yield from _seal_payload(cipher(derive(file_key, nonce, b"payload")), chunks)

    return _once(stage)


def _once(stage: Stage) -> Stage:
    """Return a stage that refuses a second stream: a file key must never seal two."""
    used: list[bool] = []

    def guarded(chunks: Iterable[bytes]) -> Iterator[bytes]:
        if used:
            raise ValueError("a sealing stage seals one stream only")
        used.append(True)
        return stage(chunks)

    return guarded


def render_header(recipients: Sequence[Recipient], file_key: bytes, passphrase: bytes = b"") -> bytes:
    """Return a new header that gives the file key to every recipient."""
    stanzas = tuple(wrap(each, file_key, passphrase) for each in recipients)
    covered = covered_by_mac(stanzas)
    return covered + b" " + raw64(_mac(file_key, covered)).encode() + b"\n"


def unseal(identities: Sequence[Identity]) -> Stage:
    """Return the stage that opens a binary or armored age file; raise Damaged instead of ending early.

    Every chunk is authenticated before it is passed on. Raises ConfigError("age.no_match") if none of the secret
    keys is one that the file is sealed for.
    """
    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        need_cryptography()
        with owned(_unarmored(chunks)) as source:
            raw, rest = read_header(source)
            file_key = file_key_of(parse_header_of(raw), identities)
            yield from _open_payload(file_key, rest, source)

    return stage


def rewrap(identities: Sequence[Identity], recipients: Sequence[Recipient], passphrase: bytes = b"") -> Stage:
    """Return the stage that gives a sealed file a new header for other recipients; its payload stays bit for bit.

    Whoever had a key of the old header may still hold the file's key: this changes who can read from now on.
    """
    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        need_cryptography()
        with owned(_unarmored(chunks)) as source:
            raw, rest = read_header(source)
            yield render_header(recipients, file_key_of(parse_header_of(raw), identities), passphrase)
            if rest:
                yield rest
            yield from source

    return stage


def unopened(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a sealed file on as it is; raise Damaged unless it begins with a whole header. Needs no key."""
    with owned(chunks) as source:
        raw, rest = read_header(source)
        parse_header_of(raw)
        yield raw + rest
        yield from source


def read_header(source: Iterator[bytes]) -> tuple[bytes, bytes]:
    """Return (the header's bytes, what was read beyond them); raise Damaged if there is none."""
    data = b""
    for chunk in source:
        data += chunk
        try:
            end = end_of_header(data)
        except BadHeader as error:
            raise damaged_header(error) from error
        if end:
            return data[:end], data[end:]
    raise Damaged(f"an age file ends within its header, after {len(data)} bytes", hint=_HINT, code="age.header")


def parse_header_of(raw: bytes) -> Header:
    """Read a header; raise Damaged for what the format does not allow."""
    try:
        return parse_header(raw)
    except BadHeader as error:
        raise damaged_header(error) from error


def file_key_of(header: Header, identities: Sequence[Identity]) -> bytes:
    """Return the file key that one of the secret keys opens, once the header's code proves it unchanged."""
    kinds = [stanza.kind for stanza in header.stanzas]
    if PASSPHRASE in kinds and len(kinds) > 1:
        raise damaged_header(BadHeader("a passphrase's stanza is not alone"))
    file_key = _first_key(header.stanzas, identities)
    if file_key is None:
        raise _no_match(header.stanzas, identities)
    if len(file_key) != FILE_KEY:
        raise damaged_header(BadHeader(f"the file key has {len(file_key)} bytes"))
    if not hmac.compare_digest(_mac(file_key, header.covered), header.mac):
        raise Damaged("the header of an age file was changed: its code does not fit", hint=_HINT, code="age.mac")
    return file_key


def damaged_header(error: BadHeader) -> Damaged:
    """Return the error of a header that is none."""
    return Damaged(f"the header of an age file is damaged: {error}", hint=_HINT, code="age.header")


def _first_key(stanzas: Sequence[Stanza], identities: Sequence[Identity]) -> bytes | None:
    for identity in identities:
        try:
            key = unwrap(identity, stanzas)
        except BadHeader as error:
            raise damaged_header(error) from error
        if key is not None:
            return key
    return None


def _no_match(stanzas: Sequence[Stanza], identities: Sequence[Identity]) -> ConfigError:
    kinds = ", ".join(sorted({stanza.kind for stanza in stanzas}))
    tried = ", ".join(f"{each.where or each.kind}" + (f" ({each.key_id})" if each.key_id else "")
                      for each in identities) or "none"
    return ConfigError(f"none of the identities opens it: sealed for {kinds}, tried {tried}",
                       hint="Name the right file under `encryption.identity_file` (or passphrase_file); "
                            "`restorable show` names the keys a backup is sealed for.", code="age.no_match")


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.new(derive(file_key, b"", b"header"), covered, hashlib.sha256).digest()


def _seal_payload(aead: Any, chunks: Iterable[bytes]) -> Iterator[bytes]:
    encrypt = aead.encrypt
    for count, (block, final) in enumerate(blocks(chunks, CHUNK)):
        yield encrypt(count.to_bytes(11, "big") + (b"\1" if final else b"\0"), block, None)


def blocks(chunks: Iterable[bytes], size: int) -> Iterator[tuple[bytes | bytearray | memoryview, bool]]:
    """Yield (block, is it the last) of exactly size bytes; only the last may be shorter, or empty if nothing came.

    One is always held back, because only the end tells which is the last: whatever fails above fails here first. Only
    blocks that lie in two chunks are copied.
    """
    partial = bytearray()
    whole: bytes | memoryview | None = None
    with owned(chunks) as source:
        for chunk in source:
            if not chunk:
                continue
            data, at = memoryview(chunk), 0
            if whole is not None:
                yield whole, False
                whole = None
            if partial:
                at = min(size - len(partial), len(data))
                partial += data[:at]
                if at < len(data):
                    yield partial, False
                    partial = bytearray()
            last = len(data) - size
            while at < last:
                yield data[at:at + size], False
                at += size
            if at == last:
                whole = data[at:]
            else:
                partial += data[at:]
            if len(partial) == size:
                whole, partial = bytes(partial), bytearray()
    yield (partial if whole is None else whole), True


def _open_payload(file_key: bytes, begin: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    """Open chunk by chunk; the last is known by the end of the input, and must be marked as the last."""
    while len(begin) < NONCE:
        more = next(source, None)
        if more is None:
            raise damaged_header(BadHeader(f"only {len(begin)} bytes follow it"))
        begin += more
    aead = cipher(derive(file_key, begin[:NONCE], b"payload"))
    for count, (sealed, final) in enumerate(blocks(chain([begin[NONCE:]], source), SEALED)):
        plain = None if final else _opened(aead, count, sealed, final=False)
        if plain is not None:
            yield plain
            continue
        yield from _last(aead, count, sealed)
        if not final:
            raise _payload("something stands after its last chunk")


def _last(aead: Any, count: int, sealed: bytes | bytearray | memoryview) -> Iterator[bytes]:
    plain = _opened(aead, count, sealed, final=True)
    if plain is None:
        early = _opened(aead, count, sealed, final=False)
        if early is not None:
            if len(early) == CHUNK:
                yield early
            raise Damaged(f"an age file was cut off after chunk {count + 1}: its last chunk is missing", hint=_HINT,
                          code="age.truncated")
        raise _payload(f"chunk {count + 1} is not what was sealed" if len(sealed) >= TAG else
                       f"it ends within chunk {count + 1}")
    if count and not plain:
        raise _payload("its last chunk is empty")
    if plain:
        yield plain


def _opened(aead: Any, count: int, sealed: bytes | bytearray | memoryview, *, final: bool) -> bytes | None:
    try:
        return bytes(aead.decrypt(count.to_bytes(11, "big") + (b"\1" if final else b"\0"), sealed, None))
    except (InvalidTag, ValueError):   # a tag that is cut off is no tag
        return None


def _payload(why: str) -> Damaged:
    return Damaged(f"the content of an age file is damaged: {why}", hint=_HINT, code="age.payload")


def _unarmored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a binary file on, and an armored one without its armor."""
    source = iter(chunks)
    first = b""
    for chunk in source:
        first += chunk
        if len(first.lstrip()) >= len(BEGIN):
            break
    whole = _with(first, source, chunks)
    return dearmor(whole) if first.lstrip()[:5] == BEGIN[:5] else whole


def _with(first: bytes, source: Iterator[bytes], chunks: Iterable[bytes]) -> Iterator[bytes]:
    with owned(chunks), owned(source):
        if first:
            yield first
        yield from source
