# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read the objects of a set so that no byte is trusted before its size and SHA-256 were found right."""
from __future__ import annotations

import hashlib
import json
from typing import Iterable, Iterator

from ..errors import ConfigError, Damaged, NotFound, Refused
from ..model.dumpfile import UNAUTHENTICATED
from ..model.fingerprint import Fingerprint
from ..model.manifest import Item, Manifest
from ..model.naming import object_key
from ..ports import Progress, Store
from ..stream.compress import decompressor
from ..stream.stage import Stage, owned
from .world import World

_HINT = "Restore or drill another backup of `restorable list`, take a new one, and check the disk."


def read_item(world: World, store: Store, manifest: Manifest, item: Item) -> Iterator[bytes]:
    """Yield an object's plain bytes; raise Damaged instead of ending if anything differs from the manifest.

    The error comes before the end, so a consumer that commits at the end of its input never commits damaged data.
    """
    where = f"{store.name}:{object_key(manifest.cluster, manifest.id, item.name)}"
    stored = counted(store.get(object_key(manifest.cluster, manifest.id, item.name)), world.progress)
    checked = expect(item.size, item.sha256, f"{where} as stored")(stored)
    plain = decompressor(item.compression)(opened(world, item, checked) if item.encryption else checked)
    if not item.plain_sha256:      # the server compressed it, so only the stored bytes were digested
        return _naming(where, plain)
    return _naming(where, expect(item.plain_size, item.plain_sha256, f"{where} uncompressed")(plain))


def read_stored(world: World, store: Store, manifest: Manifest, item: Item) -> None:
    """Read an object as it is stored, to its end; raise Damaged if that is not what the manifest says. Needs no key."""
    key = object_key(manifest.cluster, manifest.id, item.name)
    where, stored = f"{store.name}:{key}", counted(store.get(key), world.progress)
    for _chunk in _naming(where, expect(item.size, item.sha256, f"{where} as stored")(stored)):
        pass


def opened(world: World, item: Item, stored: Iterable[bytes]) -> Iterator[bytes]:
    """Open a sealed object; a wrong identity is told only of an object that is, as stored, what it was.

    One flipped bit in a header looks like the header for another key, so the rest is read and digested first.
    """
    with owned(stored) as source:
        try:
            yield from world.keys.opening(item.encryption)(chunk for chunk in source)
        except ConfigError as error:
            for _chunk in source if error.code == "age.no_match" else ():
                pass
            raise _locked(item, error) from error


def require_opens(world: World, store: Store, manifest: Manifest, item: Item) -> None:
    """Read as much of a sealed object as shows that it can be opened here; raise what prevents it."""
    key = object_key(manifest.cluster, manifest.id, item.name)
    try:
        with owned(_naming(f"{store.name}:{key}", world.keys.opening(item.encryption)(store.get(key)))) as plain:
            next(plain, None)
    except ConfigError as error:
        raise _locked(item, error) from error


def _locked(item: Item, error: ConfigError) -> ConfigError:
    keys = ", ".join(item.recipients) or "an unknown key"
    sealed = f"; it is sealed for {keys}" if item.encryption == "age" else ""
    return ConfigError(f"{item.name} cannot be opened: {error.message}{sealed}", hint=error.hint,
                       code=error.code)


def item_of(manifest: Manifest, role: str, database: str = "") -> Item:
    """Return the object with that role; raise NotFound where a copy's manifest has none."""
    item = manifest.find(role, database)
    if item is None:
        what = f"dump of database {database!r}" if database else "roles and tablespaces"
        raise NotFound(f"backup {manifest.id} holds no {what}", code=f"restore.no_{role}",
                       hint=f"Run `restorable show {manifest.id}` to see what it holds.")
    return item


def read_fingerprint(world: World, store: Store, manifest: Manifest, database: str) -> Fingerprint | None:
    """Return the fingerprint stored with a database's dump, or None if none was taken."""
    item = manifest.find("fingerprint", database)
    if item is None:
        return None
    data = b"".join(read_item(world, store, manifest, item))
    return Fingerprint.from_dict(json.loads(data))


def unauthenticated(manifest: Manifest) -> list[str]:
    """Return a warning for each object whose encryption does not show that it was changed before it was adopted."""
    return [f"object {item.name}: {UNAUTHENTICATED}" for item in manifest.items
            if item.encryption.startswith("openssl/")]


def jobs_for(item: Item, wanted: int) -> int:
    """Return how many jobs may restore an archive: pg_restore refuses more than one for the tar format."""
    return 1 if item.format == "tar" else wanted


def digest(store: Store, key: str) -> str:
    """Return the SHA-256 of an object as it is stored."""
    found = hashlib.sha256()
    for chunk in store.get(key):
        found.update(chunk)
    return found.hexdigest()


def put_copy(target: Store, key: str, chunks: Iterable[bytes], source: Store) -> bool:
    """Put what chunks give of source's object; return False if another writer has brought the same meanwhile."""
    try:
        target.put(key, chunks)
    except Refused as error:
        if error.code != "store.exists" or digest(target, key) != digest(source, key):
            raise
        return False
    return True


def expect(size: int, sha256: str, what: str) -> Stage:
    """Return a stage that passes bytes on and raises Damaged unless they are the expected ones.

    The last chunk is held back until all were judged: whoever has seen the end has seen the right bytes.
    """

    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        seen, digest, last = 0, hashlib.sha256(), b""
        with owned(chunks) as source:
            for chunk in source:
                seen += len(chunk)
                digest.update(chunk)
                if seen > size:
                    break
                if last:
                    yield last
                last = chunk
        if seen != size:
            more = "more than " if seen > size else ""
            raise _damaged(f"{what} has {more}{min(seen, size)} bytes, the manifest says {size}")
        if digest.hexdigest() != sha256:
            raise _damaged(f"{what} has SHA-256 {digest.hexdigest()[:16]}…, the manifest says {sha256[:16]}…")
        if last:
            yield last

    return stage


def counted(chunks: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    """Pass bytes on and tell progress of each chunk."""
    with owned(chunks) as source:
        for chunk in source:
            progress.advance(len(chunk))
            yield chunk


def _naming(where: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass bytes on; damage that a stage found is told with the object's place."""
    try:
        with owned(chunks) as source:
            yield from source
    except Damaged as error:
        if where in error.message:
            raise
        raise Damaged(f"{where}: {error.message}", hint=error.hint or _HINT, code=error.code) from error


def _damaged(message: str) -> Damaged:
    return Damaged(message, hint=_HINT, code="object.damaged")
