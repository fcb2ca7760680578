# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of a cluster: those the host command can do, each with a schedule of its own in one time zone."""
from __future__ import annotations

import pytest

from _restorable.app.arguments import parse
from _restorable.app.dispatch import EACH
from _restorable.errors import ConfigError
from _restorable.model.jobs import COMMANDS
from _restorable.model.settings import Settings


def shop(**cluster):
    body = {"repositories": {"local": {"path": "/b"}}, "clusters": {"shop": cluster}}
    return Settings.of(body).cluster("shop")


@pytest.mark.parametrize("job", COMMANDS)
def test_every_job_is_a_command_that_there_is(job):
    assert parse(["--cluster", "shop", *COMMANDS[job]]).verb in {*EACH, "check"}


@pytest.mark.parametrize("job", COMMANDS)
def test_every_job_takes_a_schedule(job):
    found = shop(timezone="Europe/Berlin", jobs={job: {"schedule": "0 4 * * sun#1"}}).schedules
    assert {name: (each.text, each.timezone) for name, each in found.items()} == {
        job: ("0 4 * * sun#1", "Europe/Berlin")}


def test_a_job_without_a_schedule_is_not_on_schedule():
    assert shop(jobs={"dump": {"max_age": "20h"}}).schedules == {}


@pytest.mark.parametrize(("cluster", "words"), [
    ({"jobs": {"dump": {"schedule": "61 * * * *"}}}, "clusters.shop.jobs.dump.schedule is '61 * * * *': minute 61"),
    ({"jobs": {"dump": {"schedule": ""}}}, "clusters.shop.jobs.dump.schedule is ''"),
    ({"jobs": {"dump": {"schedule": 3}}}, "clusters.shop.jobs.dump.schedule is 3"),
    ({"jobs": {"prune": {"schedule": "@daily", "keep": 3}}}, "clusters.shop.jobs.prune.keep is not a known setting"),
    ({"jobs": {"vacuum": {"schedule": "@daily"}}}, "clusters.shop.jobs.vacuum is not a known setting"),
    ({"timezone": "Berlin"}, "clusters.shop.timezone is 'Berlin'"),
])
def test_what_cannot_be_scheduled_is_refused_by_its_path(cluster, words):
    with pytest.raises(ConfigError) as found:
        shop(**cluster)
    assert found.value.message.startswith(words)
