# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""One locked database: its pg_dump and its fingerprint, both of one snapshot."""
from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from ..errors import ConfigError, NotFound, RestorableError, ToolFailed, Unavailable
from ..model.fingerprint import Fingerprint, Range
from ..model.server import DumpOptions, Selection, SharedNames
from ..stream.program import read_from
from ..stream.stage import owned
from .archives import complete_sql
from .children import child_environment
from .connect import driver, open_database
from .definitions import Definitions, at_first_file
from .fingerprint import MOVING, take, take_later, take_sequences
from .folder import tar_folder
from .listing import PassingList
from .locks import Snapshot
from .parameters import Connection
from .stages import new_stage
from .tables import list_tables
from .tools import Tool

if TYPE_CHECKING:
    import psycopg

QUEUED = 2.0                       # seconds pg_dump waits for a table that its own holder has locked already
SETTLING = 20                      # tries to read a catalogue in which something is dropped all the time
PARALLEL = 2                       # workers beside the fingerprint's own process: pg_dump wants a processor too
FORMATS = ("custom", "directory", "plain")

# What pg_dump says for failures that are better explained as something else than a failed tool.
_SAYS: tuple[tuple[str, type[RestorableError], str, str], ...] = (
    # --lock-wait-timeout is a statement_timeout around LOCK TABLE; all others are off (pg_dump.c, getTables)
    (r"statement timeout|lock timeout|could not obtain lock", Unavailable, "dump.lock_timeout",
     "Somebody asked for an ACCESS EXCLUSIVE lock as the dump began; run again when the change is over."),
    # definitions are read as they are now (ruleutils.c), also those of what the snapshot alone still shows
    (r"cache lookup failed|appears to be empty|failed sanity check|with OID \d+|relation \S+ does not exist",
     Unavailable, "dump.moving",
     "Something was dropped as the dump began; run again."),
    (r"row-level security", ConfigError, "dump.row_security",
     "Run `ALTER ROLE … BYPASSRLS`, or dump as a superuser or the tables' owner."),
    (r"permission denied", ConfigError, "dump.privilege",
     "Grant the named right, or `GRANT pg_read_all_data TO …` on version 14 and newer."),
    (r"max_locks_per_transaction", ConfigError, "dump.lock_table_full",
     "Raise max_locks_per_transaction and restart the server."),
    (r"conflict with recovery", Unavailable, "dump.conflict",
     "Set hot_standby_feedback = on or raise max_standby_streaming_delay on the standby, then run again."),
    (r"server closed the connection|terminating connection|connection to server .* failed", Unavailable,
     "dump.interrupted", "Read the server's log, then run again."),
)


