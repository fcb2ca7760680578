# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database with at least one object of every kind that pg_dump dumps, with odd names and odd values."""
from __future__ import annotations

from typing import Any

ROLES = ("rich_owner", "rich_app", "rich reader", 'rich "odd" %s')

GLOBALS = """
CREATE ROLE rich_owner LOGIN CREATEDB CONNECTION LIMIT 5 PASSWORD 'secret';
CREATE ROLE rich_app LOGIN VALID UNTIL '2030-01-01 00:00:00+00';
CREATE ROLE "rich reader" NOINHERIT;
CREATE ROLE "rich ""odd"" %s" BYPASSRLS;
GRANT "rich reader" TO rich_app WITH ADMIN OPTION;
GRANT pg_read_all_data TO rich_owner;
ALTER ROLE rich_app SET work_mem = '5MB';
COMMENT ON ROLE rich_app IS 'the application''s role';
"""

DATABASE = """
ALTER DATABASE {db} OWNER TO rich_owner;
ALTER DATABASE {db} SET search_path = "$user", public, shop;
ALTER DATABASE {db} SET DateStyle = 'German';
ALTER DATABASE {db} CONNECTION LIMIT 40;
ALTER ROLE rich_app IN DATABASE {db} SET statement_timeout = '7s';
COMMENT ON DATABASE {db} IS 'rich';
REVOKE CONNECT ON DATABASE {db} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {db} TO rich_app;
"""

