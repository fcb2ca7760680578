# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command prints: nothing that a database's name holds gives orders to a terminal."""
from __future__ import annotations

import io

from _restorable.app.console import Console
from _restorable.app.render import render_backup
from _restorable.errors import ConfigError

HOSTILE = "\x1b]0;title\x07\x1b[31mRED\nerror: fake"


def console():
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, {}), out, err


def test_no_name_gives_orders_to_a_terminal():
    ours, out, err = console()
    ours.text(f"database {HOSTILE}")
    ours.warn(HOSTILE)
    ours.explain(ConfigError(HOSTILE, hint=HOSTILE))
    for said in (out.getvalue(), err.getvalue()):
        assert "\x07" not in said
        assert "\x1b]" not in said
        assert "\\x1b]0;title\\x07" in said


def test_colours_of_our_own_and_line_breaks_stay():
    ours, out, _err = console()
    ours.text("a\n\t\x1b[32mok\x1b[0m")
    assert out.getvalue() == "a\n\t\x1b[32mok\x1b[0m\n"


def test_no_name_makes_a_line_of_its_own():
    said = render_backup("shop", {"skipped_because": "", "not_covered": [f"database {HOSTILE}"]}, dry_run=False)
    assert said.count("\n") == 1
    assert "\x1b" not in said
