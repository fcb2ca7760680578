# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""An archive's table of contents, as `pg_restore --list --verbose` prints it. Pure.

    215; 1259 16399 SEQUENCE public customers_id_seq app
    ;	depends on: 216

The line is "id; catalogue object kind schema name owner" (pg_backup_archiver.c, PrintTOCSummary). Its words are not
quoted and newlines in names are printed as spaces, so a line is read with the help of what is known: the kinds,
the schemas that the archive itself creates, and the owners if the caller knows them. What a relation or schema with
such a name is really called, only the archive's SQL tells (Toc.with_names).
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Iterable, Mapping

# Kinds of several words (pg_dump.c). Those of ADDED carry catalogue number 0, which tells "TABLE DATA" apart from
# a TABLE in a schema called DATA.
ADDED = ("BLOB METADATA", "DATABASE PROPERTIES", "INDEX ATTACH", "MATERIALIZED VIEW DATA", "ROW SECURITY",
         "SEQUENCE OWNED BY", "SEQUENCE SET", "STATISTICS DATA", "SUBSCRIPTION TABLE", "TABLE ATTACH", "TABLE DATA")
KINDS = ("ACCESS METHOD", "CHECK CONSTRAINT", "DEFAULT ACL", "EVENT TRIGGER", "FK CONSTRAINT", "FOREIGN DATA WRAPPER",
         "FOREIGN TABLE", "LARGE OBJECT", "MATERIALIZED VIEW", "OPERATOR CLASS", "OPERATOR FAMILY",
         "PROCEDURAL LANGUAGE", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SECURITY LABEL", "SHELL TYPE",
         "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE",
         "USER MAPPING")
_LONGEST_FIRST = sorted((*ADDED, *KINDS), key=len, reverse=True)
_WITH_METADATA = {"BLOB METADATA"}   # catalogue 2613 although added

_LINE = re.compile(r"(\d+); (\d+) (\d+) (.*)")
_HEADER = re.compile(r"; +([A-Za-z][A-Za-z_ ]*?): (.*)")
_DEPENDS = re.compile(r";\s+depends on:([ \d]*)")


@dataclass(frozen=True)
class TocEntry:
    """One entry; what names more than one word is a guess where the line is ambiguous, rest is not."""

    id: int
    catalogue: int                 # the catalogue's oid, such as 1259 for pg_class; 0 for what is no object
    oid: int
    kind: str                      # TABLE, TABLE DATA, FK CONSTRAINT, …
    rest: str                      # "public orders app": schema, name and owner as printed
    schema: str                    # "-" where there is none
    name: str                      # pg_dump's tag: "orders", "orders orders_pkey", "TABLE orders"
    owner: str
    depends: tuple[int, ...] = ()
    exact: tuple[str, str] | None = None       # schema and name as the server has them, where the line leaves that open

    @property
    def place(self) -> tuple[str, str]:
        """Return schema and name as the server has them; the schema is "-" where there is none."""
        return self.exact or (self.schema, self.name)

    @property
    def unsure(self) -> bool:
        """Say whether the line may be that of another relation or schema too: a space may be a newline, or an end."""
        return self.rest.count(" ") != 2

    def __str__(self) -> str:
        schema, name = self.place
        return f"{self.kind} {name}" if schema == "-" else f"{self.kind} {schema} {name}"


@dataclass(frozen=True)
class Toc:
    """The table of contents of one archive."""

    header: Mapping[str, str] = field(default_factory=dict)    # "dbname", "Format", "TOC Entries", …
    entries: tuple[TocEntry, ...] = ()

    @property
    def database(self) -> str:
        """Return the name of the dumped database."""
        return self.header.get("dbname", "")

    @property
    def dumped_from(self) -> str:
        """Return the dumped server's version, such as 15.18, or "" if the header names none."""
        return self.header.get("Dumped from database version", "").split(" ")[0]

    @property
    def dumped_by(self) -> str:
        """Return pg_dump's version."""
        return self.header.get("Dumped by pg_dump version", "").split(" ")[0]

    def of_kind(self, *kinds: str) -> list[TocEntry]:
        """Return the entries of these kinds, in order."""
        return [entry for entry in self.entries if entry.kind in kinds]

    def with_names(self, names: Mapping[int, tuple[str, str]]) -> Toc:
        """Return the same with the exact schemas and names of these entries."""
        return replace(self, entries=tuple(replace(entry, exact=names.get(entry.id, entry.exact))
                                           for entry in self.entries))


def parse_toc(text: str, owners: Iterable[str] = ()) -> Toc:
    """Read what `pg_restore --list` printed, with --verbose also the dependencies.

    owners are names of roles; only those with spaces are needed.
    """
    header: dict[str, str] = {}
    rows: list[tuple[int, int, int, str, str]] = []
    depends: dict[int, tuple[int, ...]] = {}
    for line in text.split("\n"):
        found = _LINE.match(line)
        if found:
            kind, rest = _kind(found[4], int(found[2]))
            rows.append((int(found[1]), int(found[2]), int(found[3]), kind, rest))
        elif rows and _DEPENDS.match(line):
            depends[rows[-1][0]] = tuple(int(each) for each in line.split(":")[1].split())
        elif not rows and _HEADER.match(line):
            key, value = _HEADER.fullmatch(line).groups()      # type: ignore[union-attr]
            header.setdefault(key, value)
    schemas = [rest[2:].rpartition(" ")[0] for _id, _catalogue, _oid, kind, rest in rows if kind == "SCHEMA"]
    spaced = sorted((each for each in schemas if " " in each), key=len, reverse=True)
    roles = sorted((shown(each) for each in owners if " " in shown(each)), key=len, reverse=True)
    return Toc(header, tuple(
        TocEntry(number, catalogue, oid, kind, rest, *_words(rest, spaced, roles), depends.get(number, ()))
        for number, catalogue, oid, kind, rest in rows))


def shown(name: str) -> str:
    """Return a name as the listing prints it (sanitize_line in src/fe_utils or dumputils.c)."""
    return name.replace("\n", " ").replace("\r", " ")


def list_file(ids: Iterable[int]) -> str:
    """Return the text of a file for `pg_restore --use-list`: only the numbers count, and their order."""
    return "".join(f"{number};\n" for number in ids)


def _kind(text: str, catalogue: int) -> tuple[str, str]:
    for kind in _LONGEST_FIRST:
        if text.startswith(kind + " ") and (kind not in ADDED or kind in _WITH_METADATA or not catalogue):
            return kind, text[len(kind) + 1:]
    kind, _space, rest = text.partition(" ")
    return kind, rest


def _words(rest: str, schemas: list[str], owners: list[str]) -> tuple[str, str, str]:
    schema = next((each for each in schemas if rest.startswith(each + " ")), rest.partition(" ")[0])
    inner = rest[len(schema) + 1:]
    owner = next((each for each in owners if inner.endswith(" " + each)), inner.rpartition(" ")[2])
    return schema, inner[:len(inner) - len(owner) - 1] if owner else inner.rstrip(" "), owner
