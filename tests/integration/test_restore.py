# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores into real servers: single tables, whole databases, and everything that must stop one."""
from __future__ import annotations

import io
import os
import signal
import subprocess
import tarfile
import threading
import time
import types
from contextlib import suppress

import psycopg
import pytest

from _restorable.errors import ConfigError, Damaged, NotFound, Refused, RestorableError, ToolFailed
from _restorable.model.choice import choose
from _restorable.model.server import Database
from _restorable.ports import RestoreOptions
from _restorable.postgres.archive_reader import PgArchives
from _restorable.postgres.archives import untar
from _restorable.postgres.folder import tar_folder
from _restorable.postgres.loading import in_one_piece
from _restorable.postgres.restore import PgTarget
from kit import shop as kit
from kit.servers import MAJORS, Missing, start_server

LINES = [("sales", "lines")]


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"pg{major}")
def source(request):
    """A server of its own with the roles, and dumps of the shop in every format."""
    try:
        with start_server(request.param) as server:
            kit.build(server, "origin")
            custom = kit.dump(server, "origin", "--format=custom")
            yield types.SimpleNamespace(
                server=server, target=PgTarget.to(server.settings, bin_dir=server.bin_dir), custom=custom,
                plain=kit.dump(server, "origin"), described=kit.described(server, "origin"))
    except Missing as missing:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip(str(missing))


@pytest.fixture
def shop(source):
    """A database named shop, as it was dumped."""
    source.server.sql('CREATE DATABASE "shop" TEMPLATE origin')
    yield source
    source.server.sql('DROP DATABASE IF EXISTS "shop" WITH (FORCE)')


@pytest.fixture
def empty(source):
    """An empty database named fresh."""
    source.server.sql('CREATE DATABASE "fresh" TEMPLATE template0')
    yield source
    source.server.sql('DROP DATABASE IF EXISTS "fresh" WITH (FORCE)')


def only(*tables: str, **options) -> RestoreOptions:
    return RestoreOptions(tables=tables, **options)


def differing(one: list[str], other: list[str]) -> list[str]:
    return sorted(set(one) ^ set(other))


@pytest.mark.parametrize("table", ["public.orders", "customers", "sales.lines", "events", "public.events_2025",
                                   "odd name.x", "new\nline", "typed_parent"])
def test_a_dropped_table_comes_back_as_if_it_had_never_been_gone(shop, table):
    name = {"odd name.x": '"odd name.x"', "new\nline": '"new\nline"'}.get(table, table)
    shop.server.sql(f"DROP TABLE {name} CASCADE", database="shop")
    if table == "typed_parent":        # its child by inheritance went too
        shop.target.restore("shop", kit.chunks(shop.custom), only("typed_parent", "child"))
    else:
        shown = '"odd name.x"' if table == "odd name.x" else table
        assert shop.target.restore("shop", kit.chunks(shop.custom), only(shown)) == []
    assert differing(shop.described, kit.described(shop.server, "shop")) == []


def test_the_rest_of_the_database_stays_as_it_is_now(shop):
    shop.server.sql("DROP TABLE orders CASCADE", "INSERT INTO customers (name) VALUES ('after the dump')",
                    "CREATE TABLE since (a int)", database="shop")
    shop.target.restore("shop", kit.chunks(shop.custom), only("orders"))
    assert shop.server.sql("SELECT count(*) FROM customers", database="shop") == [(101,)]
    assert shop.server.sql("SELECT count(*) FROM since", database="shop") == [(0,)]


def test_a_foreign_key_of_others_that_rows_now_break_is_reported_and_the_table_is_back(shop):
    shop.server.sql("DROP TABLE orders CASCADE", "INSERT INTO sales.lines VALUES (99999, 1)", database="shop")
    notes = shop.target.restore("shop", kit.chunks(shop.custom), only("orders"))
    assert len(notes) == 1
    assert "FK CONSTRAINT sales lines lines_order_id_fkey was not restored" in notes[0]
    assert shop.server.sql("SELECT count(*) FROM orders", database="shop") == [(500,)]


