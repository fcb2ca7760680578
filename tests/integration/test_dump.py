# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of real servers: what is in them, and how they fail."""
from __future__ import annotations

import io
import os
import pathlib
import subprocess
import tarfile
import threading
import time
from contextlib import contextmanager

import pytest

from _restorable.errors import ConfigError, NotFound, ToolFailed, Unavailable
from _restorable.model.server import DumpOptions, Selection
from _restorable.postgres.cluster import PgCluster
from kit.servers import MAJORS, start_standby

ODD_NAMES = ["host=evil", "postgres://evil/x", "it's", 'a "b"', "new\nline", "50% off", "Möbel 🙂", " lead", "-Fp"]

SHOP = (
    "CREATE TABLE plain (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text)",
    "INSERT INTO plain (t) SELECT 'row ' || g FROM generate_series(1, 1000) AS g",
    "CREATE UNLOGGED TABLE quick (a int)", "INSERT INTO quick VALUES (1), (1)",
    "CREATE TABLE parted (a int) PARTITION BY RANGE (a)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE parted_rest PARTITION OF parted DEFAULT", "INSERT INTO parted VALUES (1), (100)",
    "CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a * 2) STORED)", "INSERT INTO made VALUES (21)",
    "CREATE MATERIALIZED VIEW hollow AS SELECT * FROM plain WITH NO DATA",
    "CREATE TABLE odd (j json, x xml, f float8)",
    "INSERT INTO odd VALUES ('{\"a\": 1}', NULL, 'NaN'), (NULL, NULL, 'infinity')",
    'CREATE TABLE "o""dd na\nme %s" (a int)', 'INSERT INTO "o""dd na\nme %s" VALUES (7)',
    "SELECT lo_from_bytea(4711, 'large object')",
)


WITH_XML = (15,)                   # the test wheel is built without libxml


def cluster(server, **options):
    settings = {**server.settings, **options.pop("settings", {})}
    return PgCluster(settings, bin_dir=options.pop("bin_dir", server.bin_dir), environ=dict(os.environ), **options)


def dump(server, database, selection=None, lock_timeout=10.0, **options):
    """Return the bytes of one dump."""
    form = {key: options.pop(key) for key in ("format", "jobs") if key in options}
    with cluster(server, **options).session(database, selection or Selection(), lock_timeout=lock_timeout) as session:
        return b"".join(session.stream(DumpOptions(**form)))


