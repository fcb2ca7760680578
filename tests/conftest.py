# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sort the tests by their folder, and say at the end what could not run here and why.

RESTORABLE_NO_SKIPS=1        a test that cannot run is a failure: for machines that are meant to have everything
RESTORABLE_TEST_PLACE=path   where servers and repositories of tests lie (kit/place.py chooses)
RESTORABLE_TEST_REPORT=path  write the counts as JSON: folders, not_run, with, line (tools/gates.py prints them)

A fixture that uses a real part says so by request.node.user_properties.append(("PostgreSQL", "15.18")).
"""
from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from kit import place

pytest_plugins = ["kit.fixtures", "kit.s3_fixtures"]

HERE = Path(__file__).parent
FOLDERS = ("unit", "contract", "integration", "faults")
NO_SKIPS = os.environ.get("RESTORABLE_NO_SKIPS") == "1"


def pytest_configure(config):
    os.environ.setdefault("RESTORABLE_TEST_PLACE", place.best())
    for folder in FOLDERS:
        config.addinivalue_line("markers", f"{folder}: lies in tests/{folder}")
    if not hasattr(config, "workerinput"):     # a worker of pytest-xdist reports to the one that counts
        config.pluginmanager.register(Tally(config.rootpath), "restorable-tally")


def pytest_collection_modifyitems(items):
    for item in items:
        if (folder := folder_of(item.path)) in FOLDERS:
            item.add_marker(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.reason = skip_reason(report)
    if report.reason and NO_SKIPS:
        forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    report.reason = skip_reason(report)
    if report.reason and NO_SKIPS:
        forbid(report)
    return report


class Tally:
    """Counts what passed, failed and could not run, by folder and by reason."""

    def __init__(self, root):
        self.root = root
        self.folders = {}
        self.reasons = Counter()
        self.real_parts = {}
        self.begun = time.monotonic()

    def pytest_runtest_logreport(self, report):
        for name, value in report.user_properties:
            self.real_parts.setdefault(name, set()).add(str(value))
        if report.when == "call" or not report.passed:
            folder = folder_of(self.root / report.nodeid.partition("::")[0])
            self.folders.setdefault(folder, Counter())[report.outcome] += 1
        self.count_reason(report)

    def pytest_collectreport(self, report):
        self.count_reason(report)

    def count_reason(self, report):
        if reason := getattr(report, "reason", ""):
            self.reasons[reason] += 1

    def pytest_terminal_summary(self, terminalreporter):
        if self.reasons:
            terminalreporter.section("could not run here")
            for reason, count in self.reasons.most_common():
                terminalreporter.line(f"{count} x {reason}")

    def pytest_unconfigure(self, config):
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if (path := os.environ.get("RESTORABLE_TEST_REPORT")) and reporter:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(json.dumps({
                "folders": self.folders,
                "not_run": dict(self.reasons.most_common()),
                "with": {name: sorted(values) for name, values in self.real_parts.items()},
                "line": summary_line(reporter.stats, time.monotonic() - self.begun),
            }))


def summary_line(stats, seconds):
    """Return the last line of a run the way pytest words it."""
    words = {"failed": "failed", "error": "errors", "passed": "passed", "skipped": "skipped", "xfailed": "xfailed"}
    counts = [f"{len(stats[key])} {word}" for key, word in words.items() if stats.get(key)]
    return f"==== {', '.join(counts) or 'no tests ran'} in {seconds:.2f}s ===="


def folder_of(path):
    """Return unit for …/tests/unit/model/test_naming.py."""
    try:
        return path.relative_to(HERE).parts[0]
    except ValueError:
        return "elsewhere"


def skip_reason(report):
    """Return why a test or a file was skipped, or "" if it was not; an expected failure is none."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return ""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def forbid(report):
    """Turn a skip into a failure."""
    report.outcome = "failed"
    report.longrepr = f"RESTORABLE_NO_SKIPS=1 allows no skip: {report.reason}"
