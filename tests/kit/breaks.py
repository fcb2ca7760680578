# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break a restored copy of kit.rich, what must be named of each, and small databases for single questions."""
from __future__ import annotations

from _restorable.model.server import Selection

# name: (statement, {(kind, name, problem), …}), all that may be told
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
        "TRUNCATE shop.heap2_table; INSERT INTO shop.heap2_table VALUES (1), (1), (2), (2)",
        {("table", "shop.heap2_table", "content")}),
    "two rows swap their values of one column": (
        ("UPDATE shop.customer SET note = CASE id WHEN 20 THEN (SELECT note FROM shop.customer WHERE id = 25)"
         " ELSE (SELECT note FROM shop.customer WHERE id = 20) END WHERE id IN (20, 25)"),
        {("table", "shop.customer", "content")}),
    "two columns are swapped in a row": (
        "TRUNCATE shop.child; INSERT INTO shop.child (a, b, local) VALUES (3, 'c', 2)",
        {("table", "shop.child", "content")}),
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
        ("ALTER TABLE shop.orders DROP CONSTRAINT orders_status_check;"
         "ALTER TABLE shop.orders ADD CONSTRAINT orders_status_check CHECK (status IN ('new', 'paid', 'lost'))"),
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
        ("CREATE OR REPLACE VIEW shop.simple AS SELECT id, upper(name) COLLATE \"C\" AS name FROM shop.customer"
         " WHERE id > 5 WITH LOCAL CHECK OPTION"), {("view", "shop.simple", "changed")}),
    "a view's option is lost": (
        "ALTER VIEW shop.cheap RESET (security_barrier)", {("view", "shop.cheap", "changed")}),
    "a materialized view is not filled": (
        "REFRESH MATERIALIZED VIEW shop.sums WITH NO DATA", {("populated", "shop.sums", "changed")}),
    "a function's body changes by a space": (
        ("CREATE OR REPLACE FUNCTION shop.of_pair(shop.pair) RETURNS integer LANGUAGE sql IMMUTABLE"
         " AS 'SELECT  $1.a'"), {("function", "shop.of_pair(shop.pair)", "changed")}),
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
    "two large objects swap their contents": (
        ("SELECT lo_put(910001, 0, '\\x01000000'), lo_put(910004, 0, '\\x00112233'), lo_put(910001, 10000, '\\x02'),"
         " lo_truncate64(lo_open(910004, 131072), 4), lo_put(910004, 3, '\\x33')"),
        {("large objects", "all", "content")}),
    "a large object's bytes move by one": (
        "SELECT lo_put(910001, 0, '\\x11223300')", {("large objects", "all", "content")}),
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

# name: (statement, statement that mends it, {(kind, name, problem), …})
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

# What pg_dump leaves out with tables and with rows.
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

# All of it belongs to a plain role.
PLAIN = """
CREATE TABLE public.mine (id integer PRIMARY KEY, t text);
INSERT INTO public.mine SELECT g, g::text FROM generate_series(1, 100) AS g;
SELECT lo_from_bytea(0, repeat('x', 5000)::bytea), lo_from_bytea(0, ''), lo_from_bytea(0, '\\x0000');
"""

# Whoever hashes or casts carelessly is caught.
HOSTILE = """
CREATE TYPE public.evil AS ENUM ('x');
CREATE FUNCTION public.act(public.evil) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'caught'; END $$;
CREATE CAST (public.evil AS text) WITH FUNCTION public.act(public.evil) AS IMPLICIT;
CREATE FUNCTION public.hash_record_extended(record, integer) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'caught'; END $$;
CREATE TABLE public.victim (e public.evil);
INSERT INTO public.victim VALUES ('x');
"""
