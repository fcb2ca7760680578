# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests/conftest.py adds to pytest: it is run over small test files of its own."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"
IMPORTS = os.pathsep.join((str(CONFTEST.parent), str(CONFTEST.parents[1] / "tools")))     # of the shared fixtures
SKIPPING = """
import pytest

def test_good(request):
    request.node.user_properties.append(("PostgreSQL", "15.18"))

def test_lost():
    pytest.skip("PostgreSQL 13 is not installed")
"""


@pytest.fixture
def run_tests(tmp_path):
    """Return a function that runs a test file in tests/unit under our conftest and returns (status, output, report)."""
    folder = tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    shutil.copy(CONFTEST, tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(text, *options, **environment):
        (folder / "test_it.py").write_text(text)
        report = tmp_path / "out" / "report.json"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("RESTORABLE_", "PYTEST_"))}
        done = subprocess.run([sys.executable, "-m", "pytest", *options, "tests/unit"], cwd=tmp_path, check=False,
                              capture_output=True, text=True,
                              env={**clean, "PYTHONPATH": IMPORTS, "RESTORABLE_TEST_REPORT": str(report),
                                   **environment})
        return done.returncode, done.stdout, json.loads(report.read_text())

    return run


def test_a_skip_is_counted_with_its_reason(run_tests):
    status, output, report = run_tests(SKIPPING)
    assert status == 0
    assert "1 x PostgreSQL 13 is not installed" in output
    assert report["folders"] == {"unit": {"passed": 1, "skipped": 1}}
    assert report["not_run"] == {"PostgreSQL 13 is not installed": 1}
    assert report["line"].startswith("==== 1 passed, 1 skipped in ")


def test_several_processes_count_like_one(run_tests):
    status, _output, report = run_tests(SKIPPING, "-n", "2")
    assert status == 0
    assert (report["folders"], report["with"]) == ({"unit": {"passed": 1, "skipped": 1}}, {"PostgreSQL": ["15.18"]})
    assert report["not_run"] == {"PostgreSQL 13 is not installed": 1}
    assert run_tests(SKIPPING, "-n", "2", RESTORABLE_NO_SKIPS="1")[0] == 1


def test_a_real_part_that_a_test_used_is_named(run_tests):
    assert run_tests(SKIPPING)[2]["with"] == {"PostgreSQL": ["15.18"]}


def test_where_nothing_may_be_skipped_a_skip_is_a_failure(run_tests):
    status, output, report = run_tests(SKIPPING, RESTORABLE_NO_SKIPS="1")
    assert status == 1
    assert "RESTORABLE_NO_SKIPS=1 allows no skip: PostgreSQL 13 is not installed" in output
    assert report["folders"] == {"unit": {"passed": 1, "failed": 1}}


@pytest.mark.parametrize("text", [
    "import pytest\npytest.skip('no server', allow_module_level=True)\n",
    "import pytest\n@pytest.mark.skipif(True, reason='no server')\ndef test_a():\n    pass\n",
    "import pytest\n@pytest.fixture\ndef server():\n    pytest.skip('no server')\ndef test_a(server):\n    pass\n",
], ids=["file", "mark", "fixture"])
def test_no_way_of_skipping_is_overlooked(run_tests, text):
    good = "\ndef test_good():\n    pass\n" if "allow_module_level" not in text else ""
    assert run_tests(text + good)[2]["not_run"] == {"no server": 1}
    assert run_tests(text + good, RESTORABLE_NO_SKIPS="1")[0] != 0


def test_an_expected_failure_is_no_skip(run_tests):
    text = "import pytest\n@pytest.mark.xfail(reason='known', strict=True)\ndef test_a():\n    assert False\n"
    status, _output, report = run_tests(text, RESTORABLE_NO_SKIPS="1")
    assert (status, report["not_run"]) == (0, {})


def test_tests_are_marked_by_their_folder(run_tests):
    text = "def test_a(request):\n    assert [mark.name for mark in request.node.iter_markers()] == ['unit']\n"
    assert run_tests(text)[0] == 0
