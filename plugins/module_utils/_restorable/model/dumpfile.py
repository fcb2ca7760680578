# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what a dump file is by its content, and read from its SQL what a restore will need. Pure.

Magic numbers: RFC 1952 (gzip), RFC 8878 (zstd); PGDMP and the format byte: pg_backup_archiver.h and ReadHead in
pg_backup_archiver.c; the comments at a script's begin and end: pg_backup_archiver.c (RestoreArchive), pg_dumpall.c.
"""
from __future__ import annotations

import re
from typing import Iterable, Iterator

from .adoption import Unfit

HEAD = 4096                        # bytes that are enough to recognise a file
UNAUTHENTICATED = ("it is encrypted by openssl enc, which carries no integrity: whoever can write to it can change it "
                   "without knowing the passphrase")
_BLOCK = 512                       # of a tar archive
_LONGEST = 1 << 20                 # a longer line holds data, and no statement that matters here

_SCRIPT, _CLUSTER = b"-- PostgreSQL database dump", b"-- PostgreSQL database cluster dump"
_COMPLETE = b"-- PostgreSQL database dump complete"
_FOREIGN = (
    (b"BZh", "bzip2", "bunzip2"), (b"\xfd7zXZ\x00", "xz", "unxz"), (b"\x04\x22\x4d\x18", "lz4", "unlz4"),
    (b"PK\x03\x04", "a zip archive", "unzip"),
)
_ARCHIVE_FORMAT = {1: "custom", 3: "tar", 5: "directory"}


def compression_of(head: bytes) -> str:
    """Return gzip, zstd or none by the first bytes of a file; raise Unfit for what cannot be read."""
    if not head:
        raise Unfit("it is empty (0 bytes)")
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    for magic, what, tool in _FOREIGN:
        if head.startswith(magic):
            raise Unfit(f"it is packed with {what}; unpack it with {tool} and compress it with zstd")
    if head.startswith(b"-----BEGIN PGP"):
        raise Unfit("it is encrypted by PGP; open it with gpg, and adopt what comes out")
    return "none"


def encryption_of(head: bytes) -> str:
    """Return age, openssl or "" by the first bytes of a file."""
    if head.startswith((b"age-encryption.org/", b"-----BEGIN AGE ")):
        return "age"
    return "openssl" if head.startswith(b"Salted__") else ""


def looks_right(head: bytes) -> bool:
    """Say whether the first bytes, opened by some passphrase, are those of a dump and not noise."""
    if head.startswith((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04")):
        return True
    try:
        return bool(format_of(head))
    except Unfit:
        return _CLUSTER in head


def format_of(head: bytes) -> str:
    """Return custom, directory or plain by the first plain bytes; raise Unfit for what is no dump of one database."""
    if not head:
        raise Unfit("it is empty once unpacked")
    if head.startswith(b"PGDMP"):
        return _archive_format(head)
    if head[257:262] == b"ustar":
        return _tar_format(head)
    if _CLUSTER in head:
        raise Unfit("it is a pg_dumpall of a whole server; restore it with psql and take `restorable backup` of that, "
                    "which holds every database by itself")
    if _SCRIPT in head:
        return "plain"
    raise Unfit("it is no PostgreSQL dump: neither an archive of pg_dump nor a script that begins as pg_dump's do")


def _archive_format(head: bytes) -> str:
    # PGDMP, version (3 bytes), size of an integer, size of an offset, format
    if len(head) < 11:
        raise Unfit(f"it is cut off after {len(head)} bytes")
    return _ARCHIVE_FORMAT.get(head[10], "custom")


def _tar_format(head: bytes) -> str:
    name = head[:100].rstrip(b"\0").decode(errors="replace")
    inside = _archive_format(head[512:]) if head[512:517] == b"PGDMP" else ""
    if name == "toc.dat" and inside in ("tar", "directory"):
        return inside
    raise Unfit(f"it is a tar archive that begins with {name!r}; only pg_dump's own tar archives, which begin with "
                "toc.dat, can be adopted")


def whole_tar(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a tar archive on; raise Unfit at its end unless its last member is whole and its end is marked.

    pg_restore never ends on one that was cut off: it spins. Layout: POSIX.1-1988 ustar, as pg_backup_tar.c writes it.
    """
    held, skip, ended = bytearray(), 0, False
    for chunk in chunks:
        yield chunk
        held += chunk[skip:]
        skip = max(0, skip - len(chunk))
        while len(held) >= _BLOCK and not ended:
            member = _member_size(bytes(held[:_BLOCK]))
            ended = member == 0
            skip = max(0, member - len(held))
            del held[:member or len(held)]
        if ended:
            held.clear()
    if not ended:
        raise Unfit("it is cut off: the tar archive has no end")


