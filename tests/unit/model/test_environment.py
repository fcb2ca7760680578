# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container is set by environment variables: one meaning for all their names, and no name passed over in silence."""
from __future__ import annotations

from datetime import timedelta

import pytest

from _restorable.errors import ConfigError
from _restorable.model.environment import read_environment
from _restorable.model.interval import schedule_of
from _restorable.model.variables import KNOWN, LIBPQ, VARIABLES
from _restorable.model.variables_other import REFUSED, WARNED


def only(environment):
    [cluster] = read_environment(environment).settings.clusters.values()
    return cluster


def refusal(**environment):
    with pytest.raises(ConfigError) as caught:
        read_environment(environment)
    assert caught.value.hint.endswith((".", "?"))
    return caught.value


# --- what stands where nothing is said ---


def test_without_a_variable_a_nightly_backup_of_everything_is_kept_for_14_days():
    found = read_environment({"PATH": "/bin", "HOME": "/"})
    [(name, cluster)] = found.settings.clusters.items()
    assert (name, found.schedule, found.timezone, found.log) == ("db", "0 3 * * *", "UTC", "/backups/cron.log")
    assert (found.dry_run, found.once, found.on_start, found.prune, found.warnings) == (False, False, False, True, ())
    assert cluster.retention.within == timedelta(days=14)
    assert (cluster.retention.min_keep, cluster.retention.daily) == (3, 0)
    assert cluster.dump.selection.databases == ()
    assert dict(cluster.connection) == {"host": "db", "port": "5432", "user": "postgres"}
    assert found.settings.repositories["backups"].path == "/backups"


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda each: each.name)
def test_an_empty_value_counts_as_none_under_every_name(variable):
    empty = dict.fromkeys(variable.names, "")
    assert read_environment(empty) == read_environment({})


def test_no_name_means_two_things():
    names = [name for each in VARIABLES for name in each.names] + list(LIBPQ)
    assert len(names) == len(set(names))


# --- the connection, under every name there is ---


@pytest.mark.parametrize(("variable", "key"), [("DB_HOST", "host"), ("DB_PORT", "port"), ("DB_USER", "user"),
                                               ("DB_PASSWORD", "password"), ("PGPASSFILE", "passfile")])
def test_every_name_of_a_connection_value_is_read(variable, key):
    for name in KNOWN[variable].names:
        assert only({name: "4711"}).connection[key] == "4711"


def test_the_first_name_counts():
    assert only({"DB_HOST": "one", "POSTGRES_HOST": "two", "PGHOST": "three"}).connection["host"] == "one"


@pytest.mark.parametrize(("name", "key"), LIBPQ.items())
def test_the_rest_of_libpq_reaches_the_connection(name, key):
    assert only({name: "x"}).connection[key] == "x"


def test_a_password_stands_in_no_message():
    words = str(refusal(DB_PASSWORD="geheim", BACKUP_RETENTION_DAYS="x").as_dict())
    assert "geheim" not in words


# --- who can read it, and a second place ---

KEY = "age1htclll82vzdrcgxs0wqvpexwfaqnksk6px6zp0njeaa4glfj4u0slwmj90"


@pytest.mark.parametrize("text", [KEY, f"{KEY},", f"# the safe's\n{KEY}\n"])
def test_recipients_are_a_list_or_a_file_of_lines(text):
    [recipient] = read_environment({"BACKUP_RECIPIENTS": text}).settings.encryption.recipients
    assert recipient.text == KEY


def test_recipients_without_a_key_fail_closed():
    found = read_environment({"BACKUP_RECIPIENTS": "# none yet"}).settings.encryption
    assert (found.recipients, found.required) == ((), True)


def test_a_wrong_recipient_is_told():
    assert "recipients" in refusal(BACKUP_RECIPIENTS="age1wrong").message


