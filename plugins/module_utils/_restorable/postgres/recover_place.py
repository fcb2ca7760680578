# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where recoveries are made (ops.recovery_ports): a data directory of somebody's, or a scratch folder that vanishes."""
from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ..errors import ConfigError, NotFound, Refused, RestorableError
from .accounts import Account, reachable, server_account
from .datadir import DataDir
from .leftovers import KEPT, new_folder, sweep
from .listed_files import compare_contents, compare_sizes
from .recovery import RecoveringServer
from .scratch import LocalScratch, terminable
from .tools import Tool, find_tool
from .wal_spool import WalSpool

_OFF = """\
# restorable: this is a recovered copy. Archiving is off so that it never writes into the archive of the server that it
# was copied from. Once it is the one server of its name: ALTER SYSTEM SET archive_mode = on, restart, archive the
# newest pg_wal/*.history with `restorable wal-push`, without which no older base backup leads to this timeline, and
# take a base backup.
archive_mode = 'off'
"""
# What belonged to the server that the copy was made from, and would lead the copy astray.
_ASTRAY = re.compile(r"\s*(recovery_\w+|restore_command|primary_conninfo|primary_slot_name|promote_trigger_file|"
                     r"archive_cleanup_command|archive_mode)\s*=", re.IGNORECASE)


class LocalRecovery:
    """A recovery that runs; attributes and methods as in ops.recovery_ports.Recovery."""

    def __init__(self, folder: str, directory: DataDir, tool: Tool, superuser: str, *, disposable: bool) -> None:
        self.folder, self.data = folder, directory.path
        self._directory = directory
        self._account = directory.account
        bin_dir = reachable(os.path.dirname(os.path.realpath(tool.path)), folder, self._account)
        self._server = RecoveringServer(folder, self.data, tool, bin_dir, self._account, superuser,
                                        disposable=disposable)
        spool = WalSpool(folder, self._account)
        self.spool, self.restore_command = spool, spool.command
        self._stage = os.path.join(folder, "stage")
        os.mkdir(self._stage, 0o700)
        self.unpack, self.link = directory.unpack, directory.link
        self.asides, self.abandon = directory.asides, directory.abandon
        self.started, self.wait_until_recovered = self._server.started, self._server.wait_until_recovered
        self.alive, self.ask, self.last_words = self._server.alive, self._server.ask, self._server.last_words

    def make(self, folders: Sequence[str]) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        for each in folders:
            self._directory.make(each, stamp)

    def member_folder(self, number: int, name: str) -> str:
        path = os.path.join(self.folder, f"member-{number}-{name}")
        os.mkdir(path, 0o700)
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)
        return path

    def write(self, folder: str, name: str, data: bytes) -> None:
        self._directory.write(folder, name, data.decode())

    def combine(self, members: Sequence[str], places: Mapping[str, str]) -> None:
        # PostgreSQL flushes the data directory itself before it recovers (SyncDataDirectory)
        maps = [word for old, new in places.items() for word in ("-T", f"{old}={new}")]
        beside = os.stat(self.folder).st_dev == os.stat(self.data).st_dev and not os.path.ismount(self.data)
        joined = self.member_folder(len(members), "joined") if beside else self.data
        self._server.run("pg_combinebackup", "--no-sync", *maps, f"--output={joined}", *members)
        if beside:
            # killed before, nothing lies in the data directory; from now on, what no server starts by itself
            self.write(joined, "recovery.signal", b"")
            os.rename(joined, self.data)

    def verify(self, folder: str) -> str:
        # the WAL is judged by recovery itself; the map of tablespaces was replaced by links
        return self._server.run("pg_verifybackup", "--no-parse-wal", "--ignore=tablespace_map",
                                "--ignore=standby.signal", "--quiet", folder).strip()

    def compare_sizes(self, folder: str, data: bytes) -> str:
        return compare_sizes(folder, data)

    def compare_contents(self, folder: str, data: bytes) -> str:
        return compare_contents(folder, data)

    def read_all(self, database: str) -> None:
        self._server.dump_to_nothing(database)

    def configure(self) -> None:
        path = os.path.join(self.data, "postgresql.auto.conf")
        lines: list[str] = []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                lines = [line for line in file if not _ASTRAY.match(line)]
        self._directory.write(self.data, "postgresql.auto.conf", "".join(lines) + _OFF)
        self._directory.write(self.data, "recovery.signal", "")

    def target(self) -> Any:
        return self._server.target(self._stage)

    def checksums(self) -> str:
        if self._server.control().get("Data page checksum version", "0") == "0":
            raise ConfigError("the server has no page checksums", code="checksums.off",
                              hint="Switch them on with `pg_checksums --enable` while it is stopped.")
        said = self._server.run("pg_checksums", "--check", "-D", self.data)
        return "; ".join(line.strip() for line in said.splitlines() if "checksum" in line.lower() or "locks" in line)

    def keep(self, why: Exception) -> None:
        """Keep the private folder and say in the error where it is."""
        with open(os.path.join(self.folder, KEPT), "w", encoding="utf-8") as file:
            file.write(f"{why}\n")
        if isinstance(why, RestorableError):
            why.hint = (f"{why.hint} What was made is stopped and kept in {self.folder}. Remove it with "
                        f"`rm -r {self.folder}`.").strip()


