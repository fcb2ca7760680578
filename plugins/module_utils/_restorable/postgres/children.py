# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The environment of PostgreSQL's client programs: cleaned, and with the password where no other user sees it."""
from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from typing import Iterator, Mapping

from .parameters import Connection

# Where service files are looked for (libpq-pgservice.html); needed only by a connection that names a service.
_SERVICE = ("PGSERVICEFILE", "PGSYSCONFDIR")


@contextmanager
def child_environment(connection: Connection, environ: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Give the environment for pg_dump, pg_restore, psql…; the passfile in it is gone when the context ends.

    Every inherited PG* variable is left out: PGOPTIONS, PGSERVICE, PGDATABASE… would redirect the child, and
    PGCLUSTER Debian's wrapper. Messages are asked for in English, since some are read.
    """
    environ = os.environ if environ is None else environ
    clean = {key: value for key, value in environ.items()
             if not key.startswith("PG") and key not in ("LC_ALL", "LC_MESSAGES", "LANGUAGE")}
    if "service" in connection.params:
        clean.update({key: environ[key] for key in _SERVICE if key in environ})
    clean["LC_ALL"] = "C"
    with ExitStack() as stack:
        yield {**clean, **_secret(connection.password, stack)}


def passfile_line(password: str) -> str:
    r"""Return the line that gives this password to every server.

    ":" and "\" are escaped by "\" (https://www.postgresql.org/docs/current/libpq-pgpass.html).

    >>> passfile_line("a:b")
    '*:*:*:*:a\\:b\n'
    """
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def _secret(password: str | None, stack: ExitStack) -> dict[str, str]:
    """Return the variables that give the password; the stack removes the file they name."""
    if password is None:
        return {}
    if "\n" in password or "\r" in password:
        return {"PGPASSWORD": password}             # a passfile has one line for each server
    return {"PGPASSFILE": stack.enter_context(_passfile(password))}


@contextmanager
def _passfile(password: str) -> Iterator[str]:
    """Give the path of a passfile: in memory where the system can, so that even SIGKILL leaves none behind."""
    line = passfile_line(password).encode()
    handle = _in_memory(line)
    if handle is not None:
        try:
            yield _path(handle)
        finally:
            os.close(handle)
        return
    handle, path = tempfile.mkstemp(prefix="restorable-", suffix=".pgpass")      # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(line)
        yield path
    finally:
        os.unlink(path)


def _in_memory(line: bytes) -> int | None:
    """Return a file without a name that only this account's programs can open by _path, or None without Linux.

    libpq wants a regular file that others cannot read (fe-connect.c, passwordFromFile), which it is.
    """
    if not hasattr(os, "memfd_create"):
        return None
    try:
        handle = os.memfd_create("restorable-passfile")      # closed on exec
    except OSError:
        return None
    try:
        os.fchmod(handle, 0o600)
        os.write(handle, line)
        os.stat(_path(handle))
    except OSError:                # no /proc is mounted
        os.close(handle)
        return None
    return handle


def _path(handle: int) -> str:
    return f"/proc/{os.getpid()}/fd/{handle}"
