# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One structure for inventory, file and command; whatever is wrong in it is named with its path."""
from __future__ import annotations

import copy

import pytest

from _restorable.errors import ConfigError, NotFound
from _restorable.model.pick import WORDS
from _restorable.model.reading import Reader
from _restorable.model.settings import PICKS, ClusterSettings, Question, Settings, drill_job, dump_job

GOOD = {
    "repositories": {"local": {"type": "local", "path": "/var/backups/restorable"},
                     "disk": {"path": "/mnt/disk", "require_marker": True}},
    "clusters": {"shop": {
        "connection": {"host": "/run/postgresql", "port": 5432, "user": "postgres"}, "repositories": ["local"],
        "jobs": {"dump": {"schedule": "0 3 * * *", "databases": ["b", "a", "b"], "max_age": "20h",
                          "compression": {"method": "zstd", "level": 3}},
                 "drill": {"schedule": "0 4 * * sun#1", "backup": "random_weekly",
                           "checks": [{"sql": "SELECT true", "expect": True}]},
                 "prune": {"schedule": "30 3 * * *"}},
        "retention": {"dump": {"daily": 7}}, "objectives": {"rpo": "1h", "rto": "30m"}}},
}


def with_(path: str, value) -> dict:
    """Return the good settings with one value changed: with_("clusters.shop.jobs.dump.jobs", 0)."""
    body = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    inner = body
    for key in way:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return body


def test_good_settings_are_read():
    settings = Settings.of(GOOD)
    shop = settings.cluster("shop")
    assert settings.repositories["disk"].require_marker
    assert shop.repositories == ("local",) and shop.connection["port"] == 5432
    assert shop.dump.selection.databases == ("a", "b") and shop.dump.max_age == 72000
    assert (shop.dump.options.compression, shop.dump.options.level) == ("zstd", 3)
    assert shop.drill.backup == "random_weekly" and shop.drill.questions == (Question("SELECT true", expect="t"),)
    assert (shop.rpo, shop.rto) == (3600, 1800) and shop.retention.daily == 7


def test_a_cluster_without_repositories_uses_all():
    assert Settings.of(with_("clusters.app", {})).cluster("app").repositories == ("local", "disk")


def test_the_only_cluster_needs_no_name():
    assert Settings.of(GOOD).cluster("").name == "shop"
    with pytest.raises(NotFound, match="no cluster is named") as caught:
        Settings.of(with_("clusters.app", {})).cluster("")
    assert caught.value.hint == "Known clusters: shop, app."


def test_an_unknown_cluster_is_named_with_the_known_ones():
    with pytest.raises(NotFound, match="cluster 'nope'"):
        Settings.of(GOOD).cluster("nope")


