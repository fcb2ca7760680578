# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Private servers that vanish: own folder, own socket, no TCP, nothing archived, replicated or preloaded."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator

from ..errors import ConfigError, RestorableError, ToolFailed, Unavailable
from ..model.row_data import without_rows
from ..ports import Target
from ..stream.held import HeldSignals
from .accounts import Account, can_enter, reachable, server_account
from .connect import Connection
from .leftovers import KEPT, end_server, new_folder, remove_folder, socket_folder, sweep
from .restore import PgTarget
from .tools import Tool, find_tool
from .tuning import server_settings

DEFAULT_BASE = "/var/tmp"          # noqa: S108 - private folders inside
SHARED = "/dev/shm"                # noqa: S108 - only its free space is read
READY_TIMEOUT = 60.0               # seconds until a new, empty server must take sessions


@dataclass(frozen=True)
class LocalScratch:
    """Makes scratch servers from the PostgreSQL programs of this machine."""

    bin_dir: str = ""              # "": PATH and the packages' folders
    base: str = ""                 # where folders are made; "": $TMPDIR or /var/tmp
    account: str = ""              # who runs the server when we are root; "": postgres or nobody
    kept: list[str] = field(default_factory=list, compare=False)   # folders of the servers that were kept

    def plan(self, major: int) -> str:
        """Return in words which server would be started; raise ConfigError if there is none of that major or newer."""
        tool = find_tool("postgres", major, self.bin_dir)
        account = self._account()
        who = f" as {account.name}" if account else ""
        newer = "" if tool.major == major else f" (newer than the dumped {major})"
        where = f"from {os.path.dirname(os.path.realpath(tool.path))}{who}, private socket in {self._base(account)}"
        return f"PostgreSQL {tool.version}{newer} {where}"

    @contextmanager
    def start(self, major: int, bootstrap_user: str, *, keep_on_failure: bool) -> Iterator[Target]:
        """Start a private server whose bootstrap superuser has that name; give it as a Target.

        It is ended and its folder removed however the context ends. With keep_on_failure an error leaves the
        folder, the server stopped, and the error's hint says how to start it.
        """
        tool, account = find_tool("postgres", major, self.bin_dir), self._account()
        base = self._base(account)
        sweep(base)
        with terminable(), new_folder(base, account.gid if account else None) as (folder, _lock):
            place = _Place(folder, tool, account, bootstrap_user)
            try:
                place.make()
                with HeldSignals() as held:
                    server = place.launch()
                    try:
                        held.let_through()
                        place.wait_until_ready(server)
                        yield place.target()
                    finally:
                        stop_at_once(server, place.data)
            except Exception as error:
                if keep_on_failure:
                    place.keep(error)
                    self.kept.append(folder)
                raise

    def discard(self) -> None:
        """Remove the servers that were kept so far."""
        while self.kept:
            remove_folder(self.kept.pop())

    def free_bytes(self) -> int:
        """Return how many bytes fit where scratch servers are made."""
        return shutil.disk_usage(self._base(self._account())).free

    def place(self) -> tuple[str, Account | None]:
        """Return where scratch servers are made and whom they run as."""
        account = self._account()
        return self._base(account), account

    def _base(self, account: Account | None) -> str:
        base = self.base or os.environ.get("TMPDIR") or DEFAULT_BASE
        if not self.base and not can_enter(base, account):
            base = DEFAULT_BASE            # $TMPDIR is often ours alone
        if not os.path.isdir(base) or not can_enter(base, account):
            who = account.name if account else "this account"
            raise ConfigError(f"scratch folder {base!r} cannot be entered by {who}", code="scratch.no_folder",
                              hint="Set drill.scratch.dir to an existing folder on a disk with room, such as /var/tmp.")
        return os.path.realpath(base)

    def _account(self) -> Account | None:
        return server_account(self.account)


