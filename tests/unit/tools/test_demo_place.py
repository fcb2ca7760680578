# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demo lies: apart for every checkout, and it goes away without the environment it was made with."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[3] / "tools" / "demo"
sys.path.insert(0, str(DEMO))

import place  # noqa: E402 - the demo's folder is no package


def test_the_demos_of_two_checkouts_share_no_folder(tmp_path):
    one, other = (place.find_place(tmp_path / name, os.geteuid()) for name in ("one", "other"))
    assert one.folder != other.folder
    assert one.socket_dir != other.socket_dir
    assert one == place.find_place(tmp_path / "one", os.geteuid())
    # a socket's whole path has 107 bytes at most (sun_path), and the recovered server's folder lies below
    assert len(os.fsencode(one.socket_dir / "recovered" / ".s.PGSQL.5432")) < 107


def test_the_demo_is_cleaned_away_without_the_environment_that_made_it(tmp_path):
    lies = place.find_place(tmp_path, os.geteuid())
    lies.create()
    (lies.repository / "shop").mkdir(parents=True)
    # -S: no site-packages, so neither psycopg nor the wheel with PostgreSQL
    code = ("import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]; import demo, place, pathlib; "
            "demo.find_place = lambda _checkout, uid: place.find_place(pathlib.Path(sys.argv[3]), uid); "
            "raise SystemExit(demo.main(['clean']))")
    done = subprocess.run([sys.executable, "-S", "-c", code, str(DEMO), str(DEMO.parent), str(lies.checkout)],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, "its files are gone" in done.stdout) == (0, True), done.stderr
    assert not lies.folder.exists()
    assert not lies.socket_dir.exists()
