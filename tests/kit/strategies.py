# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies of the model's values."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from _restorable.model.buckets import WEEKDAYS
from _restorable.model.naming import BackupId
from _restorable.model.policy import COUNTS, Policy
from _restorable.model.retention import Candidate

# a busy machine is no counterexample
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

NOW = datetime(2026, 7, 15, 3, 0, tzinfo=timezone.utc)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Tongatapu", "Pacific/Pago_Pago", "Australia/Lord_Howe")
SETS = (("dump", ""), ("dump", "0badcafe"), ("adopted", ""), ("adopted", "app"), ("adopted", "app-archive"),
        ("base", ""), ("incr", ""))

counts = st.sampled_from((0,) * 7 + (1, 2, 3, 7))   # most tiers off: a generous policy would drop nothing


@st.composite
def ages(draw: st.DrawFn, most_days: int = 900) -> timedelta:
    """Draw how long before NOW a backup was taken: crowded near NOW, on round hours, or anywhere; rarely after it."""
    return timedelta(seconds=draw(st.one_of(
        st.integers(0, 3 * 86400),
        st.integers(0, most_days * 24).map(lambda hours: hours * 3600),
        st.integers(0, most_days * 86400),
        st.integers(-2 * 86400, 0))))


@st.composite
def histories(draw: st.DrawFn, sets: tuple[tuple[str, str], ...] = SETS, *, flagged: bool = True,
              min_size: int = 0) -> list[Candidate]:
    """Draw candidates with different ids, in any order: up to three sorts of sets, so that groups are not thin."""
    sorts = st.sampled_from(draw(st.lists(st.sampled_from(sets), min_size=1, max_size=3, unique=True)))
    count = draw(st.integers(min_size, 40))        # lists alone would have five elements as a rule
    rows = draw(st.lists(st.tuples(ages(), sorts), min_size=count, max_size=count, unique=True))
    flags = draw(st.lists(st.sampled_from(("",) * 7 + ("held", "proven", "bad")), min_size=count, max_size=count))
    return [Candidate(BackupId(NOW - age, *sort), **{flag: True} if flag and flagged else {})
            for (age, sort), flag in zip(rows, flags)]


@st.composite
def policies(draw: st.DrawFn, *, floors: bool = True, unlimited: bool = True) -> Policy:
    """Draw a policy with at least one tier."""
    count = st.one_of(counts, counts, counts, st.just(-1)) if unlimited else counts
    tiers = draw(st.fixed_dictionaries(dict.fromkeys(COUNTS, count)).filter(lambda drawn: any(drawn.values())))
    return Policy(
        **tiers, timezone=draw(st.sampled_from(ZONES)), week_ends_on=draw(st.sampled_from(WEEKDAYS)),
        within=timedelta(hours=draw(st.sampled_from((0, 0, 0, 36, 24 * 14)))),
        count_current_period=draw(st.booleans()),
        min_keep=draw(st.sampled_from((0, 0, 1, 3, 5))) if floors else 0,
        min_age=timedelta(hours=draw(st.integers(0, 72))) if floors else timedelta(0))


@st.composite
def larger(draw: st.DrawFn, policy: Policy) -> Policy:
    """Draw a policy that asks for at least as much of everything by the same calendar, every finite tier finite."""
    more = {tier: count if count < 0 else count + draw(st.integers(0, 4)) for tier, count in policy.tiers().items()}
    return replace(policy, **more, within=policy.within + timedelta(hours=draw(st.integers(0, 99))),
                   min_keep=policy.min_keep + draw(st.integers(0, 3)),
                   min_age=policy.min_age + timedelta(hours=draw(st.integers(0, 48))))
