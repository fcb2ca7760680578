# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Adopt dump files that others made: each whole one becomes a set that is listed, pruned and drilled like ours."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Iterator, Sequence

from ..errors import NotFound, RestorableError
from ..model.adoption import Named, Pattern, Unfit, series_label
from ..model.buckets import zone
from ..model.dumpfile import UNAUTHENTICATED
from ..model.manifest import Item
from ..model.naming import BackupId
from ..model.sidecar import LIMIT, described_database, read_meta, sidecar_names
from ..ports import Archives, Folder, FolderEntry, Store
from .adopted import Known, adopted_manifest, object_name, store_set
from .examine import DumpFile, examine, read_sidecar
from .reach import reach
from .tidy import sweep_where_allowed
from .world import World


@dataclass(frozen=True)
class AdoptWish:
    """Which files are taken and how they are read."""

    patterns: tuple[str, ...]
    database: str = ""             # empty: what the dump says, else the series
    timezone: str = "UTC"          # of times in names that carry no zone
    move: bool = False             # remove an original once its set is committed in every repository


@dataclass(frozen=True)
class FileReport:
    """What became of one file."""

    name: str
    size: int
    action: str                    # adopted, known, skipped (the file's fault), failed (a repository's)
    backup: BackupId | None = None
    series: str = ""
    database: str = ""
    format: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    moved: bool = False


@dataclass(frozen=True)
class AdoptReport:
    """What became of every file that a pattern matches; in a dry run what would become of it."""

    folder: str
    pattern: str
    repositories: tuple[str, ...]
    files: tuple[FileReport, ...] = ()
    warnings: tuple[str, ...] = ()     # of repositories that were lost


@dataclass
class _Run:
    world: World
    archives: Archives
    folder: Folder
    wish: AdoptWish
    patterns: Sequence[Pattern]
    names: frozenset[str]
    known: Known
    dry_run: bool


@dataclass(frozen=True)
class _Found:
    """One file that can be adopted."""

    entry: FolderEntry
    named: Named
    file: DumpFile
    time: datetime
    label: str
    notes: tuple[str, ...] = field(default=())


def adopt(world: World, archives: Archives, folder: Folder, wish: AdoptWish, *, dry_run: bool = False) -> AdoptReport:
    """Adopt every whole dump among the files that a pattern matches; no file stops the others.

    A file whose series, time and content are adopted already is left alone, so this may be run again and again.
    """
    patterns = [Pattern.of(text) for text in wish.patterns]
    zone(wish.timezone, "timezone")
    world.keys.check()
    world, losses = reach(world, write=not dry_run)
    entries = folder.entries()
    chosen = [each for each in entries if any(pattern.matches(each.name) for pattern in patterns)]
    if not chosen:
        raise NotFound(f"no file in {folder.path} fits {', '.join(map(repr, wish.patterns))}", code="adopt.no_file",
                       hint=f"It holds {', '.join(each.name for each in entries[:3]) or 'nothing'}; a pattern is "
                            "matched against whole names.")
    names = frozenset(each.name for each in entries)
    stayed: tuple[str, ...] = ()
    if dry_run:
        run = _Run(world, archives, folder, wish, patterns, names, Known.read(world), dry_run)
        files = tuple(_each(run, chosen))
    else:
        with world.lock.hold("adopt"):
            swept = sweep_where_allowed(world)
            run = _Run(world, archives, folder, wish, patterns, names, Known.read(world), dry_run)
            files = tuple(_each(run, chosen))
        stayed = tuple(words for store in world.stores for words in swept.warnings(store))
    return AdoptReport(folder.path, ", ".join(wish.patterns), tuple(store.name for store in world.stores), files,
                       (*losses.warnings("what was adopted"), *stayed))


def _each(run: _Run, entries: Sequence[FolderEntry]) -> Iterator[FileReport]:
    for entry in entries:
        if entry.kind == "file" and _describes(entry.name, run.names):
            continue               # a sidecar goes with its dump
        try:
            found = _look(run, entry)
        except (Unfit, RestorableError) as error:
            yield FileReport(entry.name, entry.size, "skipped", reason=str(error))
            continue
        yield _take(run, found)


def _describes(name: str, names: frozenset[str]) -> bool:
    return name.endswith(".meta") and any(other != name and name in sidecar_names(other, "") for other in names)


