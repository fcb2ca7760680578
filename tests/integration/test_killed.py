# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL's programs do when the process that drives them is killed by SIGKILL."""
from __future__ import annotations

import subprocess
import sys
import time

import pytest

from _restorable.stream import child
from kit.leftovers import is_gone
from kit.small_disk import CORE

# a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
LEASHES = [pytest.param(True, marks=pytest.mark.skipif(
    not child._leash(), reason="setpriv --pdeathsig (util-linux 2.33) is not here")), False]


@pytest.fixture(params=LEASHES, ids=["leashed", "not leashed"])
def driver(request):
    """A function that runs code in another process until it prints a line, then kills it; returns that line."""
    def run(code):
        program = (f"import sys, time\nsys.path.insert(0, {str(CORE)!r})\n"
                   "from _restorable.stream import child\nfrom _restorable.stream.program import feed, read_from\n"
                   + ("" if request.param else "child._leash = lambda: ()\n") + code)
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
        return line.strip()
    return run


@pytest.fixture
def filled(server, database):
    """The database with 200,000 rows, some 20 MB as text."""
    server.sql("CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 3) AS body FROM generate_series(1, 200000) g",
               database=database)
    return database


def argv(server, tool, *options):
    return [f"{server.bin_dir}/{tool}", "-h", str(server.folder), "-U", server.superuser, *options]


def backends(server, database):
    return [row[0] for row in server.sql("SELECT application_name FROM pg_stat_activity WHERE application_name IN "
                                         f"('pg_dump', 'pg_restore', 'psql') AND datname = '{database}'")]


def none_left(server, database, within=10.0):
    until = time.monotonic() + within
    while backends(server, database) and time.monotonic() < until:
        time.sleep(0.05)
    return backends(server, database) == []


def test_pg_dump_ends_when_its_reader_is_killed(server, filled, driver):
    told = driver(f"chunks = read_from({argv(server, 'pg_dump', filled)!r})\nnext(chunks)\n"
                  "print('begun', flush=True)\ntime.sleep(60)\n")
    assert told == "begun"
    assert none_left(server, filled)


@pytest.mark.parametrize("driver", LEASHES[:1], indirect=True, ids=["leashed"])
def test_pg_dump_that_waits_for_a_lock_ends_too(server, filled, driver):
    with server.connect(filled) as blocker:
        blocker.autocommit = False
        blocker.execute("LOCK TABLE big")
        told = driver("import threading\nimport os\n"
                      f"work = threading.Thread(target=lambda: list(read_from({argv(server, 'pg_dump', filled)!r})),"
                      " daemon=True)\nwork.start()\ntime.sleep(1)\nprint(os.popen('pgrep -P %d' % os.getpid()).read()"
                      ".split()[0], flush=True)\ntime.sleep(60)\n")
        assert is_gone(int(told))


def half(path, tail="time.sleep(60)"):
    """Return code for a source that gives half of a file, tells so, and waits."""
    return (f"data = open({str(path)!r}, 'rb').read()\n"
            "def source():\n    for place in range(0, len(data) // 2, 100000):\n"
            "        yield data[place:min(place + 100000, len(data) // 2)]\n"
            f"    time.sleep(1)\n    print('half', flush=True)\n    {tail}\n")


@pytest.mark.parametrize("one", [True, False], ids=["single transaction", "no transaction"])
def test_pg_restore_never_takes_half_an_archive_for_a_whole_one(server, filled, driver, tmp_path, one):
    archive = tmp_path / "half.dump"
    archive.write_bytes(subprocess.run(argv(server, "pg_dump", "-Fc", "-Z0", filled), capture_output=True,
                                       check=True).stdout)
    server.sql("DROP TABLE big", database=filled)
    options = ["--exit-on-error", *(["--single-transaction"] if one else []), "-d", filled]
    told = driver(half(archive) + f"feed({argv(server, 'pg_restore', *options)!r}, source())\n")
    assert told == "half"
    assert none_left(server, filled)
    if one:
        assert server.sql("SELECT to_regclass('big')", database=filled) == [(None,)]
    else:
        assert server.sql("SELECT count(*) FROM big", database=filled) == [(0,)]


def test_psql_commits_nothing_when_begin_and_commit_come_through_the_stream(server, filled, driver, tmp_path):
    script = tmp_path / "half.sql"
    script.write_bytes(subprocess.run(argv(server, "pg_dump", filled), capture_output=True, check=True).stdout)
    server.sql("DROP TABLE big", database=filled)
    told = driver(half(script) + "def whole():\n    yield b'BEGIN;\\n'\n    yield from source()\n"
                  "    yield b'COMMIT;\\n'\n"
                  f"feed({argv(server, 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', filled)!r}, whole())\n")
    assert told == "half"
    assert none_left(server, filled)
    assert server.sql("SELECT to_regclass('big')", database=filled) == [(None,)]


def test_psql_takes_an_early_end_for_a_whole_script(server, filled, tmp_path):
    """Why the test above matters: a closed pipe inside COPY, in psql's own single transaction, is committed."""
    script = subprocess.run(argv(server, "pg_dump", filled), capture_output=True, check=True).stdout
    server.sql("DROP TABLE big", database=filled)
    cut = script[:script.index(b"\n", len(script) // 2) + 1]
    done = subprocess.run(argv(server, "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", filled), input=cut,
                          capture_output=True, check=False)
    [(rows,)] = server.sql("SELECT count(*) FROM big", database=filled)
    assert done.returncode == 0
    assert 0 < rows < 200_000