def test_a_table_that_exists_is_replaced_in_one_transaction(shop):
    shop.server.sql("DELETE FROM sales.lines", "DROP VIEW big", "DROP MATERIALIZED VIEW mv",
                    "ALTER TABLE sales.lines DROP CONSTRAINT lines_order_id_fkey", "UPDATE orders SET total = 1",
                    "INSERT INTO sales.lines VALUES (1, 7)", database="shop")
    shop.target.restore("shop", kit.chunks(shop.custom), only("orders", clean=True))
    assert shop.server.sql("SELECT sum(total), count(*) FROM orders", database="shop") == [(125250, 500)]


def test_dependents_stop_a_replacement_and_nothing_is_changed(shop):
    before = kit.described(shop.server, "shop")
    with pytest.raises(Refused, match="view big depends on table") as caught:
        shop.target.restore("shop", kit.chunks(shop.custom), only("orders", clean=True))
    assert caught.value.code == "restore.dependents"
    assert differing(before, kit.described(shop.server, "shop")) == []


def test_dependents_dropped_with_cascade_come_back(shop):
    shop.server.sql("UPDATE orders SET total = 1", database="shop")
    assert shop.target.restore("shop", kit.chunks(shop.custom), only("orders", clean=True, cascade=True)) == []
    assert differing(shop.described, kit.described(shop.server, "shop")) == []


def test_a_restore_of_a_table_that_fails_leaves_nothing_half_made(shop):
    shop.server.sql("DROP TABLE orders CASCADE", "DROP FUNCTION touch", database="shop")
    before = kit.described(shop.server, "shop")
    with pytest.raises(ToolFailed, match="function public.touch"):
        shop.target.restore("shop", kit.chunks(shop.custom), only("orders"))
    assert differing(before, kit.described(shop.server, "shop")) == []


def test_a_table_that_is_not_in_the_backup_is_named(shop):
    with pytest.raises(NotFound, match="'public.order'"):
        shop.target.restore("shop", kit.chunks(shop.custom), only("public.order"))


def test_only_data_comes_back_into_a_table_that_stands(shop):
    shop.server.sql("TRUNCATE sales.lines", database="shop")
    shop.target.restore("shop", kit.chunks(shop.custom), only("sales.lines", data_only=True))
    assert differing(shop.described, kit.described(shop.server, "shop")) == []


def test_a_schema_comes_back_whole(shop):
    shop.server.sql("DROP TABLE sales.lines, sales.events_2026", "ALTER TYPE sales.state SET SCHEMA public",
                    "DROP SCHEMA sales", database="shop")
    shop.target.restore("shop", kit.chunks(shop.custom), RestoreOptions(schemas=("sales",)))
    shop.server.sql("DROP TYPE sales.state", "ALTER TYPE public.state SET SCHEMA sales", database="shop")
    assert differing(shop.described, kit.described(shop.server, "shop")) == []


@pytest.mark.parametrize("options", [{}, {"jobs": 2}, {"single_transaction": True}], ids=str)
def test_a_whole_archive_fills_an_empty_database(empty, options):
    assert empty.target.restore("fresh", kit.chunks(empty.custom), RestoreOptions(**options)) == []
    assert differing(empty.described, kit.described(empty.server, "fresh")) == []


def test_a_plain_dump_fills_an_empty_database(empty):
    assert empty.target.restore("fresh", kit.chunks(empty.plain), RestoreOptions("plain")) == []
    assert differing(empty.described, kit.described(empty.server, "fresh")) == []


def test_a_plain_dump_that_makes_its_database_fills_the_one_that_is_named(empty):
    text = kit.dump(empty.server, "origin", "--create", "--clean", "--if-exists")
    empty.target.restore("fresh", kit.chunks(text), RestoreOptions("plain"))
    assert differing(empty.described, kit.described(empty.server, "fresh")) == []