def _look(run: _Run, entry: FolderEntry) -> _Found:
    if entry.kind != "file":
        what = {"link": "it is a symbolic link", "folder": "it is a folder"}
        raise Unfit(what.get(entry.kind, "it is no plain file"))
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        raise Unfit("its name is not UTF-8") from None
    pattern = next(each for each in run.patterns if each.matches(entry.name))
    named = pattern.read(entry.name, run.wish.timezone)
    run.world.progress.phase(f"read {entry.name}", entry.size)
    file = examine(run.world, run.folder, entry.name, run.archives)
    label = series_label(named.stem, run.known.stems)
    run.known.stems[label] = named.stem
    notes = named.notes
    if named.time is None:
        notes += ("its name tells no time; taken from the file's own",)
    if file.encryption.startswith("openssl/"):
        notes += (UNAUTHENTICATED,)
    return _Found(entry, named, file, named.time or entry.modified, label, notes)


def _take(run: _Run, found: _Found) -> FileReport:
    try:
        sidecars, meta = _sidecars(run, found)
    except RestorableError as error:
        return FileReport(found.entry.name, found.entry.size, "skipped", reason=error.message)
    database, notes = _database(run.wish, found, meta)
    report = FileReport(found.entry.name, found.entry.size, "adopted", series=found.label, database=database,
                        format=found.file.format, notes=notes)
    same = run.known.same(found.label, found.time, found.file.sha256)
    backup = same or run.known.free_id(found.time, found.label)
    lacking = run.known.lacking(backup)
    report = replace(report, backup=backup, action="adopted" if lacking else "known")
    if run.dry_run:
        run.known.add(backup, found.time, found.file.sha256)
        return report
    try:
        if lacking:
            adopted = {**_origin(run, found), "meta": meta, "notes": list(notes)}
            _store(run, found, _item(found, database), adopted, sidecars, backup, lacking)
            run.known.add(backup, found.time, found.file.sha256)
        if run.wish.move:
            _remove(run, found)
    except RestorableError as error:
        # the disk that is full for this file may have room for the next one; every failure is named
        return replace(report, action="failed", reason=error.message, backup=None)
    return replace(report, moved=run.wish.move)


def _database(wish: AdoptWish, found: _Found, meta: Any) -> tuple[str, tuple[str, ...]]:
    told = wish.database or found.file.script.database or described_database(meta)
    if told:
        return told, found.notes
    name = found.named.stem or found.label
    return name, (*found.notes, "database named like the file")


def _remove(run: _Run, found: _Found) -> None:
    run.folder.remove(found.entry.name)
    sidecar = _sidecar_name(run, found)
    if sidecar:
        run.folder.remove(sidecar)
        run.names -= {sidecar}


def _sidecar_name(run: _Run, found: _Found) -> str:
    return next((each for each in sidecar_names(found.entry.name, found.named.stem) if each in run.names), "")


def _sidecars(run: _Run, found: _Found) -> tuple[dict[str, bytes], Any]:
    """Return (object name → bytes, what they say) of the file that describes this one, if there is one."""
    name = _sidecar_name(run, found)
    if not name:
        return {}, ""
    data = read_sidecar(run.folder, name, LIMIT)
    return {object_name(name): data}, read_meta(data)


def _item(found: _Found, database: str) -> Item:
    file = found.file
    return Item(object_name(found.entry.name), "dump", file.size, file.sha256, file.plain_size, file.plain_sha256,
                database, file.format, file.compression, file.encryption)


def _origin(run: _Run, found: _Found) -> dict[str, Any]:
    return {"name": found.entry.name, "path": run.folder.path_of(found.entry.name), "stem": found.named.stem,
            "sha256": found.file.sha256, "time": found.time.isoformat(), "modified": found.entry.modified.isoformat(),
            "roles": sorted(found.file.script.roles)}


def _store(run: _Run, found: _Found, item: Item, adopted: dict[str, Any], sidecars: dict[str, bytes],
           backup: BackupId, stores: Sequence[Store]) -> None:
    run.world.progress.phase(f"store {found.entry.name}", found.entry.size)
    manifest = adopted_manifest(run.world, backup, found.time, [item], sidecars, found.file.script, adopted)
    # a file without a date in its name is likely to be written over, and a hard link would change with it
    link = run.wish.move or found.named.time is not None
    store_set(run.world, stores, manifest, run.folder, found.entry.name, sidecars, link=link)
