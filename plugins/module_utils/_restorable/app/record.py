# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Write what a verb did into the journals: the one place where both doors, the command and the modules, pass.

A verb that is not in RECORDED, a dry run, and work that was not needed leave no event.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping

from ..errors import Refused, RestorableError

if TYPE_CHECKING:
    from ..model.journal import Facts
    from ..ops.world import World

Report = Mapping[str, Any]

# verb: whether it also writes into repositories, so that an empty one may get a journal
RECORDED: Mapping[str, bool] = {
    "backup": True, "prune": True, "drill": True, "adopt": True, "hold": True, "rekey": True, "sync": True,
    "restore": False, "recover": False}

_TOLD = ("changed", "backup", "backups", "databases", "size", "seconds", "failed", "not_dumped", "picked", "repository",
         "held", "reason", "verdict", "rto", "rpo", "folder", "pattern", "globals", "warnings",
         "kind", "parent", "target", "reached", "replayed", "data_directory")


def record_result(verb: str, world: Callable[[], World], report: Report,
                  error: RestorableError | None = None) -> tuple[str, ...]:
    """Record how a verb ended; return warnings of journals that could not take it.

    A journal that misses the event for the very reason of the error is no news beside it.
    """
    if verb not in RECORDED:
        return ()
    facts = _failed(verb, world, error) if error else _done(verb, world, report)
    return _news(_write(verb, world, facts), error) if facts else ()


def record_failure(verb: str, world: Callable[[], World], error: BaseException) -> tuple[str, ...]:
    """Record that a verb was refused, failed or was stopped; never raises, since there is an error to tell already."""
    if verb not in RECORDED:
        return ()
    try:
        return _news(_write(verb, world, _failed(verb, world, error)), error)
    except RestorableError as another:
        told = f"{another.message}: so no journal has an event of this {verb}"
        return (told,) if another.code != _code(error) else ()


def _news(warnings: tuple[str, ...], error: BaseException | None) -> tuple[str, ...]:
    return tuple(each for each in warnings
                 if not isinstance(error, RestorableError) or not each.startswith(error.message))


def _write(verb: str, world: Callable[[], World], facts: Facts) -> tuple[str, ...]:
    from ..ops.journal import record
    return record(world(), facts, write=RECORDED[verb])


def _failed(verb: str, world: Callable[[], World], error: BaseException) -> Facts:
    """Return what an error says; a set that was committed before it is named with its manifest."""
    from ..model.journal import Facts
    from ..model.naming import BackupId, manifest_key
    message = error.message if isinstance(error, RestorableError) else type(error).__name__
    committed = str(error.details.get("committed", "")) if isinstance(error, RestorableError) else ""
    keys = (manifest_key(world().cluster, BackupId.parse(committed)),) if committed else ()
    return Facts(verb, "refused" if isinstance(error, Refused) else "failed", _code(error), message,
                 {"backup": committed} if committed else {}, keys)


def _code(error: BaseException) -> str:
    known = {"Stopped": "stopped", "KeyboardInterrupt": "stopped"}
    return error.code if isinstance(error, RestorableError) else known.get(type(error).__name__, "defect")


def _done(verb: str, world: Callable[[], World], report: Report) -> Facts | None:
    """Return what a verb's report says, or None if nothing was to be done."""
    from ..model.journal import Facts
    from ..model.naming import BackupId, every_name, manifest_key, page_key
    verdict = str(report.get("verdict") or report.get("evidence", {}).get("verdict", ""))
    if verb in ("backup", "hold", "adopt", "sync", "rekey") and not report.get("changed"):
        return None
    cluster = world().cluster
    keys = [manifest_key(cluster, BackupId.parse(each)) for each in _backups(verb, report)]
    evidence = report.get("evidence", report)
    keys += [str(each) for each in report.get("keys", ())]
    if verb == "drill" and evidence.get("key"):
        keys += [each for key in every_name(str(evidence["key"])) for each in (key, page_key(key))]
    result, code = ("ok", "") if verdict in ("", "passed") else ("failed", f"drill.{verdict}")
    return Facts(verb, result, code, str(report.get("words", "")), _details(verb, report), tuple(keys))


def _backups(verb: str, report: Report) -> list[str]:
    """Return the sets that a verb made, so that the journal keeps their manifests' digests."""
    if verb == "backup":
        return [str(report["backup"])]
    if verb == "adopt":
        return sorted({str(each["backup"]) for each in report["files"] if each["action"] == "adopted"})
    return [str(each) for each in report.get("made", ())]


def _details(verb: str, report: Report) -> dict[str, Any]:
    from .report import plain
    if verb == "prune":
        return {"repositories": {each["repository"]: {"kept": len(each["kept"]), "dropped": len(each["dropped"]),
                                                      "freed": each["freed"]} for each in report["repositories"]}}
    body = {key: plain(report[key]) for key in _TOLD if report.get(key) not in (None, "", [], ())}
    if "databases" in body:
        body["databases"] = [each["name"] if isinstance(each, dict) else each for each in body["databases"]]
    if "steps" in report:
        body["databases"] = [each["database"] for each in report["steps"]]
    if "files" in report:
        body["files"] = sum(each["action"] == "adopted" for each in report["files"])
    return body
