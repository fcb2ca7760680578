# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the host command takes to say its version, against a bare Python."""
from __future__ import annotations

import os
import pathlib
import sys
from typing import Callable

from .measure import in_turn, ratio, run
from .table import Row

ROOT = pathlib.Path(__file__).resolve().parents[2]


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the row of `restorable --version`."""
    bare = [sys.executable, "-c", "pass"]
    ours = [sys.executable, "-m", "_restorable", "--version"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "plugins" / "module_utils")}
    runs = in_turn(max(rounds, 9), {"python3 -c pass": lambda: (*run(bare, env), 0),
                                    "restorable --version": lambda: (*run(ours, env), 0)}, lambda _text: None)
    a, b = runs["restorable --version"], runs["python3 -c pass"]
    say(f"start-up: {a.median * 1000:.0f} ms against {b.median * 1000:.0f} ms")
    return [Row("restorable --version : python3 -c pass", ratio(a, b), 3,
                detail=f"{a.median * 1000:.0f} / {b.median * 1000:.0f} ms")]
