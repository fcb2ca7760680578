# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dump file is by its content, and what its SQL needs."""
from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.adoption import Unfit
from _restorable.model.dumpfile import (
    Script,
    compression_of,
    encryption_of,
    format_of,
    looks_right,
    mentioned_roles,
    version_num,
    whole_tar,
)

SCRIPT = rb'''--
-- PostgreSQL database dump
--

\restrict Ab3

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 16.2

CREATE DATABASE "My Shop" WITH TEMPLATE = template0;
\connect -reuse-previous=on "dbname='My Shop'"
CREATE SCHEMA s AUTHORIZATION "Big Boss";
CREATE TABLE public.a (id integer);
ALTER TABLE public.a OWNER TO app;
COPY public.a (t) FROM stdin;
GRANT ALL ON TABLE public.a TO data_is_no_statement;
-- PostgreSQL database dump complete
\.
COPY public.b (t) FROM stdin;
\.
GRANT SELECT ON TABLE public.a TO readers;
GRANT SELECT ON TABLE public.a TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT ALL ON TABLES  TO dev WITH GRANT OPTION;
CREATE POLICY p ON public.a FOR SELECT TO tenant, "R 2" USING (true);
--
-- PostgreSQL database dump complete
--

\unrestrict Ab3

'''


def scanned(data: bytes, size: int = 1 << 20) -> Script:
    script = Script()
    for at in range(0, len(data), size):
        script.feed(data[at:at + size])
    return script


