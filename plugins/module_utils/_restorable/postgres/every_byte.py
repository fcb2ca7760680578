# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Sessions in a database without an encoding, whose names and definitions may be any bytes.

A server validates what it sends and takes (mbutils.c, pg_any_to_server and pg_server_to_any), and in a single-byte
encoding every byte is valid. What is UTF-8, as most of it is, still reads as such.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.encoding import bytes_of, text_of

if TYPE_CHECKING:
    import psycopg

# pg_type.dat: "char", name, text, json, unknown, bpchar, varchar, cstring; 0 stands for all that psycopg does not know
_TEXTS = (18, 19, 25, 114, 705, 1042, 1043, 2275, 0)


def pass_every_byte(session: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Let an autocommit session in a database of SQL_ASCII give and take any bytes; leave any other as it is."""
    if session.info.parameter_status("server_encoding") != "SQL_ASCII":
        return
    import psycopg
    from psycopg.abc import Buffer
    from psycopg.adapt import Dumper, Loader

    class Text(Loader):
        def load(self, data: Buffer) -> str:
            return text_of(bytes(data))

    class Bytes(Dumper):
        def dump(self, obj: str) -> bytes:
            return bytes_of(obj)

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            return super().execute(bytes_of(query) if isinstance(query, str) else query, params, **how)

    session.execute("SET client_encoding = 'LATIN1'")
    for oid in _TEXTS:
        session.adapters.register_loader(oid, Text)
    session.adapters.register_dumper(str, Bytes)
    session.cursor_factory = Cursor
