# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that asks for a recovery once more, on another timeline."""
from __future__ import annotations

import shlex

from _restorable.app.arguments import parse
from _restorable.app.arguments_recover import again


def test_it_asks_for_the_same_and_a_shell_takes_it_as_it_stands():
    asked = ["recover", "/srv/my data", "--time", "2026-11-20 14:30:00 Europe/Berlin", "--exclusive", "--force",
             "--tablespace", "/a b=/c", "--tablespace", "17=/d", "--owner", "pg", "--dry-run", "--timeline", "2",
             "--backup", "2026"]
    command = again(parse(asked), "the shop", timeline=1)
    [program, *words] = shlex.split(command)
    wanted = {**vars(parse(asked)), "timeline": 1, "cluster": "the shop"}
    assert program == "restorable" and vars(parse(words)) == wanted