def tool(server, name, *arguments, given=b""):
    done = subprocess.run([f"{server.bin_dir}/{name}", *arguments], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def connect_words(server, database):
    return ["-h", server.settings["host"], "-U", "postgres", "-d", database]


def restored(server, name, archive, tmp_path, form="custom"):
    """Restore an archive with the stock tools into a new database and return its name."""
    server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE template0")
    if form == "directory":
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(tmp_path / name)
        tool(server, "pg_restore", "--exit-on-error", *connect_words(server, name), str(tmp_path / name))
    elif form == "custom":
        tool(server, "pg_restore", "--exit-on-error", *connect_words(server, name), given=archive)
    else:
        tool(server, "psql", "-X", "-v", "ON_ERROR_STOP=1", *connect_words(server, name), given=archive)
    return name


@pytest.fixture
def shop(server, database):
    """A database with one of everything that is easily lost."""
    server.sql(*SHOP, database=database)
    if server.major in WITH_XML:
        server.sql("UPDATE odd SET x = '<a/>'", database=database)
    return database


@pytest.fixture
def copy(server):
    """The name of a database for restores, dropped afterwards."""
    yield "restored_copy"
    server.sql("DROP DATABASE IF EXISTS restored_copy WITH (FORCE)")


@pytest.mark.parametrize("form, jobs", [("custom", 1), ("plain", 1), ("directory", 3)])
def test_every_kind_of_object_comes_back(server, shop, copy, tmp_path, form, jobs):
    archive = dump(server, shop, format=form, jobs=jobs)
    restored(server, copy, archive, tmp_path, form)
    for query, expected in (
            ("SELECT count(*), max(id) FROM plain", (1000, 1000)),
            ("SELECT count(x) FROM odd", (2 if server.major in WITH_XML else 0,)), ("SELECT sum(a) FROM quick", (2,)),
            ("SELECT count(*) FROM ONLY parted_rest", (1,)), ("SELECT b FROM made", (42,)),
            ("SELECT count(*) FROM odd WHERE f = 'NaN' OR f = 'infinity'", (2,)),
            ('SELECT a FROM "o""dd na\nme %s"', (7,)), ("SELECT lo_get(4711)", (b"large object",)),
            ("SELECT relispopulated FROM pg_class WHERE relname = 'hollow'", (False,)),
            ("SELECT nextval('plain_id_seq')", (1001,))):
        assert server.sql(query, database=copy) == [expected], query


def test_a_directory_dump_leaves_nothing_in_its_private_staging_folder(server, shop, tmp_path):
    seen = []
    with cluster(server, staging=str(tmp_path)).session(shop, Selection(), lock_timeout=5) as session:
        for _chunk in session.stream(DumpOptions(format="directory", jobs=2)):
            seen += [oct(folder.stat().st_mode)[-3:] for folder in tmp_path.iterdir()]
    assert set(seen) == {"700"}
    assert list(tmp_path.iterdir()) == []


def test_a_given_up_directory_dump_leaves_nothing_either(server, shop, tmp_path):
    with cluster(server, staging=str(tmp_path)).session(shop, Selection(), lock_timeout=5) as session:
        chunks = session.stream(DumpOptions(format="directory"))
        next(chunks)
        chunks.close()
        assert list(tmp_path.iterdir()) == []


def test_a_staging_folder_that_cannot_be_used_is_named(server, database, tmp_path):
    with pytest.raises(ConfigError, match="/gone"):
        dump(server, database, format="directory", staging=f"{tmp_path}/gone")


def test_an_unknown_format_is_refused(server, database):
    with pytest.raises(ConfigError, match="'tar'"):
        dump(server, database, format="tar")


@pytest.mark.parametrize("change", ["TRUNCATE t", "ALTER TABLE t ALTER a TYPE bigint"])
def test_a_table_that_is_rewritten_as_the_dump_begins_is_whole(server, database, copy, tmp_path, change):
    server.sql("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 100)", database=database)
    with server.connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute(change)
        writer.execute("INSERT INTO t SELECT generate_series(1, 50)")
        late = threading.Timer(1, lambda: writer.execute("COMMIT"))
        late.start()
        archive = dump(server, database)
        late.join()
    restored(server, copy, archive, tmp_path)
    assert server.sql("SELECT count(*) FROM t", database=copy) == [(50 if "TRUNCATE" in change else 150,)]


def test_what_is_written_during_the_dump_is_not_in_it(server, database, copy, tmp_path):
    server.sql("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 100)", database=database)
    with cluster(server).session(database, Selection(), lock_timeout=5) as session:
        server.sql("INSERT INTO t VALUES (0)", "CREATE TABLE later (a int)", database=database)
        archive = b"".join(session.stream(DumpOptions()))
        assert abs(session.begun.timestamp() - time.time()) < 60
        assert session.begun.utcoffset().total_seconds() == 0
        assert session.lsn.count("/") == 1
    restored(server, copy, archive, tmp_path)
    assert server.sql("SELECT count(*) FROM t", database=copy) == [(100,)]
    assert server.sql("SELECT to_regclass('later')", database=copy) == [(None,)]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_database_of_any_name_is_the_one_that_is_dumped(server, name):
    quoted = '"' + name.replace('"', '""') + '"'
    server.sql(f"CREATE DATABASE {quoted} TEMPLATE template0")
    try:
        server.sql("CREATE TABLE mark_of_this_one (a int)", database=name)
        listing = tool(server, "pg_restore", "--list", given=dump(server, name))
        assert "TABLE public mark_of_this_one" in listing
    finally:
        server.sql(f"DROP DATABASE {quoted}")


def test_app_is_not_app_archive(server):
    for name in ("app", "app-archive"):
        server.sql(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}" TEMPLATE template0')
        server.sql(f'CREATE TABLE "only in {name}" (a int)', database=name)
    for name, other in (("app", "app-archive"), ("app-archive", "app")):
        listing = tool(server, "pg_restore", "--list", given=dump(server, name))
        assert f"only in {name} " in listing
        assert f"only in {other} " not in listing
        server.sql(f'DROP DATABASE "{name}"')


def test_an_empty_database_is_dumped(server, database):
    assert dump(server, database)[:5] == b"PGDMP"


def test_two_thousand_tables_are_dumped(server, database):
    server.sql("DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT %s AS a', i, i); END LOOP;"
               " END $$", database=database)
    listing = tool(server, "pg_restore", "--list", given=dump(server, database))
    assert listing.count(" TABLE DATA public t") == 2000


def test_excluded_tables_and_data_stay_out(server, database):
    server.sql("CREATE TABLE keep AS SELECT 1 AS a", "CREATE TABLE log_1 AS SELECT 1 AS a",
               "CREATE TABLE cache AS SELECT 1 AS a",
               database=database)
    selection = Selection(exclude_tables=("log_*",), exclude_table_data=("cache",))
    listing = tool(server, "pg_restore", "--list", given=dump(server, database, selection))
    assert "log_1" not in listing
    assert " TABLE public cache" in listing
    assert " TABLE DATA public cache" not in listing
    assert " TABLE DATA public keep" in listing


def test_a_database_dropped_after_it_was_listed_is_not_found(server):
    server.sql("CREATE DATABASE short_lived TEMPLATE template0")
    whole = cluster(server)
    assert "short_lived" in [each.name for each in whole.server().databases]
    server.sql("DROP DATABASE short_lived")
    with pytest.raises(NotFound, match="short_lived"):
        with whole.session("short_lived", Selection(), lock_timeout=5):
            pass


def test_an_older_pg_dump_is_refused_before_anything_is_locked(servers):
    server = servers.of(16)
    with pytest.raises(ConfigError) as caught:
        dump(server, "postgres", bin_dir=servers.of(15).bin_dir)
    assert caught.value.code == "tools.too_old"
    assert "postgresql-client-16" in caught.value.hint


def test_a_newer_pg_dump_is_taken_and_told(servers):
    old, new = servers.of(15), servers.of(18)
    whole = cluster(old, bin_dir=new.bin_dir)
    assert whole.dump_tool(whole.server()) == tool(new, "pg_dump", "--version").strip()
    assert dump(old, "postgres", bin_dir=new.bin_dir)[:5] == b"PGDMP"


def test_a_missing_pg_dump_is_told(server, tmp_path):
    whole = cluster(server, bin_dir=str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        whole.dump_tool(whole.server())
    assert caught.value.code == "tools.missing"


@pytest.fixture
def wrapped(server, tmp_path):
    """A function that gives a bin_dir whose pg_dump is a script; $REAL in it is the server's own pg_dump."""
    def wrap(script):
        path = tmp_path / "bin" / "pg_dump"
        path.parent.mkdir()
        (path.parent / "pg_restore").symlink_to(f"{server.bin_dir}/pg_restore")
        real = f"{server.bin_dir}/pg_dump"
        path.write_text(f'#!/bin/bash\nREAL={real}\nif [ "$1" = --version ]; then exec $REAL --version; fi\n{script}\n')
        path.chmod(0o755)
        return str(path.parent)
    return wrap


def test_a_pg_dump_that_fails_after_its_output_is_a_failure(server, shop, wrapped):
    taken = []
    with cluster(server, bin_dir=wrapped('$REAL "$@"; exit 3')).session(shop, Selection(), lock_timeout=5) as session:
        with pytest.raises(ToolFailed, match="status 3"):
            for chunk in session.stream(DumpOptions()):
                taken.append(chunk)
    assert b"".join(taken)[:5] == b"PGDMP"


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_a_pg_dump_that_is_killed_is_a_failure(server, shop, wrapped, tmp_path, form):
    with pytest.raises(ToolFailed, match="SIGKILL"):
        dump(server, shop, bin_dir=wrapped('kill -9 $$'), format=form, staging=str(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["bin"]


def test_a_pg_dump_killed_in_the_middle_of_its_data_is_a_failure(server, database):
    server.sql("CREATE TABLE big AS SELECT repeat(md5(g::text), 300) AS t FROM generate_series(1, 20000) AS g",
               database=database)
    with cluster(server).session(database, Selection(), lock_timeout=5) as session:
        chunks = session.stream(DumpOptions())
        next(chunks)
        for process in children_of(os.getpid(), "pg_dump"):
            os.kill(process, 9)
        with pytest.raises(ToolFailed, match="SIGKILL"):
            for _chunk in chunks:
                pass


def test_a_dump_is_no_dump_when_its_locks_were_lost(server, shop):
    with cluster(server).session(shop, Selection(), lock_timeout=5) as session:
        chunks = session.stream(DumpOptions())
        next(chunks)
        holder = server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name = 'restorable' AND state = 'idle in transaction'")
        assert holder == [(True,)]
        time.sleep(0.2)
        with pytest.raises(Unavailable) as caught:
            for _chunk in chunks:
                pass
    assert caught.value.code == "dump.session_lost"


@contextmanager
def queued_change(server, database):
    """Have an ALTER TABLE wait behind the locks of a dump; give the dump's locks back before the end."""
    with server.connect(database) as other:
        change = threading.Thread(target=other.execute, args=("ALTER TABLE t ADD b int",))
        change.start()
        while not server.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0]:
            time.sleep(0.02)
        try:
            yield
        finally:
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'restorable'")
            change.join()


def test_a_change_that_queues_before_pg_dump_is_waited_for_only_so_long(server, database):
    server.sql("CREATE TABLE t (a int)", database=database)
    with cluster(server).session(database, Selection(), lock_timeout=0.5) as session:
        with queued_change(server, database):
            with pytest.raises(Unavailable) as caught:
                list(session.stream(DumpOptions()))
    assert caught.value.code == "dump.lock_timeout"


def test_a_change_that_queues_during_the_dump_does_not_stop_the_fingerprint(server, database):
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 100) AS a", database=database)
    with cluster(server).session(database, Selection(), lock_timeout=5) as session:
        with queued_change(server, database):
            assert session.fingerprint("full").tables["public.t"].rows == 100


def children_of(parent, name):
    """Return the ids of a process's children whose program has that name, grandchildren included."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)
        except OSError:
            continue
        program, above = fields[0].split("(", 1)[1], int(fields[1].split()[1])
        if above == parent:
            found += ([int(entry.name)] if program == name else []) + children_of(int(entry.name), name)
    return found


def test_the_password_is_in_no_command_line_and_no_readable_file(empty_server, tmp_path, monkeypatch):
    server = empty_server(16, hba="local all postgres trust\nlocal all all scram-sha-256\n")
    server.sql("CREATE ROLE backup LOGIN SUPERUSER PASSWORD 'xyzzy:very\\secret'", *SHOP)
    seen, private, done = set(), set(), threading.Event()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def watch():
        while not done.is_set():
            for entry in pathlib.Path("/proc").iterdir():
                try:
                    seen.add((entry / "cmdline").read_bytes())
                except OSError:
                    continue
            for path in (pathlib.Path(above, name) for above, _folders, names in os.walk(tmp_path) for name in names):
                try:
                    if b"xyzzy" in path.read_bytes():
                        private.add(oct(path.stat().st_mode & 0o777))
                except OSError:
                    continue
            time.sleep(0.01)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        settings = {"user": "backup", "password": "xyzzy:very\\secret"}
        for form in ("custom", "directory"):
            assert dump(server, "postgres", settings=settings, format=form, jobs=2)
        assert b"CREATE ROLE backup" in b"".join(cluster(server, settings=settings).dump_globals())
    finally:
        done.set()
        watcher.join()
    assert any(b"pg_dump" in line for line in seen)
    assert not any(b"xyzzy" in line for line in seen)
    assert private == set()            # it is handed over in memory
    assert list(tmp_path.iterdir()) == []


def test_globals_hold_roles_with_their_passwords(server):
    server.sql("DROP ROLE IF EXISTS globals_role", "CREATE ROLE globals_role LOGIN PASSWORD 'x'")
    text = b"".join(cluster(server).dump_globals()).decode()
    assert "CREATE ROLE globals_role;" in text
    assert "SCRAM-SHA-256$" in text
    assert "database cluster dump complete" in text
    without = b"".join(cluster(server, role_passwords=False).dump_globals()).decode()
    assert "CREATE ROLE globals_role;" in without
    assert "SCRAM" not in without
    server.sql("DROP ROLE globals_role")


def test_the_inventory_of_globals_knows_every_role(server):
    server.sql("DROP ROLE IF EXISTS inventory_role", "CREATE ROLE inventory_role LOGIN")
    assert any("inventory_role" in key for key in cluster(server).globals_inventory())
    server.sql("DROP ROLE inventory_role")
    assert not any("inventory_role" in key for key in cluster(server).globals_inventory())


def test_globals_without_the_right_to_read_passwords_say_what_to_set(server):
    server.sql("DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN")
    with pytest.raises(ConfigError) as caught:
        list(cluster(server, settings={"user": "plain"}).dump_globals())
    assert caught.value.code == "dump.role_passwords"
    assert b"CREATE ROLE plain" in b"".join(
        cluster(server, settings={"user": "plain"}, role_passwords=False).dump_globals())
    server.sql("DROP ROLE plain")


def test_a_hostile_environment_changes_no_dump(server, shop, monkeypatch):
    for name, value in (("PGDATABASE", "evil"), ("PGHOST", "/evil"), ("PGOPTIONS", "-c statement_timeout=1"),
                        ("PGUSER", "evil"), ("PGSSLMODE", "verify-full")):
        monkeypatch.setenv(name, value)
    assert " TABLE DATA public plain" in tool_list(server, dump(server, shop))


def tool_list(server, archive):
    """Return pg_restore's listing, run with a clean environment."""
    return subprocess.run([f"{server.bin_dir}/pg_restore", "--list"], input=archive, capture_output=True, check=True,
                          env={"PATH": "/usr/bin"}).stdout.decode()


def test_a_sequence_that_moves_during_the_dump_is_accepted_at_either_end(server, database):
    server.sql("CREATE SEQUENCE s", "SELECT nextval('s')", "CREATE TABLE t (a int)", database=database)
    with cluster(server).session(database, Selection(), lock_timeout=5) as session:
        found = session.fingerprint("full")
        server.sql("SELECT nextval('s') FROM generate_series(1, 10)", database=database)
        list(session.stream(DumpOptions()))
        settled = session.settle(found)
        # the locks are given back before the end
        server.sql("SET lock_timeout = '1s'", "ALTER TABLE t ADD b int", database=database)
    assert found.sequences["public.s"] == (2, 2)
    assert settled.sequences["public.s"] == (2, 12)
    assert settled.tables == found.tables


def test_no_fingerprint_is_taken_when_none_is_wanted(server, database):
    with cluster(server).session(database, Selection(), lock_timeout=5) as session:
        found = session.fingerprint("none")
        assert (found.level, found.objects) == ("none", {})
        assert session.settle(found) == found


@pytest.mark.parametrize("password", ["two\nlines", "ends with\r", "a:b\\c d"])
def test_a_password_with_any_sign_reaches_pg_dump(empty_server, password):
    server = empty_server(16, hba="local all postgres trust\nlocal all all scram-sha-256\n")
    quoted = password.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    server.sql(f"CREATE ROLE backup LOGIN SUPERUSER PASSWORD E'{quoted}'")
    assert dump(server, "postgres", settings={"user": "backup", "password": password})[:5] == b"PGDMP"


@pytest.mark.parametrize("major", MAJORS, ids=lambda major: f"pg{major}")
def test_a_standby_is_dumped_like_its_primary(empty_server, major, tmp_path):
    primary = empty_server(major)
    primary.sql("CREATE TABLE t AS SELECT generate_series(1, 100) AS a")
    with start_standby(primary) as standby:
        whole = cluster(standby)
        assert whole.server().in_recovery
        assert whole.server().system_identifier == cluster(primary).server().system_identifier
        with whole.session("postgres", Selection(), lock_timeout=5) as session:
            archive = b"".join(session.stream(DumpOptions()))
            assert session.fingerprint("full").tables["public.t"].rows == 100
            assert session.lsn.count("/") == 1
        assert b"cluster dump complete" in b"".join(whole.dump_globals())
    assert " TABLE DATA public t" in tool_list(primary, archive)
