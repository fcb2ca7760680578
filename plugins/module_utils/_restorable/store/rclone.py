# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep objects on any remote that the rclone program reaches: SFTP, WebDAV, Azure, GCS, B2 and the rest."""
from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from secrets import token_hex
from typing import Any, Iterable, Iterator, Mapping

from ..errors import ConfigError, Damaged, NotFound, Refused, RestorableError, Unavailable
from ..ports import Entry, Stored
from ..stream.stage import owned
from .rclone_run import Missing, Rclone
from .walk import is_name
from .whole_file import put_whole_file

PARTS = ".restorable-part"         # beside the clusters; no listing shows a name with a leading dot
ABANDONED = timedelta(days=2)      # an unfinished upload that old has no writer any more
HASHES = ("sha256", "sha1", "md5")     # what hashlib and remotes have in common, best first
GIVE_WAY = 3.0                     # seconds that two writers of one key wait for each other
PAUSE = 0.1
MAKERS = 5         # times that the making of a folder is tried; each may lose one level of it to another program


class RcloneStore:
    """A Store on a remote of rclone, such as `backup-host:postgres`.

    rclone promises little that all of its remotes keep, so a put is made of what they all do:
     * the stream goes into PARTS under a name of its own (`rcat`); if it fails, the program is killed and the
       unfinished file is removed, or is left there, where no listing looks and check removes it later;
     * its size and its hash, computed while it passed, are compared with the remote's; where a remote has no hash
       that we know, the file is read back;
     * then it gets its name (`moveto --ignore-existing`): by a rename where the remote has one, else by a copy made
       there, and never over a file that is there already.
    No remote can create a name exclusively, so two writers of one key see each other's parts and the later gives way.
    """

    def __init__(self, name: str, remote: str, *, config_file: str = "", options: Mapping[str, str] | None = None,
                 secrets: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._root = remote if remote.endswith(":") else remote.rstrip("/") + "/"
        self._rclone = Rclone(name, config_file, options or {}, secrets or {})
        self._known: dict[str, Any] | None = None
        self._ready = False

    def check(self, *, write: bool = True) -> None:
        """Raise unless the remote answers; with write, unless a small file can be stored, compared and removed.

        Removes unfinished uploads that are older than two days.
        """
        with suppress(Missing):            # a folder that was never used is made by its first file
            self._rclone.json("lsjson", "--stat", self._root)
        if not write:
            return
        self._sweep()
        part = self._part(f"check-{token_hex(8)}")
        self._make_ready()
        try:
            self._upload(part, [b"restorable"])
        finally:
            self._remove(part)

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Upload a part, compare it with the stream, then give it its name; see Store.put."""
        token = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}-{token_hex(8)}"
        with owned(chunks) as source:
            self._require_free(key)
            part = self._part(token)
            self._make_ready()
            try:
                size, sha256 = self._upload(part, source)
                self._give_way(token)
                self._name_it(part, key)
                if self._stat(part) is not None:
                    raise self._taken(key)
            except BaseException:
                # what is not complete must not stay, and our error is the one to tell
                with suppress(RestorableError):
                    self._remove(part)
                raise
        return Stored(key, size, sha256)

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a file like put; raises Refused("store.changing") if it is written to meanwhile."""
        return put_whole_file(self, key, path, move=move)

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes; an early end raises Damaged. See Store.get."""
        facts = self._stat(self._path(key))    # `cat` of a folder would give all of its files
        if facts is None or facts["IsDir"]:
            raise self._absent(key)
        seen = 0
        try:
            for chunk in self._rclone.stream("cat", self._path(key)):
                seen += len(chunk)
                yield chunk
        except Missing:
            raise self._absent(key) from None
        if seen != facts["Size"]:
            raise Damaged(f"object {self.name}:{key} gave {seen} bytes of {facts['Size']}", code="store.short_read",
                          hint="Run this again; if it stays so, check the remote.")

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects whose keys begin with prefix, sorted by key; see Store.list."""
        folder = prefix.rpartition("/")[0]
        words = ["lsjson", "--recursive", "--files-only", "--fast-list", "--no-mimetype", "--filter", "- .*/**",
                 "--filter", "- .*", *([] if folder else ["--filter", "- /lost+found/**"])]
        above = f"{folder}/" if folder else ""
        try:
            found = self._rclone.json(*words, self._path(folder) if folder else self._root)
        except Missing:
            return
        entries = [Entry(above + each["Path"], each["Size"], _time(each.get("ModTime", ""))) for each in found]
        for entry in sorted(entries, key=lambda entry: entry.key):
            if entry.key.startswith(prefix) and all(is_name(name) for name in entry.key.split("/")):
                yield entry

    def delete(self, key: str) -> None:
        """Remove an object; see Store.delete. Folders that it leaves empty stay."""
        self._remove(self._path(key))

    def free_bytes(self) -> int | None:
        """Return the remote's free bytes, or None where it tells none."""
        if not self._features()["About"]:
            return None
        free = self._rclone.json("about", "--json", self._root).get("free")
        return None if free is None else int(free)

    def _upload(self, part: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Store a stream as a part; return its size and SHA-256, which the remote has confirmed."""
        name = next((each for each in HASHES if each in self._hashes()), "")
        passing = _Passing(name)
        self._rclone.give(passing(chunks), "rcat", "--retries", "1", part)
        size, sha256, told = passing.found()
        facts = self._stat(part, *(["--hash", "--hash-type", name] if name else [])) or {"Size": "none"}
        theirs = (facts.get("Hashes") or {}).get(name, "")
        if facts["Size"] == size and not theirs:
            # this remote, or this server behind it, computes no hash that we know
            theirs, told = self._read_back(part), sha256
        if facts["Size"] != size or theirs != told:
            raise Damaged(f"repository {self.name} stored {facts['Size']} bytes of {size}, or other bytes than it was "
                          "given", code="store.differs",
                          hint="Check the remote and the network, then run this again.")
        return size, sha256

    def _make_ready(self) -> None:
        """Make the folder of parts, once: a stream that fails for the lack of it cannot be read again."""
        if not self._ready:
            self._making_folders("mkdir", self._root + PARTS)
            self._ready = True

    def _name_it(self, part: str, key: str) -> None:
        self._making_folders("moveto", "--ignore-existing", "--retries", "1", part, self._path(key))

    def _making_folders(self, *words: str) -> None:
        """Run a command that makes folders, again where another program makes the same one in this moment.

        rclone asks for a folder, then makes it, and over SFTP the later of two such requests is a bare failure. Both
        commands may be repeated: a folder that is there is left alone, and so is a file that has its name.
        """
        for left in reversed(range(MAKERS)):
            try:
                self._rclone.call(*words)
                return
            except Unavailable as error:
                if error.code != "store.failed" or not left:
                    raise
                time.sleep(PAUSE)

    def _read_back(self, path: str) -> str:
        digest = hashlib.sha256()
        for chunk in self._rclone.stream("cat", path):
            digest.update(chunk)
        return digest.hexdigest()

    def _give_way(self, token: str) -> None:
        """Wait while another part of the same key is about to get the name; the lower token goes first."""
        own = token.partition("-")[0]
        began = time.monotonic()
        while True:
            others = [each for each in self._parts() if each.startswith(own) and each != token]
            patience = GIVE_WAY if all(each > token for each in others) else 2 * GIVE_WAY
            if not others or time.monotonic() - began > patience:
                return                     # whoever is still there is dead, or uploads for long and will find us done
            time.sleep(PAUSE)

    def _sweep(self) -> None:
        for name, modified in self._parts().items():
            if modified is not None and datetime.now(timezone.utc) - modified > ABANDONED:
                self._remove(self._part(name))

    def _parts(self) -> dict[str, datetime | None]:
        try:
            found = self._rclone.json("lsjson", "--files-only", "--no-mimetype", self._root + PARTS)
        except Missing:
            return {}
        return {each["Name"]: _time(each.get("ModTime", "")) for each in found}

    def _stat(self, path: str, *more: str) -> dict[str, Any] | None:
        try:
            return dict(self._rclone.json("lsjson", "--stat", "--no-mimetype", *more, path))
        except Missing:
            return None

    def _remove(self, path: str) -> None:
        with suppress(Missing):
            self._rclone.call("deletefile", "--retries", "1", path)

    def _require_free(self, key: str) -> None:
        if self._stat(self._path(key)) is not None:
            raise self._taken(key)

    def _features(self) -> dict[str, Any]:
        if self._known is None:
            self._known = dict(self._rclone.json("backend", "features", self._root))
        return dict(self._known["Features"])

    def _hashes(self) -> tuple[str, ...]:
        self._features()
        return tuple((self._known or {}).get("Hashes") or ())

    def _part(self, token: str) -> str:
        return f"{self._root}{PARTS}/{token}"

    def _path(self, key: str) -> str:
        if not all(is_name(name) for name in key.split("/")):
            raise ConfigError(f"{key!r} is not a key", code="store.key",
                              hint="A key is made of names joined by `/`, none of them empty or beginning with a dot.")
        return self._root + key

    def _taken(self, key: str) -> Refused:
        return Refused(f"object {self.name}:{key} exists", code="store.exists",
                       hint="Objects are never overwritten; see with `restorable list` what it belongs to.")

    def _absent(self, key: str) -> NotFound:
        return NotFound(f"object {self.name}:{key} does not exist", code="store.missing",
                        hint="See with `restorable list` what the repository holds.")


class _Passing:
    """Passes a stream on and knows its size, its SHA-256 and the hash that the remote has."""

    def __init__(self, name: str) -> None:
        self._size = 0
        self._sha256 = hashlib.sha256()
        # not for security: it is what the remote computes
        self._other = None if name in ("", "sha256") else hashlib.new(name, usedforsecurity=False)

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._size += len(chunk)
            self._sha256.update(chunk)
            if self._other is not None:
                self._other.update(chunk)
            yield chunk

    def found(self) -> tuple[int, str, str]:
        """Return the size, the SHA-256, and the remote's kind of hash."""
        sha256 = self._sha256.hexdigest()
        return self._size, sha256, sha256 if self._other is None else self._other.hexdigest()


def _time(text: str) -> datetime | None:
    """Read rclone's time, which has nanoseconds; some remotes keep none."""
    try:
        stem, _dot, rest = text.partition(".")
        zone = rest.lstrip("0123456789") if rest else ""
        return datetime.fromisoformat((stem + zone).replace("Z", "+00:00")).astimezone(timezone.utc)
    except ValueError:
        return None