SCHEMA = r"""
SET search_path = pg_catalog;
CREATE SCHEMA shop AUTHORIZATION rich_owner;
COMMENT ON SCHEMA shop IS 'what is sold';
GRANT USAGE ON SCHEMA shop TO rich_app, "rich ""odd"" %s";
CREATE SCHEMA "Odd ""Name"" % ü";
GRANT CREATE ON SCHEMA public TO rich_app;

CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'it''s fine');
ALTER TYPE shop.mood ADD VALUE 'happy' BEFORE 'ok';
COMMENT ON TYPE shop.mood IS 'moods';
CREATE COLLATION shop.plain (locale = 'C');
COMMENT ON COLLATION shop.plain IS 'plain';
CREATE TYPE shop.pair AS (a integer, b text COLLATE "C", c shop.mood);
COMMENT ON COLUMN shop.pair.a IS 'first';
GRANT USAGE ON TYPE shop.pair TO rich_app;
CREATE DOMAIN shop.email AS character varying(80) COLLATE "C" DEFAULT 'a@b'::text NOT NULL
    CONSTRAINT has_at CHECK (VALUE ~~ '%@%') CHECK (length(VALUE) < 70);
COMMENT ON CONSTRAINT has_at ON DOMAIN shop.email IS 'an at';
CREATE DOMAIN shop.tags AS text[];
CREATE TYPE shop.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE shop.shell;

CREATE FUNCTION shop.add(a integer, b integer DEFAULT 2, OUT c integer) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    COST 5 AS $$ SELECT a + b  -- keeps   its spaces
$$;
COMMENT ON FUNCTION shop.add IS 'adds';
CREATE FUNCTION shop.atomic(a integer) RETURNS integer LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC SELECT (a + 1) * 2; END;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop
    AS $$ BEGIN RETURN NEW; END $$;
REVOKE EXECUTE ON FUNCTION shop.touch() FROM PUBLIC;
CREATE PROCEDURE shop.tidy(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; COMMIT; END $$;
CREATE FUNCTION shop.on_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE AGGREGATE shop.total(integer) (sfunc = int4_sum, stype = bigint, initcond = '0');
CREATE AGGREGATE shop.common(ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal,
    finalfunc = mode_final, finalfunc_extra);
COMMENT ON AGGREGATE shop.total(integer) IS 'a sum';

CREATE TABLE shop.customer (
    id integer GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5) PRIMARY KEY,
    name text COLLATE "C" NOT NULL, mail shop.email UNIQUE DEFERRABLE INITIALLY DEFERRED,
    mood shop.mood DEFAULT 'ok', "Odd ""col"" %s" text, lower_name text GENERATED ALWAYS AS (lower(name)) STORED,
    dropped integer, extra shop.pair, tags shop.tags, note text);
ALTER TABLE shop.customer DROP COLUMN dropped;
ALTER TABLE shop.customer OWNER TO rich_owner;
ALTER TABLE shop.customer ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE shop.customer ALTER COLUMN name SET STATISTICS 200;
ALTER TABLE shop.customer ALTER COLUMN name SET (n_distinct = -0.5);
ALTER TABLE shop.customer SET (fillfactor = 90, autovacuum_enabled = false, toast.autovacuum_enabled = false);
COMMENT ON TABLE shop.customer IS 'customers';
COMMENT ON COLUMN shop.customer."Odd ""col"" %s" IS 'odd';
GRANT SELECT, INSERT ON shop.customer TO rich_app WITH GRANT OPTION;
GRANT SELECT ("name", "Odd ""col"" %s"), UPDATE (note) ON shop.customer TO "rich reader";
SET ROLE rich_app;
GRANT SELECT ON shop.customer TO "rich ""odd"" %s";
RESET ROLE;

CREATE TABLE shop.orders (
    id bigserial PRIMARY KEY, customer integer NOT NULL REFERENCES shop.customer ON DELETE CASCADE,
    status character varying(10) NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'sent')),
    total numeric(10, 2) CONSTRAINT positive CHECK (total > 0 AND (total < 1e6 OR status = 'paid')),
    made timestamptz NOT NULL DEFAULT now(), span tstzrange, EXCLUDE USING gist (span WITH &&));
ALTER TABLE shop.orders ADD CONSTRAINT recent CHECK (made > '2000-01-01') NOT VALID;
CREATE INDEX orders_lower ON shop.orders (lower(status), total DESC NULLS LAST) INCLUDE (made) WHERE status <> 'sent';
ALTER INDEX shop.orders_lower ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX shop.orders_lower IS 'lowered';
CREATE INDEX orders_total ON shop.orders (total) WITH (fillfactor = 70);
ALTER TABLE shop.orders CLUSTER ON orders_total;
ALTER TABLE shop.orders REPLICA IDENTITY FULL;
COMMENT ON CONSTRAINT positive ON shop.orders IS 'money';
CREATE TRIGGER touch BEFORE UPDATE OF total, status ON shop.orders FOR EACH ROW WHEN (new.total > 3)
    EXECUTE FUNCTION shop.touch('a', 'b');
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON shop.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION shop.touch();
CREATE TRIGGER off AFTER INSERT ON shop.orders REFERENCING NEW TABLE AS fresh EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.orders DISABLE TRIGGER off;
COMMENT ON TRIGGER touch ON shop.orders IS 'touches';
CREATE RULE no_delete AS ON DELETE TO shop.orders WHERE old.total > 5 DO INSTEAD NOTHING;
COMMENT ON RULE no_delete ON shop.orders IS 'kept';
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON shop.orders AS RESTRICTIVE FOR UPDATE TO rich_app, "rich reader"
    USING (status = 'new' OR customer IN (SELECT 10)) WITH CHECK (total < 100);
CREATE POLICY seen ON shop.orders FOR SELECT USING (true);
COMMENT ON POLICY mine ON shop.orders IS 'mine';
CREATE STATISTICS shop.dependent (dependencies, ndistinct) ON status, total FROM shop.orders;
CREATE STATISTICS shop.expressed ON (lower(status)), total FROM shop.orders;
ALTER STATISTICS shop.dependent SET STATISTICS 500;
COMMENT ON STATISTICS shop.dependent IS 'dependent';

CREATE TABLE shop.event (id integer NOT NULL, at date NOT NULL, what text DEFAULT 'x', kind text)
    PARTITION BY RANGE (at);
CREATE TABLE shop.event_2024 PARTITION OF shop.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.event_2025 (what text, kind text, at date NOT NULL, id integer NOT NULL);
ALTER TABLE shop.event ATTACH PARTITION shop.event_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.event_rest PARTITION OF shop.event DEFAULT PARTITION BY LIST (kind);
CREATE TABLE shop.event_rest_a PARTITION OF shop.event_rest FOR VALUES IN ('a', NULL);
ALTER TABLE shop.event ADD PRIMARY KEY (id, at, kind);
CREATE INDEX event_what ON shop.event (what);
ALTER TABLE shop.event ADD customer integer REFERENCES shop.customer;
CREATE TRIGGER each AFTER INSERT ON shop.event FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.event_2024 DISABLE TRIGGER each;
CREATE TABLE shop.parted_hash (a integer, b text) PARTITION BY HASH (a, lower(b));
CREATE TABLE shop.parted_hash_0 PARTITION OF shop.parted_hash FOR VALUES WITH (modulus 2, remainder 0);

CREATE TABLE shop.parent (a integer CHECK (a > 0), b text);
CREATE TABLE shop.child (local integer) INHERITS (shop.parent);
ALTER TABLE shop.parent ADD later text NOT NULL DEFAULT 'l';
CREATE TABLE shop.typed OF shop.pair (a WITH OPTIONS PRIMARY KEY);
CREATE UNLOGGED TABLE shop.fleeting (a integer);
CREATE TABLE shop.nothing ();
CREATE TABLE shop.only_generated (a integer GENERATED ALWAYS AS (1) STORED);

CREATE TABLE "Odd ""Name"" % ü"."t
able ; -- %s" ("new
line" integer, "ü%" text, "select" json);
CREATE INDEX "odd . index" ON "Odd ""Name"" % ü"."t
able ; -- %s" ("ü%");
CREATE TABLE public."Upper.Dot" ("a.b" integer PRIMARY KEY, "C" text);

CREATE TABLE shop.kinds (
    id integer PRIMARY KEY, j json, jb jsonb, x xml, p point, bx box, tv tsvector, tq tsquery, b bit(5), vb bit varying,
    m money, f4 real, f8 double precision, n numeric, iv interval, ti time, tz timetz, ts timestamp, tstz timestamptz,
    u uuid, i inet, c cidr, mac macaddr, mac8 macaddr8, by bytea, ch character(5), q "char", na name, o oid,
    rc regclass, ia integer[], ta text[], ja json[], ea shop.mood[], pa shop.pair[], r int4range, nr numrange,
    fr shop.float_range, mr int4multirange, mo shop.mood, pr shop.pair, em shop.email, tg shop.tags, ls pg_lsn,
    v2 int2vector, bo boolean, jp jsonpath, ac aclitem, ti2 tid, xi xid);

CREATE VIEW shop.cheap WITH (security_barrier) AS SELECT o.id, o.total * 2 AS twice, c.name FROM shop.orders o
    JOIN shop.customer c ON c.id = o.customer WHERE o.status IN ('new', 'paid');
"""

