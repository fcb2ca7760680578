# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user writes as a target, and what PostgreSQL is told."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError, Refused
from _restorable.model.lsn import Lsn
from _restorable.model.recovery_log import Told, check_reached
from _restorable.model.recovery_target import Target

STOP = Lsn(100)


@pytest.mark.parametrize(("text", "told"), [
    ("2026-11-20T14:30:00+01:00", "2026-11-20 13:30:00.000000+00"),
    ("2026-11-20 13:30:00Z", "2026-11-20 13:30:00.000000+00"),
    ("2026-11-20 14:30:00 Europe/Berlin", "2026-11-20 13:30:00.000000+00"),
    ("2026-07-20 14:30:00 Europe/Berlin", "2026-07-20 12:30:00.000000+00"),
    ("2026-11-20 23:00:00.25 America/St_Johns", "2026-11-21 02:30:00.250000+00"),
    ("2026-11-20 00:15:00 Asia/Kathmandu", "2026-11-19 18:30:00.000000+00"),
    ("2026-11-20 00:15:00-10:00", "2026-11-20 10:15:00.000000+00"),
    ("2026-11-20 13:30:00 UTC", "2026-11-20 13:30:00.000000+00")])
def test_postgresql_is_told_a_time_in_utc_whatever_the_zone_it_was_said_in(text, told):
    assert Target.of("time", text).settings(1)["recovery_target_time"] == told


@pytest.mark.parametrize(("text", "said"), [
    ("2026-11-20 14:30:00", "says no zone"), ("2026-11-20 14:30:00 Europe/Nowhere", "is no time zone"),
    ("2026-10-25 02:30:00 Europe/Berlin", "comes twice"), ("2026-03-29 02:30:00 Europe/Berlin", "was left out"),
    ("soon", "is not valid")])
def test_a_time_that_could_mean_another_hour_is_refused(text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        Target.of("time", text)
    assert text in caught.value.message and caught.value.hint


def test_a_mistyped_zone_is_told_with_the_one_that_is_meant():
    with pytest.raises(ConfigError, match="'Europe/Berln', which is no time zone") as caught:
        Target.of("time", "2026-11-20 14:30:00 Europe/Berln")
    assert caught.value.hint.startswith("Did you mean Europe/Berlin? ")


@pytest.mark.parametrize(("kind", "value"), [("latest", ""), ("immediate", ""), ("name", "before_release")])
def test_to_stop_before_a_target_that_has_no_before_is_refused(kind, value):
    with pytest.raises(ConfigError, match="exclusive is given") as caught:
        Target.of(kind, value, inclusive=False)
    assert "time, lsn or xid" in caught.value.hint


# 2**32 transactions are one epoch; pg_current_xact_id() prints both, the WAL and xmin know the lower half alone
@pytest.mark.parametrize(("text", "told"), [
    ("742", "742"), ("4294968038", "742"), ("12884902630", "742"), ("4294967295", "4294967295"),
    # which PostgreSQL itself would read as an octal number
    ("0742", "742")])
def test_a_transaction_is_asked_for_without_its_epoch(text, told):
    target = Target.of("xid", text)
    assert target.settings(1)["recovery_target_xid"] == told
    stopped = Told(stopped=f"recovery stopping after commit of transaction {told}, time 2026-11-20 13:30:00+00")
    assert check_reached(stopped, target, replayed=STOP, last_segment_start=None, stop=STOP) == stopped.stopped
    other = Told(stopped=f"recovery stopping after commit of transaction {told}1, time 2026-11-20 13:30:00+00")
    with pytest.raises(Refused, match="was not reached"):
        check_reached(other, target, replayed=STOP, last_segment_start=None, stop=STOP)


@pytest.mark.parametrize("text", ["0", "2", "4294967296", "4294967298", str(2**64), "-7", "0x2e6", "seven", "٧٤٢"])
def test_what_is_no_transaction_that_commits_is_refused(text):
    with pytest.raises(ConfigError, match="transaction id") as caught:
        Target.of("xid", text)
    assert caught.value.code == "recover.bad_target" and "pg_current_xact_id()" in caught.value.hint