def test_a_directory_archive_is_restored_by_several_workers(empty, tmp_path):
    kit.dump(empty.server, "origin", "--format=directory", f"--file={tmp_path}/dir", "--compress=0")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for path in sorted((tmp_path / "dir").iterdir()):
            writer.add(path, path.name)
    options = RestoreOptions("directory", jobs=2)
    lines = empty.target.contents(kit.chunks(tar.getvalue(), 1000), options)
    assert sum(" TABLE DATA " in line for line in lines) == 10
    empty.target.restore("fresh", kit.chunks(tar.getvalue(), 1000), options)
    assert differing(empty.described, kit.described(empty.server, "fresh")) == []


@pytest.mark.parametrize("share", [0.99, 0.6, 0.2])
def test_a_plain_dump_that_was_cut_off_leaves_the_database_empty(empty, share):
    cut = empty.plain[:int(len(empty.plain) * share)]
    with pytest.raises(RestorableError):
        empty.target.restore("fresh", kit.chunks(cut), RestoreOptions("plain"))
    assert empty.target.user_objects("fresh") == []


def test_a_plain_dump_that_lost_only_its_last_lines_is_damaged(empty):
    cut = empty.plain[:empty.plain.rindex(b"-- PostgreSQL database dump complete")]
    with pytest.raises(Damaged, match="plain dump ends before its last line"):
        empty.target.restore("fresh", kit.chunks(cut), RestoreOptions("plain"))
    assert empty.target.user_objects("fresh") == []


@pytest.mark.parametrize("before", [b"CREATE TABLE", b"-- PostgreSQL database dump complete"])
def test_a_plain_dump_that_quits_early_is_not_taken_for_restored(empty, before):
    text = empty.plain.replace(b"\\restrict", b"-- ").replace(b"\\unrestrict", b"-- ")
    where = text.index(before)
    with pytest.raises((Damaged, ToolFailed)):
        empty.target.restore("fresh", kit.chunks(text[:where] + b"\\q\n" + text[where:]), RestoreOptions("plain"))
    assert empty.target.user_objects("fresh") == []


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("share", [0.99, 0.6, 0.2])
def test_an_archive_that_was_cut_off_never_passes(empty, jobs, share):
    cut = empty.custom[:int(len(empty.custom) * share)]
    with pytest.raises(RestorableError):
        empty.target.restore("fresh", kit.chunks(cut), RestoreOptions(jobs=jobs))
    with pytest.raises(Damaged):
        PgArchives(empty.server.bin_dir).contents(kit.chunks(cut), RestoreOptions())


@pytest.mark.parametrize("options", [RestoreOptions(single_transaction=True), RestoreOptions(jobs=2),
                                     RestoreOptions("plain"), only("orders")], ids=["stream", "jobs", "plain", "table"])
def test_a_failure_above_is_no_end_of_input(empty, options, tmp_path, monkeypatch):
    data = empty.plain if options.format == "plain" else empty.custom
    target = PgTarget.to(empty.server.settings, bin_dir=empty.server.bin_dir, stage=str(tmp_path))

    def broken():
        yield data[:len(data) * 9 // 10]
        raise Damaged("object is not what was stored")

    with pytest.raises(Damaged, match="not what was stored"):
        target.restore("fresh", broken(), options)
    assert empty.target.user_objects("fresh") == []
    assert list(tmp_path.iterdir()) == []


def test_the_staged_archive_is_private_and_removed(empty, tmp_path):
    target = PgTarget.to(empty.server.settings, bin_dir=empty.server.bin_dir, stage=str(tmp_path))
    with target.staged(kit.chunks(empty.custom), RestoreOptions(jobs=2)):
        folder, = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "archive").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/b", ".hidden", "link"])