SCHEMA_2 = r"""
COMMENT ON VIEW shop.cheap IS 'cheap';
COMMENT ON COLUMN shop.cheap.twice IS 'twice';
GRANT SELECT ON shop.cheap TO "rich reader";
CREATE VIEW shop.simple AS SELECT id, name FROM shop.customer WHERE id > 5 WITH LOCAL CHECK OPTION;
ALTER VIEW shop.simple ALTER COLUMN name SET DEFAULT 'nobody';
CREATE VIEW shop.looped AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3)
    SELECT i FROM n;
CREATE MATERIALIZED VIEW shop.sums AS SELECT status, sum(total) AS total FROM shop.orders GROUP BY status;
CREATE UNIQUE INDEX sums_status ON shop.sums (status);
CREATE MATERIALIZED VIEW shop.unready AS SELECT 1 AS a WITH NO DATA;
COMMENT ON MATERIALIZED VIEW shop.sums IS 'sums';

CREATE SEQUENCE shop.loose AS smallint INCREMENT -2 MINVALUE -50 MAXVALUE 40 START 30 CACHE 3 CYCLE;
GRANT USAGE ON SEQUENCE shop.loose TO rich_app;
COMMENT ON SEQUENCE shop.loose IS 'loose';
CREATE SEQUENCE shop.unused;
CREATE SEQUENCE shop.set_back;

CREATE CAST (shop.pair AS integer) WITH FUNCTION shop.of_pair(shop.pair) AS ASSIGNMENT;
COMMENT ON CAST (shop.pair AS integer) IS 'cast';
CREATE OPERATOR shop.@@@ (FUNCTION = shop.same, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(shop.@@@),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR shop.@@@ (integer, integer) IS 'same';
CREATE OPERATOR FAMILY shop.family USING btree;
CREATE OPERATOR CLASS shop.class FOR TYPE integer USING btree FAMILY shop.family AS OPERATOR 1 <, OPERATOR 2 <=,
    OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
COMMENT ON OPERATOR CLASS shop.class USING btree IS 'class';
CREATE CONVERSION shop.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH DICTIONARY shop.dict (TEMPLATE = simple, Accept = false);
CREATE TEXT SEARCH CONFIGURATION shop.config (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION shop.config ALTER MAPPING FOR asciiword WITH shop.dict, simple;
COMMENT ON TEXT SEARCH CONFIGURATION shop.config IS 'config';
CREATE TEXT SEARCH PARSER shop.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE shop.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE shop.heap2_table (a integer) USING heap2;
CREATE FUNCTION shop.pl_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE plother HANDLER shop.pl_handler;
GRANT USAGE ON LANGUAGE plother TO rich_app;
CREATE TRANSFORM FOR integer LANGUAGE plother (FROM SQL WITH FUNCTION prsd_lextype(internal));

CREATE FOREIGN DATA WRAPPER wrapper OPTIONS (a 'b');
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO rich_app;
CREATE SERVER remote TYPE 't' VERSION '1' FOREIGN DATA WRAPPER wrapper OPTIONS (host 'x', secret 'hidden');
GRANT USAGE ON FOREIGN SERVER remote TO rich_app;
CREATE USER MAPPING FOR rich_app SERVER remote OPTIONS ("user" 'u', password 'hidden');
CREATE USER MAPPING FOR PUBLIC SERVER remote;
CREATE FOREIGN TABLE shop.far (a integer OPTIONS (column_name 'b') NOT NULL, b text) SERVER remote OPTIONS (tab 'x');
COMMENT ON FOREIGN TABLE shop.far IS 'far';

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, delete');
CREATE PUBLICATION chosen FOR TABLE shop.customer (id, name) WHERE (id > 5), TABLE ONLY shop.parent;
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA shop;
CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere dbname=x' PUBLICATION a, b
    WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE);
COMMENT ON PUBLICATION chosen IS 'chosen';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION shop.on_event();
ALTER EVENT TRIGGER watch ENABLE ALWAYS;
CREATE EVENT TRIGGER still ON sql_drop EXECUTE FUNCTION shop.on_event();
ALTER EVENT TRIGGER still DISABLE;
COMMENT ON EVENT TRIGGER watch IS 'watches';

ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner IN SCHEMA shop GRANT SELECT ON TABLES TO rich_app;
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO rich_app;
GRANT SELECT ON pg_catalog.pg_authid TO rich_app;
"""

