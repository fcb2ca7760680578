# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases that are not UTF-8: names and definitions of any bytes are dumped, drilled, and restored one by one."""
from __future__ import annotations

import pytest

from kit.chain import Chain, failed
from kit.servers import MAJORS

# ä and ü as single bytes, which UTF-8 does not know
ODD = (
    'CREATE TABLE "K\xe4se" ("gr\xfcn" int PRIMARY KEY, name text DEFAULT \'\xfc\' CHECK (name <> \'\xe4\'))',
    'INSERT INTO "K\xe4se" VALUES (1, \'br\xfcchig\'), (2, \'gut\')',
    'CREATE TABLE "K\xe4se und Br\xf6t" (a serial, b text)', 'INSERT INTO "K\xe4se und Br\xf6t" (b) VALUES (\'\xdf\')',
    "COMMENT ON TABLE \"K\xe4se\" IS 'f\xfcr alle'", 'CREATE INDEX "sp\xe4t" ON "K\xe4se" (name)',
    'CREATE SCHEMA "\xdcber sicht"',
    'CREATE VIEW "\xdcber sicht"."v\xf6ll" AS SELECT * FROM "K\xe4se" WHERE name <> \'\xe9\'',
    "CREATE TYPE farbe AS ENUM ('gr\xfcn', 'wei\xdf')", "CREATE TABLE malen (f farbe, t text[])",
    "INSERT INTO malen VALUES ('gr\xfcn', ARRAY['\xe4', '\xfc'])",
    "CREATE FUNCTION sagen() RETURNS text LANGUAGE sql AS $$ SELECT 'gr\xfc\xdfe' $$",
    'CREATE SEQUENCE "z\xe4hler"', "SELECT nextval('\"z\xe4hler\"')",
)


@pytest.fixture
def odd(servers, folder):
    """A function that makes a database of an encoding, fills it byte by byte, and returns a chain over it."""
    made = []

    def make(major, encoding, **dump):
        server = servers.of(major)
        name = f"odd_{encoding.lower()}"
        made.append((server, name))
        server.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
                   + (" LOCALE_PROVIDER libc" if major >= 15 else ""))
        with server.connect(name, client_encoding="LATIN1") as session:
            for statement in ODD:
                session.execute(statement)
        return Chain(server, folder, databases=[name], **dump), name
    yield make
    for server, name in made:
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def rows(server, name, sql):
    with server.connect(name, client_encoding="LATIN1") as session:
        return [tuple(map(text_of, row)) for row in session.execute(sql).fetchall()]


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.mark.parametrize(("major", "encoding", "form"), [
    *((major, "SQL_ASCII", "custom") for major in MAJORS), (16, "SQL_ASCII", "directory"), (16, "SQL_ASCII", "plain"),
    (16, "LATIN1", "custom"), (18, "LATIN1", "directory")])
def test_a_database_of_any_bytes_passes_a_drill(odd, major, encoding, form):
    chain, name = odd(major, encoding, format=form)
    manifest = chain.taken()
    assert manifest.report(name).tables == 3
    evidence = chain.drill()
    assert (failed(evidence), evidence.verdict) == ([], "passed")
    [found] = chain.verify()
    assert (failed(found), found.verdict) == ([], "passed")
    if (major, form) == (16, "custom"):
        assert chain.run("drill")[0] == 0      # whose output is text


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.parametrize(("table", "count"), [("K\xe4se", 2), ("K\xe4se und Br\xf6t", 1)])
def test_a_table_of_such_a_name_is_restored_alone(odd, encoding, table, count):
    chain, name = odd(16, encoding)
    chain.taken()
    with chain.server.connect(name, client_encoding="LATIN1") as session:
        session.execute(f'DROP TABLE "{table}" CASCADE')
        session.execute('INSERT INTO malen VALUES (NULL, NULL)')
    # a name of a database without an encoding is given by its bytes, as a terminal would
    wish = table if encoding == "LATIN1" else table.encode("latin-1").decode(errors="surrogateescape")
    chain.restore(databases=(name,), tables=(f'public."{wish}"',))
    assert rows(chain.server, name, f'SELECT count(*) FROM "{table}"') == [(count,)]
    assert rows(chain.server, name, "SELECT count(*) FROM malen") == [(2,)]