def test_a_tar_cannot_write_outside_of_its_folder(tmp_path, name):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        member = tarfile.TarInfo(name)
        if name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        writer.addfile(member, io.BytesIO())
    with pytest.raises(Damaged, match="which pg_dump does not make"):
        untar([tar.getvalue()], str(tmp_path / "in"))
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("size", [1, 2, 3, 50, 255, 256, 257, 100000])
def test_large_objects_do_not_end_the_transaction_of_a_plain_dump_however_it_is_cut(source, size):
    text = source.plain[source.plain.index(b"Type: BLOBS") - 3000:][:6000]
    passed = b"".join(in_one_piece(kit.chunks(text, size)))
    assert passed == text.replace(b"\nBEGIN;\n\nSELECT", b"\nSELECT").replace(b"\nCOMMIT;\n", b"\n")
    assert len(passed) == len(text) - len(b"BEGIN;\n\n") - len(b"COMMIT;\n")


def test_user_objects_are_what_a_user_made(source):
    source.server.sql('CREATE DATABASE "fresh" TEMPLATE template0')
    try:
        assert source.target.user_objects("fresh") == []
        source.server.sql("SELECT lo_from_bytea(4711, 'x')", database="fresh")
        assert source.target.user_objects("fresh") == ["large object 4711"]
        source.server.sql("SELECT lo_unlink(4711)", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                          "CREATE SCHEMA s", "CREATE TYPE s.t AS ENUM ()", database="fresh")
        assert source.target.user_objects("fresh") == ["public.f()", "schema s", "type s.t"]
    finally:
        source.server.sql('DROP DATABASE "fresh"')


def test_relations_are_looked_up_by_name(shop):
    wanted = [("public", "orders"), ("sales", "lines"), ("public", "big"), ("public", "lines"), ("pg_temp", "orders"),
              ("public", "new\nline"), ("public", "odd name.x")]
    assert shop.target.standing("shop", wanted) == ["public.big", "public.new\nline", "public.odd name.x",
                                                    "public.orders", "sales.lines"]


def test_what_depends_on_relations_is_named_but_not_what_goes_with_them(shop):
    shop.server.sql("CREATE VIEW sales.bigger AS SELECT * FROM public.big WHERE total > 400", database="shop")
    assert shop.target.dependents("shop", [("public", "orders")]) == [
        "FK CONSTRAINT sales lines lines_order_id_fkey", "MATERIALIZED VIEW public mv", "VIEW public big",
        "VIEW sales bigger"]
    whole = [("public", "orders"), ("sales", "lines"), ("public", "mv"), ("public", "big"), ("sales", "bigger")]
    assert shop.target.dependents("shop", whole) == []
    assert shop.target.dependents("shop", [("public", "events_2025"), ("public", "customers")]) == [
        "FK CONSTRAINT public orders orders_customer_fkey"]


@pytest.mark.parametrize("form", ["custom", "tar", "directory"])
def test_the_outline_of_an_archive_is_read_without_its_data(source, tmp_path, form):
    if form == "directory":
        kit.dump(source.server, "origin", "--format=directory", f"--file={tmp_path}/dir", "--compress=0")
        data = b"".join(tar_folder(str(tmp_path / "dir")))
    else:
        data = kit.dump(source.server, "origin", f"--format={form}")
    # the end, with data in it, is not missed
    toc = source.target.outline(kit.chunks(data[:-3000]), RestoreOptions(form))
    assert sorted(entry.name for entry in toc.of_kind("TABLE"))[:2] == ["child", "customers"]
    assert choose(toc, ["orders"]).later[0].what == "VIEW public big"


def test_a_swap_puts_the_new_database_in_the_place_of_the_old(shop):
    shop.server.sql("CREATE DATABASE newer TEMPLATE origin")
    shop.server.sql("DROP TABLE sales.lines", database="newer")
    with shop.server.connect("shop"):
        assert len(shop.target.sessions("shop")) == 1
        with pytest.raises(Refused, match="in use"):
            shop.target.swap("newer", "shop", "shop_before", disconnect=False)
        assert shop.target.standing("shop", LINES) == ["sales.lines"]
        shop.target.swap("newer", "shop", "shop_before", disconnect=True)
    assert shop.target.standing("shop", LINES) == []
    assert not shop.target.database_exists("newer")
    assert shop.target.standing("shop_before", LINES) == ["sales.lines"]
    shop.target.drop_database("shop_before")