def a_tar(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize(("head", "method"), [
    (b"\x1f\x8b\x08\x00", "gzip"), (b"\x28\xb5\x2f\xfd\x04", "zstd"), (b"PGDMP", "none"), (b"-- Postgre", "none")])
def test_compression_is_known_by_the_first_bytes_not_by_the_name(head, method):
    assert compression_of(head) == method


@pytest.mark.parametrize(("head", "why"), [
    (b"", "empty"), (b"BZh91AY", "bunzip2"), (b"\xfd7zXZ\x00", "unxz"), (b"-----BEGIN PGP MESSAGE", "gpg"),
    (b"PK\x03\x04", "unzip")])
def test_what_cannot_be_read_is_refused_with_what_to_do(head, why):
    with pytest.raises(Unfit, match=why):
        compression_of(head)


@pytest.mark.parametrize(("head", "encryption"), [
    (b"Salted__12345678", "openssl"), (b"age-encryption.org/v1", "age"), (b"-----BEGIN AGE ENCRYPTED FILE", "age"),
    (b"PGDMP", ""), (b"", "")])
def test_encryption_is_known_by_the_first_bytes(head, encryption):
    assert encryption_of(head) == encryption


@pytest.mark.parametrize(("head", "right"), [
    (b"\x1f\x8b\x08\x00", True), (b"\x28\xb5\x2f\xfd\x04", True), (SCRIPT[:4096], True), (b"PGDMP\x01" * 3, True),
    (b"-- PostgreSQL database cluster dump", True), (b"\x1f\x8b\x99\x00", False), (b"noise", False), (b"", False)])
def test_noise_is_told_from_a_dump(head, right):
    assert looks_right(head) is right


@pytest.mark.parametrize(("head", "form"), [
    (b"PGDMP\x01\x0e\x00\x04\x08\x01\x01", "custom"), (SCRIPT[:4096], "plain"),
    (a_tar(("toc.dat", b"PGDMP\x01\x0e\x00\x04\x08\x03\x01")), "tar"),
    (a_tar(("toc.dat", b"PGDMP\x01\x0e\x00\x04\x08\x05\x01")), "directory")])
def test_a_format_is_known_by_its_content(head, form):
    assert format_of(head) == form


@pytest.mark.parametrize(("head", "why"), [
    (b"", "empty once unpacked"), (b"hello", "no PostgreSQL dump"), (b"-- MySQL dump 10.13", "no PostgreSQL dump"),
    (b"--\n-- PostgreSQL database cluster dump\n--", "pg_dumpall"), (b"PGDMP\x01", "cut off after 6 bytes"),
    (a_tar(("photos/cat.jpg", b"x")), "begins with 'photos/cat.jpg'")])
def test_what_is_no_dump_of_one_database_is_refused(head, why):
    with pytest.raises(Unfit, match=why):
        format_of(head)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
def test_a_script_tells_what_its_restore_needs_however_it_is_cut_into_chunks(size):
    script = scanned(SCRIPT, size)
    assert script.roles == {"Big Boss", "app", "readers", "owner", "dev", "tenant", "R 2"}
    assert (script.version, script.tool, script.database, script.tables) == ("15.18", "16.2", "My Shop", 1)
    assert script.complete


def test_windows_line_ends_change_nothing():
    assert scanned(SCRIPT.replace(b"\n", b"\r\n")).roles == scanned(SCRIPT).roles
    assert scanned(SCRIPT.replace(b"\n", b"\r\n")).complete


@given(st.integers(0, SCRIPT.rindex(b"-- PostgreSQL database dump complete") + 35), st.integers(1, 400))
def test_a_script_that_was_cut_off_is_never_complete_whatever_its_data_say(length, size):
    assert not scanned(SCRIPT[:length], size).complete


def test_a_script_without_the_last_line_end_is_complete():
    assert scanned(SCRIPT[:SCRIPT.rindex(b"-- PostgreSQL database dump complete") + 36]).complete


def test_a_very_long_line_is_passed_over_in_little_memory():
    script = Script()
    script.feed(b"INSERT INTO t VALUES ('")
    for _index in range(64):
        script.feed(b"x" * (1 << 20))
        assert len(script._rest) <= 2 << 20
    script.feed(b"');\nALTER TABLE t OWNER TO app;\n")
    assert script.roles == {"app"}


@pytest.mark.parametrize(("statement", "roles"), [
    ("ALTER FUNCTION public.f(integer, text) OWNER TO app;", {"app"}),
    ('ALTER TABLE public."TO x;" OWNER TO "a ""b""";', {'a "b"'}),
    ("GRANT ALL ON SCHEMA public TO app WITH GRANT OPTION;", {"app"}),
    ("GRANT SELECT(a) ON TABLE t TO app GRANTED BY boss;", {"app", "boss"}),
    ("REVOKE ALL ON FUNCTION f() FROM PUBLIC;", set()), ("REVOKE ALL ON TABLE t FROM app;", {"app"}),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE o REVOKE ALL ON TABLES  FROM o;", {"o"}),
    ("SET SESSION AUTHORIZATION 'it''s';", {"it's"}), ("SET SESSION AUTHORIZATION DEFAULT;", set()),
    ("CREATE USER MAPPING FOR app SERVER s OPTIONS (", {"app"}), ("CREATE USER MAPPING FOR PUBLIC SERVER s;", set()),
    ("CREATE POLICY p ON t USING (true);", set()), ("ALTER TABLE t ADD COLUMN owner text;", set()),
    ("ALTER TABLE public.t OWNER TO möbel;", {"möbel"})])
def test_a_statement_mentions_its_roles(statement, roles):
    assert mentioned_roles(statement) == roles


@pytest.mark.parametrize(("text", "number"), [
    ("15.18", 150018), ("18", 180000), ("9.6.24", 90624), ("9.6", 90600), ("", 0), ("devel", 0)])
def test_a_version_has_a_number(text, number):
    assert version_num(text) == number


TAR = a_tar(("toc.dat", b"x" * 700), ("1.dat", b""), ("restore.sql", b"y" * 512))


@given(st.integers(1, 3000))
def test_a_whole_tar_passes_unchanged(size):
    pieces = [TAR[at:at + size] for at in range(0, len(TAR), size)]
    assert b"".join(whole_tar(pieces)) == TAR


@given(st.integers(1, 3000), st.integers(0, 512 * 7 - 1))
def test_a_tar_that_was_cut_off_is_refused(size, length):
    pieces = [TAR[at:min(length, at + size)] for at in range(0, length, size)]
    with pytest.raises(Unfit, match="cut off"):
        list(whole_tar(pieces))
