# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small database in which everything depends on something: for restores of single tables."""
from __future__ import annotations

import os
import subprocess
from typing import Iterator

ROLES = """
CREATE ROLE app LOGIN; CREATE ROLE reader; CREATE ROLE "odd ""name" LOGIN;
COMMENT ON ROLE app IS $$first line
CREATE ROLE boss;$$;
GRANT reader TO app WITH ADMIN OPTION; ALTER ROLE app SET search_path = shop, public;
SET ROLE app; GRANT reader TO "odd ""name"; RESET ROLE;
"""

SHOP = """
CREATE SCHEMA sales AUTHORIZATION app;
CREATE TYPE sales.state AS ENUM ('new','paid');
CREATE TABLE public.customers (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, note text DEFAULT 'x');
CREATE TABLE public.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer bigint NOT NULL REFERENCES customers, state sales.state DEFAULT 'new',
  total numeric CHECK (total >= 0), twice numeric GENERATED ALWAYS AS (total*2) STORED);
CREATE INDEX orders_total ON orders (total);
CREATE STATISTICS orders_stat ON customer, total FROM orders;
CREATE TABLE sales.lines (order_id int REFERENCES public.orders ON DELETE CASCADE, n int, PRIMARY KEY (order_id, n));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p_app ON orders TO app USING (total < 1000);
CREATE RULE orders_rule AS ON DELETE TO orders WHERE old.id < 0 DO INSTEAD NOTHING;
COMMENT ON TABLE orders IS 'the orders';
COMMENT ON COLUMN orders.total IS 'in EUR';
COMMENT ON INDEX orders_total IS 'idx';
COMMENT ON CONSTRAINT orders_pkey ON orders IS 'pk';
COMMENT ON TRIGGER orders_touch ON orders IS 'trg';
COMMENT ON POLICY p_app ON orders IS 'pol';
GRANT SELECT ON orders TO reader;
GRANT UPDATE (total) ON orders TO reader;
GRANT USAGE ON SEQUENCE customers_id_seq TO reader;
CREATE VIEW public.big AS SELECT * FROM orders WHERE total > 100;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM orders;
CREATE TABLE public.events (id bigint, at date, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE public.events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sales.events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_body ON events (body);
CREATE TABLE "odd name.x" ("Col 1" int PRIMARY KEY);
CREATE TABLE "orders x" (a int);
CREATE TABLE "new
line" (a serial);
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE customers OWNER TO app;
ALTER TABLE customers CLUSTER ON customers_pkey;
INSERT INTO customers(name) SELECT 'c'||g FROM generate_series(1,100) g;
INSERT INTO orders(customer,total) SELECT 1+g%100, g FROM generate_series(1,500) g;
INSERT INTO sales.lines SELECT g, 1 FROM generate_series(1,500) g;
INSERT INTO events SELECT g, '2025-12-01'::date + (g%60), 'b'||g FROM generate_series(1,1000) g;
SELECT lo_from_bytea(0, 'hello');
CREATE TABLE typed_parent (a int, b text DEFAULT 'q');
CREATE TABLE child (c int) INHERITS (typed_parent);
ALTER TABLE child ALTER b SET DEFAULT 'zz';
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader;
ALTER TABLE orders DISABLE TRIGGER orders_touch;
"""

# What ALTER DATABASE can do to those who restore.
HOSTILE = """
ALTER DATABASE {name} SET default_transaction_read_only = on; ALTER DATABASE {name} SET statement_timeout = 1;
ALTER DATABASE {name} SET session_preload_libraries = 'no_such_library'; COMMENT ON DATABASE {name} IS 'the shop';
GRANT CONNECT ON DATABASE {name} TO reader; ALTER ROLE app IN DATABASE {name} SET jit = off;
"""


def roles(server) -> None:
    """Make the roles if they are missing."""
    if not server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'reader'"):
        server.sql(ROLES)


def build(server, name: str) -> None:
    """Make the roles, if they are missing, and the database."""
    roles(server)
    server.sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    server.sql(SHOP, database=name)


def run(server, tool: str, *words: str, **variables: str) -> bytes:
    """Return what a client program prints, undisturbed by a hostile database; variables overrule the connection."""
    environment = {**os.environ, "PGHOST": str(server.folder), "PGUSER": server.superuser,
                   "PGOPTIONS": "-c session_preload_libraries= -c statement_timeout=0", **variables}
    return subprocess.run([f"{server.bin_dir}/{tool}", *words], check=True, stdout=subprocess.PIPE,
                          env=environment).stdout


def dump(server, name: str, *words: str) -> bytes:
    """Return what pg_dump prints."""
    return run(server, "pg_dump", *words, f"--dbname={name}")


def described(server, name: str) -> list[str]:
    """Return all that a dump says of a database, sorted; two equal ones hold the same."""
    text = dump(server, name, "--inserts", "--rows-per-insert=1").decode()
    return sorted(line for line in text.splitlines() if not line.startswith("\\"))


def chunks(data: bytes, size: int = 65536) -> Iterator[bytes]:
    """Yield data in pieces."""
    for at in range(0, len(data), size):
        yield data[at:at + size]
