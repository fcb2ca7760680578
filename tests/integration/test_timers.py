# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd and cron are told means the schedule: asked of systemd itself, and of a cron library and a shell."""
from __future__ import annotations

import re
import subprocess
from datetime import datetime, timedelta, timezone
from itertools import takewhile

import pytest
from cronsim import CronSim

from _restorable.model.schedule import Schedule
from _restorable.model.timers import crontab, on_calendar, warnings

UTC = timezone.utc
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
TEXTS = ["0 4 * * sun#1", "0 3 * * *", "0 2 * * mon-sat", "0 3 1 * mon", "15 1,13 */2 * fri", "0 4 15 * sun#1,mon",
         "0 0 29 2 *", "0 4 * * fri#5", "0 4 * * fri#L", "0 0 1-31 * mon", "30 5 1,2,5-7 jan-mar,dec *",
         "0 4 1-4 * sun#2", "0 4 */3 * wed#3", "0 4 * * */3,mon#1", "0 4 1-9 * */3,mon#1",
         "@monthly"]


def runs(schedule, end=END):
    """Return every run from BEGIN to end."""
    found, when = [], BEGIN - timedelta(seconds=1)
    while (when := schedule.next_after(when)) < end:
        found.append(when)
    return found


def by_systemd(calendar, count, begin=BEGIN):
    """Ask systemd for the next runs of an OnCalendar value."""
    base = f"--base-time={(begin - timedelta(seconds=1)):%Y-%m-%d %H:%M:%S} UTC"
    said = subprocess.run(["systemd-analyze", "calendar", f"--iterations={count}", base, calendar], check=True,
                          capture_output=True, text=True, env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"})
    found = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\S+ \S+) UTC", said.stdout)
    return [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in found]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("text", TEXTS)
def test_systemd_means_the_same_by_it(text, zone):
    schedule = Schedule.parse(text, timezone=zone)
    count = 400
    lists = [by_systemd(each, count) for each in on_calendar(schedule)]
    until = min([each[-1] for each in lists if len(each) == count], default=END)
    assert {run for each in lists for run in each if run < until} == set(runs(schedule, until))


def by_cron(line):
    """Return a crontab line's runs by the cron library, and those that its guard lets through, asked of a shell."""
    times = list(takewhile(lambda each: each < END, CronSim(line.fields, BEGIN - timedelta(seconds=60))))
    if not line.guard:
        return times
    dates = "date() { [ $1 = -d ] && command date -d \"$day $2\" \"$3\" || command date -d \"$day\" \"$1\"; }"
    guard = line.guard.replace(r"\%", "%")         # what cron makes of it
    asked = "\n".join(f"{each:%Y-%m-%d}" for each in times)
    script = f"{dates}\nwhile read -r day; do if {guard}; then echo yes; else echo no; fi; done"
    said = subprocess.run(["sh", "-c", script], input=asked + "\n", check=True, capture_output=True, text=True).stdout
    return [each for each, answer in zip(times, said.split()) if answer == "yes"]


@pytest.mark.parametrize("text", TEXTS)
def test_cron_means_the_same_by_it_and_no_run_comes_from_two_lines(text):
    schedule = Schedule.parse(text)
    assert not any("#" in line.fields for line in crontab(schedule))       # cron knows no such day
    found = [run for line in crontab(schedule) for run in by_cron(line)]
    assert sorted(found) == runs(schedule)


def test_the_first_sunday_is_seven_days_and_a_guard():
    line, = crontab(Schedule.parse("0 4 * * sun#1"))
    assert (line.fields, line.guard) == ("0 4 1-7 * *", r'test "$(date +\%u)" = 7')


@pytest.mark.parametrize(("text", "zone", "words"), [
    ("30 2 * * *", "Europe/Berlin", ["02:30 does not exist", "02:30 comes twice", "before 02:00 or from 03:00 on"]),
    ("0 2 * * sun", "America/New_York", ["02:00 does not exist"]),
    ("30 1 * * *", "America/New_York", ["01:30 comes twice", "before 01:00 or from 02:00 on"]),
    ("0 0 * * *", "Africa/Cairo", ["00:00 does not exist"]),
])
def test_a_local_time_in_the_hour_that_clocks_skip_or_repeat_is_warned_of(text, zone, words):
    told = warnings(Schedule.parse(text, timezone=zone), BEGIN)
    assert all(any(word in line for line in told) for word in words), told
    assert all(zone in line and text in line for line in told)


@pytest.mark.parametrize(("text", "zone"), [
    ("30 2 * * *", "UTC"), ("0 3 * * *", "Europe/Berlin"), ("59 1 * * *", "Europe/Berlin"),
    ("30 2 * * mon-sat", "Europe/Berlin"), ("*/15 * * * *", "Europe/Berlin"), ("30 2 * * *", "Asia/Kolkata"),
    ("30 2 1-20 3,10 *", "Europe/Berlin"),
])
def test_no_other_time_is_warned_of(text, zone):
    assert warnings(Schedule.parse(text, timezone=zone), BEGIN) == ()
