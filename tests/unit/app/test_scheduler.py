# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler on a clock that a test moves: when it runs what, and what it tells of itself."""
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.app.scheduler import CHECK, Scheduler
from _restorable.errors import ConfigError
from _restorable.model.agenda import BACKUP, tasks_of
from _restorable.model.environment import read_environment
from _restorable.model.remembered import KILLED, Remembered
from _restorable.model.watch import SILENCE, Watch
from kit.frozen_clock import FrozenClock

START = datetime(2026, 11, 20, 2, 0, tzinfo=timezone.utc)
HOUR = 3600


class Stop(BaseException):
    """As a signal."""


class Memory:
    """Keeps what a real one keeps in two files."""

    def __init__(self, begun=()):
        self.kept = Remembered(dict(begun)).to_json()
        self.watch = None

    def recall(self):
        return Remembered.from_json(self.kept)

    def keep(self, remembered):
        self.kept = remembered.to_json()

    def show(self, watch):
        self.watch = Watch.from_json(watch.to_json())


class Container:
    """A scheduler, its clock, and a command whose answers the test chooses."""

    def __init__(self, *, now=START, memory=None, jobs=(BACKUP,), **environment):
        self.clock = FrozenClock(now)
        self.memory = memory or Memory()
        self.ran, self.lines, self.answers = [], [], {}
        self.run_hook = list           # called while a step runs
        tasks = tasks_of(read_environment(environment), jobs)
        self.scheduler = Scheduler(tasks, self.clock, self.run, self.log, self.memory)

    def run(self, words, say):
        if words != CHECK:
            self.ran.append((f"{self.clock.now():%d %H:%M}", *words))
            self.run_hook()
        status, text = self.answers.get(words, (0, "done: all well"))
        if status == "stop":
            raise Stop
        for line in text.splitlines():
            say(line)
        return status

    def log(self, text):
        self.lines += text.splitlines()

    def live(self, hours):
        """Let it turn until so much time has passed."""
        until = self.clock.now() + timedelta(hours=hours)
        while self.clock.now() < until:
            self.clock.move(max(1.0, self.scheduler.turn()))

    @property
    def health(self):
        return self.memory.watch.judge(self.clock.now())


def refused(message, hint="Do something."):
    return 2, json.dumps({"clusters": [{"error": {}}], "error": {"code": "x", "message": message, "hint": hint}})


def test_a_backup_is_taken_at_its_time_and_then_old_ones_are_pruned():
    container = Container()
    container.scheduler.start()
    container.live(26)
    assert container.ran == [("20 03:00", "backup"), ("20 03:00", "prune"), ("21 03:00", "backup"),
                             ("21 03:00", "prune")]
    assert container.lines[0] == "schedule: 0 3 * * * (UTC); next backup at 2026-11-20T03:00:00Z"
    assert container.health == (True, "next: backup at 2026-11-22T03:00:00Z")


def test_the_zone_of_the_container_rules():
    container = Container(TZ="Europe/Berlin")
    container.scheduler.start()
    container.live(26)
    assert [ran for ran in container.ran if ran[1] == "backup"] == [("21 02:00", "backup")]


def test_nothing_is_pruned_after_a_backup_that_failed():
    container = Container()
    container.answers[("backup",)] = (3, "error: server db:5432 cannot be reached\nhint: Check it.")
    container.scheduler.start()
    container.live(2)
    assert container.ran == [("20 03:00", "backup")]
    assert container.health == (False, "the last backup failed: server db:5432 cannot be reached")
    assert "backup: hint: Check it." in container.lines


def test_a_refused_prune_is_told_and_the_next_good_one_heals_it():
    container = Container()
    container.answers[("prune",)] = (4, "error: 9 of 10 would go")
    container.scheduler.start()
    container.live(2)
    assert container.health == (False, "the last backup failed: prune: 9 of 10 would go")
    del container.answers[("prune",)]
    container.live(24)
    assert container.health[0]


def test_what_was_missed_while_it_was_down_is_made_up_for_once():
    memory = Memory({BACKUP: START - timedelta(days=5)})
    container = Container(memory=memory)
    container.scheduler.start()
    container.live(0.5)
    assert container.ran == [("20 02:00", "backup"), ("20 02:00", "prune")]
    assert container.lines[0].endswith("next backup now, which was missed before")


def test_a_machine_that_slept_over_the_time_makes_up_for_it_when_it_wakes():
    container = Container()
    container.scheduler.start()
    container.live(0.1)
    container.clock.move(30 * HOUR)
    container.live(0.1)
    assert container.ran[0] == ("21 08:06", "backup")
    assert len(container.ran) == 2


def test_a_first_start_waits_for_the_time_unless_a_backup_is_wanted_at_once():
    waiting, eager = Container(), Container()
    for container, at_once in ((waiting, False), (eager, True)):
        container.scheduler.start(at_once=at_once)
        container.live(0.1)
    assert waiting.ran == []
    assert eager.ran == [("20 02:00", "backup"), ("20 02:00", "prune")]