class PgDumpSession:
    """The session of a locked database (ports.DumpSession).

    The fingerprint is taken in the very session that holds the locks. Any other would queue behind an ALTER TABLE
    that waits for these locks, while this session waits for the fingerprint: a deadlock the server cannot see.
    """

    def __init__(self, connection: Connection, database: str, holder: psycopg.Connection[tuple[Any, ...]],
                 snapshot: Snapshot, selection: Selection, named: SharedNames, *, definitions: Definitions,
                 tool: Tool, lister: Tool, staging: str | None, lock_timeout: float,
                 environ: Mapping[str, str] | None) -> None:
        self.begun = snapshot.begun
        self.lsn = snapshot.lsn
        self.named = named
        self._connection, self._database, self._holder = connection, database, holder
        self._snapshot, self._selection, self._tool = snapshot, selection, tool
        self._lister, self._definitions = lister, definitions
        self._contents: list[str] = []
        self._early: dict[str, Range] = {}
        self._staging, self._lock_timeout, self._environ = staging, lock_timeout, environ

    def stream(self, options: DumpOptions) -> Iterator[bytes]:
        """Yield pg_dump's output; see ports.DumpSession."""
        if options.format not in FORMATS:
            raise ConfigError(f"dump format {options.format!r} is not known",
                              hint=f"Choose one of {', '.join(FORMATS)}.", code="dump.bad_format")
        ended = False
        try:
            with explained(), child_environment(self._connection, self._environ) as env:
                if options.format == "directory":
                    yield from self._directory(options.jobs, env)
                elif options.format == "plain":
                    yield from complete_sql(self._dump("--format=plain", env))
                else:
                    passing = PassingList(self._lister.path)
                    yield from passing(self._dump("--format=custom", env))
                    self._contents = passing.lines()
            self._check_alive()
            ended = True
        finally:
            if not ended:
                self._give_up()

    def contents(self) -> list[str]:
        """Return the table of contents of what stream gave; see ports.DumpSession."""
        return self._contents

    def prepare(self, level: str) -> None:
        """Read the sequences as they are before pg_dump does; see ports.DumpSession."""
        if level != "none":
            self._early = take_sequences(self._holder, list_tables(self._holder, self._selection))

    def fingerprint(self, level: str) -> Fingerprint:
        """Return the fingerprint of the snapshot; see ports.DumpSession."""
        found = take(self._holder, self._selection, level, parallel=PARALLEL, check=self._definitions.check)
        return replace(found, sequences={**found.sequences, **self._early}).widened(found)

    def settle(self, found: Fingerprint) -> Fingerprint:
        """Widen the fingerprint by what moved; see ports.DumpSession.

        The dump is over, so the locks are given back first: a change that waits for them would block this too.
        """
        if found.level == "none":
            return found
        self._holder.execute("ROLLBACK")
        for _attempt in range(SETTLING - 1):
            try:
                return found.widened(take_later(self._holder, self._selection))
            except Unavailable as error:
                if error.code != MOVING:
                    raise
        return found.widened(take_later(self._holder, self._selection))

    def _argv(self, *more: str) -> list[str]:
        # Large objects are dumped unless schemas or tables are chosen (app-pgdump.html, --large-objects).
        excluded = [f"--exclude-table={pattern}" for pattern in self._selection.exclude_tables]
        excluded += [f"--exclude-table-data={pattern}" for pattern in self._selection.exclude_table_data]
        return [self._tool.path, *more, "--compress=0", f"--snapshot={self._snapshot.name}", "--no-password",
                f"--lock-wait-timeout={max(1, round(min(self._lock_timeout, QUEUED) * 1000))}", *excluded,
                f"--dbname={self._connection.conninfo(self._database)}"]

    def _dump(self, form: str, env: Mapping[str, str]) -> Iterator[bytes]:
        with owned(self._run(self._argv(form), env)) as source:
            for number, chunk in enumerate(source):
                if not number:             # all definitions are read by now
                    self._definitions.check()
                yield chunk

    def _run(self, argv: list[str], env: Mapping[str, str]) -> Iterator[bytes]:
        return read_from(argv, env=env, secrets=self._connection.secrets)

    def _directory(self, jobs: int, env: Mapping[str, str]) -> Iterator[bytes]:
        with _private_folder(self._staging) as folder:
            target = os.path.join(folder, "dump")
            argv = self._argv("--format=directory", f"--jobs={max(1, jobs)}", "--no-sync", f"--file={target}")
            with at_first_file(target, self._definitions.check):
                for _chunk in self._run(argv, env):
                    pass                   # it has nothing to say on its standard output
            listing = b"".join(self._run([self._lister.path, "--list", target], env))
            self._contents = listing.decode(errors="replace").splitlines()
            yield from tar_folder(target)

    def _give_up(self) -> None:
        """Stop a fingerprint that runs beside: nobody wants that of a dump which failed."""
        with suppress(driver().Error):
            if not self._holder.closed:
                self._holder.cancel()

    def _check_alive(self) -> None:
        """Raise Unavailable if the session that held the locks ended before pg_dump did.

        Asked from a second session, since the first may be busy with the fingerprint.
        """
        with open_database(self._connection, self._database) as session:
            row = session.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s",
                                  [self._holder.info.backend_pid]).fetchone()
        if not row or row[0] != 1:
            raise Unavailable(f"session that held the locks of database {self._database!r} was ended during the dump",
                              hint="Find who terminates idle sessions, then run again.", code="dump.session_lost")


@contextmanager
def explained() -> Iterator[None]:
    """Raise what pg_dump failed of as the error that tells the reader what to do."""
    try:
        yield
    except ToolFailed as error:
        words = getattr(error, "stderr", "") or error.message
        for pattern, kind, code, hint in _SAYS:
            if re.search(pattern, words):
                raise kind(error.message, hint=hint, code=code) from error
        missing = re.search(r'database "(.*)" does not exist', words)
        if missing:
            raise NotFound(error.message, hint="It was dropped after it had been listed; run again.",
                           code="connect.no_database") from error
        raise


@contextmanager
def _private_folder(staging: str | None) -> Iterator[str]:
    stack = ExitStack()
    try:
        folder = stack.enter_context(new_stage("restorable-dump-", staging))
    except OSError as error:
        raise ConfigError(f"staging folder {staging or tempfile.gettempdir()!r} cannot be used: {error.strerror}",
                          hint="Set staging to a writable folder with room for the whole uncompressed dump.",
                          code="dump.staging") from error
    with stack:
        yield folder
