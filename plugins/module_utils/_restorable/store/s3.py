# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep objects in a bucket: AWS S3, or any endpoint that speaks its protocol."""
from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Iterable, Iterator
from urllib.parse import quote, urlencode

from ..errors import ConfigError, Damaged, NotFound, Refused
from ..model.retained import retained_until
from ..model.s3_settings import S3Repository
from ..ports import Entry, Stored
from ..stream.stage import owned
from ..stream.tally import Tally
from .s3_calls import Calls, Failed
from .s3_client import client_of
from .s3_commit import TOKEN, Commit, look
from .s3_confirm import checksums, confirms, confirms_whole, etag_of_one, joined_etag, repeats
from .s3_delete import delete_current
from .s3_errors import ABSENT, Place, code_of
from .s3_get import body_of
from .s3_list import is_key, objects
from .s3_lock import Locks
from .s3_stale import abort_stale
from .s3_upload import Upload, peeked, split
from .whole_file import put_whole_file

MIB = 1024 * 1024
SLACK = timedelta(days=1)              # a dump may run for hours between asking for a lock and looking at it
PROBE = ".restorable/probe-"           # no listing shows a name with a leading dot


class S3Store:
    """A Store below a prefix of a bucket; nothing outside the prefix, which ends in "/", is listed or touched.

    A put is a request, or a multipart upload that is completed at its end and aborted on failure; what it stored is
    confirmed by the endpoint's own checksum or ETag, and read back where there is neither. That an existing key is
    kept is asked of the endpoint in the same request (If-None-Match). `check` finds out whether the endpoint knows
    that; where it does not, the key is looked at right before, and after, and writers of one process take turns.
    """

    def __init__(self, settings: S3Repository, *, client: Any = None, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self.name = settings.name
        self.settings, self._now, self._pause = settings, now, pause
        self._prefix = settings.prefix
        self._place = Place(settings.name, settings.bucket, settings.endpoint_url or "AWS")
        self._client = client
        self._opened: Calls | None = None
        self.conditional = False       # whether the endpoint was seen to refuse a second put by itself
        self.notes: tuple[str, ...] = ()   # what the last check could not clean up, for a warning
        self.checksum = settings.checksum  # md5 once the endpoint was seen to pass over the one that is set

    @property
    def client(self) -> Any:
        """Return the client, made when it is first needed."""
        if self._client is None:
            self._client = client_of(self.settings)
        return self._client

    @property
    def _calls(self) -> Calls:
        if self._opened is None:
            self._opened = Calls(self.client, self._place, retries=self.settings.retries, pause=self._pause)
        return self._opened

    @property
    def locks(self) -> Locks | None:
        """Return what locks and holds objects here, None if the settings ask for no object lock."""
        lock = self.settings.object_lock
        return Locks(self._calls, self._prefix, lock) if lock else None

    def check(self, *, write: bool = True) -> None:
        """Raise unless the prefix can be listed and, to write, an object be put, seen, read and deleted.

        Aborts what dead writers left of multipart uploads below the prefix.
        """
        self._calls("list_objects_v2", Prefix=self._prefix, MaxKeys=1)
        if not write:
            return
        self.notes = abort_stale(self._calls, self._prefix, self._now())
        self._probe()

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Store all chunks or nothing, confirmed or read back; see Store.put."""
        with owned(chunks) as source:
            full = self._key(key)
            tally = Tally()
            parts = split(tally(source), self.settings.part_size * MIB)
            commit = Commit(self._calls, full, conditional=self.conditional, taken=lambda: self._taken(key))
            only, parts = peeked(parts)
            with commit.whole():
                if only is not None:
                    sure = self._put_one(commit, key, only)
                else:
                    self._refuse_taken(key)    # before much is sent; the commit looks again
                    sure = self._put_many(commit, key, parts) and commit.size() == tally.size
                if not sure:
                    self._read_back(key, tally)
                self._ensure_locked(key)
        return Stored(key, tally.size, tally.sha256)

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a local file like put; raise Refused("store.changing") if it is written to meanwhile."""
        return put_whole_file(self, key, path, move=move)

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes; a broken connection is taken up again where it broke. See Store.get."""
        yield from self._body(key, self._key(key))

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects whose keys begin with prefix, sorted by key; see Store.list."""
        yield from objects(self._calls, self._prefix, prefix)

    def delete(self, key: str) -> None:
        """Remove the object, in a versioned bucket its current version; raise Refused("store.retained") if locked."""
        delete_current(self._calls, self._key(key), f"{self.name}:{key}", self._now())

    def free_bytes(self) -> int | None:
        """Return None: a bucket has no limit that can be asked."""
        return None

    def _put_one(self, commit: Commit, key: str, data: bytearray) -> bool:
        sums = self._sums_of_one(data)
        answer = commit("put_object", etag=etag_of_one(sums), Body=data, **sums, **self._arguments(key, commit))
        return confirms(answer, sums, data)

    def _put_many(self, commit: Commit, key: str, parts: Iterable[tuple[int, bytearray]]) -> bool:
        settings = self.settings
        with Upload(self._calls, self._key(key), method=self.checksum, parallel=settings.parallel,
                    base=settings.part_size * MIB, arguments=self._arguments(key, commit)) as upload:
            sent = upload.send(parts)
            answer = commit("complete_multipart_upload", etag=joined_etag(sent.rows), UploadId=sent.upload,
                            MultipartUpload={"Parts": list(sent.rows)})
            upload.completed = True
        return sent.confirmed and confirms_whole(answer, sent.rows)

    def _arguments(self, key: str, commit: Commit) -> dict[str, Any]:
        """Return what every new object is given: how it is kept, and the token by which its writer knows it."""
        settings = self.settings
        until = settings.object_lock.until(key, self._now()) if settings.object_lock else None
        given = {
            "Metadata": {TOKEN: commit.token}, "ServerSideEncryption": settings.sse, "SSEKMSKeyId": settings.kms_key_id,
            "StorageClass": settings.storage_class, "Tagging": urlencode(settings.tags, quote_via=quote),
            "ObjectLockMode": settings.object_lock.mode if settings.object_lock and until else "",
            "ObjectLockRetainUntilDate": until}
        return {name: value for name, value in given.items() if value}

    def _ensure_locked(self, key: str) -> None:
        """Ask whether the object is locked as it was to be: some endpoints overhear it, above all of large objects."""
        lock = self.settings.object_lock
        until = lock.until(key, self._now()) if lock else None
        if until and self.locks:
            # the clock went on since the request
            self.locks.extend([key], until, slack=SLACK)

    def _body(self, key: str, full: str) -> Iterator[bytes]:
        try:
            yield from body_of(self._calls, full)
        except Failed as failed:
            if code_of(failed.error) in ABSENT:
                raise NotFound(f"object {self.name}:{key} does not exist", code="store.missing",
                               hint="See with `restorable list` what the repository holds.") from failed.error
            raise failed.told from failed.error

    def _read_back(self, key: str, sent: Tally) -> None:
        found = Tally()
        for _chunk in found(self.get(key)):
            pass                       # the tally counts it
        if (found.size, found.sha256) != (sent.size, sent.sha256):
            raise Damaged(f"object {self.name}:{key} was stored with other bytes than were sent",
                          code="store.corrupted", hint="Look for a proxy or a network device that changes bytes.")

    def _probe(self) -> None:
        key = f"{PROBE}{secrets.token_hex(8)}"
        full = self._prefix + key
        token = secrets.token_hex(16)
        data = b"restorable " + token.encode()
        self.checksum = self.settings.checksum
        sums = self._sums_of_one(data)
        answer = self._calls("put_object", full, Body=data, **sums)
        # one that is not repeated was not looked at; an MD5, the older way, is by nearly all
        self.checksum = self.settings.checksum if repeats(answer, sums) else "md5"
        try:
            try:
                self._calls.ask("put_object", full, Body=data, IfNoneMatch="*",
                                **self._sums_of_one(data))
                self.conditional = False
            except Failed as failed:
                self.conditional = code_of(failed.error) in ("PreconditionFailed", "412")
                if not self.conditional and code_of(failed.error) not in ("NotImplemented", "501"):
                    raise failed.told from failed.error
            if b"".join(self._body(key, full)) != data:
                raise Damaged(f"repository {self.name}: {self.settings.place} gives back other bytes than it was sent",
                              hint="Trust no backup to it; look at its logs.", code="store.corrupted")
        finally:
            try:
                # a put whose answer was lost, or the second one, may have made another version
                for _version in range(4):
                    if not delete_current(self._calls, full, f"{self.name}:{key}", self._now()):
                        break
            except Refused as error:
                if retained_until(error) is None:
                    raise              # a bucket that locks all that comes keeps these few bytes too

    def _sums_of_one(self, data: bytes | bytearray) -> dict[str, Any]:
        """Return what goes with an object in one request: an MD5 too, which a bucket that locks objects asks for."""
        return {**checksums(self.checksum, data), **checksums("md5", data)}

    def _refuse_taken(self, key: str) -> None:
        if look(self._calls, self._key(key)) is not None:
            raise self._taken(key)

    def _taken(self, key: str) -> Refused:
        return Refused(f"object {self.name}:{key} exists", code="store.exists",
                       hint="Objects are never overwritten; see with `restorable list` what it belongs to.")

    def _key(self, key: str) -> str:
        if not is_key(key) or len((self._prefix + key).encode()) > 1024:
            raise ConfigError(f"{key!r} is not a key", code="store.key",
                              hint="A key is made of names joined by `/`, none of them empty or beginning with a dot, "
                                   "and has 1024 bytes at most.")
        return self._prefix + key
