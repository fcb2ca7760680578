# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Check repositories by their names in the settings: what the verb and the module share, and the text of it."""
from __future__ import annotations

from dataclasses import asdict
from secrets import token_hex
from typing import Any, Mapping, Sequence

from ..errors import ConfigError, NotFound
from ..host.clock import SystemClock
from ..model.settings import Settings
from ..model.text import human_duration, table
from ..ops.check import LARGE, check_repository, fit
from ..ports import Progress
from .render import indented, joined
from .stores import open_store

Report = dict[str, Any]

_WORDS = {"ok": "ok", "failed": "FAILED", "not_run": "not run", "retained": "retained"}
MIB = 1024 * 1024


def chosen(settings: Settings, names: Sequence[str]) -> list[str]:
    """Return the repositories that are meant: those named, or all."""
    for name in names:
        if name not in settings.repositories:
            raise NotFound(f"repository {name!r} is not in the settings", code="repository.unknown",
                           hint=f"Known repositories: {', '.join(settings.repositories) or 'none'}.")
    if not settings.repositories:
        raise ConfigError("settings.repositories is empty", code="repository.none",
                          hint="Write at least one repository into the settings.")
    return list(dict.fromkeys(names)) or list(settings.repositories)


def check(settings: Settings, names: Sequence[str], progress: Progress, *, size: int = LARGE,
          dry_run: bool = False) -> Report:
    """Check repositories one after the other; dry_run only asks whether each can be read."""
    rows = []
    for name in chosen(settings, names):
        store = open_store(settings.repositories[name])
        place = settings.repositories[name].place
        if dry_run:
            store.check(write=False)
            rows.append({"repository": name, "place": place, "fit": True, "checks": []})
            continue
        probes = check_repository(store, SystemClock(), progress, token_hex(4), size=size)
        rows.append({"repository": name, "place": place, "fit": fit(probes),
                     "checks": [asdict(each) for each in probes]})
    return {"changed": False, "fit": all(row["fit"] for row in rows), "repositories": rows}


def render_check(report: Mapping[str, Any]) -> str:
    """Return a table for each repository."""
    lines: list[str] = []
    for row in report["repositories"]:
        lines.append(f"repository {row['repository']} at {row['place']}: {'fit' if row['fit'] else 'NOT FIT'}")
        lines += indented(table([[each["name"], _WORDS[each["result"]], human_duration(each["seconds"]), each["detail"]]
                                 for each in row["checks"]], "<<><"))
    return joined(lines)


def in_words(report: Mapping[str, Any]) -> str:
    """Return the result as one sentence."""
    bad = [row for row in report["repositories"] if not row["fit"]]
    if not bad:
        return f"{', '.join(row['repository'] for row in report['repositories'])}: fit"
    first = next(each for each in bad[0]["checks"] if each["result"] == "failed")
    return f"repository {bad[0]['repository']} is not fit: {first['name']}: {first['detail']}"
