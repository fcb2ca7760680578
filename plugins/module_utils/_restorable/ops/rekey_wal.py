# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give archived WAL new recipients, file by file, without the database and without ever losing one.

The new form gets a name of its own beside the old one, which goes only once the new one is stored; whoever reads takes
the newest form. So a kill at any point leaves every file readable by the old or by the new keys, and the next rekey
goes on from there. A file is opened and compared with its digest before, so damage is never carried over.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Sequence

from ..errors import ConfigError, Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.wal_naming import StoredWal, quarantine_prefix, stored_wal, wal_prefix
from ..model.wal_sealing import generations, is_sealed_for, rekeyed_key
from ..ports import Store
from .protect import delete_unless_retained
from .reach import bare, give_up, kept_up
from .wal_level import checked_wal
from .wal_reading import SEALED
from .world import World

SHOWN = 20                         # failures that are told by name


@dataclass
class RekeyedWal:
    """What became of one repository's WAL; in a dry run, what would."""

    repository: str
    rekeyed: int = 0               # files
    current: int = 0               # files that are sealed for these keys already
    size: int = 0                  # bytes that were read to be stored anew
    failed: int = 0                # files that stay as they were
    reasons: list[str] = field(default_factory=list)       # of the first of these
    stay: int = 0                  # old forms that could not be deleted yet
    why: str = ""                  # of the last of these

    def fail(self, name: str, error: RestorableError) -> None:
        """Count a file that stays as it was."""
        self.failed += 1
        if len(self.reasons) < SHOWN:
            self.reasons.append(f"{name}: {error.message}")


def rekey_wal(world: World, *, dry_run: bool = False) -> list[RekeyedWal]:
    """Seal the WAL of every repository for the recipients of the settings; return those that have any.

    A file that fails stops no other; a repository that cannot be reached any more is left, and told. Whoever calls
    this holds the lock, unless dry_run.
    """
    rows = []
    for store in kept_up(world.stores):
        row = RekeyedWal(store.name)
        try:
            # as it is: one that is given up must not look like one that took the new form of a file
            _repository(world, bare(store), row, dry_run=dry_run)
        except RestorableError as error:
            if not give_up(store, error):
                row.fail(f"repository {store.name}", error)
        rows.append(row)
    return [row for row in rows if row.rekeyed or row.current or row.failed]


def _repository(world: World, store: Store, row: RekeyedWal, *, dry_run: bool) -> None:
    world.progress.phase(f"rekey WAL of {store.name}")
    for prefix in (wal_prefix(world.cluster), quarantine_prefix(world.cluster)):
        for forms in generations(stored_wal((entry.key, entry.size) for entry in store.list(prefix))):
            _file(world, store, forms, row, dry_run=dry_run)


def _file(world: World, store: Store, forms: Sequence[StoredWal], row: RekeyedWal, *, dry_run: bool) -> None:
    newest, older = forms[0], forms[1:]
    if is_sealed_for(newest, world.keys.key_ids()):
        if older and not dry_run and not _is_whole(world, store, newest, row):
            return                     # a name promises nothing: an older form goes only for one that was opened
        row.current += 1
    elif dry_run:
        row.rekeyed, row.size = row.rekeyed + 1, row.size + newest.size
    else:
        try:
            _store(world, store, newest)
        except (ConfigError, Damaged, NotFound) as error:
            row.fail(newest.name, error)
            return
        row.rekeyed, row.size, older = row.rekeyed + 1, row.size + newest.size, forms
    if older and not dry_run:
        stay, why = retire_wal(world, store, older)
        row.stay, row.why = row.stay + stay, why or row.why


def _is_whole(world: World, store: Store, newest: StoredWal, row: RekeyedWal) -> bool:
    try:
        checked_wal(world, store, newest)
        world.keys.identities()        # without any, nothing was opened
    except (ConfigError, Damaged, NotFound) as error:
        row.fail(newest.name, error)
        return False
    return True


def _store(world: World, store: Store, stored: StoredWal) -> None:
    chunks = checked_wal(world, store, stored)
    try:
        store.put(rekeyed_key(stored, world.keys.key_ids()), _sealed(world, stored, chunks))
    except Refused as error:
        if error.code != "store.exists":
            raise                      # another rekey, of a host with a lock of its own, was faster


def _sealed(world: World, stored: StoredWal, chunks: Iterable[bytes]) -> Iterable[bytes]:
    sealing = world.keys.sealing()
    if sealing is None:
        raise ConfigError("no recipient is set to seal for", code="encryption.no_recipient",
                          hint="Name the new public keys under `encryption.recipients`.")
    return world.keys.rewrapping()(chunks) if stored.suffix.endswith(SEALED) else sealing(chunks)


def retire_wal(world: World, store: Store, forms: Sequence[StoredWal]) -> tuple[int, str]:
    """Delete the older forms of a file; return how many stay, since they are read or locked, and why."""
    try:
        with world.reading.hold("rekey"):      # a drill or a restore may be reading them
            kept = [until for until in (delete_unless_retained(store, each.key) for each in forms) if until]
    except Unavailable as error:
        if error.code != "lock.held":
            raise
        return len(forms), error.message
    return len(kept), f"retained: {max(kept)}" if kept else ""
