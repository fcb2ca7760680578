# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The rungs of the ladder: what each level of a drill does."""
from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Iterable

from ..errors import Damaged, RestorableError
from ..model.differences import Difference, compare, compare_globals, incomparable
from ..model.drill import COUNTED
from ..model.fingerprint import Fingerprint
from ..model.manifest import Item, Manifest
from ..model.server import Database, Selection
from ..model.settings import DrillJob, Question
from ..model.text import human_bytes, some
from ..ports import RestoreOptions, Staged, Store, Target
from .ladder import Ladder
from .objects import jobs_for, read_fingerprint, read_item, read_stored
from .reread import read_twice, to_its_end
from .world import World

SHOWN = 20   # differences of one database that are listed one by one


def check_objects(world: World, store: Store, manifest: Manifest, ladder: Ladder) -> bool:
    """L0 of all objects but the dumps: read to the end, compare sizes and SHA-256, stored and plain.

    A dump is big, so it is read only once: its L0 is the reading that brings it to the scratch server's disk.
    """
    with ladder.phase("read objects"):
        for item in manifest.items:
            if item.role != "dump":
                with ladder.rung("L0", f"object {item.name}", human_bytes(item.size)):
                    for _chunk in read_item(world, store, manifest, item):
                        pass
    return not ladder.stopped


def check_stored(world: World, store: Store, manifest: Manifest, ladder: Ladder) -> None:
    """L0 of what cannot be opened here: every object is read as it is stored, so that damage is found all the same."""
    with ladder.phase("read objects"):
        for item in manifest.items:
            with ladder.rung("L0", f"object {item.name}", f"{human_bytes(item.size)}, not opened"):
                read_stored(world, store, manifest, item)


def restore_all(world: World, store: Store, manifest: Manifest, job: DrillJob, target: Target,
                ladder: Ladder) -> bool:
    """L1 and L2: roles first, then every database, each with exit-on-error."""
    with ladder.phase("restore globals"):
        _restore_globals(world, store, manifest, target, ladder)
    for item in manifest.dumps():
        with ladder.phase(f"restore {item.database}", item.plain_size):
            _restore_database(world, store, manifest, item, job, target, ladder)
    return not ladder.stopped


def _restore_globals(world: World, store: Store, manifest: Manifest, target: Target, ladder: Ladder) -> None:
    item = manifest.find("globals")
    if item is not None:
        with ladder.rung("L2", "globals"), to_its_end(read_item(world, store, manifest, item)) as chunks:
            ladder.notes += target.restore_globals(chunks)
        return
    roles = [str(name) for name in manifest.adopted.get("roles", ())]
    created = target.ensure_roles(roles)
    if created:
        ladder.notes.append(f"the set holds no roles; created without rights for the drill: {', '.join(created)}")


def _restore_database(world: World, store: Store, manifest: Manifest, item: Item, job: DrillJob, target: Target,
                      ladder: Ladder) -> None:
    options = RestoreOptions(item.format, jobs_for(item, job.jobs))
    fingerprint, _wrong = read_twice(partial(read_fingerprint, world, store, manifest, item.database))
    like = manifest.like(item.database)
    if item.format == "plain":
        _restore_plain(world, store, manifest, item, target, ladder, like)
        return
    began = ladder.now()
    try:
        with to_its_end(read_item(world, store, manifest, item)) as chunks, \
                target.staged(chunks, options, database=item.database, like=like) as archive:
            ladder.ok("L0", f"object {item.name}", human_bytes(item.size), seconds=ladder.now() - began)
            with ladder.rung("L1", f"contents {item.database}"):
                if fingerprint is not None and item.format != "plain":
                    require_data_entries(archive.lines(), fingerprint)
            world.progress.phase(f"load {item.database}")
            with ladder.rung("L2", f"restore {item.database}", human_bytes(item.plain_size)):
                ladder.notes += target.restore_staged(item.database, archive, options, like=like)
            if fingerprint is None and not ladder.stopped:
                with ladder.rung("L2", f"tables {item.database}", "each table with data in the archive is there"):
                    _require_tables(item.database, archive, target)
    except RestorableError as error:
        ladder.found("L0", f"object {item.name}", error, seconds=ladder.now() - began)
        ladder.not_run("L2", f"restore {item.database}", f"object {item.name} could not be brought here whole")


