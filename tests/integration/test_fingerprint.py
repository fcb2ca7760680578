# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint on real servers: silent after a faithful restore, and telling after every way to break one."""
from __future__ import annotations

import itertools
import json
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from _restorable.errors import ConfigError, ToolFailed
from _restorable.model.differences import compare, compare_globals
from _restorable.model.fingerprint import Fingerprint
from _restorable.model.server import Selection
from _restorable.postgres.connect import open_database
from _restorable.postgres.fingerprint import take, take_later
from _restorable.postgres.inventory_globals import take_globals
from _restorable.postgres.parameters import Connection

from kit.rich import make_rich
from kit.servers import MAJORS, Missing, RunningServer, start_server

_numbers = itertools.count(1)
ALL = Selection()


@dataclass
class Pair:
    """A source with the rich database, and a second server that it was restored into."""

    source: RunningServer
    target: RunningServer
    dump: str


def fingerprint(server, database, selection=ALL, level="full", **settings):
    with open_database(Connection.of({**server.settings, **settings}), database) as session:
        return take(session, selection, level)


def dump(server, database, path, *options):
    run([f"{server.bin_dir}/pg_dump", *reach(server), "-Fc", "-Z0", "-f", str(path), *options, database])
    return str(path)


def restore(server, path, *options):
    run([f"{server.bin_dir}/pg_restore", *reach(server), "--exit-on-error", *options, path])


def reach(server):
    return ["-h", str(server.folder), "-U", server.superuser]


def run(argv):
    done = subprocess.run(argv, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def copy_globals(source, target):
    script = run([f"{source.bin_dir}/pg_dumpall", *reach(source), "--globals-only"]).decode()
    with target.connect() as session:
        for line in script.splitlines():
            if line and not line.startswith(("--", "\\")) and line != "CREATE ROLE postgres;":
                session.execute(line)


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"pg{major}")
def pair(request, tmp_path_factory):
    """The rich database of each major, dumped and restored by the stock tools."""
    config = {"wal_level": "logical"}
    with ExitStack() as stack:
        try:
            source, target = (stack.enter_context(start_server(request.param, config=config)) for _side in range(2))
        except Missing as error:
            pytest.skip(str(error))
        make_rich(source, "rich", contrib=request.param == 15)
        copy_globals(source, target)
        path = dump(source, "rich", tmp_path_factory.mktemp("dump") / "rich.dump")
        restore(target, path, "-C", "-d", "postgres")
        target.sql("CREATE DATABASE copy TEMPLATE rich")
        yield Pair(source, target, path)


@pytest.fixture
def broken(pair):
    """The name of a new copy of the restored database that may be broken."""
    name = f"broken_{next(_numbers)}"
    pair.target.sql(f"CREATE DATABASE {name} TEMPLATE copy")
    yield name
    pair.target.sql(f"DROP DATABASE {name} WITH (FORCE)")


def real(differences):
    return {(each.kind, each.name, each.problem) for each in differences if not each.note}


def test_a_faithful_restore_shows_no_difference_but_notes(pair):
    found = compare(fingerprint(pair.source, "rich"), fingerprint(pair.target, "rich"))
    assert [each for each in found if not each.note] == []
    # The trap is real: a CHECK of varchar against a list prints differently after its first restore.
    assert {each.name for each in found} >= {"orders_status_check on shop.orders", "shop.cheap"}


def test_a_restore_of_a_restore_shows_no_difference_but_notes(pair, tmp_path):
    path = dump(pair.target, "rich", tmp_path / "again.dump")
    pair.target.sql("ALTER DATABASE rich RENAME TO first")
    try:
        restore(pair.target, path, "-C", "-d", "postgres")
        assert real(compare(fingerprint(pair.source, "rich"), fingerprint(pair.target, "rich"))) == set()
    finally:
        pair.target.sql("DROP SUBSCRIPTION IF EXISTS sub", database="rich")
        pair.target.sql("DROP DATABASE rich WITH (FORCE)", "ALTER DATABASE first RENAME TO rich")


def test_the_fingerprint_survives_its_json(pair):
    found = fingerprint(pair.source, "rich")
    assert Fingerprint.from_dict(json.loads(json.dumps(found.as_dict()))) == found