@pytest.mark.parametrize(("path", "value", "named"), [
    ("surprise", 1, "settings.surprise is not a known setting"),
    ("repositories", [], "settings.repositories is []"),
    ("repositories.local", None, "repositories.local is None"),
    ("repositories.local.path", "backups", "repositories.local.path is 'backups'"),
    ("repositories.local.path", None, "repositories.local.path is ''"),
    ("repositories.local.type", "ftp", "repositories.local.type is 'ftp'"),
    ("repositories.local.bucket", "x", "repositories.local.bucket is not a known setting"),
    ("clusters.a/b", {}, "cluster name 'a/b' is not valid"),
    ("clusters.shop.repositories", ["nope"], "clusters.shop.repositories is 'nope'"),
    ("clusters.shop.repositories", "local", "clusters.shop.repositories is 'local'"),
    ("clusters.shop.connection", "host=x", "clusters.shop.connection is 'host=x'"),
    ("clusters.shop.jobs.dump.formt", "plain", "clusters.shop.jobs.dump.formt is not a known setting"),
    ("clusters.shop.jobs.dump.jobs", 4, "clusters.shop.jobs.dump.jobs is 4"),
    ("clusters.shop.jobs.dump.jobs", -1, "clusters.shop.jobs.dump.jobs is -1"),
    ("clusters.shop.jobs.dump.compression.level", 20, "clusters.shop.jobs.dump.compression.level is 20"),
    ("clusters.shop.jobs.dump.compression.method", "lz4", "clusters.shop.jobs.dump.compression.method is 'lz4'"),
    ("clusters.shop.jobs.dump.databases", "app", "clusters.shop.jobs.dump.databases is 'app'"),
    ("clusters.shop.jobs.dump.max_age", "soon", "clusters.shop.jobs.dump.max_age is 'soon'"),
    ("clusters.shop.jobs.dump.pre_command", "rm -rf", "clusters.shop.jobs.dump.pre_command is 'rm -rf'"),
    ("clusters.shop.jobs.drill.checks", [{"sql": " "}], "clusters.shop.jobs.drill.checks[0].sql is ' '"),
    ("clusters.shop.jobs.drill.checks", [7], "clusters.shop.jobs.drill.checks[0] is 7"),
    ("clusters.shop.jobs.drill.checks", {}, "clusters.shop.jobs.drill.checks is {}"),
    ("clusters.shop.jobs.base.max_rate", 31, "clusters.shop.jobs.base.max_rate is 31"),
    ("clusters.shop.jobs.base.checkpoint", "now", "clusters.shop.jobs.base.checkpoint is 'now'"),
    ("clusters.shop.jobs.base.parent", "x", "clusters.shop.jobs.base.parent is not a known setting"),
    ("clusters.shop.retention.base", {"weekly": -2}, "clusters.shop.retention.base.weekly is -2"),
    ("clusters.shop.jobs.prune.keep", 3, "clusters.shop.jobs.prune.keep is not a known setting"),
    ("clusters.shop.jobs.vacuum", {}, "clusters.shop.jobs.vacuum is not a known setting"),
    ("clusters.shop.retention.dump", {"daily": -2}, "clusters.shop.retention.dump.daily is -2"),
    ("clusters.shop.retention.dump", {"daily": 0}, "clusters.shop.retention.dump has every tier off"),
    ("clusters.shop.objectives.rpo", "1y", "clusters.shop.objectives.rpo is '1y'"),
    ("clusters.shop.objectives", 7, "clusters.shop.objectives is 7"),
])
def test_what_is_wrong_is_named_with_its_path_and_value(path, value, named):
    with pytest.raises(ConfigError) as caught:
        Settings.of(with_(path, value))
    assert named in caught.value.message
    assert caught.value.hint.endswith((".", "?"))


def test_base_backups_are_set_like_dumps():
    shop = Settings.of(with_("clusters.shop.jobs.incremental", {"schedule": "0 2 * * mon-sat", "max_rate": 4096,
                                                                "self_contained": True, "parent": "latest"}))
    job = shop.cluster("shop").incremental
    assert job.options.incremental and job.options.max_rate == 4096 and job.self_contained is True
    assert not shop.cluster("shop").base.options.incremental and shop.cluster("shop").base.self_contained is None


def test_wal_has_defaults_and_a_window_has_days():
    shop = Settings.of(with_("clusters.shop.wal", {"durable": "any"})).cluster("shop")
    assert (shop.wal.method, shop.wal.spool, shop.wal.durable) == ("push", "/var/spool/restorable/shop", "any")
    assert shop.wal_window is None
    assert Settings.of(with_("clusters.shop.retention.wal", {"days": 7})).cluster("shop").wal_window.days == 7


def test_one_job_is_all_that_other_formats_than_directory_take():
    assert dump_job(Reader({"format": "directory", "jobs": 8}, "dump")).options.jobs == 8


@pytest.mark.parametrize("databases", ["all", ["all"], [], None])
def test_all_databases_is_the_whole_cluster(databases):
    assert dump_job(Reader({"databases": databases}, "dump")).selection.label() == ""


def test_an_order_of_names_makes_no_other_selection():
    one, other = (dump_job(Reader({"databases": names}, "dump")).selection for names in (["a", "b"], ["b", "a", "b"]))
    assert one.label() == other.label() != ""


@pytest.mark.parametrize(("expect", "text"), [(True, "t"), (False, "f"), (5, "5"), (1.5, "1.5"), ("5", "5"), ("", "")])
def test_an_expectation_is_the_text_that_postgresql_prints(expect, text):
    job = drill_job(Reader({"checks": [{"sql": "SELECT 1", "expect": expect}]}, "drill"))
    assert job.questions[0].expect == text


def test_every_word_that_picks_is_known():
    assert set(PICKS) == set(WORDS)


def test_defaults_are_those_of_the_documentation():
    shop = ClusterSettings("shop")
    assert shop.dump.options.fingerprint == "full" and shop.dump.options.compression == "zstd"
    assert shop.drill.backup == "latest" and shop.retention.tiers()["daily"] == 7
