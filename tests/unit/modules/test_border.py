# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters become settings, errors become results, and the password goes nowhere."""
from __future__ import annotations

import pytest

from _restorable.model.settings import Settings

PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
LOCAL = {"local": {"type": "local", "path": "/backups"}}


def settings(border, job="", options=(), **params):
    """Return the settings that the core reads from a module's parameters."""
    return Settings.of(border.settings_body({"cluster": "shop", **params}, job, tuple(options)))


def test_the_options_alone_are_enough(border):
    found = settings(border, "dump", ("format", "jobs"), repositories=LOCAL, connection={"host": "/run", "port": None},
                     format="directory", jobs=4)
    assert found.cluster("shop").connection == {"host": "/run"}
    assert found.cluster("shop").repositories == ("local",)
    assert (found.cluster("shop").dump.options.format, found.cluster("shop").dump.options.jobs) == ("directory", 4)


def test_an_option_is_put_over_the_settings_and_the_rest_stays(border):
    body = {"repositories": LOCAL, "clusters": {"shop": {"jobs": {"dump": {"databases": ["app"], "max_age": "1h"}},
                                                         "connection": {"user": "backup"}}}}
    found = settings(border, "dump", ("max_age",), settings=body, max_age="2h", connection={"host": "/run"})
    assert found.cluster("shop").dump.max_age == 7200
    assert found.cluster("shop").dump.selection.databases == ("app",)
    assert found.cluster("shop").connection == {"user": "backup", "host": "/run"}


def test_a_policy_replaces_the_policy_of_the_settings(border):
    body = {"repositories": LOCAL, "clusters": {"shop": {"retention": {"dump": {"daily": 7, "weekly": 4}}}}}
    found = settings(border, settings=body, retention={"daily": 3, "weekly": None})
    assert (found.cluster("shop").retention.daily, found.cluster("shop").retention.weekly) == (3, 0)


def test_a_mistake_in_another_cluster_does_not_matter(border):
    body = {"repositories": LOCAL, "clusters": {"shop": {}, "broken": {"jbos": 1}}}
    assert list(settings(border, settings=body).clusters) == ["shop"]


@pytest.mark.parametrize(("body", "code"), [
    ({"clusters": {"other": {}}}, "cluster.unknown"),
    ({"clusters": ["shop"]}, "config.type"),
    ({"clusters": {"shop": "yes"}}, "config.type"),
    ({"clusters": {"shop": {"connection": {"password": "x"}}}}, "config.password"),
    ({"encryption": {"recipients": ["age1x"]}}, "encryption.bad_recipient"),
    ({"cluster": {}}, "config.unknown_key"),
])
def test_wrong_settings_fail_the_task_with_code_and_hint(call, body, code):
    found = call("pg_backup_info", cluster="shop", settings=body, repositories=LOCAL)
    assert (found["failed"], found["code"], bool(found["hint"])) == (True, code, True)


def test_encryption_replaces_that_of_the_settings_as_a_whole(border):
    body = {"repositories": LOCAL, "encryption": {"recipients": [PUBLIC], "identity_file": "/key"}}
    found = settings(border, settings=body).encryption
    assert [each.text for each in found.recipients] == [PUBLIC]
    assert (found.identity_files, found.required) == (("/key",), True)
    other = settings(border, settings=body, encryption={"recipients": None, "identity_file": ["/other"]}).encryption
    assert (other.recipients, other.identity_files, other.required) == ((), ("/other",), True)


@pytest.mark.parametrize("nothing", [None, []])
def test_recipients_that_came_out_as_nothing_are_no_reason_to_store_unsealed_backups(border, nothing):
    for given in ({"settings": {"repositories": LOCAL, "encryption": {"recipients": nothing}}},
                  {"settings": {"repositories": LOCAL}, "encryption": {"recipients": nothing}}):
        assert settings(border, **given).encryption.required


def test_a_cluster_without_a_repository_fails_the_task(call):
    assert call("pg_backup_info", cluster="shop")["code"] == "repository.none"


def test_a_password_is_blotted_out_where_it_was_given_and_nowhere_else(call):
    found = call("pg_backup_info", cluster="local", repositories=LOCAL, connection={"password": "local"}, check=True)
    arguments = found["invocation"]["module_args"]
    assert arguments["connection"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert (arguments["cluster"], list(arguments["repositories"])) == ("local", ["local"])
    assert found["repositories"][0]["repository"] == "local"


def test_an_unknown_parameter_of_the_connection_is_refused_by_its_name(call):
    found = call("pg_backup_info", cluster="shop", repositories=LOCAL, connection={"hots": "db1"})
    assert "connection.hots" in found["msg"]


def test_a_bug_is_told_as_one(call, border, monkeypatch):
    def broken(*_arguments):
        raise ZeroDivisionError("division by zero")
    monkeypatch.setattr(border, "open_world", broken)
    found = call("pg_backup_info", cluster="shop", repositories=LOCAL)
    assert (found["code"], "ZeroDivisionError" in found["msg"]) == ("bug", True)


def test_a_repository_that_cannot_be_read_is_told_and_judged_red(call, tmp_path):
    found = call("pg_backup_info", cluster="shop",
                 repositories={"local": {"type": "local", "path": str(tmp_path / "none"), "require_marker": True}})
    assert (found["colour"], found["changed"], bool(found["repositories"][0]["error"])) == ("red", False, True)
    assert found["summary"]["newest"] == "none"


@pytest.mark.parametrize("place", ["repositories", "settings"])
def test_a_secret_of_a_repository_is_refused_where_ansible_would_log_it(call, place):
    repositories = {"local": {**LOCAL["local"], "secret_access_key": "Gehe'im"}}
    wish = repositories if place == "repositories" else {"repositories": repositories}
    found = call("pg_backup_info", cluster="shop", **{place: wish})
    assert (found["code"], "repository_secrets.local.secret_access_key" in found["hint"]) == ("config.secret", True)
    assert "Gehe'im" not in found["msg"] + found["hint"]


def test_secrets_reach_the_settings_of_their_repository_and_no_result(call, border):
    given = border.settings_body({"cluster": "shop", "repositories": LOCAL,
                                  "repository_secrets": {"local": {"session_token": "x", "access_key_id": None}}})
    assert given["repositories"] == {"local": {**LOCAL["local"], "session_token": "x"}}
    found = call("pg_backup_info", cluster="shop", repositories=LOCAL,
                 repository_secrets={"local": {"secret_access_key": "local"}})
    assert found["invocation"]["module_args"]["repository_secrets"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert "repositories.local.secret_access_key is not a known setting" in found["msg"]


def test_secrets_of_a_repository_that_is_not_there_are_refused(call):
    found = call("pg_backup_info", cluster="shop", repositories=LOCAL, repository_secrets={"lokal": {"profile": "x"}})
    assert (found["code"], found["hint"]) == ("config.secret", "Known repositories: local.")