BREAKS = {
    "a row is changed": (
        "UPDATE shop.customer SET note = 'x' WHERE id = 20", {("table", "shop.customer", "content")}),
    "only the spaces of a json value change": (
        "UPDATE shop.kinds SET j = '{\"a\": 1}' WHERE id = 1", {("table", "shop.kinds", "content")}),
    "an interval becomes an equal one": (
        "UPDATE shop.kinds SET iv = '32 days' WHERE id = 1", {("table", "shop.kinds", "content")}),
    "an array's bounds change": (
        "UPDATE shop.kinds SET ta = '{a,\"b c\"}' WHERE id = 1", {("table", "shop.kinds", "content")}),
    "null becomes empty": (
        "UPDATE shop.customer SET \"Odd \"\"col\"\" %s\" = '' WHERE id = 15", {("table", "shop.customer", "content")}),
    "a row is deleted": (
        "DELETE FROM shop.kinds WHERE id = 3", {("table", "shop.kinds", "rows")}),
    "a row is duplicated": (
        "INSERT INTO shop.heap2_table SELECT 2", {("table", "shop.heap2_table", "rows")}),
    "a duplicate is swapped for another row's": (
        "TRUNCATE shop.heap2_table; INSERT INTO shop.heap2_table VALUES (1), (1), (2), (2)", {("table", "shop.heap2_table", "content")}),
    "two columns are swapped in a row": (
        "TRUNCATE shop.child; INSERT INTO shop.child (a, b, local) VALUES (3, 'c', 2)", {("table", "shop.child", "content")}),
    "a table is emptied": (
        "TRUNCATE shop.event_2024", {("table", "shop.event_2024", "rows")}),
    "a table is lost": (
        "DROP TABLE shop.fleeting", {("table", "shop.fleeting", "lost")}),
    "a schema is lost": (
        'DROP SCHEMA "Odd ""Name"" % ü" CASCADE', {("schema", '"Odd ""Name"" % ü"', "lost")}),
    "a table is added": (
        "CREATE TABLE public.new (a integer PRIMARY KEY)", {("table", "public.new", "added")}),
    "an index is lost": (
        "DROP INDEX shop.orders_lower", {("index", "shop.orders_lower on shop.orders", "lost")}),
    "an index is another": (
        "DROP INDEX shop.orders_lower; CREATE INDEX orders_lower ON shop.orders (upper(status))",
        {("index", "shop.orders_lower on shop.orders", "changed"),
         ("comment", "index shop.orders_lower on shop.orders", "lost")}),
    "a table is clustered no more": (
        "ALTER TABLE shop.orders SET WITHOUT CLUSTER", {("index", "shop.orders_total on shop.orders", "changed")}),
    "a check is lost": (
        "ALTER TABLE shop.orders DROP CONSTRAINT positive", {("constraint", "positive on shop.orders", "lost")}),
    "a foreign key is lost": (
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fkey",
        {("constraint", "orders_customer_fkey on shop.orders", "lost")}),
    "a check's number changes": (
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_status_check;"
        "ALTER TABLE shop.orders ADD CONSTRAINT orders_status_check CHECK (status IN ('new', 'paid', 'lost'))",
        {("constraint", "orders_status_check on shop.orders", "changed")}),
    "a constraint is validated": (
        "ALTER TABLE shop.orders VALIDATE CONSTRAINT recent",
        {("constraint", "recent on shop.orders", "changed")}),
    "a domain's constraint is lost": (
        "ALTER DOMAIN shop.email DROP CONSTRAINT has_at", {("constraint", "has_at on shop.email", "lost")}),
    "a trigger is lost": (
        "DROP TRIGGER touch ON shop.orders", {("trigger", "touch on shop.orders", "lost")}),
    "a trigger is disabled": (
        "ALTER TABLE shop.orders DISABLE TRIGGER touch", {("trigger", "touch on shop.orders", "changed")}),
    "a rule is lost": (
        "DROP RULE no_delete ON shop.orders", {("rule", "no_delete on shop.orders", "lost")}),
    "a policy is lost": (
        "DROP POLICY mine ON shop.orders", {("policy", "mine on shop.orders", "lost")}),
    "row security is switched off": (
        "ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY", {("table", "shop.orders", "changed")}),
    "a grant is lost": (
        'REVOKE SELECT ON shop.cheap FROM "rich reader"', {("grants", "view shop.cheap", "lost")}),
    "a grant is added": (
        "GRANT DELETE ON shop.parent TO PUBLIC", {("grants", "table shop.parent", "added")}),
    "a grant option is lost": (
        "REVOKE GRANT OPTION FOR INSERT ON shop.customer FROM rich_app",
        {("grants", "table shop.customer", "changed")}),
    "a column's grant is lost": (
        'REVOKE UPDATE (note) ON shop.customer FROM "rich reader"',
        {("grants", "column shop.customer.note", "lost")}),
    "a grant on a function of the system is lost": (
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) FROM rich_app",
        {("system grants", "pg_ls_dir(text)", "lost")}),
    "an owner changes": (
        "ALTER TABLE shop.parent OWNER TO rich_app",
        {("owner", "table shop.parent", "changed")}),
    "a sequence is set back": (
        "SELECT setval('shop.orders_id_seq', 5)", {("sequence", "shop.orders_id_seq", "sequence")}),
    "a sequence was called once": (
        "SELECT nextval('shop.unused')", {("sequence", "shop.unused", "sequence")}),
    "a sequence is lost": (
        "DROP SEQUENCE shop.loose", {("sequence", "shop.loose", "lost")}),
    "a sequence has another increment": (
        "ALTER SEQUENCE shop.set_back INCREMENT 3", {("sequence", "shop.set_back", "changed")}),
    "a sequence is owned no more": (
        "ALTER SEQUENCE shop.orders_id_seq OWNED BY NONE", {("owned sequence", "shop.orders_id_seq", "lost")}),
    "a comment is lost": (
        "COMMENT ON TABLE shop.customer IS NULL", {("comment", "table shop.customer", "lost")}),
    "a column's comment changes": (
        "COMMENT ON COLUMN shop.cheap.twice IS 'other'", {("comment", "column shop.cheap.twice", "changed")}),
    "an extension is lost": (
        "DROP EXTENSION plpgsql CASCADE", {("extension", "plpgsql", "lost")}),
    "a view changes": (
        "CREATE OR REPLACE VIEW shop.simple AS SELECT id, upper(name) COLLATE \"C\" AS name FROM shop.customer"
        " WHERE id > 5 WITH LOCAL CHECK OPTION", {("view", "shop.simple", "changed")}),
    "a view's option is lost": (
        "ALTER VIEW shop.cheap RESET (security_barrier)", {("view", "shop.cheap", "changed")}),
    "a materialized view is not filled": (
        "REFRESH MATERIALIZED VIEW shop.sums WITH NO DATA", {("populated", "shop.sums", "changed")}),
    "a function's body changes by a space": (
        "CREATE OR REPLACE FUNCTION shop.of_pair(shop.pair) RETURNS integer LANGUAGE sql IMMUTABLE"
        " AS 'SELECT  $1.a'", {("function", "shop.of_pair(shop.pair)", "changed")}),
    "a function is a definer's no more": (
        "ALTER FUNCTION shop.touch() SECURITY INVOKER", {("function", "shop.touch()", "changed")}),
    "an aggregate is lost": (
        "DROP AGGREGATE shop.total(integer)", {("aggregate", "shop.total(integer)", "lost")}),
    "an enum has another label": (
        "ALTER TYPE shop.mood RENAME VALUE 'happy' TO 'glad'",
        {("type", "shop.mood", "changed"), ("table", "shop.kinds", "content")}),
    "an unused enum label is added": (
        "ALTER TYPE shop.mood ADD VALUE 'new'", {("type", "shop.mood", "changed")}),
    "a default changes": (
        "ALTER TABLE shop.orders ALTER status SET DEFAULT 'paid'", {("column", "shop.orders.status", "changed")}),
    "a column's type changes": (
        "ALTER TABLE shop.heap2_table ALTER a TYPE bigint",
        {("column", "shop.heap2_table.a", "changed")}),
    "a column's statistics target is lost": (
        "ALTER TABLE shop.customer ALTER name SET STATISTICS -1", {("column", "shop.customer.name", "changed")}),
    "an unlogged table is logged": (
        "ALTER TABLE shop.fleeting SET LOGGED", {("table", "shop.fleeting", "changed")}),
    "a storage parameter is lost": (
        "ALTER TABLE shop.customer RESET (fillfactor)", {("table", "shop.customer", "changed")}),
    "a partition is detached": (
        "ALTER TABLE shop.parted_hash DETACH PARTITION shop.parted_hash_0",
        {("inheritance", "of shop.parted_hash_0 on shop.parted_hash", "lost")}),
    "statistics are lost": (
        "DROP STATISTICS shop.dependent", {("statistics", "shop.dependent on shop.orders", "lost")}),
    "a publication is lost": (
        "DROP PUBLICATION chosen", {("publication", "chosen", "lost")}),
    "default privileges are lost": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner IN SCHEMA shop REVOKE SELECT ON TABLES FROM rich_app",
        {("default privileges", "of rich_owner for tables in shop", "lost")}),
    "a large object is changed": (
        "SELECT lo_put(910001, 1, '\\x99')", {("large objects", "all", "content")}),
    "a large object is longer": (
        "SELECT lo_put(910001, 4, '\\x00')", {("large objects", "all", "content")}),
    "a large object is lost": (
        "SELECT lo_unlink(910003)", {("large object", "910003", "lost"), ("large objects", "all", "lost")}),
    "a large object's grant is lost": (
        "REVOKE SELECT ON LARGE OBJECT 910002 FROM rich_app", {("grants", "large object 910002", "lost")}),
    "an event trigger is enabled": (
        "ALTER EVENT TRIGGER still ENABLE", {("event trigger", "still", "changed")}),
    "a foreign server's secret changes": (
        "ALTER SERVER remote OPTIONS (SET secret 'other')", {("foreign server", "remote", "changed")}),
    "a user mapping is lost": (
        "DROP USER MAPPING FOR rich_app SERVER remote", {("user mapping", "rich_app on remote", "lost")}),
    "a cast is lost": (
        "DROP CAST (shop.pair AS integer)", {("cast", "(shop.pair AS integer)", "lost")}),
    "an operator is lost": (
        "DROP OPERATOR shop.@@@ (integer, integer)", {("operator", "shop.@@@(integer,integer)", "lost")}),
    "a text search mapping changes": (
        "ALTER TEXT SEARCH CONFIGURATION shop.config ALTER MAPPING FOR asciiword WITH simple",
        {("text search configuration", "shop.config", "changed")}),
    "a collation is lost": (
        "DROP COLLATION shop.plain", {("collation", "shop.plain", "lost")}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_in_a_restored_copy_is_named_and_nothing_else(pair, broken, name, restored):
    sql, wanted = BREAKS[name]
    if name == "an extension is lost":
        pair.target.sql("DROP EVENT TRIGGER watch", database=broken)
    pair.target.sql(*(["BEGIN"] if "lo_" in sql else []), sql, *(["COMMIT"] if "lo_" in sql else []), database=broken)
    found = compare(restored, fingerprint(pair.target, broken))
    if name == "an extension is lost":
        assert wanted <= real(found)
        return
    assert real(found) == wanted
    assert all(each.expected != each.actual for each in found)


OF_DATABASE = {
    "a setting is lost": (
        "ALTER DATABASE rich RESET search_path", "ALTER DATABASE rich SET search_path = \"$user\", public, shop",
        {("database setting", "search_path", "lost")}),
    "a role's setting changes": (
        "ALTER ROLE rich_app IN DATABASE rich SET statement_timeout = '8s'",
        "ALTER ROLE rich_app IN DATABASE rich SET statement_timeout = '7s'",
        {("database setting", "statement_timeout of role rich_app", "changed")}),
    "a grant is lost": (
        "REVOKE TEMPORARY ON DATABASE rich FROM rich_app", "GRANT TEMPORARY ON DATABASE rich TO rich_app",
        {("grants", "database current", "changed")}),
    "the comment is lost": (
        "COMMENT ON DATABASE rich IS NULL", "COMMENT ON DATABASE rich IS 'rich'",
        {("comment", "database current", "lost")}),
    "the connection limit changes": (
        "ALTER DATABASE rich CONNECTION LIMIT 41", "ALTER DATABASE rich CONNECTION LIMIT 40",
        {("database", "current", "changed")}),
    "a subscription is lost": (
        "ALTER SUBSCRIPTION sub RENAME TO other", "ALTER SUBSCRIPTION other RENAME TO sub",
        {("subscription", "sub", "lost"), ("subscription", "other", "added")}),
}


@pytest.mark.parametrize("name", OF_DATABASE)
def test_what_belongs_to_the_database_itself_is_named(pair, name):
    break_it, mend, wanted = OF_DATABASE[name]
    pair.target.sql(break_it, database="rich")
    try:
        assert real(compare(fingerprint(pair.source, "rich"), fingerprint(pair.target, "rich"))) == wanted
    finally:
        pair.target.sql(mend, database="rich")


@pytest.fixture(scope="module")
def restored(pair):
    """The fingerprint of a copy of the restored database. A copy has no settings and grants of its own."""
    return fingerprint(pair.target, "copy")


PARTS = """
CREATE SCHEMA audit;
CREATE TABLE audit.log (id serial PRIMARY KEY, at date CHECK (at > '2000-01-01'), what text);
CREATE INDEX log_at ON audit.log (at);
CREATE STATISTICS audit.log_stats ON at, what FROM audit.log;
CREATE TABLE audit.identified (id integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE audit."Mixed.Case" (id serial);
CREATE TABLE audit.parted (id integer PRIMARY KEY, at date) PARTITION BY RANGE (id);
CREATE TABLE audit.part_1 PARTITION OF audit.parted FOR VALUES FROM (1) TO (10);
CREATE TABLE audit.part_2 PARTITION OF audit.parted FOR VALUES FROM (10) TO (20);
CREATE TABLE public.events (id bigserial, kind text);
CREATE TABLE public.log$1 (id integer);
CREATE VIEW public.events_view AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW public.events_sum AS SELECT count(*) FROM public.events;
COMMENT ON TABLE audit.log IS 'log';
COMMENT ON COLUMN audit.log.what IS 'what';
GRANT SELECT ON audit.log TO PUBLIC;
CREATE FUNCTION audit.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON audit.log FOR EACH ROW EXECUTE FUNCTION audit.f();
CREATE POLICY p ON audit.log USING (true);
CREATE RULE r AS ON DELETE TO audit.log DO INSTEAD NOTHING;
INSERT INTO audit.log (at, what) SELECT '2024-01-01', g::text FROM generate_series(1, 20) AS g;
INSERT INTO audit.identified SELECT FROM generate_series(1, 5);
INSERT INTO audit."Mixed.Case" SELECT FROM generate_series(1, 6);
INSERT INTO audit.parted SELECT g, '2024-01-01' FROM generate_series(1, 19) AS g;
INSERT INTO public.events (kind) SELECT 'k' FROM generate_series(1, 7);
INSERT INTO public.log$1 VALUES (1);
"""

SELECTIONS = {
    "nothing": Selection(),
    "a table": Selection(exclude_tables=("audit.log",)),
    "a table and its sequence": Selection(exclude_tables=("audit.log*",)),
    "an identity table": Selection(exclude_tables=("audit.ident*",)),
    "a quoted name": Selection(exclude_tables=('audit."Mixed.Case"',)),
    "a name whose letters fold": Selection(exclude_tables=('AUDIT.Log',)),
    "a partition": Selection(exclude_tables=("audit.part_1",)),
    "by the search path": Selection(exclude_tables=("events*", "log*")),
    "a regular expression": Selection(exclude_tables=("audit.(log|part_[12])",)),
    "a dollar sign": Selection(exclude_tables=("log$1",)),
    "rows of a table": Selection(exclude_table_data=("audit.log",)),
    "rows of a table and its sequence": Selection(exclude_table_data=("audit.log*",)),
    "rows of a partitioned table": Selection(exclude_table_data=("audit.parted",)),
    "rows of an identity table": Selection(exclude_table_data=("audit.identified",)),
    "everything of a schema": Selection(exclude_tables=("audit.*",)),
    "rows of everything": Selection(exclude_table_data=("*.*",)),
}


@pytest.mark.parametrize("what", SELECTIONS)
def test_the_selection_leaves_out_what_pg_dump_leaves_out(server, database, tmp_path, what):
    selection = SELECTIONS[what]
    with server.connect(database) as session:
        session.execute(PARTS)
    path = dump(server, database, tmp_path / "parts.dump",
                *(f"--exclude-table={pattern}" for pattern in selection.exclude_tables),
                *(f"--exclude-table-data={pattern}" for pattern in selection.exclude_table_data))
    expected = fingerprint(server, database, selection)
    entries = run([f"{server.bin_dir}/pg_restore", "-l", path]).decode()
    assert entries.count(" TABLE DATA ") == len(expected.tables)
    assert entries.count(" SEQUENCE SET ") == len(expected.sequences)
    copy = f"{database}_copy"
    server.sql(f"CREATE DATABASE {copy} TEMPLATE template0")
    try:
        restore(server, path, "-d", copy)
        # The restored copy is judged under the selection, and whole: it must hold nothing that was excluded.
        assert real(compare(expected, fingerprint(server, copy, selection))) == set()
        without_rows = replace(selection, exclude_tables=())
        assert real(compare(expected, fingerprint(server, copy, without_rows))) == set()
    finally:
        server.sql(f"DROP DATABASE {copy} WITH (FORCE)")