def test_a_clock_that_is_set_back_neither_repeats_nor_forgets_a_run():
    container = Container(memory=Memory({BACKUP: START + timedelta(days=300)}))
    container.scheduler.start()
    container.live(25)
    assert [ran for ran in container.ran if ran[1] == "backup"] == [("20 03:00", "backup")]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_run_that_a_signal_cuts_short_is_owed_at_the_next_start(at_once):
    container = Container()
    container.answers[("backup",)] = ("stop", "")
    container.scheduler.start(at_once=at_once)
    with pytest.raises(Stop):
        container.live(2)
    after = Container(now=container.clock.now(), memory=container.memory)
    after.scheduler.start()
    after.live(0.1)
    assert [words for _when, *words in after.ran] == [["backup"], ["prune"]]


def test_a_run_that_kills_the_scheduler_is_told_and_not_begun_again_at_once():
    during = []
    container = Container(memory=Memory({BACKUP: START - timedelta(days=1)}))
    container.run_hook = lambda: during.append(container.memory.kept)
    container.scheduler.start()
    container.live(0.01)
    killed = Memory()
    killed.kept = during[0]
    after = Container(memory=killed)
    after.scheduler.start()
    after.live(0.5)
    assert after.ran == []
    assert after.health == (False, f"the last backup failed: {KILLED}")
    after.live(1)
    assert after.ran[0] == ("20 03:00", "backup")
    assert after.health[0]


@pytest.mark.parametrize("job", [BACKUP, "drill"])
def test_a_restart_makes_no_failure_good_and_tries_it_again(job):
    container = Container(jobs=(job,))
    container.answers[(job,)] = (6, "error: table shop.orders differs")
    container.scheduler.start(at_once=True)
    container.live(0.1)
    for answer, well in (((6, "error: table shop.orders differs"), False), ((0, "done: all well"), True)):
        container = Container(now=container.clock.now(), memory=container.memory, jobs=(job,))
        container.answers[(job,)] = answer
        container.scheduler.start()
        assert container.health == (False, f"the last {job} failed: table shop.orders differs")
        assert f"schedule: the last {job} failed: table shop.orders differs" in container.lines
        container.live(0.1)
        assert container.ran[0][1:] == (job,)
        assert container.health[0] is well
    last = Container(now=container.clock.now(), memory=container.memory, jobs=(job,))
    last.scheduler.start()
    last.live(0.1)
    assert last.ran == []


def test_what_is_remembered_is_read_back_and_nothing_else_is():
    times = Remembered({BACKUP: START})
    assert times.to_json() == json.dumps({BACKUP: START.isoformat()})
    for each in (times, Remembered(), Remembered({BACKUP: START}, {BACKUP: "words"}), Remembered(once="me")):
        assert Remembered.from_json(each.to_json()) == each
    for bad in ('[]', '{"backup": "2026-11-20T02:00:00"}', '{"backup": 3}', '{"begun": 1}', "{"):
        with pytest.raises(ValueError):
            Remembered.from_json(bad)


def test_a_wrong_password_shows_before_the_first_night_once_and_heals():
    container = Container()
    words = "server db:5432 does not accept the password of 'app'"
    container.answers[CHECK] = refused(words, "Correct it.")
    container.scheduler.start()
    container.live(0.5)
    said = [line for line in container.lines if "password" in line]
    assert said == [f"error: {words}"]
    assert "hint: Correct it." in container.lines
    assert container.health == (False, f"no backup can be taken now: {words}")
    del container.answers[CHECK]
    container.live(0.1)
    assert container.health[0]
    assert container.lines[-1].startswith("ready: ")


def test_a_backup_that_an_outage_prevented_is_taken_when_the_outage_is_over():
    container = Container()
    container.scheduler.start()
    container.live(0.5)
    container.answers = {("backup",): (3, "error: gone"), CHECK: refused("gone")}
    container.live(1)
    assert container.ran == [("20 03:00", "backup")]
    container.answers = {}
    container.live(0.1)
    assert [words for _when, *words in container.ran] == [["backup"], ["backup"], ["prune"]]
    assert container.health[0]


def test_a_backup_that_fails_of_itself_is_not_repeated_before_its_time():
    container = Container()
    container.answers[("backup",)] = (6, "error: pg_dump exited with status 1")
    container.scheduler.start()
    container.live(20)
    assert container.ran == [("20 03:00", "backup")]


def test_a_check_that_says_nothing_readable_is_a_failed_one():
    container = Container()
    container.answers[CHECK] = (70, "Traceback")
    container.scheduler.start()
    container.live(0.1)
    assert container.health == (False, "no backup can be taken now: the check ended with exit status 70: Traceback")


def test_drills_have_a_schedule_of_their_own_and_need_no_server():
    container = Container(now=datetime(2026, 12, 6, 3, tzinfo=timezone.utc), jobs=("drill",))
    container.answers[CHECK] = refused("no network here")
    container.scheduler.start()
    container.live(24)
    assert container.ran == [("06 04:00", "drill")]
    assert container.health[0]


def test_an_impossible_schedule_names_its_variable_and_value():
    for value in ("61 * * * *", "0 0 30 feb *", "daily"):
        with pytest.raises(ConfigError) as caught:
            Container(BACKUP_SCHEDULE=value)
        assert "BACKUP_SCHEDULE" in caught.value.message
        assert repr(value) in caught.value.message


def test_a_scheduler_that_says_nothing_is_unhealthy():
    watch = Watch(START, "backup at some time")
    assert watch.judge(START + SILENCE)[0]
    assert watch.judge(START + SILENCE + timedelta(seconds=1)) == (
        False, "the scheduler has said nothing since 2026-11-20T02:00:00Z")
