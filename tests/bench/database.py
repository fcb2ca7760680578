# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's database: about 1.8 GB of what real databases hold."""
from __future__ import annotations

import subprocess
from typing import Any

SEED = "SELECT setseed(0.42)"

# jsonb and gin, incompressible bytes, many tiny tables, partitions, large objects
STATEMENTS = (
    """CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL,
       kind text NOT NULL, payload jsonb NOT NULL)""",
    """INSERT INTO events (at, kind, payload)
       SELECT timestamptz '2026-01-01' + n * interval '11 seconds',
              (ARRAY['view', 'cart', 'buy', 'search'])[1 + n % 4],
              jsonb_build_object('user', n::bigint * 7919 % 100000, 'path', '/product/' || n * 31 % 5000,
                                 'ms', n * 17 % 1200, 'ok', n % 11 <> 0,
                                 'agent', 'Mozilla/5.0 (X11; Linux x86_64) build ' || n % 97)
       FROM generate_series(1, 12000 * {scale}) AS n""",
    "CREATE INDEX events_payload ON events USING gin (payload jsonb_path_ops)",
    "CREATE INDEX events_at ON events (at)",
    """CREATE TABLE blobs (id int PRIMARY KEY, body bytea NOT NULL)""",
    "ALTER TABLE blobs ALTER body SET STORAGE EXTERNAL",
    # 32 sha256 values of a counter make one KiB that no method compresses
    """INSERT INTO blobs SELECT n, (SELECT string_agg(sha256(int8send(n * 100000::bigint + i)), NULL)
       FROM generate_series(1, 3200) AS i) FROM generate_series(1, 20 * {scale}) AS n""",
    """DO $$ BEGIN FOR n IN 1..2000 LOOP
         EXECUTE format('CREATE TABLE tiny_%s (id int PRIMARY KEY, word text)', n);
         EXECUTE format('INSERT INTO tiny_%s SELECT g, md5(g::text) FROM generate_series(1, 5) g', n);
         IF n % 200 = 0 THEN COMMIT; END IF;
       END LOOP; END $$""",
    "CREATE TABLE measurements (at date NOT NULL, sensor int NOT NULL, value float8) PARTITION BY RANGE (at)",
    """DO $$ BEGIN FOR m IN 0..11 LOOP
         EXECUTE format('CREATE TABLE measurements_%s PARTITION OF measurements FOR VALUES FROM (%L) TO (%L)', m + 1,
                        date '2026-01-01' + make_interval(months => m),
                        date '2026-01-01' + make_interval(months => m + 1));
       END LOOP; END $$""",
    """INSERT INTO measurements SELECT date '2026-01-01' + n % 365, n % 500, sin(n) * 1000
       FROM generate_series(1, 15000 * {scale}) AS n""",
    """SELECT count(lo_from_bytea(0, (SELECT string_agg(sha256(int8send(n * 7 + i)), NULL)
       FROM generate_series(1, 2000) AS i))) FROM generate_series(1, 100) AS n""",
    "ANALYZE",
)


def build(server: Any, name: str, scale: int) -> int:
    """Build the database on a server and return its size in bytes; scale 100 is the full size."""
    server.sql(f'CREATE DATABASE "{name}"')
    subprocess.run([f"{server.bin_dir}/pgbench", "-i", "-q", "-s", str(max(1, 70 * scale // 100)), "-h",
                    str(server.folder), "-U", server.superuser, name], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    for statement in (SEED, *STATEMENTS):
        server.sql(statement.replace("{scale}", str(scale)), database=name)
    return int(server.sql(f"SELECT pg_database_size('{name}')")[0][0])
