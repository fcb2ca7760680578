# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection settings: strict, secret, and never expanded."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.postgres.parameters import DEFAULTS, Connection


def of(settings, environ=None):
    return Connection.of({"host": "/nowhere", **settings}, environ or {})


def refusal(settings, environ=None):
    with pytest.raises(ConfigError) as caught:
        of(settings, environ)
    return caught.value


def test_an_unknown_setting_is_named_with_its_nearest_match():
    error = refusal({"pasword_file": "/x"})
    assert "'pasword_file'" in error.message
    assert "`password_file`" in error.hint
    assert error.code == "connect.unknown_setting"


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "٣", "5432,x"])
def test_a_port_that_is_no_port_is_named(port):
    assert repr(port) in refusal({"port": port}).message


@pytest.mark.parametrize("port", [5432, "5432", "5432,5433", ",5433"])
def test_a_port_may_be_a_number_text_or_one_for_each_host(port):
    assert of({"port": port}).params["port"] == str(port)


@pytest.mark.parametrize("value", [True, None, ["a"], 1.5])
def test_a_value_of_another_type_is_refused(value):
    assert "'user'" in refusal({"user": value}).message


def test_a_secret_that_only_fits_on_a_command_line_is_refused():
    assert refusal({"sslpassword": "x"}).code == "connect.unknown_setting"


def test_the_environment_is_ignored_as_soon_as_something_is_set():
    connection = Connection.of({"user": "me"}, {"PGHOST": "elsewhere", "PGOPTIONS": "-c x=y"})
    assert connection.params.get("host") != "elsewhere"
    assert "options" not in connection.params


def test_without_settings_the_environment_is_the_settings():
    connection = Connection.of({}, {"PGHOST": "db", "PGUSER": "me", "PGPASSWORD": "topsecret", "PGDATABASE": "app"})
    assert connection.params == {**DEFAULTS, "host": "db", "user": "me", "dbname": "app"}
    assert connection.password == "topsecret"
    assert connection.maintenance_database == "app"


def test_neither_repr_nor_conninfo_shows_the_password():
    connection = of({"password": "topsecret"})
    assert "topsecret" not in repr(connection) + connection.conninfo("app")


@pytest.mark.parametrize("name, quoted", [
    ("host=evil", "dbname='host=evil'"),
    ("postgres://evil/x", "dbname='postgres://evil/x'"),
    ("it's", r"dbname='it\'s'"),
    ("back\\slash", r"dbname='back\\slash'"),
    ("new\nline", "dbname='new\nline'"),
])
def test_a_database_name_is_quoted_inside_the_conninfo(name, quoted):
    assert of({}).conninfo(name).endswith(quoted)


def test_libpq_reads_back_what_conninfo_wrote():
    psycopg = pytest.importorskip("psycopg", reason="psycopg reads the conninfo text here")
    name = "a 'b' \\c\n=%🙂"
    read = psycopg.conninfo.conninfo_to_dict(of({"user": "o'neill"}).conninfo(name))
    assert (read["dbname"], read["user"]) == (name, "o'neill")


def test_a_password_file_loses_only_its_last_newline(tmp_path):
    path = tmp_path / "secret"
    path.write_text("with space \n\n")
    path.chmod(0o600)
    assert of({"password_file": str(path)}).password == "with space \n"


@pytest.mark.parametrize("key", ["password_file", "passfile"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_file_that_others_can_read_is_refused_with_the_command_to_run(tmp_path, key, mode):
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(mode)
    error = refusal({key: str(path)})
    assert f"{mode:04o}" in error.message
    assert error.hint == f"Run `chmod 600 {path}`."


def test_a_missing_password_file_is_named(tmp_path):
    assert "/gone" in refusal({"password_file": f"{tmp_path}/gone"}).message


def test_an_empty_password_file_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.touch(0o600)
    assert "holds no password" in refusal({"password_file": str(path)}).message


def test_two_passwords_are_refused(tmp_path):
    assert refusal({"password": "a", "password_file": "/b"}).code == "connect.two_passwords"


def test_masking_blots_out_the_password_wherever_it_stands():
    connection = of({"password": "topsecret"})
    masked = connection.mask("x topsecret password='to\\'p s' postgresql://me:other@h/db PASSWORD = zzz")
    for secret in ("topsecret", "to\\'p", "other", "zzz"):
        assert secret not in masked


def test_pinning_replaces_several_hosts_by_the_one_that_answered():
    connection = of({"host": "a,b", "port": "1,2", "load_balance_hosts": "random"}).pinned("b", "10.0.0.2", 2)
    assert {key: connection.params.get(key) for key in ("host", "hostaddr", "port", "load_balance_hosts")} == {
        "host": "b", "hostaddr": "10.0.0.2", "port": "2", "load_balance_hosts": None}