def _restore_plain(world: World, store: Store, manifest: Manifest, item: Item, target: Target, ladder: Ladder,
                   like: Database | None) -> None:
    options = RestoreOptions(item.format)
    with ladder.rung("L0", f"object {item.name}", human_bytes(item.size)), \
            ladder.rung("L1", f"contents {item.database}", "complete to its last line"), \
            to_its_end(read_item(world, store, manifest, item)) as chunks:
        target.contents(chunks, options)
    if not ladder.stopped:
        with ladder.rung("L2", f"restore {item.database}", human_bytes(item.plain_size)), \
                to_its_end(read_item(world, store, manifest, item)) as chunks:
            ladder.notes += target.restore_whole(item.database, chunks, options, like=like)


def require_data_entries(toc: Iterable[str], fingerprint: Fingerprint) -> None:
    """Raise Damaged unless the archive's table of contents has as many data entries as tables were fingerprinted."""
    entries = sum(" TABLE DATA " in line for line in toc if not line.startswith(";"))
    if entries < len(fingerprint.tables):
        raise Damaged(f"the archive has data of {entries} tables, {len(fingerprint.tables)} were to be dumped",
                      hint="Take another backup; this one is incomplete.", code="dump.toc_incomplete")


def _require_tables(database: str, archive: Staged, target: Target) -> None:
    """Raise Damaged unless every table whose rows the archive holds was restored."""
    wanted = archive.tables_with_data()
    there = set(target.standing(database, wanted))
    lost = [name for name in (f"{schema}.{table}" for schema, table in wanted) if name not in there]
    if lost:
        raise Damaged(f"the archive has data of {len(wanted)} tables, of which {len(lost)} are not in the restored "
                      f"database: {some(lost)}", code="drill.table_lost",
                      hint="Take another backup, with a fingerprint, and drill that.")


def check_restored(world: World, store: Store, manifest: Manifest, job: DrillJob, target: Target,
                   ladder: Ladder) -> None:
    """L3 to L6 on a server that stands."""
    with ladder.phase("compare"):
        _compare_globals(world, store, manifest, target, ladder)
        for item in manifest.dumps():
            _compare(world, store, manifest, item, target, ladder)
    with ladder.phase("integrity"):
        for item in manifest.dumps():
            for name, result, detail in target.integrity(item.database):
                take(ladder, "L5", f"{name} {item.database}", result, detail)
    with ladder.phase("own checks"):
        _ask(world, manifest, job, target, ladder)


def _compare_globals(world: World, store: Store, manifest: Manifest, target: Target, ladder: Ladder) -> None:
    item = manifest.find("globals_inventory")
    if item is None:
        if manifest.find("globals"):
            ladder.not_run("L3", "globals", "the dump was taken without a fingerprint", optional=True)
        return
    inventory, _wrong = read_twice(lambda: b"".join(read_item(world, store, manifest, item)))
    expected = json.loads(inventory)
    _report(ladder, "L3", "globals", compare_globals(expected, target.globals_inventory()), f"{len(expected)} entries")


