# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which repositories take part in a run: all of them, or, where any is enough, those that keep up; the others are told.

With repositories_policy all, trouble with one repository stops the run. With any, a repository that cannot be used when
the run begins is left out, one that fails in its midst is given up while the others go on, and only the last one's
trouble is raised. `restorable sync` brings the sets that a repository missed.
"""
from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Callable, Iterable, Iterator, TypeVar

from ..errors import NotFound, Refused, RestorableError, Unavailable
from ..ports import Entry, Store, Stored
from ..stream.tally import Tally
from .world import World

T = TypeVar("T")


class Losses:
    """What a run has lost so far. May be asked from several threads."""

    def __init__(self, left: int = 0) -> None:
        self.left = left
        self.errors: dict[str, RestorableError] = {}
        self.notes: dict[str, tuple[str, ...]] = {}    # what a repository could not clean up while it was checked
        self._guard = threading.Lock()

    def take(self, name: str, error: RestorableError) -> bool:
        """Note the loss of a repository; return False if it was the last one."""
        with self._guard:
            if self.left <= 1 and name not in self.errors:
                return False
            if name not in self.errors:
                self.left -= 1
                self.errors[name] = error
            return True

    def warnings(self, what: str, *, then: str = "") -> tuple[str, ...]:
        """Tell which repositories lack what was done, and how they catch up; and what was noted of the others."""
        lost = tuple(f"repository {name} lacks {what}: {error.message}; when it can be used again, run "
                     f"`{then or f'restorable sync --to {name}'}`" for name, error in sorted(self.errors.items()))
        return (*lost, *(words for notes in self.notes.values() for words in notes))


def reach(world: World, *, write: bool) -> tuple[World, Losses]:
    """Check every repository; return the world of those that take part, and what is lost already.

    Raises the first repository's trouble if all are wanted, or if none is left.
    """
    losses = Losses(len(world.stores))
    left: list[Store] = []
    for store in world.stores:
        try:
            store.check(write=write)
            losses.notes[store.name] = getattr(store, "notes", ())
            left.append(store)
        except RestorableError as error:
            if not world.any_is_enough or not losses.take(store.name, error):
                raise next(iter(losses.errors.values()), error) from None
    if not world.any_is_enough:
        return world, losses
    return replace(world, stores=tuple(Expendable(store, losses) for store in left), absent=losses.errors), losses


def kept_up(stores: Iterable[Store]) -> list[Store]:
    """Return the repositories that were not lost in the midst of the run."""
    return [store for store in stores if not (isinstance(store, Expendable) and store.lost)]


def bare(store: Store) -> Store:
    """Return the repository as it is, whose trouble is raised."""
    return store.inner if isinstance(store, Expendable) else store


def give_up(store: Store, error: RestorableError) -> bool:
    """Give a repository up for its trouble; return False where it is needed, so that the trouble is to be raised."""
    return isinstance(store, Expendable) and not isinstance(error, Refused) and store.give_up(error)


class Expendable:
    """A Store that a run may lose: from its first failure on it takes everything, keeps nothing and shows nothing.

    What it is given still passes through it, so that the run learns sizes and digests all the same. A refusal, such
    as of a key that exists, is no failure of the place and is raised. What could not be deleted is raised too, for
    nothing may be told as deleted that is there; the place still takes what is put.
    """

    def __init__(self, inner: Store, losses: Losses) -> None:
        self.name = inner.name
        self.inner = inner
        self._losses = losses

    @property
    def lost(self) -> bool:
        """Say whether it was given up."""
        return self.name in self._losses.errors

    @property
    def locks(self) -> Any:
        """Return what locks the place's objects, as ops.protect asks for it, or None."""
        return None if self.lost else getattr(self.inner, "locks", None)

    def give_up(self, error: RestorableError) -> bool:
        """Give the place up; return False if it is the last one."""
        return self._losses.take(self.name, error)

    def check(self, *, write: bool = True) -> None:
        """Check the place, or give it up."""
        self._try(lambda: self.inner.check(write=write), None)

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Put a stream; if the place fails meanwhile, let the rest of it pass."""
        passing, tally = _Upstream(chunks), Tally()
        counted = _Upstream(tally(passing))
        try:
            if not self.lost:
                try:
                    return self.inner.put(key, counted)
                except RestorableError as error:
                    if passing.failed or isinstance(error, Refused) or not self._losses.take(self.name, error):
                        raise
            for _chunk in counted:
                pass
            return Stored(key, tally.size, tally.sha256)
        finally:
            counted.end()
            passing.end()

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a file; one that is to be moved stays where the place was given up."""
        if self.lost:
            return self._read(key, path)
        try:
            return self.inner.put_file(key, path, move=move)
        except RestorableError as error:
            if isinstance(error, Refused) or not self._losses.take(self.name, error):
                raise
            return self._read(key, path)

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes; a place that was given up has none."""
        if self.lost:
            raise NotFound(f"repository {self.name} was given up in this run, so {key} cannot be read",
                           code="store.missing", hint="See its trouble in the warnings of this run.")
        yield from self.inner.get(key)

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield what the place holds, all of it or nothing."""
        nothing: tuple[Entry, ...] = ()
        yield from self._try(lambda: tuple(self.inner.list(prefix)), nothing)

    def delete(self, key: str) -> None:
        """Remove an object; raise what prevented it, also that the place was given up."""
        if self.lost:
            raise Unavailable(f"repository {self.name} was given up in this run, so {key} stays there",
                              code="store.given_up", hint="See its trouble in the warnings of this run.")
        self.inner.delete(key)

    def free_bytes(self) -> int | None:
        """Return how much fits, or None where that is not known."""
        return self._try(self.inner.free_bytes, None)

    def _try(self, work: Callable[[], T], otherwise: T) -> T:
        if self.lost:
            return otherwise
        try:
            return work()
        except RestorableError as error:
            if isinstance(error, Refused) or not self._losses.take(self.name, error):
                raise
            return otherwise

    def _read(self, key: str, path: str) -> Stored:
        tally = Tally()
        with open(path, "rb") as file:
            for _chunk in tally(iter(lambda: file.read(1024 * 1024), b"")):
                pass
        return Stored(key, tally.size, tally.sha256)


class _Upstream:
    """A stream that its reader cannot close, and that knows whether its own source failed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.failed = False
        self._chunks = chunks
        self._source = iter(chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._source)
        except StopIteration:
            raise
        except BaseException:
            self.failed = True
            raise

    def end(self) -> None:
        """Close the source."""
        for each in (self._source, self._chunks):
            closer = getattr(each, "close", None)
            if closer is not None:
                closer()
