# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The rungs of a base backup's drill on a server that has recovered, and on its files once it has stopped."""
from __future__ import annotations

from ..errors import ConfigError, Damaged, RestorableError
from ..model.settings import DrillJob
from ..ports import Target
from .ladder import Ladder
from .recover_plan import RecoverPlan
from .recovery_ports import Recovery
from .rungs import answer, take
from .world import World

# Page checksums are judged on the stopped files, all of them and not only those that were read. A foreign key is
# checked by a dump's restore, which adds it after the rows; a recovery copies rows and keys as they are.
_NOT_OF_BASES = ("checksums", "foreign keys")


def verify_files(recovery: Recovery, ladder: Ladder, backup: str, folder: str, listed: bytes) -> None:
    """L1: every file against its checksum by pg_verifybackup, and here where that program cannot run.

    A program that is missing or dies proves nothing, good or bad; so the same list, if it is there, is compared here.
    """
    name, began = f"pg_verifybackup {backup}", ladder.now()
    try:
        recovery.verify(folder)
        ladder.ok("L1", name, "every file has the checksum of its list", seconds=ladder.now() - began)
    except ConfigError as error:
        if not listed:
            ladder.not_run("L1", name, f"{error.message}. {error.hint}")
            return
        with ladder.rung("L1", f"contents {backup}"):
            compared = recovery.compare_contents(folder, listed)
            ladder.notes.append(f"{error.message}, so its work was done here: {compared}")
    except RestorableError as error:
        ladder.failed("L1", name, error.message, seconds=ladder.now() - began)


def check_recovered(world: World, job: DrillJob, plan: RecoverPlan, recovery: Recovery, ladder: Ladder) -> None:
    """L3 to L6: every database entered, every row read, indexes and heap checked, your own questions."""
    target = recovery.target()
    with ladder.phase("structure"):
        databases = _databases(plan, target, ladder)
    with ladder.phase("read all"):
        for database in databases:
            with ladder.rung("L4", f"rows {database}", "all were read by pg_dump"):
                recovery.read_all(database)
    with ladder.phase("integrity"):
        for database in databases:
            for name, result, detail in target.integrity(database):
                if name not in _NOT_OF_BASES:
                    take(ladder, "L5", f"{name} {database}", result, detail)
    with ladder.phase("own checks"):
        _ask(world, job, databases, target, ladder)


def check_stopped(recovery: Recovery, ladder: Ladder) -> None:
    """L5 of the files: every page against its checksum, after a clean shutdown."""
    if ladder.stopped:
        return
    with ladder.phase("checksums"):
        began = ladder.now()
        try:
            said = recovery.checksums()
            ladder.ok("L5", "checksums", said or "every page", seconds=ladder.now() - began)
        except ConfigError as error:
            ladder.not_run("L5", "checksums", error.message)
        except RestorableError as error:
            ladder.failed("L5", "checksums", error.message, seconds=ladder.now() - began)


def _databases(plan: RecoverPlan, target: Target, ladder: Ladder) -> list[str]:
    """L3: enter every database; at the end of the base itself they are those that were there."""
    found: list[str] = []
    with ladder.rung("L3", "databases"):
        found = [each.name for each in target.server().databases if each.allows_connections]
        lost = sorted(set(plan.window.base.databases) - set(found))
        if lost and plan.target.kind == "immediate":
            raise Damaged(f"databases are not there: {', '.join(lost)}", code="drill.lost_database")
        if lost:
            ladder.notes.append(f"dropped since the base backup: {', '.join(lost)}")
    for database in found:
        with ladder.rung("L3", f"database {database}"):
            rows = target.query(database, "SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'm')")
            if not rows:
                raise Damaged(f"database {database!r} answers nothing", code="drill.silent_database")
    return found


def _ask(world: World, job: DrillJob, databases: list[str], target: Target, ladder: Ladder) -> None:
    for question in job.questions:
        for database in [question.database] if question.database else databases:
            with ladder.rung("L6", question.name or question.sql[:60], database):
                answer(question, database, databases, target)
    if job.command:
        with ladder.rung("L6", f"command {job.command[0]}"):
            world.hooks.run(job.command, target.environment(databases[0]), timeout=job.command_timeout)
    if not job.questions and not job.command:
        ladder.not_run("L6", "own checks", "none are set", optional=True)
