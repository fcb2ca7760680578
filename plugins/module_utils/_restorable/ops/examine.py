# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read somebody's dump file to its end, once, and tell what it is; a file that is not whole is never taken for one."""
from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Iterator

from ..errors import Unavailable
from ..model.adoption import Unfit
from ..model.dumpfile import HEAD, Script, compression_of, encryption_of, format_of, looks_right, whole_tar
from ..ports import Archives, Folder, RestoreOptions
from ..stream.compress import decompressor
from ..stream.openssl import VARIANTS, variant_of
from ..stream.stage import close
from ..stream.tally import Tally
from .objects import counted
from .world import World


@dataclass(frozen=True)
class DumpFile:
    """What a file holds: sizes and SHA-256 as it lies there and unpacked, and what its SQL mentions."""

    size: int
    sha256: str
    plain_size: int
    plain_sha256: str
    compression: str
    format: str
    script: Script
    encryption: str = ""           # as a manifest has it: age, openssl/KDF/DIGEST


def examine(world: World, folder: Folder, name: str, archives: Archives) -> DumpFile:
    """Return what a file is; raise Unfit or a RestorableError for one that is no whole dump of one database."""
    stored, plain = Tally(), Tally()
    head, raw = _peek(counted(folder.read(name), world.progress))
    try:
        encryption = _encryption(world, head)
        packed = stored(raw)
        if encryption:
            head, packed = _peek(world.keys.opening(encryption)(packed))
        compression = compression_of(head)
        start, rest = _peek(plain(decompressor(compression)(packed)))
        form = format_of(start)
        script = _read(archives, form, rest)
        for _chunk in rest:            # what pg_restore did not need belongs to the file all the same
            pass
    finally:
        close(raw)
    return DumpFile(stored.size, stored.sha256, plain.size, plain.sha256, compression, form, script,
                    encryption)


def _encryption(world: World, head: bytes) -> str:
    found = encryption_of(head)
    if found != "openssl":
        return found
    if not world.keys.openable:
        raise Unfit("it is encrypted by openssl enc, and no passphrase_file is set")
    variant = variant_of(world.keys.passphrase(), head, looks_right)
    if not variant:
        raise Unfit("it is encrypted by openssl enc, and the passphrase opens it by none of: "
                    + ", ".join(VARIANTS))
    return f"openssl/{variant}"


def _read(archives: Archives, form: str, chunks: Iterator[bytes]) -> Script:
    script = Script()
    if form != "plain":
        chunks = archives.sql(whole_tar(chunks) if form in ("tar", "directory") else chunks, RestoreOptions(form))
    for chunk in chunks:
        script.feed(chunk)
    if not script.complete:
        raise Unfit("it is cut off: its last line, `-- PostgreSQL database dump complete`, is missing")
    return script


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes and the whole stream again."""
    first, seen = [], 0
    for chunk in chunks:
        first.append(chunk)
        seen += len(chunk)
        if seen >= HEAD:
            break
    return b"".join(first)[:HEAD], _again(first, chunks)


def _again(first: list[bytes], chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chain(first, chunks)
    finally:
        close(chunks)


def read_sidecar(folder: Folder, name: str, limit: int) -> bytes:
    """Return a small file's bytes; raise Unavailable if it is larger than limit."""
    data = b""
    for chunk in folder.read(name):
        data += chunk
        if len(data) > limit:
            raise Unavailable(f"sidecar {name} is larger than {limit} bytes", code="adopt.sidecar",
                              hint="Move it away; it is no description.")
    return data
