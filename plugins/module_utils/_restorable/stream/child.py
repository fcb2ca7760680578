# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Start a child so that it cannot outlive its stream, and end it.

Should this very process be killed (kill -9), the kernel closes its pipes. Programs that write to us die by
SIGPIPE at their next write. Programs that read from us see an end of input, so these rules hold:
 * Programs are begun through `setpriv --pdeathsig KILL` (util-linux) where that works, see prctl(2)
   PR_SET_PDEATHSIG; preexec_fn is not safe beside threads. The kernel sends that signal when the *thread* that
   began the program ends: use a stream in the thread that took its first chunk.
 * The signal comes after the pipes are closed (Linux kernel/exit.c: exit_files before exit_notify), so a reader
   may still see the end first. pg_restore cannot take it for complete, its format says where it ends. SQL does
   not: whoever feeds psql puts BEGIN before the stream and COMMIT after it, and asks for a mark after COMMIT.
"""
from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from fcntl import fcntl
from functools import lru_cache
from typing import Any, Mapping

from ..errors import ConfigError

PIPE = 1024 * 1024                 # bytes; what any user may ask for, see /proc/sys/fs/pipe-max-size

_F_SETPIPE_SZ = 1031               # linux/fcntl.h; in Python's fcntl from 3.10 on


@dataclass(frozen=True)
class Program:
    """A command: env is its whole environment (None: ours), user its account, secrets what no message may show."""

    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: str | None = None
    user: str | None = None
    secrets: tuple[str, ...] = ()


def start(program: Program, *, fed: bool) -> subprocess.Popen[bytes]:
    """Start a program with wide, unbuffered pipes; raise ConfigError if that cannot be done."""
    search = (os.environ if program.env is None else program.env).get("PATH", os.defpath)
    path = shutil.which(program.argv[0], path=search)
    if path is None:
        raise _missing(program.argv[0], search)
    try:
        child = subprocess.Popen(
            [*_leash(), path, *program.argv[1:]], stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=program.env,
            cwd=program.cwd or ("/" if program.user else None),
            start_new_session=True,    # no terminal to ask a password at, and one group to kill
            **_account(program.user))
    except (FileNotFoundError, PermissionError) as error:
        raise ConfigError(f"{program.argv[0]} cannot be started: {error.strerror} ({error.filename})",
                          hint=f"Check that {path} and the working folder are open to the account that runs it.",
                          code="tool.cannot_start") from error
    for pipe in (child.stdin, child.stdout):
        _widen(pipe)
    return child


def end(child: subprocess.Popen[bytes]) -> None:
    """Kill a child that still runs, with all that it started; close its pipes. May be called twice."""
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except PermissionError:        # it changed its account; the pipes break instead
            child.kill()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            pipe.close()
    child.wait()


def _missing(tool: str, search: str) -> ConfigError:
    where = "" if os.sep in tool else f" in {search}"
    return ConfigError(f"program {tool} was not found{where}", code="tool.missing",
                       hint=f"Install the package that holds {os.path.basename(tool)}, or name its folder "
                            "(bin_dir for PostgreSQL's programs).")


def _account(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"account {user!r} does not exist on this host", code="tool.no_user",
                          hint="Name an account that exists, such as postgres.") from None
    if entry.pw_uid == os.geteuid():
        return {}                      # already that account, which may not call setgroups
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@lru_cache(maxsize=1)
def _leash() -> tuple[str, ...]:
    """Return what is put before a command so that it dies with us, or nothing where this system lacks it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    leash = (setpriv, "--pdeathsig", "KILL", "--")
    tried = subprocess.run([*leash, setpriv, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
    return leash if tried.returncode == 0 else ()      # BusyBox has a setpriv without this option


def _widen(pipe: Any) -> None:
    """Make a pipe hold 1 MiB, so that both sides run at once; smaller ones work too."""
    if pipe is None:
        return
    try:
        fcntl(pipe.fileno(), _F_SETPIPE_SZ, PIPE)
    except OSError:
        return                         # over the user's limit (pipe-user-pages-soft), or not Linux