def test_a_session_that_has_just_been_closed_does_not_stand_in_the_way(shop):
    # SIGSTOP holds its process at the server, as a busy machine does: its client has gone and it is listed still
    session = shop.server.connect("shop")
    process = session.info.backend_pid
    os.kill(process, signal.SIGSTOP)
    session.close()
    going_on = threading.Timer(0.5, os.kill, (process, signal.SIGCONT))
    going_on.start()
    assert shop.target.sessions("shop") == []
    going_on.join()


def test_a_swap_wins_against_an_application_that_comes_back_at_once(shop):
    shop.server.sql("CREATE DATABASE newer TEMPLATE origin")
    over, came = threading.Event(), []

    def come_back():
        while not over.is_set():
            with suppress(psycopg.Error), shop.server.connect("shop") as session:
                came.append(session)
                while not over.is_set():
                    session.execute("SELECT 1")
    threads = [threading.Thread(target=come_back) for _each in range(4)]
    for each in threads:
        each.start()
    try:
        while len(came) < 4:
            time.sleep(0.01)
        shop.target.swap("newer", "shop", "shop_before", disconnect=True)
    finally:
        over.set()
        for each in threads:
            each.join()
    assert {"newer", "shop_before"}.intersection(shop.target.database_names()) == {"shop_before"}
    shop.target.drop_database("shop_before")


def test_a_swap_that_fails_gives_the_old_name_back(shop):
    with pytest.raises(RestorableError):
        shop.target.swap("no such database", "shop", "shop_before", disconnect=True)
    assert shop.target.standing("shop", LINES) == ["sales.lines"]
    shop.server.connect("shop").close()    # and it takes sessions


def test_a_missing_locale_is_named_with_its_cure(source):
    with pytest.raises(ConfigError, match=r"needs locale 'xx_YY\.UTF-8'") as caught:
        source.target.create_database("fresh", Database("fresh", 0, collate="xx_YY.UTF-8", ctype="xx_YY.UTF-8"))
    assert "localedef" in caught.value.hint
    assert not source.target.database_exists("fresh")


def test_a_database_is_created_like_another(source):
    source.target.create_database("fresh", Database("fresh", 0, encoding="LATIN1"))
    try:
        assert source.server.sql("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'fresh'") \
            == [("LATIN1",)]
        with pytest.raises(Refused, match="exists"):
            source.target.create_database("fresh")
    finally:
        source.target.drop_database("fresh")
    source.target.drop_database("fresh")


def test_a_live_database_that_is_read_only_by_default_is_restored_into(shop):
    shop.server.sql("DROP TABLE sales.lines", database="shop")
    shop.server.sql("ALTER DATABASE shop SET default_transaction_read_only = on",
                    "ALTER DATABASE shop SET statement_timeout = 20")
    assert shop.target.restore("shop", kit.chunks(shop.custom), only("sales.lines")) == []
    shop.server.sql("ALTER DATABASE shop RESET ALL")
    assert shop.server.sql("SELECT count(*) FROM sales.lines", database="shop") == [(500,)]


def test_a_query_is_read_only_and_answers_in_text(source):
    assert source.target.query("origin", "SELECT count(*), NULL, true FROM orders") == [["500", None, "t"]]
    with pytest.raises(ToolFailed, match="read-only"):
        source.target.query("origin", "DELETE FROM orders")
    assert source.target.query("origin", "SELECT count(*) FROM orders") == [["500"]]


def test_a_command_of_the_user_reaches_the_database(source):
    environment = {**source.target.environment("origin"), "LC_ALL": "C"}
    done = subprocess.run([f"{source.server.bin_dir}/psql", "-XAtc", "SELECT count(*) FROM orders"], env=environment,
                          check=True, stdout=subprocess.PIPE)
    assert done.stdout.strip() == b"500"


def test_roles_that_are_missing_are_made_without_login(source):
    assert source.target.ensure_roles(["app", 'a "b"']) == ['a "b"']
    assert source.server.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'a \"b\"'") == [(False,)]
    source.server.sql('DROP ROLE "a ""b"""')