def test_an_identity_is_the_path_of_a_file():
    found = read_environment({"BACKUP_IDENTITY_FILE": "/run/secrets/identity"}).settings.encryption
    assert found.identity_files == ("/run/secrets/identity",)
    assert "BACKUP_IDENTITY_FILE" in refusal(BACKUP_IDENTITY_FILE="identity").message


@pytest.mark.parametrize("names", [
    ("BACKUP_S3_BUCKET", "BACKUP_S3_PREFIX", "BACKUP_S3_REGION", "BACKUP_S3_ACCESS_KEY_ID",
     "BACKUP_S3_SECRET_ACCESS_KEY"),
    ("DB01_S3_BUCKET", "DB01_S3_PATH", "DB01_S3_REGION", "DB01_S3_KEY_ID", "DB01_S3_KEY_SECRET"),
    ("S3_BUCKET", "S3_PATH", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")])
def test_a_bucket_is_a_second_repository_under_every_name(names):
    given = dict(zip(names, ("acme", "postgres", "eu-west-1", "AK", "SK")))
    settings = read_environment(given).settings
    found = settings.repositories["offsite"]
    assert (found.bucket, found.prefix, found.region, found.credentials) == (
        "acme", "postgres/", "eu-west-1", ("AK", "SK", ""))
    assert tuple(settings.clusters["db"].repositories) == ("backups", "offsite")


def test_a_place_without_a_bucket_and_half_of_a_key_are_refused():
    assert refusal(BACKUP_S3_REGION="eu").message == (
        "environment variable BACKUP_S3_REGION is set, and BACKUP_S3_BUCKET is not")
    assert "a part of its credentials" in refusal(BACKUP_S3_BUCKET="b", BACKUP_S3_ACCESS_KEY_ID="AK").message


# --- prefixes and modes ---


@pytest.mark.parametrize(("environment", "name"), [
    ({"BACKUP_PREFIX": "shop-"}, "shop"),
    ({"BACKUP_PREFIX_STAGING": "staging-db-"}, "staging-db"),
    ({"BACKUP_PREFIX_PROD": "live"}, "live"),
    ({"BACKUP_MODE": "staging"}, "staging-db"),
    ({"BACKUP_MODE": "production", "BACKUP_PREFIX_STAGING": "a", "BACKUP_PREFIX_PROD": "b"}, "b"),
    ({"BACKUP_MODE": "prod", "BACKUP_PREFIX": "shop"}, "shop"),
    ({"BACKUP_PREFIX": "shop", "BACKUP_PREFIX_STAGING": "a", "BACKUP_PREFIX_PROD": "b"}, "shop"),
])
def test_the_prefix_names_the_cluster(environment, name):
    assert only(environment).name == name


def test_two_prefixes_need_a_mode():
    error = refusal(BACKUP_PREFIX_STAGING="a", BACKUP_PREFIX_PROD="b")
    assert error.code == "environment.two"
    assert "BACKUP_MODE=staging" in error.hint


@pytest.mark.parametrize(("word", "once"), [("schedule", False), ("AUTO", False), ("cron", False), ("once", True),
                                            ("MANUAL", True), ("staging", False)])
def test_the_mode_says_how_it_runs(word, once):
    assert read_environment({"BACKUP_MODE": word}).once is once
    assert read_environment({"MODE": word}).once is once


# --- retention ---


@pytest.mark.parametrize(("environment", "tiers", "within"), [
    ({"BACKUP_RETENTION_DAYS": "30"}, (0, 0, 0), timedelta(days=30)),
    ({"BACKUP_KEEP_WEEKS": "8"}, (7, 8, 6), timedelta(days=1)),
    ({"BACKUP_KEEP_DAYS": "0", "BACKUP_KEEP_MINS": "60"}, (0, 4, 6), timedelta(hours=1)),
    ({"DB01_CLEANUP_TIME": "2880"}, (0, 0, 0), timedelta(days=2)),
    ({"DEFAULT_CLEANUP_TIME": "1440", "BACKUP_RETENTION_DAYS": "3"}, (0, 0, 0), timedelta(days=3)),
])
def test_what_is_kept(environment, tiers, within):
    policy = only(environment).retention
    assert ((policy.daily, policy.weekly, policy.monthly), policy.within) == (tiers, within)


@pytest.mark.parametrize("environment", [{"BACKUP_RETENTION_DAYS": "unlimited"}, {"BACKUP_RETENTION_DAYS": "-1"},
                                         {"DB01_CLEANUP_TIME": "FALSE"}])
def test_nothing_is_pruned_where_everything_is_to_be_kept(environment):
    found = read_environment(environment)
    assert not found.prune
    assert only(environment).retention.last == -1


def test_the_zone_rules_schedules_and_days():
    found = read_environment({"TZ": ":Europe/Berlin"})
    assert found.timezone == "Europe/Berlin"
    assert only({"TZ": "Europe/Berlin"}).retention.timezone == "Europe/Berlin"


# --- what is dumped ---


@pytest.mark.parametrize(("environment", "databases"), [
    ({"POSTGRES_DB": "shop, billing\nlogs"}, ("billing", "logs", "shop")),
    ({"DB01_NAME": "ALL"}, ()),
    ({"BACKUP_DATABASES": "all", "POSTGRES_DB": "shop"}, ()),
    ({"POSTGRES_DB": "shop", "POSTGRES_CLUSTER": "TRUE"}, ()),
])
def test_which_databases(environment, databases):
    assert only(environment).dump.selection.databases == databases


def test_compression_and_contents():
    dump = only({"DB01_COMPRESSION": "GZ", "DB01_COMPRESSION_LEVEL": "9", "DB01_BACKUP_GLOBALS": "FALSE",
                 "DB01_NAME_EXCLUDE": "scratch"}).dump
    assert (dump.options.compression, dump.options.level) == ("gzip", 9)
    assert (dump.selection.globals, dump.selection.exclude_databases) == (False, ("scratch",))


@pytest.mark.parametrize(("environment", "log"), [
    ({"BACKUP_DIR": "/mnt/"}, "/mnt/cron.log"), ({"BACKUP_LOG": "/var/log/b.log"}, "/var/log/b.log"),
    ({"BACKUP_LOG": "OFF"}, ""), ({"BACKUP_LOG": "-"}, "")])
def test_the_log_lies_beside_the_backups_or_where_it_is_told(environment, log):
    assert read_environment(environment).log == log


@pytest.mark.parametrize(("name", "field"), [("BACKUP_DRY_RUN", "dry_run"), ("BACKUP_ON_START", "on_start")])
@pytest.mark.parametrize(("value", "on"), [("1", True), ("TRUE", True), ("0", False), ("no", False)])
def test_a_switch_is_on_or_off(name, field, value, on):
    assert getattr(read_environment({name: value}), field) is on


def test_evidence_may_be_kept_apart():
    found = read_environment({"BACKUP_EVIDENCE_DIR": "/evidence/"}).settings.repositories["backups"]
    assert found.evidence == "/evidence"


# --- schedules of db-backup ---


@pytest.mark.parametrize(("begin", "interval", "schedule"), [
    ("2330", "1440", ("30 23 * * *", False)), ("0415", "720", ("15 4-23/12 * * *", False)),
    ("0000", "360", ("0 */6 * * *", False)), ("+0", "60", ("0 * * * *", True)), ("", "15", ("*/15 * * * *", True)),
    ("0007", "15", ("7-59/15 * * * *", False)), ("30 23 * * sun", "1440", ("30 23 * * sun", False)),
])
def test_a_beginning_and_an_interval_become_cron_notation(begin, interval, schedule):
    assert schedule_of(begin, interval) == schedule


@pytest.mark.parametrize(("begin", "interval"), [("2460", "1440"), ("noon", "1440"), ("+0", "7"), ("+0", "5000"),
                                                 ("2023-12-21 23:30:00", "1440"), ("+0", "-1")])
def test_what_cron_cannot_say_is_refused(begin, interval):
    assert refusal(DB01_BACKUP_BEGIN=begin, DB01_BACKUP_INTERVAL=interval).code == "environment.value"


def test_a_schedule_of_our_own_comes_before_an_interval():
    found = read_environment({"BACKUP_SCHEDULE": "5 5 * * *", "DB01_BACKUP_INTERVAL": "60"})
    assert (found.schedule, found.on_start) == ("5 5 * * *", False)


# --- bad values: one message that names the variable as it was written, the value, and the cure ---


@pytest.mark.parametrize(("name", "value"), [
    ("BACKUP_RETENTION_DAYS", "0"), ("BACKUP_RETENTION_DAYS", "14d"), ("BACKUP_KEEP_DAYS", "-1"),
    ("BACKUP_DRY_RUN", "perhaps"), ("BACKUP_MODE", "weekly"), ("MODE", "weekly"), ("BACKUP_DIR", "backups"),
    ("DB01_COMPRESSION", "XZ"), ("DRILL_TARGET", "live"), ("BACKUP_COMPRESSION_LEVEL", "high"), ("TZ", "Mars/Olympus"),
])
def test_a_bad_value_is_named(name, value):
    error = refusal(**{name: value})
    assert name in error.message
    assert repr(value) in error.message


# --- names that are not read ---


@pytest.mark.parametrize(("name", "near"), [("BACKUP_RETENTON_DAYS", "BACKUP_RETENTION_DAYS"),
                                            ("BACKUP_SCHEDUL", "BACKUP_SCHEDULE"), ("DRILL_SHEDULE", "DRILL_SCHEDULE")])
def test_a_misspelt_name_is_refused_with_the_nearest(name, near):
    error = refusal(**{name: "1"})
    assert (error.code, error.hint) == ("environment.unknown", f"Did you mean {near}?")


@pytest.mark.parametrize("name", [
    "POSTGRES_EXTRA_OPTS", "DB01_EXTRA_OPTS", "DEFAULT_EXTRA_BACKUP_OPTS", "DB01_ENCRYPT", "DB01_ENCRYPT_PASSPHRASE",
    "PASSPHRASE", "DEFAULT_S3_HOST", "S3_PROTOCOL", "DB01_BLOBXFER_STORAGE_ACCOUNT", "DB02_HOST", "DB17_NAME",
    "DB01_ARCHIVE_TIME", "DEFAULT_BACKUP_BLACKOUT_BEGIN", "DB01_POST_SCRIPT"])
def test_what_would_change_a_backup_is_refused_and_its_value_not_shown(name):
    error = refusal(**{name: "geheim"})
    assert error.code == "environment.unsupported"
    assert name in error.message
    assert "geheim" not in error.message + error.hint


@pytest.mark.parametrize(("name", "value"), [("DB01_ENCRYPT", "FALSE"), ("DB01_TYPE", "pgsql"),
                                             ("DEFAULT_BACKUP_LOCATION", "FILESYSTEM"), ("DB_TYPE", "postgres")])
def test_a_value_that_asks_for_what_is_done_anyway_is_fine(name, value):
    read_environment({name: value})


@pytest.mark.parametrize(("name", "value"), [("DB01_TYPE", "mysql"), ("DEFAULT_BACKUP_LOCATION", "S3")])
def test_another_kind_of_server_or_place_is_refused(name, value):
    assert refusal(**{name: value}).code == "environment.unsupported"


@pytest.mark.parametrize("name", ["BACKUP_SUFFIX", "BACKUP_WEEK_DAY", "HEALTHCHECK_PORT", "WEBHOOK_URL",
                                  "DB01_CHECKSUM", "DEFAULT_CREATE_LATEST_SYMLINK", "MANUAL_RUN_FOREVER",
                                  "DB_CONNECTION", "POSTGRES_NONSENSE"])
def test_what_is_left_alone_is_named(name):
    [warning] = read_environment({name: "x"}).warnings
    assert name in warning


@pytest.mark.parametrize("name", ["POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD", "PGDATA", "PATH", "LANG"])
def test_the_server_images_own_names_are_no_news(name):
    assert read_environment({name: "x"}).warnings == ()


def test_every_pattern_has_words():
    assert all(cure.endswith(".") for cure in REFUSED.values())
    assert all(why and not why.endswith(".") for why in WARNED.values())


# the names in the two images' own documentation (postgres-backup-local in 2025, db-backup 4)
POSTGRES_BACKUP_LOCAL = """
    BACKUP_DIR BACKUP_SUFFIX BACKUP_ON_START BACKUP_KEEP_DAYS BACKUP_KEEP_WEEKS BACKUP_KEEP_MONTHS
    BACKUP_KEEP_MINS BACKUP_LATEST_TYPE VALIDATE_ON_START HEALTHCHECK_PORT POSTGRES_DB POSTGRES_EXTRA_OPTS
    POSTGRES_CLUSTER POSTGRES_HOST POSTGRES_PASSWORD POSTGRES_PASSFILE_STORE POSTGRES_PORT POSTGRES_USER SCHEDULE
    TZ WEBHOOK_URL WEBHOOK_ERROR_URL WEBHOOK_PRE_BACKUP_URL WEBHOOK_POST_BACKUP_URL WEBHOOK_EXTRA_ARGS
"""
DB_BACKUP = """
    MODE USER_DBBACKUP GROUP_DBBACKUP LOG_PATH TEMP_PATH MANUAL_RUN_FOREVER DEBUG_MODE BACKUP_JOB_CONCURRENCY
"""
DB_BACKUP_JOB = """
    BACKUP_LOCATION CHECKSUM LOG_LEVEL RESOURCE_OPTIMIZED SKIP_AVAILABILITY_CHECK COMPRESSION COMPRESSION_LEVEL
    GZ_RSYNCABLE ENABLE_PARALLEL_COMPRESSION PARALLEL_COMPRESSION_THREADS ENCRYPT ENCRYPT_PASSPHRASE
    ENCRYPT_PUBLIC_KEY ENCRYPT_PRIVATE_KEY BACKUP_INTERVAL BACKUP_BEGIN CLEANUP_TIME ARCHIVE_TIME
    BACKUP_BLACKOUT_BEGIN BACKUP_BLACKOUT_END PORT AUTH BACKUP_GLOBALS EXTRA_BACKUP_OPTS EXTRA_ENUMERATION_OPTS
    EXTRA_OPTS MYSQL_CLIENT INFLUX_VERSION MSSQL_MODE CREATE_LATEST_SYMLINK FILESYSTEM_PATH
    FILESYSTEM_PATH_PERMISSION FILESYSTEM_ARCHIVE_PATH FILESYSTEM_PERMISSION S3_BUCKET S3_KEY_ID S3_KEY_SECRET
    S3_PATH S3_REGION S3_HOST S3_PROTOCOL S3_EXTRA_OPTS S3_CERT_CA_FILE S3_CERT_SKIP_VERIFY
    BLOBXFER_STORAGE_ACCOUNT BLOBXFER_STORAGE_ACCOUNT_KEY BLOBXFER_REMOTE_PATH BLOBXFER_MODE SCRIPT_LOCATION_PRE
    SCRIPT_LOCATION_POST PRE_SCRIPT POST_SCRIPT
"""


@pytest.mark.parametrize("name", [*POSTGRES_BACKUP_LOCAL.split(), *DB_BACKUP.split(), *(
    f"{job}_{word}" for job in ("DEFAULT", "DB01") for word in DB_BACKUP_JOB.split())])
def test_every_documented_variable_of_the_other_images_is_read_refused_or_named(name):
    if name in KNOWN:
        return
    try:
        warnings = read_environment({name: "something"}).warnings
    except ConfigError as error:
        assert error.code == "environment.unsupported"
        assert name in error.message
    else:
        assert [each for each in warnings if each.startswith(f"environment variable {name} is not read: ")]
