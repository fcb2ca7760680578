# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Find PostgreSQL's own programs and choose the one whose major suits a server."""
from __future__ import annotations

import glob
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Iterator, Mapping

from ..errors import ConfigError

# Where packages put the programs of each major: Debian, PGDG for RHEL, Alpine, source, macOS.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/usr/local/pgsql*/bin",
           "/opt/postgresql*/bin", "/opt/postgresql/*/bin", "/opt/pgsql*/bin", "/opt/homebrew/opt/postgresql*/bin",
           "/usr/local/opt/postgresql*/bin", "/Library/PostgreSQL/*/bin")
OLDEST = 13                        # major version
SERVER_PROGRAMS = ("postgres", "initdb", "pg_ctl")
_VERSION = re.compile(r"\((?:PostgreSQL|EnterpriseDB)\) (\d+)(\.\d+|beta\d+|rc\d+|alpha\d+|devel)?")


@dataclass(frozen=True)
class Tool:
    """A program that was found and asked for its version."""

    name: str
    path: str
    major: int
    version: str                   # 15.18, 17beta1
    line: str                      # pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)


def find_tool(name: str, major_at_least: int, bin_dir: str | None = None, *,
              environ: Mapping[str, str] | None = None) -> Tool:
    """Return the program of that major, or else of the lowest newer one.

    bin_dir, where given, is the only folder that counts; otherwise PATH and then the packages' folders are
    searched. Raises ConfigError that lists what was found and names the package and image to use.
    """
    found: list[Tool] = []
    refused: list[str] = []
    for path in _candidates(name, bin_dir, os.environ if environ is None else environ):
        try:
            found.append(ask_version(name, path))
        except ConfigError as error:
            refused.append(error.message)
    fitting = [tool for tool in found if tool.major >= major_at_least]
    if fitting:
        return min(fitting, key=lambda tool: tool.major)       # the first of equals: search order
    raise _none_found(name, major_at_least, bin_dir, found, refused)


def find_newest(name: str, bin_dir: str | None = None) -> Tool:
    """Return the newest of these programs: pg_restore reads the archives of every older version, of a newer one none.

    Searches where find_tool does, and raises as it does.
    """
    lowest = find_tool(name, OLDEST, bin_dir)
    found = [lowest]
    for path in _candidates(name, bin_dir, os.environ):
        with suppress(ConfigError):    # one that does not run is no reason against the others
            found.append(ask_version(name, path))
    return max(found, key=lambda tool: tool.major)             # the first of equals: search order


def ask_version(name: str, path: str) -> Tool:
    """Run `PATH --version`; raise ConfigError if it does not run or says something else than a version."""
    try:
        answer = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
                                timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{path} cannot be run: {error}", code="tools.broken",
                          hint="Reinstall it, or set bin_dir to another folder.") from error
    line = answer.stdout.decode(errors="replace").strip()
    if answer.returncode or not _VERSION.search(line):
        words = (line or answer.stderr.decode(errors="replace").strip())[-200:]
        raise ConfigError(f"{path} --version exits {answer.returncode} and says {words!r}", code="tools.broken",
                          hint="Reinstall it, or set bin_dir to another folder.")
    return parse_version(name, path, line)


def parse_version(name: str, path: str, line: str) -> Tool:
    """Read a line such as pg_dump (PostgreSQL) 17beta1; raise ConfigError for anything else."""
    match = _VERSION.search(line)
    if not match:
        raise ConfigError(f"{path} --version says {line!r}, no version", code="tools.broken",
                          hint="Reinstall it, or set bin_dir to another folder.")
    return Tool(name, path, int(match[1]), match[1] + (match[2] or ""), line)


def _candidates(name: str, bin_dir: str | None, environ: Mapping[str, str]) -> Iterator[str]:
    if bin_dir:
        folders = [bin_dir]
    else:
        folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder]
        for pattern in FOLDERS:
            folders += sorted(glob.glob(pattern))
    seen: set[str] = set()
    for folder in folders:
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        # Debian's wrapper chooses a version by itself, from its own settings and PGCLUSTER.
        if real in seen or os.path.basename(real) == "pg_wrapper":
            continue
        if os.path.isfile(real) and os.access(real, os.X_OK):
            seen.add(real)
            yield path


def _none_found(name: str, major: int, bin_dir: str | None, found: list[Tool], refused: list[str]) -> ConfigError:
    had = [f"{tool.version} is in {os.path.dirname(tool.path)}" for tool in found] + refused
    where = "; ".join(had) or (f"{bin_dir} has none" if bin_dir else "none is in PATH or the packages' folders")
    package = f"postgresql-{major}" if name in SERVER_PROGRAMS else f"postgresql-client-{major}"
    return ConfigError(f"no {name} of major {major} or newer, which server version {major} needs: {where}",
                       hint=f"Install the package {package} (Debian, Ubuntu) or postgresql{major} (RHEL), set bin_dir"
                            f" to the folder of a newer one, or run in the container image postgres:{major}.",
                       code="tools.too_old" if found else "tools.missing")
