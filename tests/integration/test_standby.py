# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A standby can be dumped and drilled whatever its primary does not log."""
from __future__ import annotations

import shutil

import pytest

from kit.chain import Chain, new_folder
from kit.servers import MAJORS, start_standby


@pytest.mark.parametrize("major", MAJORS, ids=lambda major: f"pg{major}")
def test_what_is_unlogged_is_not_on_a_standby_which_is_told_and_no_false_alarm(empty_server, major):
    primary = empty_server(major)
    primary.sql("CREATE UNLOGGED TABLE cache (id serial, page text)", "INSERT INTO cache (page) VALUES ('a')",
                "CREATE TABLE kept AS SELECT generate_series(1, 10) AS id")
    folder = new_folder()
    try:
        with start_standby(primary) as standby:
            chain = Chain(standby, folder)
            told = chain.taken().not_covered
            assert chain.drill().verdict == "passed"
    finally:
        shutil.rmtree(folder)
    assert any("rows of unlogged tables" in each and "public.cache" in each for each in told)