BEFORE_2 = """
CREATE FUNCTION shop.of_pair(shop.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
CREATE FUNCTION shop.same(integer, integer) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
"""

ROWS = r"""
INSERT INTO shop.customer (name, mail, "Odd ""col"" %s", extra, tags, note)
    SELECT 'Name ' || g, 'm' || g || '@x', CASE WHEN g % 2 = 0 THEN NULL ELSE '' END, ROW(g, 'b', 'sad')::shop.pair,
           ARRAY['x', NULL], repeat('note', g * 100) FROM generate_series(1, 50) AS g;
INSERT INTO shop.orders (customer, status, total, made, span) SELECT 10 + 5 * (g % 50), 'new', g, '2024-05-05 10:00+02',
    CASE WHEN g < 3 THEN tstzrange('2024-01-01', '2024-01-02') + tstzrange('2024-01-02', '2024-01-03') END
    FROM generate_series(1, 1) AS g;
INSERT INTO shop.orders (customer, total) SELECT 10 + 5 * (g % 50), g FROM generate_series(2, 300) AS g;
INSERT INTO shop.event (id, at, what, kind) SELECT g, date '2024-01-01' + g, repeat('w', g % 7), 'a'
    FROM generate_series(0, 900) AS g;
INSERT INTO shop.parted_hash SELECT g, g::text FROM generate_series(1, 20) AS g WHERE g < 0;
INSERT INTO shop.parent VALUES (1, 'p');
INSERT INTO shop.child (a, b, local) VALUES (2, 'c', 3);
INSERT INTO shop.typed VALUES (1, 'b', 'sad');
INSERT INTO shop.fleeting SELECT generate_series(1, 10);
INSERT INTO shop.nothing SELECT FROM generate_series(1, 3);
INSERT INTO shop.only_generated DEFAULT VALUES;
INSERT INTO shop.heap2_table VALUES (1), (1), (1), (2);
INSERT INTO "Odd ""Name"" % ü"."t
able ; -- %s" VALUES (1, '%s %(x)s', '{"a": 1}'), (1, '%s %(x)s', '{"a":  1}');
INSERT INTO public."Upper.Dot" VALUES (1, 'x');
INSERT INTO shop.kinds VALUES (1, '{"a":  1}', '{"b": 1.0}', NULL, '(1,2)', '((0,0),(1,1))', 'a fat cat', 'fat & rat',
    '10101', '1', 12.5, 1e-20, 'NaN', 'Infinity', '1 mon 2 days', '10:00', '10:00+02', '2024-01-01 10:00:00.123456',
    'infinity', '00000000-0000-0000-0000-000000000001', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03',
    '08:00:2b:01:02:03:04:05', '\x00ff', 'ab', 'q', 'name', 4000000000, 'shop.customer', '{1,NULL,3}',
    '[0:1]={a,"b c"}', ARRAY['{}'::json], '{sad,happy}', ARRAY[ROW(1, 'x', 'ok')::shop.pair], '[1,5)', '(1.50,)',
    '[1.5,2.5]', '{[1,3),[5,6)}', 'happy', ROW(1, NULL, 'sad'), 'e@x', '{t}', '16/B374D848', '1 2', true, '$.a[*]',
    'rich_app=r/rich_owner', '(1,2)', '7');
INSERT INTO shop.kinds (id, em, f8, n) VALUES (2, 'e@y', '-Infinity', 'NaN'), (3, 'e@z', -0.0, 1.00);
SELECT nextval('shop.loose'), nextval('shop.loose');
SELECT setval('shop.set_back', 77, false);
REFRESH MATERIALIZED VIEW shop.sums;
SELECT lo_from_bytea(910001, '\x00112233'), lo_from_bytea(910002, repeat('large', 5000)::bytea), lo_create(910003),
       lo_from_bytea(910004, '\x01');
SELECT lo_put(910004, 10000, '\x02'), lo_put(910003, 5000, '\x0000');
ALTER LARGE OBJECT 910001 OWNER TO rich_owner;
GRANT SELECT ON LARGE OBJECT 910002 TO rich_app;
COMMENT ON LARGE OBJECT 910002 IS 'large';
"""

