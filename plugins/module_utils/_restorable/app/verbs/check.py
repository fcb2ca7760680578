# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable check."""
from __future__ import annotations

import argparse

from ...model.settings import Settings
from ..call import Result
from ..console import Console


def run(options: argparse.Namespace, settings: Settings, console: Console) -> Result:
    """Try what the named repositories must do, or those of the named cluster, or all; one not fit is exit status 1."""
    from ...model.reading import MOST, within
    from ..checking import MIB, check, in_words, render_check
    within(options.size, "--size", 1, MOST, code="usage")
    names = options.repository or (settings.cluster(options.cluster).repositories if options.cluster else ())
    report = check(settings, names, console.progress(), size=options.size * MIB, dry_run=options.dry_run)
    done = "dry run: nothing was written" if options.dry_run else f"done: check {in_words(report)}"
    return Result(report, render_check(report), done, 0 if report["fit"] else 1)
