# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run programs as parts of a stream. No shell, no thread; every exit status is judged, death by a signal too.

One loop serves the program's three pipes, so a stream can be given up at any chunk: closing the iterator kills
the program and what it started, and leaves no descriptor. A program whose input fails is killed, never fed an
early end of input, which it would take for a complete one.
"""
from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from fcntl import ioctl
from typing import IO, Iterable, Iterator, Mapping, Sequence

from .child import PIPE, Program, end, start
from .failure import Complaint, failure, secret_values
from .held import HeldSignals
from .stage import CHUNK, Stage, close

OUTPUT_KEPT = 64 * 1024            # bytes that feed returns of what the program prints

_FIONREAD = 0x541B                 # asm-generic/ioctls.h: bytes that wait in a pipe, told at both of its ends
_WORTH = 256 * 1024                # bytes worth waking up for
_NAP = 0.002                       # seconds in which pg_dump writes about as much, and never fills the pipe


def read_from(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None,
              user: str | None = None, secrets: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield what a program prints; raise ToolFailed instead of ending if it ends badly.

    env is the program's whole environment (None: ours), user the account it runs as, secrets are strings that
    no message may show. Raises ConfigError("tool.missing") if there is no such program.
    """
    return _run(Program(tuple(argv), env, cwd, user, tuple(secrets) + secret_values(env)), None)


def through(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None,
            user: str | None = None, secrets: Sequence[str] = ()) -> Stage:
    """Return a stage that is a program from standard input to standard output; the rest is as in read_from."""
    program = Program(tuple(argv), env, cwd, user, tuple(secrets) + secret_values(env))
    return lambda chunks: _run(program, chunks)


def picking(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Stage:
    """Return the stage of a program that takes what it wants of its input and may leave before the end.

    The rest is read to its end all the same, so that whoever checks it there gets to.
    """
    program = Program(tuple(argv), env, secrets=secret_values(env))
    return lambda chunks: _run(program, chunks, picks=True)


def feed(argv: Sequence[str], chunks: Iterable[bytes], *, env: Mapping[str, str] | None = None,
         cwd: str | None = None, user: str | None = None, secrets: Sequence[str] = ()) -> bytes:
    """Write chunks to a program; return the last 64 KiB that it printed, once it ended well.

    A program that stops reading before the end has failed even if it exits 0, as psql does at a `\\q`.
    Bytes that it read and ignored cannot be seen from here: psql reads 4 KiB ahead, so ask it for a mark.
    """
    printed = b""
    for data in through(argv, env=env, cwd=cwd, user=user, secrets=secrets)(chunks):
        printed = (printed + data)[-OUTPUT_KEPT:]
    return printed


def _run(program: Program, chunks: Iterable[bytes] | None, *, picks: bool = False) -> Iterator[bytes]:
    try:
        with HeldSignals() as held:
            child = start(program, fed=chunks is not None)
            try:
                held.let_through()
                talk = _Talk(child, picks=picks)
                yield from talk.exchange(chunks)
                status = talk.wait()
                if status or talk.unread:
                    what = "" if status else f"stopped reading with {talk.unread} of its input unread"
                    raise failure(program.argv, status, talk.complaint.text(), program.secrets, what=what)
            finally:
                end(child)
    finally:
        close(chunks)


class _Talk:
    """The conversation with one child: its input is written, its output and complaints are read, by one poll."""

    def __init__(self, child: subprocess.Popen[bytes], *, picks: bool = False) -> None:
        self._picks = picks
        self.complaint = Complaint()
        self.unread = ""               # how much of the input the child did not want
        self._child = child
        self._poll = select.poll()
        self._open: dict[int, IO[bytes]] = {}
        self._in = self._add(child.stdin, select.POLLOUT)
        self._out = self._add(child.stdout, select.POLLIN)
        self._err = self._add(child.stderr, select.POLLIN)

    def exchange(self, chunks: Iterable[bytes] | None) -> Iterator[bytes]:
        """Yield the child's output until it is closed and the input is consumed or refused."""
        source, rest, wait = iter(chunks or ()), memoryview(b""), None
        while self._out in self._open or self._in in self._open:
            for handle, event in self._poll.poll(wait):
                if handle == self._err:
                    self._hear()
                elif handle == self._out:
                    data = _read(handle, patient=chunks is None)
                    if data:
                        yield data
                    elif data is not None:
                        self._close(handle)
                elif event & select.POLLERR:               # nobody reads any more
                    self._refused(_waiting(handle) or len(rest), source, wait)
                    self._close(handle)
                elif (more := _write(handle, rest, source)) is not None:
                    rest = more
                else:
                    wait = 1
                    self._poll.modify(handle, 0)           # POLLERR is told all the same
            if wait and self._in in self._open:
                wait = self._finish_input(wait)

    def _refused(self, left: int, source: Iterator[bytes], wait: int | None) -> None:
        """Judge what the child did not read; pg_restore leaves as soon as it has read all."""
        if self._picks:
            for _rest in source:
                pass
        elif left or any(map(len, source)):
            self.unread = f"{left} bytes" if wait else "a part"

    def _finish_input(self, wait: int) -> int:
        """Close the input when the child has taken all of it; return how many milliseconds to wait for that."""
        left = _waiting(self._in)
        if left and self._child.poll() is None:
            return min(wait * 2, 100)
        self.unread = f"{left} bytes" if left and not self._picks else ""
        self._close(self._in)
        return wait

    def wait(self) -> int:
        """Return the exit status, having read all complaints; grandchildren that live on are not waited for."""
        while self._err in self._open and self._child.poll() is None:
            if self._poll.poll(50):
                self._hear()
        while self._err in self._open and self._hear():
            continue
        return self._child.wait()

    def _hear(self) -> bool:
        data = _read(self._err, patient=False)
        if data == b"":
            self._close(self._err)
        self.complaint.add(data or b"")
        return bool(data)

    def _add(self, pipe: IO[bytes] | None, event: int) -> int:
        if pipe is None:
            return -1
        handle = pipe.fileno()
        os.set_blocking(handle, False)
        self._poll.register(handle, event)
        self._open[handle] = pipe
        return handle

    def _close(self, handle: int) -> None:
        self._poll.unregister(handle)
        self._open.pop(handle).close()


def _read(handle: int, *, patient: bool) -> bytes | None:
    """Return what is there, b"" at the end, None if nothing is there yet."""
    if patient and 0 < _waiting(handle) < _WORTH:
        time.sleep(_NAP)               # one wake-up for 256 KiB; without it reading takes a third more time
    try:
        return os.read(handle, CHUNK)
    except BlockingIOError:
        return None


def _write(handle: int, rest: memoryview, source: Iterator[bytes]) -> memoryview | None:
    """Write a part and return the rest of the chunk; return None when source has ended."""
    if not rest:
        chunk = next(source, None)
        if chunk is None:
            return None
        rest = memoryview(chunk)
    elif _waiting(handle) > PIPE // 2:
        time.sleep(_NAP)               # the reader takes small pieces; leave it alone until there is room
    try:
        return rest[os.write(handle, rest):] if rest else rest
    except (BlockingIOError, BrokenPipeError):
        return rest                    # a broken pipe is told by the next poll


def _waiting(handle: int) -> int:
    answer = ioctl(handle, _FIONREAD, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)