def exact_tool(major: int, bin_dir: str) -> Tool:
    """Return the server of exactly that major: the files of one major mean nothing to another."""
    try:
        tool = find_tool("postgres", major, bin_dir)
    except ConfigError as error:
        raise ConfigError(f"the base backup is of PostgreSQL {major}: {error.message}", hint=error.hint,
                          code=error.code) from error
    if tool.major != major:
        raise Refused(f"the base backup is of PostgreSQL {major}, this machine has {tool.version} in "
                      f"{os.path.dirname(tool.path)}", code="recover.wrong_major",
                      hint=f"Install postgresql-{major}, or set bin_dir to its programs; to move to a newer major, "
                           "restore a dump instead.")
    return tool


@dataclass(frozen=True)
class DataDirectory:
    """A data directory that somebody named, filled for good."""

    path: str
    places: Mapping[str, str] = field(default_factory=dict)
    bin_dir: str = ""
    owner: str = ""                # account of the files if we are root; "": whose folder it is, else postgres

    def plan(self, major: int) -> str:
        tool = exact_tool(major, self.bin_dir)
        account = self._account()
        return f"PostgreSQL {tool.version} from {os.path.dirname(tool.path)}" + (
            f" as {account.name}" if account else "")

    def folders(self, tablespaces: Mapping[int, str]) -> tuple[str, dict[int, str]]:
        directory = self._directory(None)
        unknown = set(self.places) - set(tablespaces.values()) - {str(oid) for oid in tablespaces}
        if unknown:
            known = ", ".join(f"{oid} ({path})" for oid, path in tablespaces.items()) or "none"
            raise NotFound(f"tablespace {sorted(unknown)[0]!r} is not in the backup", code="recover.no_tablespace",
                           hint=f"It has: {known}.")
        return self.path, {oid: directory.place_of(oid, path) for oid, path in tablespaces.items()}

    def guard(self, folders: Sequence[str], *, force: bool) -> list[str]:
        return self._directory(None).guard(folders, force=force)

    def room(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        return self._directory(None).require_room(wanted)

    @contextmanager
    def open(self, major: int, superuser: str, *, keep_on_failure: bool = False) -> Iterator[LocalRecovery]:
        tool, account = exact_tool(major, self.bin_dir), self._account()
        base = os.path.dirname(self.path)
        sweep(base)
        # beside the data directory: a segment is moved into it, never copied
        with terminable(), new_folder(base, account.gid if account else None) as (folder, _lock):
            recovery = LocalRecovery(folder, self._directory(account), tool, superuser, disposable=False)
            try:
                yield recovery
            except Exception as error:
                if keep_on_failure:
                    recovery.keep(error)
                raise

    def discard(self) -> None:
        """Nothing: only drills begin again, and no drill fills a data directory that somebody named."""

    def _directory(self, account: Account | None) -> DataDir:
        return DataDir(self.path, account, self.places)

    def _account(self) -> Account | None:
        if os.geteuid() != 0:
            return None
        if self.owner:
            return server_account(self.owner)
        for folder in (self.path, os.path.dirname(self.path)):
            if os.path.isdir(folder) and os.stat(folder).st_uid:
                return _of_uid(os.stat(folder).st_uid)
        return server_account()


def _of_uid(uid: int) -> Account:
    import pwd
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ConfigError(f"the folder belongs to the unknown account {uid}", code="recover.no_account",
                          hint="Name the server's account with --owner.") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class ScratchRecovery:
    """A scratch folder: the data directory, its tablespaces and its server vanish with it."""

    scratch: LocalScratch

    def plan(self, major: int) -> str:
        tool = exact_tool(major, self.scratch.bin_dir)
        where, account = self.scratch.place()
        who = f" as {account.name}" if account else ""
        return f"PostgreSQL {tool.version} from {os.path.dirname(tool.path)}{who}, private socket in {where}"

    def folders(self, tablespaces: Mapping[int, str]) -> tuple[str, dict[int, str]]:  # noqa: ARG002 - the port's
        return "", {}

    def guard(self, folders: Sequence[str], *, force: bool) -> list[str]:  # noqa: ARG002 - the port's signature
        return []

    def room(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        where, account = self.scratch.place()
        return DataDir(where, account).require_room({os.path.join(where, "data"): sum(wanted.values())})

    @contextmanager
    def open(self, major: int, superuser: str, *, keep_on_failure: bool = False) -> Iterator[LocalRecovery]:
        tool = exact_tool(major, self.scratch.bin_dir)
        base, account = self.scratch.place()
        sweep(base)
        with terminable(), new_folder(base, account.gid if account else None) as (folder, _lock):
            directory = DataDir(os.path.join(folder, "data"), account)
            recovery = LocalRecovery(folder, directory, tool, superuser, disposable=True)
            try:
                yield recovery
            except Exception as error:
                if keep_on_failure:
                    recovery.keep(error)
                    self.scratch.kept.append(folder)
                raise

    def discard(self) -> None:
        self.scratch.discard()