def _compare(world: World, store: Store, manifest: Manifest, item: Item, target: Target, ladder: Ladder) -> None:
    expected, _wrong = read_twice(partial(read_fingerprint, world, store, manifest, item.database))
    if expected is None:
        adopted = bool(manifest.adopted)
        why = "an adopted file has no fingerprint to compare with" if adopted else "the dump was taken without one"
        ladder.not_run("L3", f"structure {item.database}", why, optional=adopted)
        ladder.not_run("L4", f"data {item.database}", why, optional=adopted)
        return
    actual = target.fingerprint(item.database, Selection.of(manifest.selection), expected.level)
    found = [_forgiven(each) if item.format == "plain" else each for each in compare(expected, actual)]
    _report_structure(ladder, manifest, target, f"structure {item.database}",
                      [each for each in found if each.level == "L3"], f"{len(expected.objects)} objects")
    unlike = incomparable(expected, actual)
    if unlike:
        ladder.not_run("L4", f"data {item.database}", f"the rows of {len(unlike)} tables have digests of PostgreSQL 13,"
                       " which a newer one cannot repeat. Install the server of major 13")
        if not any(each.level == "L4" and not each.note for each in found):
            return
    counted = expected.level == "counts"
    _report(ladder, "L4", f"{COUNTED if counted else 'data'} {item.database}",
            [each for each in found if each.level == "L4"],
            f"{expected.total_rows} rows in {len(expected.tables)} tables, "
            + ("counted; contents were not compared" if counted else expected.level))


def _forgiven(difference: Difference) -> Difference:
    # a plain dump holds nothing of the database itself, which its manifest says
    what = f"{difference.kind} {difference.name}"
    itself = what.startswith("database ") or "database current" in what
    return replace(difference, note=True) if itself else difference


def _report_structure(ladder: Ladder, manifest: Manifest, target: Target, name: str, found: list[Difference],
                      detail: str) -> None:
    dumped, here = int(manifest.server.get("version_num", 0)) // 10000, target.server().major
    real = [each for each in found if not each.note]
    if real and dumped != here:
        # each major describes the same object in its own words: 18 has NOT NULL constraints, 17 a privilege MAINTAIN
        ladder.not_run("L3", name, f"{len(real)} definitions differ, which says nothing: the scratch server is "
                                   f"PostgreSQL {here}, the dump is of {dumped}. Install the server of major {dumped}")
        return
    _report(ladder, "L3", name, found, detail)


def _report(ladder: Ladder, level: str, name: str, found: list[Difference], detail: str) -> None:
    real = [each for each in found if not each.note]
    ladder.notes += [f"{name}: {each.kind} {each.name}: {each.problem}, {each.expected} became {each.actual}"
                     for each in found if each.note]
    if not real:
        ladder.ok(level, name, detail)
    for each in real[:SHOWN]:
        ladder.failed(level, name, f"{each.kind} {each.name} {each.problem}", expected=each.expected,
                      actual=each.actual)
    if len(real) > SHOWN:
        ladder.failed(level, name, f"and {len(real) - SHOWN} more differences")


def _ask(world: World, manifest: Manifest, job: DrillJob, target: Target, ladder: Ladder) -> None:
    databases = [item.database for item in manifest.dumps()]
    for question in job.questions:
        for database in [question.database] if question.database else databases:
            with ladder.rung("L6", question.name or question.sql[:60], database):
                answer(question, database, databases, target)
    if job.command:
        with ladder.rung("L6", f"command {job.command[0]}"):
            world.hooks.run(job.command, target.environment(databases[0]), timeout=job.command_timeout)
    if not job.questions and not job.command:
        ladder.not_run("L6", "own checks", "none are set", optional=True)


def answer(question: Question, database: str, known: list[str], target: Target) -> None:
    """Ask a question; raise Damaged unless the answer is the expected one."""
    if database not in known:
        raise Damaged(f"database {database!r} is not in the set", code="drill.no_database")
    rows = target.query(database, question.sql)
    got = rows[0][0] if rows and rows[0] else None
    if question.expect is None:
        if got is None or got in ("f", "false"):
            raise Damaged(f"{question.sql!r} answered {got!r}, expected something true", code="drill.expectation")
    elif got != question.expect:
        raise Damaged(f"{question.sql!r} answered {got!r}, expected {question.expect!r}", code="drill.expectation")


def take(ladder: Ladder, level: str, name: str, result: str, detail: str) -> None:
    """Add one row of the integrity checks."""
    if result == "ok":
        ladder.ok(level, name, detail)
    elif result == "failed":
        ladder.failed(level, name, detail)
    else:
        ladder.not_run(level, name, detail)
