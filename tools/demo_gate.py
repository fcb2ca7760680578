# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `make demo` and `make demo-clean` as somebody does who has just cloned: in a copy, with nothing made before.

A second demo begins anew on what the first one left, and is killed on its way, so that there is something to clean.
As root both are then repeated by a user without any rights, in the same copy and virtual environment, and on what
a demo has left that was killed on its way. That needs a user namespace; where none can be had it is left out, and said.
"""
from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import collection_tree
import namespaces

sys.path.append(str(Path(__file__).parent / "demo"))
from place import find_place

WANTED = "Verdict: passed"
MIDWAY = "3. A year"           # the heading of the demo at which it is killed: its server runs, and one backup is there


def main() -> int:
    """Return 0 if the demo passes for everybody and its cleaning leaves nothing of it."""
    left_out = namespaces.missing_half()
    if left_out and os.environ.get("RESTORABLE_NO_SKIPS") == "1":
        return failed(f"RESTORABLE_NO_SKIPS=1 allows nothing to be left out: {left_out}")
    with tempfile.TemporaryDirectory(prefix="restorable-demo-gate-") as folder:
        checkout = Path(folder).resolve() / "restorable.postgres"
        shutil.copytree(collection_tree.copy(), checkout, symlinks=True)
        problem = shown(checkout, User(os.geteuid()))
        if left_out:
            print(f"not run: {left_out}", flush=True)
        elif not problem and os.geteuid() == 0:
            problem = shown(checkout, without_rights(checkout.parent / "home"), kill_one=True)
    return failed(problem) if problem else 0


@dataclass(frozen=True)
class User:
    """Who runs the demo; words are what begins the command as that account, home is its HOME."""

    uid: int
    words: tuple[str, ...] = ()
    home: str = os.environ.get("HOME", "/")


def without_rights(home: Path) -> User:
    """Return a user who owns what root owns and has none of its rights: another number in a namespace of its own.

    Any other account could not even reach a copy, or a Python, below a private folder.
    """
    home.mkdir()
    return User(pwd.getpwnam(namespaces.ACCOUNT).pw_uid, namespaces.words(), str(home))


def shown(checkout: Path, user: User, *, kill_one: bool = False) -> str:
    """Run the demo as a user and clean up after it; return what was wrong, or "".

    One that is killed runs before it, else after it.
    """
    place = find_place(checkout, user.uid)
    wrong = []      # in the order in which it happened: what the cleaning says hides nothing of the demo
    try:
        if kill_one:
            make(checkout, user, "demo", kill_at=MIDWAY)
        if WANTED not in make(checkout, user, "demo"):
            wrong.append(f"`make demo` of user {user.uid} did not say {WANTED!r}")
        elif not (place.repository / "shop").is_dir():
            wrong.append(f"there is no backup in {place.repository}")
        elif not kill_one:
            make(checkout, user, "demo", kill_at=MIDWAY)
    except subprocess.CalledProcessError as error:
        wrong.append(f"`make demo` of user {user.uid}: {error}")
    finally:
        try:
            make(checkout, user, "demo-clean")
        except subprocess.CalledProcessError as error:
            wrong.append(f"`make demo-clean` of user {user.uid}: {error}")
    left = [path for path in (place.folder, place.socket_dir) if path.exists()]
    if left and not wrong:
        wrong.append(f"`make demo-clean` of user {user.uid} left {', '.join(map(str, left))}")
    return "; ".join(wrong)


def make(checkout: Path, user: User, target: str, *, kill_at: str = "") -> str:
    """Run a target and show what it prints; raise CalledProcessError unless it passes.

    At a line that holds kill_at make and what it started are killed, but for servers, which have left its group.
    """
    # of the gate's own surroundings, where other collections and another environment lie, nothing is handed on
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("ANSIBLE_", "RESTORABLE_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "PYTHONPATH", "PG"))}
    argv = [*user.words, "make", target, f"PYTHON={sys.executable}"]
    child = subprocess.Popen(argv, cwd=checkout, env={**clean, "HOME": user.home}, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, start_new_session=bool(kill_at))
    said = []
    try:
        for line in child.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
            if kill_at and kill_at in line:
                break
    finally:
        if kill_at:     # also when the gate itself is broken off: whoever ends its group does not reach this one
            os.killpg(child.pid, signal.SIGKILL)
    status = child.wait()
    if status if not kill_at else not any(kill_at in line for line in said):
        raise subprocess.CalledProcessError(status, argv)
    return "".join(said)


def failed(why: str) -> int:
    """Say why and return the exit status."""
    print(f"error: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
