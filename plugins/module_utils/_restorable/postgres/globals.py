# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Fit the text of `pg_dumpall --globals-only` to the server that it is restored into, statement by statement.

The forms are those that src/bin/pg_dump/pg_dumpall.c writes (dumpRoles, dumpUserConfig, dumpRoleMembership,
dumpTablespaces) in versions 13 to 18.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Callable, Collection, Iterable, Iterator

from ..errors import Damaged
from ..model.encoding import text_of
from ..stream.stage import owned

TRAILER = b"-- PostgreSQL database cluster dump complete"
LONGEST = 16 * 1024 * 1024         # bytes of one statement; a comment on a role is the longest there is

_IDENT = rb'("(?:[^"]|"")+"|[^\s";]+)'
_ROLE = re.compile(rb"(?:CREATE|ALTER|COMMENT ON) ROLE " + _IDENT + rb"(?=[ ;])")
_SUPERUSER = re.compile(rb"ALTER ROLE " + _IDENT + rb" WITH SUPERUSER ")
_TABLESPACE = re.compile(rb"CREATE TABLESPACE " + _IDENT + rb" OWNER " + _IDENT + rb" LOCATION (E?'.*');\s*", re.DOTALL)
_OF_TABLESPACE = re.compile(rb"(?:ALTER TABLESPACE|COMMENT ON TABLESPACE) " + _IDENT + rb" ")
_GRANTED_BY = re.compile(rb" GRANTED BY " + _IDENT + rb";\s*$")
# One of: a quoted text or name, a comment, the end of a statement. What begins but does not end waits for more.
_E_TEXT = re.compile(rb"(?:[^'\\]|\\.|'')*'", re.DOTALL)


@dataclass
class GlobalsFilter:
    """A stage that leaves out and rewrites what does not fit; left_out then says what and why."""

    bootstrap_user: str                                # of the target
    existing_roles: Collection[str] = ()               # of the target; the bootstrap user need not be among them
    existing_tablespaces: Collection[str] = ()
    place: Callable[[str], str] | None = None          # a tablespace's name → the folder it gets instead of its own
    target_major: int = 16
    left_out: list[str] = field(default_factory=list)
    _superusers: set[str] = field(default_factory=set)

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the statements that fit; raise Damaged if the text ends before its last line.

        All roles come in one transaction: a role without its ALTER ROLE would look like one that exists. CREATE
        TABLESPACE refuses to run in one, and pg_dumpall writes it last.
        """
        complete, begun = False, True
        yield b"BEGIN;\n"
        for part in statements(chunks):
            complete = complete or part.startswith(TRAILER)
            if begun and part.startswith(b"CREATE TABLESPACE "):
                begun = False
                yield b"COMMIT;\n"
            yield self._fit(part)
        if not complete:
            raise Damaged("the globals end before pg_dumpall's last line", code="globals.truncated",
                          hint="Restore another backup; this one's roles are incomplete.")
        if begun:
            yield b"COMMIT;\n"

    def _fit(self, part: bytes) -> bytes:
        role, tablespace = _ROLE.match(part), _TABLESPACE.fullmatch(part)
        if role:
            return self._fit_role(part, unquote(role[1]))
        if tablespace:
            return self._fit_tablespace(part, tablespace)
        other = _OF_TABLESPACE.match(part)
        if other and unquote(other[1]) in self.existing_tablespaces:
            return b""
        return self._fit_grant(part)

    def _fit_role(self, part: bytes, name: str) -> bytes:
        if _SUPERUSER.match(part):
            self._superusers.add(name)
        if name == self.bootstrap_user and name not in self.existing_roles:
            # initdb made it; its password, settings and comment are still wanted
            return b"" if part.startswith(b"CREATE ROLE") else part
        if name not in self.existing_roles:
            return part
        if part.startswith(b"CREATE ROLE"):
            self.left_out.append(f"role {name!r} exists and stays as it is")
        return b""

    def _fit_tablespace(self, part: bytes, found: re.Match[bytes]) -> bytes:
        name = unquote(found[1])
        if name in self.existing_tablespaces:
            self.left_out.append(f"tablespace {name!r} exists and stays where it is")
            return b""
        if self.place is None:
            return part
        location = self.place(name).encode().replace(b"'", b"''")
        return b"CREATE TABLESPACE " + found[1] + b" OWNER " + found[2] + b" LOCATION '" + location + b"';\n"

    def _fit_grant(self, part: bytes) -> bytes:
        """From version 16 on a grantor needs the ADMIN option, which of all superusers only the bootstrap one has."""
        found = _GRANTED_BY.search(part)
        if not found or not part.startswith(b"GRANT ") or self.target_major < 16:
            return part
        grantor = unquote(found[1])
        if grantor == self.bootstrap_user or grantor not in self._superusers:
            return part
        return part[:found.start()] + b";\n"


def filter_globals(chunks: Iterable[bytes], rules: GlobalsFilter) -> Iterator[bytes]:
    """Yield the globals as rules fit them; rules.left_out is complete when this ends."""
    return rules(chunks)


def unquote(ident: bytes, codec: str = "utf-8") -> str:
    '''Return the name that an SQL identifier stands for.

    >>> unquote(b'"a ""b"""')
    'a "b"'
    '''
    text = text_of(ident, codec)
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def statements(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split SQL text: each part is one statement with its line end, a comment line, a psql command or an empty line.

    Nothing is lost: the parts joined are the input. Quotes and newlines inside names and texts split nothing.
    Raises Damaged for a part of more than 16 MiB.
    """
    held = b""
    with owned(chunks) as source:
        for chunk in source:
            held += chunk
            begin = 0
            while True:
                end = _end(held, begin)
                if end < 0:
                    break
                yield held[begin:end]
                begin = end
            held = held[begin:]
            if len(held) > LONGEST:
                raise Damaged("the globals hold a statement of more than 16 MiB", code="globals.endless",
                              hint="This is not the output of pg_dumpall --globals-only.")
    if held:
        yield held


def _end(text: bytes, at: int) -> int:
    """Return where the part that begins there ends, or -1 if it ends later than the text."""
    first = text[at:at + 2]
    if first[:1] in (b"\n", b"\\") or first == b"--" or len(first) < 2:
        return text.find(b"\n", at) + 1 or -1
    while at < len(text):
        sign = text[at:at + 1]
        if sign == b";":
            return at + 2 if text[at + 1:at + 2] == b"\n" else -1 if at + 1 == len(text) else at + 1
        if sign == b"'":
            at = _after_text(text, at)
        elif sign == b'"':
            at = text.find(b'"', at + 1) + 1 or -1
        elif text[at:at + 2] == b"--":
            at = text.find(b"\n", at) + 1 or -1
        else:
            found = _SIGN.search(text, at + 1)
            at = found.start() if found else -1
        if at < 0:
            return -1
    return -1


_SIGN = re.compile(rb"""[;'"]|--""")


def _after_text(text: bytes, at: int) -> int:
    """Return the place after the quoted text that begins there; in E'…' a backslash hides the next character."""
    if text[at - 1:at] not in (b"E", b"e") or not at:
        return text.find(b"'", at + 1) + 1 or -1
    found = _E_TEXT.match(text, at + 1)
    # '' at the very end of what was read may go on as the next text, which is then read again from its begin
    return found.end() if found else -1