def _member_size(header: bytes) -> int:
    """Return the bytes of a member with its header and padding; 0 for the block of zeros that ends an archive."""
    if not any(header):
        return 0
    field = header[124:136]
    try:
        size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(field.strip(b"\0 ") or b"0", 8)
    except ValueError:
        raise Unfit("it is damaged: a tar header is none") from None
    return _BLOCK + -(-size // _BLOCK) * _BLOCK


class Script:
    """Reads SQL as pg_dump writes it, chunk by chunk in constant memory, and keeps what a restore needs to know."""

    def __init__(self) -> None:
        self.roles: set[str] = set()
        self.version = ""              # of the dumped server: 15.18
        self.tool = ""                 # of pg_dump: 15.18
        self.database = ""             # only scripts of pg_dump --create name it
        self.tables = 0
        self._rest = b"\n"
        self._ended = False
        self._copying = False
        self._skipping = False

    @property
    def complete(self) -> bool:
        """Say whether the script came to the line that pg_dump writes last; the same words in a table do not count."""
        return self._ended or (not self._copying and self._rest.strip() == _COMPLETE)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        data, at = self._rest + chunk, 0
        while True:
            following = self._skip_data(data, at) if self._copying else self._read_line(data, at)
            if following < 0:
                break
            at = following
        self._rest = self._keep(data[at:])

    def _skip_data(self, data: bytes, at: int) -> int:
        """Return the place of the line end after a COPY's last line, or -1 if it is still to come."""
        found = _COPY_END.search(data, at)
        if not found:
            return -1
        self._copying = False
        return found.end() - 1

    def _read_line(self, data: bytes, at: int) -> int:
        """Take the line after the line end at this place; return the place of its own end, or -1."""
        end = data.find(b"\n", at + 1)
        if end >= 0:
            if not self._skipping:
                self._line(data[at + 1:end])
            self._skipping = False
        return end

    def _keep(self, rest: bytes) -> bytes:
        if self._copying:
            return rest[-5:]
        if len(rest) <= _LONGEST:
            return rest
        self._skipping = True
        return b"\n"

    def _line(self, line: bytes) -> None:
        if not line.startswith(_TELLING):
            return
        text = line.decode(errors="replace").rstrip()
        if text.startswith("COPY ") and text.endswith(" FROM stdin;"):
            self._copying = True
        elif text == _COMPLETE.decode():
            self._ended = True
        elif text.startswith("-- Dumped "):
            self._note_version(text)
        elif text.startswith("\\connect "):
            self.database = _connected(text[9:])
        elif text.startswith(("CREATE TABLE ", "CREATE UNLOGGED TABLE ")):
            self.tables += 1
        else:
            self.roles |= mentioned_roles(text)

    def _note_version(self, text: str) -> None:
        found = re.match(r"-- Dumped (from database|by pg_dump) version (\d+(?:\.\d+)*)", text)
        if found and found[1] == "by pg_dump":
            self.tool = found[2]
        elif found:
            self.version = found[2]


_COPY_END = re.compile(rb"\n\\\.\r?\n")
_TELLING = (b"COPY ", b"-- Dumped ", _COMPLETE, b"\\connect ", b"CREATE TABLE ",
            b"CREATE UNLOGGED TABLE ", b"ALTER ", b"GRANT ", b"REVOKE ", b"SET SESSION AUTHORIZATION ",
            b"CREATE POLICY ", b"CREATE SCHEMA ", b"CREATE USER MAPPING ")
_NAME = r'("(?:[^"]|"")+"|[^\W\d][\w$]*)'
_MENTIONS = (
    re.compile(rf"^ALTER .* OWNER TO {_NAME};$"),
    re.compile(rf"^(?:ALTER DEFAULT PRIVILEGES .*)?\bGRANT .* TO {_NAME}(?: WITH GRANT OPTION)?"
               rf"(?: GRANTED BY {_NAME})?;$"),
    re.compile(rf"^(?:ALTER DEFAULT PRIVILEGES .*)?\bREVOKE .* FROM {_NAME};$"),
    re.compile(rf"^ALTER DEFAULT PRIVILEGES FOR ROLE {_NAME} "),
    re.compile(rf"^SET SESSION AUTHORIZATION {_NAME};$"),
    re.compile(rf"^CREATE SCHEMA .* AUTHORIZATION {_NAME};$"),
    re.compile(rf"^CREATE USER MAPPING FOR {_NAME} "),
)
_POLICY = re.compile(rf"^CREATE POLICY .*? TO ({_NAME}(?:, {_NAME})*)(?: USING | WITH CHECK |;)")
_NOBODY = {"PUBLIC", "DEFAULT", "CURRENT_USER", "SESSION_USER"}


def mentioned_roles(statement: str) -> set[str]:
    """Return the roles that one statement of a dump needs: owners, grantees, users of policies and mappings."""
    names = [name for regex in _MENTIONS for found in [regex.search(statement)] if found
             for name in found.groups() if name]
    policy = _POLICY.search(statement)
    names += re.findall(_NAME, policy[1]) if policy else []
    literal = re.fullmatch(r"SET SESSION AUTHORIZATION '((?:[^']|'')+)';", statement)
    return {_unquoted(name) for name in names if name not in _NOBODY} | \
        ({literal[1].replace("''", "'")} if literal else set())


def version_num(version: str) -> int:
    """Return 150018 for 15.18 and 90624 for 9.6.24; 0 for no version."""
    parts = [int(part) for part in version.split(".") if part.isdigit()]
    if not parts:
        return 0
    if parts[0] >= 10:
        return parts[0] * 10000 + (parts[1] if len(parts) > 1 else 0)
    return parts[0] * 10000 + sum(part * factor for part, factor in zip(parts[1:], (100, 1)))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _connected(argument: str) -> str:
    # \connect shop, \connect "My shop", or \connect -reuse-previous=on "dbname='it''s'"
    conninfo = re.search(r"dbname='((?:[^'\\]|\\.)*)'", argument)
    if conninfo:
        return re.sub(r"\\(.)", r"\1", conninfo[1])
    return _unquoted(argument.strip())