NEWER = {
    150000: """
        CREATE UNIQUE INDEX customer_note ON shop.customer (left(note, 9), id) NULLS NOT DISTINCT;
        CREATE VIEW shop.invoked WITH (security_invoker) AS SELECT 1 AS one;
        GRANT SET ON PARAMETER work_mem TO rich_app;""",
    180000: """
        ALTER TABLE shop.customer ADD virtual_name text GENERATED ALWAYS AS (upper(name)) VIRTUAL;
        ALTER TABLE shop.customer ADD CONSTRAINT named_not_null NOT NULL note NOT VALID;
        ALTER TABLE shop.orders ADD CONSTRAINT unenforced CHECK (total <> 4) NOT ENFORCED;
        ALTER TABLE shop.parent ADD CONSTRAINT parent_b NOT NULL b NO INHERIT;
        CREATE TABLE shop.temporal (id int4range, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
        CREATE PUBLICATION generating FOR TABLE shop.only_generated WITH (publish_generated_columns = stored);""",
}

# Debian's packages have contrib and XML, the test wheel has neither.
CONTRIB = """
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION hstore SCHEMA public;
CREATE EXTENSION pg_trgm SCHEMA public;
COMMENT ON EXTENSION hstore IS 'pairs';
CREATE TABLE shop.extended (id integer, c public.citext, h public.hstore);
CREATE INDEX extended_c ON shop.extended USING gin (c public.gin_trgm_ops);
UPDATE shop.kinds SET x = '<a>1</a>';
INSERT INTO shop.extended VALUES (1, 'AbC', 'a=>1, b=>NULL');
GRANT EXECUTE ON FUNCTION public.similarity(text, text) TO rich_app;
REVOKE EXECUTE ON FUNCTION public.similarity(text, text) FROM PUBLIC;
"""


def make_rich(server: Any, database: str, *, contrib: bool = False) -> None:
    """Create the roles, where they are missing, and the database with everything in it."""
    quoted = '"' + database.replace('"', '""') + '"'
    with server.connect() as session:
        if not session.execute("SELECT FROM pg_roles WHERE rolname = 'rich_app'").fetchone():
            run_each(session, GLOBALS)
        session.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
        run_each(session, DATABASE.format(db=quoted))
    with server.connect(database) as session:
        session.execute("SET client_min_messages = error; SET DateStyle = 'ISO'")
        newer = [text for version, text in NEWER.items() if session.info.server_version >= version]
        for text in (SCHEMA, BEFORE_2, SCHEMA_2, ROWS, *newer, *([CONTRIB] if contrib else [])):
            run_each(session, text)


def run_each(session: Any, text: str) -> None:
    """Run statements that end with a line, one by one."""
    for statement in text.split(";\n"):
        if statement.strip():
            session.execute(statement)
