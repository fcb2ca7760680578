# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RESTORABLE_CONFIG=environment: the command is set by variables, and by the files that variables name."""
from __future__ import annotations

import io

import pytest

from _restorable.app.cli import main
from _restorable.app.surroundings import for_container, from_environment
from _restorable.errors import ConfigError, NotFound
from _restorable.model.variables import READ

KEY = "age1htclll82vzdrcgxs0wqvpexwfaqnksk6px6zp0njeaa4glfj4u0slwmj90"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("4711\n")
    return path


def only(environment):
    [cluster] = from_environment(environment).settings.clusters.values()
    return cluster


@pytest.mark.parametrize("name", sorted(READ))
def test_every_variable_can_be_read_from_a_file(name, secret):
    value = {"TZ": "UTC", "BACKUP_MODE": "once", "MODE": "once",
             "DRILL_TARGET": "scratch"}.get(name, "1" if "DIR" not in name else "/x")
    value = "/x" if name in ("DB01_FILESYSTEM_PATH", "DEFAULT_FILESYSTEM_PATH", "DB_DUMP_TARGET") else value
    value = "gzip" if name.endswith("COMPRESSION") else "60" if name.endswith(("INTERVAL", "FREQ")) else value
    value = "+0" if name.endswith("BEGIN") else value
    value = {"BACKUP_RECIPIENTS": KEY, "BACKUP_IDENTITY_FILE": "/x", "BACKUP_S3_CA_FILE": "/x"}.get(name, value)
    value = "https://s3" if name.endswith("ENDPOINT_URL") else "path" if name.endswith("ADDRESSING") else value
    secret.write_text(value + "\n")
    bucket = {"BACKUP_S3_BUCKET": "b"} if "S3_" in name and not name.endswith(("BUCKET", "ID", "SECRET", "KEY")) else {}
    assert from_environment({f"{name}_FILE": str(secret), **bucket}) == from_environment({name: value, **bucket})


def test_a_list_of_databases_in_a_file_has_one_on_each_line(secret):
    secret.write_text("shop\nbilling\n")
    assert only({"POSTGRES_DB_FILE": str(secret)}).dump.selection.databases == ("billing", "shop")


def test_a_missing_secret_file_is_named_with_its_variable():
    with pytest.raises(ConfigError) as caught:
        from_environment({"DB_PASSWORD_FILE": "/run/secrets/nowhere"})
    assert caught.value.message == ("file /run/secrets/nowhere of environment variable DB_PASSWORD_FILE cannot be "
                                    "read: No such file or directory")


def test_an_empty_secret_file_is_refused(secret):
    secret.write_text("\n")
    with pytest.raises(ConfigError, match=r"DB_PASSWORD_FILE is empty"):
        from_environment({"DB_PASSWORD_FILE": str(secret)})


def test_a_value_and_its_file_exclude_each_other(secret):
    with pytest.raises(ConfigError) as caught:
        from_environment({"PGPASSWORD": "x", "PGPASSWORD_FILE": str(secret)})
    assert caught.value.code == "environment.two"


def test_a_secret_that_everybody_can_read_is_named(secret):
    secret.chmod(0o644)
    [warning] = from_environment({"POSTGRES_PASSWORD_FILE": str(secret)}).warnings
    assert "0644" in warning
    assert str(secret) in warning
    assert from_environment({"POSTGRES_USER_FILE": str(secret)}).warnings == ()


def test_the_command_reads_the_environment_and_says_what_it_does_not_read(tmp_path):
    out, err = io.StringIO(), io.StringIO()
    environment = {"RESTORABLE_CONFIG": "environment", "BACKUP_DIR": str(tmp_path), "BACKUP_PREFIX": "staging-db",
                   "HEALTHCHECK_PORT": "8080"}
    assert main(["list"], out, err, environment) == 0
    assert "staging-db" in out.getvalue()
    assert "HEALTHCHECK_PORT" in err.getvalue()


def test_a_dry_run_can_be_asked_for_by_a_variable(tmp_path):
    folder = tmp_path / "new"
    environment = {"RESTORABLE_CONFIG": "environment", "BACKUP_DIR": str(folder), "BACKUP_DRY_RUN": "1"}
    out = io.StringIO()
    assert main(["init"], out, io.StringIO(), environment) == 0
    assert out.getvalue().startswith("dry run")
    assert not folder.exists()


def test_a_wrong_variable_ends_the_command_with_its_name_and_the_cure():
    err = io.StringIO()
    environment = {"RESTORABLE_CONFIG": "environment", "BACKUP_RETENTION_DAYS": "many"}
    assert main(["list"], io.StringIO(), err, environment) == 2
    assert "BACKUP_RETENTION_DAYS is 'many'" in err.getvalue()
    assert "hint: It must be" in err.getvalue()


def test_a_client_that_is_too_old_names_the_right_image():
    environment = {"RESTORABLE_CONFIG": "environment", "RESTORABLE_IMAGE": "restorable-backup:15-0123456789ab"}
    error = NotFound("no pg_dump of major 17 or newer is here", code="tools.too_old", hint="Install it.")
    assert "Use the image restorable-backup:17-0123456789ab: set BACKUP_POSTGRES_MAJOR=17 in .env" in for_container(
        error, environment).hint
    del environment["RESTORABLE_IMAGE"]
    assert "Use the image restorable-backup:17: set" in for_container(error, environment).hint
    assert for_container(NotFound("x", code="tools.too_old", hint="Install it."), environment).hint == "Install it."
