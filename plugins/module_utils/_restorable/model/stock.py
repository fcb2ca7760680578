# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The stock commands that restore a set without this software. Pure."""
from __future__ import annotations

import re
import shlex
from typing import Iterable

from .manifest import Item

UNPACK = {"zstd": "zstd -dc {} |", "gzip": "gzip -dc {} |", "none": "cat {} |"}
OPENED = {"zstd": "zstd -d |", "gzip": "gzip -d |", "none": ""}
KEY = "key.txt"                    # stands for the file with the secret key
PASSPHRASE = "passphrase.txt"      # noqa: S105 - and for the one with the passphrase

_ALWAYS_THERE = ("postgres", "template1")    # initdb makes them
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")    # no name of these letters can be read as a connection string


def restore_commands(items: Iterable[Item], *, adopted: bool = False) -> tuple[str, ...]:
    """Return shell lines, run in the set's folder, that bring back roles and every database of the set.

    Our archives make their database themselves, with its encoding, owner, grants and settings; an adopted one may be
    of a database with another name.
    """
    lines = []
    every = list(items)
    for item in every:
        if item.role == "globals":
            lines.append(f"{unpack(item)} psql -X -d postgres    # errors about roles that exist already are harmless")
    for item in every:
        if item.role == "dump":
            lines += _database(item, adopted)
    return tuple(lines)


def create_roles(names: Iterable[str]) -> tuple[str, ...]:
    """Return shell lines that make the roles a dump needs, for a set that holds none."""
    return tuple(f"createuser --no-login -- {shlex.quote(name)}    # unless it exists already" for name in names)


def _database(item: Item, adopted: bool) -> list[str]:
    name = item.database
    create = [] if name in _ALWAYS_THERE else [f"createdb --template=template0 -- {shlex.quote(name)}"]
    into = f"--dbname={name if _PLAIN.fullmatch(name) else shlex.quote(conninfo(name))}"
    if item.format == "plain":
        return [*create, f"{unpack(item)} psql -X --set=ON_ERROR_STOP=1 {into}"]
    if create and not adopted:
        create, into = [], "--create --dbname=postgres"
    if item.format == "directory":
        return [*create, f"mkdir restored && {unpack(item)} tar -x -C restored",
                f"pg_restore --exit-on-error --jobs=2 {into} restored && rm -r restored"]
    return [*create, f"{unpack(item)} pg_restore --exit-on-error {into}"]


def unpack(item: Item) -> str:
    """Return what opens and unpacks an object into a pipe."""
    if item.encryption:
        return f"{_open(item)} | {OPENED[item.compression]}".rstrip()
    return UNPACK[item.compression].format(shlex.quote(item.name))


def _open(item: Item) -> str:
    name = shlex.quote(item.name)
    if item.encryption != "age":
        _openssl, derivation, digest = item.encryption.split("/")
        how = " -pbkdf2" if derivation == "pbkdf2" else ""
        return f"openssl enc -d -aes-256-cbc{how} -md {digest} -pass file:{PASSPHRASE} -in {name}"
    # age asks for a passphrase itself, on the terminal
    return f"age -d {name}" if item.recipients == ("passphrase",) else f"age -d -i {KEY} {name}"


def conninfo(database: str) -> str:
    """Return a libpq connection string for a database of any name, so that app=1 is not read as a parameter."""
    quoted = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{quoted}'"