class _Place:
    """The folder of one scratch server."""

    def __init__(self, folder: str, tool: Tool, account: Account | None, superuser: str) -> None:
        self.folder, self.data = folder, os.path.join(folder, "data")
        self.bin_dir = os.path.dirname(os.path.realpath(tool.path))     # a link may lead to one program only
        self.superuser = superuser
        self._account = account
        self._socket = ""

    @property
    def _owner(self) -> tuple[int, int] | None:
        return (self._account.uid, self._account.gid) if self._account else None

    def own_folder(self, name: str) -> str:
        """Make a folder inside that only the server's account and root can enter."""
        path = os.path.join(self.folder, name)
        os.mkdir(path, 0o700)
        if self._owner:
            os.chown(path, *self._owner)
        return path

    def make(self) -> None:
        """Make an empty cluster. Trust is safe: only whoever can enter the socket's folder can connect."""
        if not os.path.exists(os.path.join(self.bin_dir, "initdb")):
            raise ConfigError(f"folder {self.bin_dir} holds postgres and no initdb", code="tools.missing",
                              hint="Install the server's whole package, or set bin_dir to a folder that has both.")
        self.bin_dir = reachable(self.bin_dir, self.folder, self._account)
        self.own_folder("data")
        os.mkdir(os.path.join(self.folder, "stage"), 0o700)
        self._socket = socket_folder(self.folder, self._owner)
        argv = [os.path.join(self.bin_dir, "initdb"), "-D", self.data, f"--username={self.superuser}", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(argv, cwd=self.data, env=server_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, **self._drop())
        if done.returncode:
            words = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise ToolFailed(f"initdb exited with status {done.returncode}: {words[-600:]}", code="scratch.initdb",
                             hint="Read what it said; often the disk is full.")

    def settings(self) -> dict[str, str]:
        """Return the server's settings."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        shared = shutil.disk_usage(SHARED).free if os.path.isdir(SHARED) else 0
        return {**server_settings(memory, os.cpu_count() or 1, shared=shared),
                "unix_socket_directories": '"' + self._socket.replace('"', '""') + '"', "port": "5432"}

    def command(self) -> list[str]:
        """Return the server's command line."""
        return [os.path.join(self.bin_dir, "postgres"), "-D", self.data,
                *(word for key, value in self.settings().items() for word in ("-c", f"{key}={value}"))]

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own, so that Ctrl-C reaches us and not it."""
        log = os.open(os.path.join(self.folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            return subprocess.Popen([*server_leash(), *self.command()], cwd=self.data, env=server_environment(),
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                    **self._drop())
        finally:
            os.close(log)

    def wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Wait for postmaster.pid's eighth line to say ready (src/include/utils/pidfile.h)."""
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise ToolFailed(f"the scratch server ended with status {server.returncode}: {self._last_words()}",
                                 hint="Read what it said; often memory or disk space is short.", code="scratch.died")
            if self._status() == "ready":
                return
            time.sleep(0.02)
        raise Unavailable(f"the scratch server took no sessions within {READY_TIMEOUT:.0f} s: {self._last_words()}",
                          hint="Look at the load of this machine and run again.", code="scratch.slow")

    def target(self) -> PgTarget:
        """Return the server as a Target; new tablespaces get folders in here."""
        connection = Connection({"host": self._socket, "port": "5432", "user": self.superuser,
                                 "application_name": "restorable drill"})
        return PgTarget(connection, bin_dir=self.bin_dir, stage=os.path.join(self.folder, "stage"),
                        place=self._tablespace, scratch=True)

    def keep(self, error: Exception) -> None:
        """Keep the folder and say in the error how to look into it."""
        with open(os.path.join(self.folder, KEPT), "w", encoding="utf-8") as file:
            file.write(f"{error}\n")
        who = f"runuser -u {self._account.name} -- " if self._account else ""
        words = " ".join(f"'{word}'" for word in self.command())
        if isinstance(error, RestorableError):
            error.hint = (f"{error.hint} The scratch server is stopped and kept in {self.folder}. Remove it with "
                          f"`rm -r {self.folder}`, or start it with: {who}{words}").strip()

    def _tablespace(self, _name: str) -> str:
        # numbered: a tablespace's name may hold what no path can
        number = sum(each.startswith("tablespace-") for each in os.listdir(self.folder))
        return self.own_folder(f"tablespace-{number + 1}")

    def _status(self) -> str:
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            return ""
        return lines[7].strip() if len(lines) > 7 else ""

    def _last_words(self) -> str:
        with open(os.path.join(self.folder, "log"), "rb") as file:
            lines = without_rows(file.read()[-4096:].decode(errors="replace")).strip().splitlines()
        return "; ".join(lines[-3:]) or "it said nothing"

    def _drop(self) -> dict[str, Any]:
        return self._account.arguments() if self._account else {}


def stop_at_once(server: subprocess.Popen[bytes], data: str) -> None:
    """End the server at once: nothing in it is worth a checkpoint."""
    try:
        server.send_signal(signal.SIGQUIT)
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    end_server(data, server.pid)


def server_environment() -> dict[str, str]:
    """Return the environment of a server of ours."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return {**clean, "LC_ALL": "C", "HOME": "/"}


def server_leash() -> list[str]:
    """Return what makes the server end when we die (prctl(2), PR_SET_PDEATHSIG), where this system has it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or threading.current_thread() is not threading.main_thread():
        return []                      # the signal is sent when the thread ends that started the server
    leash = [setpriv, "--pdeathsig", "QUIT", "--"]
    tried = subprocess.run([*leash, setpriv, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
    return leash if tried.returncode == 0 else []


class Terminated(SystemExit):
    """SIGTERM or SIGHUP arrived; unwinds like Ctrl-C, so that servers and folders are removed."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack instead of ending us on the spot, unless the program handles them."""
    taken = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                taken[number] = signal.signal(number, _unwind)
    try:
        yield
    finally:
        for number, before in taken.items():
            signal.signal(number, before)


def _unwind(number: int, _frame: object) -> None:
    raise Terminated(128 + number)
