# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `make demo` and `make demo-clean` as somebody does who has just cloned: in a copy, with nothing made before.

As root both are then repeated by a user without any rights, in the same copy and virtual environment, and on what
a demo has left that was killed on its way.
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

sys.path.append(str(Path(__file__).parent / "demo"))
from place import find_place

WANTED = "Verdict: passed"
ACCOUNT = "daemon"             # not nobody, whose files are also everybody's who is not known in a namespace
MIDWAY = "3. A year"           # the heading of the demo at which it is killed: its server runs, and one backup is there


def main() -> int:
    """Return 0 if the demo passes for everybody and its cleaning leaves nothing of it."""
    with tempfile.TemporaryDirectory(prefix="restorable-demo-gate-") as folder:
        checkout = Path(folder).resolve() / "restorable.postgres"
        shutil.copytree(collection_tree.copy(), checkout, symlinks=True)
        problem = shown(checkout, User(os.geteuid()))
        if not problem and os.geteuid() == 0:
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
    account = pwd.getpwnam(ACCOUNT)
    home.mkdir()
    return User(account.pw_uid, ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}"),
                str(home))


def shown(checkout: Path, user: User, *, kill_one: bool = False) -> str:
    """Run the demo as a user, before that one that is killed, and clean up after it; return what was wrong, or ""."""
    place = find_place(checkout, user.uid)
    try:
        if kill_one:
            make(checkout, user, "demo", kill_at=MIDWAY)
        if WANTED not in make(checkout, user, "demo"):
            return f"`make demo` of user {user.uid} did not say {WANTED!r}"
        if not (place.repository / "shop").is_dir():
            return f"there is no backup in {place.repository}"
    finally:
        make(checkout, user, "demo-clean")
    left = [path for path in (place.folder, place.socket_dir) if path.exists()]
    return f"`make demo-clean` of user {user.uid} left {', '.join(map(str, left))}" if left else ""


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
    for line in child.stdout or ():
        print(line, end="", flush=True)
        said.append(line)
        if kill_at and kill_at in line:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return "".join(said)
    if child.wait() or kill_at:
        raise subprocess.CalledProcessError(child.returncode, argv)
    return "".join(said)


def failed(why: str) -> int:
    """Say why and return the exit status."""
    print(f"error: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
