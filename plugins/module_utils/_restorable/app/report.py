# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what operations return into plain values, the same for --json, for the Ansible modules and for the texts.

Sizes are bytes, spans are seconds, times are ISO 8601 in UTC. Keys are only ever added.
"""
from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

from ..model.drill import in_words
from ..model.naming import BackupId
from ..model.text import human_bytes, visible
from ..model.window_line import LEGEND, draw

if TYPE_CHECKING:
    from ..errors import RestorableError
    from ..model.catalogue import Backup
    from ..model.drill import Check, Evidence
    from ..model.manifest import Manifest
    from ..model.recovery import Window
    from ..model.retention import Plan, Row
    from ..ops.adopt import AdoptReport
    from ..ops.backup import BackupReport
    from ..ops.drill import DrillPlan
    from ..ops.prune import PruneReport
    from ..ops.restore_plan import RestorePlan
    from ..ops.status import ClusterStatus, RepositoryStatus
    from ..ops.verify import Verified

Plain = dict[str, Any]


def backup_report(done: BackupReport) -> Plain:
    """Describe a backup that was taken, planned, or not needed; without a manifest nothing was written."""
    plan, manifest = done.plan, done.manifest
    body: Plain = {
        "changed": done.changed, "backup": "" if plan.skipped_because else str(plan.id),
        "skipped_because": plan.skipped_because, "repositories": list(plan.repositories),
        "databases": [{"name": each.name, "server_size": each.size} for each in plan.databases],
        "server": plan.server.version, "pg_dump": plan.tool, "not_covered": list(plan.not_covered),
        "warnings": list(dict.fromkeys((*plan.warnings, *done.warnings))), "swept": list(done.swept), "failed": [],
        "expected_size": plan.last_size}
    if manifest is not None:
        body.update(_taken(manifest))
    return body


def dump_diff(cluster: str, report: Plain) -> Plain:
    """Return the plan of a dump as Ansible prints a diff."""
    expected = f", about {human_bytes(report['expected_size'])}" if report["expected_size"] else ""
    lines = [f"dump {cluster} {report['backup']} into {', '.join(report['repositories'])}{expected}",
             *(f"+ {each['name']}  {human_bytes(each['server_size'])} on the server" for each in report["databases"]),
             *(f"  not covered: {visible(each)}" for each in report["not_covered"])]
    return {"prepared": "\n".join([*lines, ""])}


def _taken(manifest: Manifest) -> Plain:
    return {
        "backup": str(manifest.id), "databases": _databases(manifest), "size": manifest.size,
        "plain_size": manifest.plain_size, "seconds": (manifest.ended - manifest.begun).total_seconds(),
        "not_covered": list(manifest.not_covered), "failed": list(manifest.failed), "hooks": plain(manifest.hooks)}


def _databases(manifest: Manifest) -> list[Plain]:
    rows = []
    for item in manifest.dumps():
        report = manifest.report(item.database)
        rows.append({"name": item.database, "size": item.size, "plain_size": item.plain_size, "format": item.format,
                     "tables": report.tables if report else None, "rows": report.rows if report else None,
                     "seconds": report.seconds if report else None})
    return rows


def prune_report(reports: Sequence[PruneReport]) -> Plain:
    """Describe what retention keeps and drops in every repository."""
    from .report_wal import wal_plan_report
    rows = [{**_pruned(each.repository, each.plan, each.sizes, deleted=each.deleted, retained=each.retained,
                       stayed=each.stayed), "error": each.error,
             "evidence": [asdict(row) for row in each.aged], "wal": wal_plan_report(each.wal)} for each in reports]
    return {"changed": any(row["dropped"] or row["evidence"] or row["wal"]["dropped"] for row in rows),
            "repositories": rows,
            "warnings": [words for each in reports for words in each.warnings] +
                        [f"repository {each.repository} was not pruned to the end: {each.error}" for each in reports
                         if each.error]}


def refused_prune_report(error: RestorableError) -> Plain:
    """Describe the plans that a guard forbade to carry out; {} for another error."""
    planned = error.details.get("plans", ())
    rows = [_pruned(store.name, plan, {each.id: each.size for each in catalogue.backups}, deleted=False)
            for store, catalogue, plan in planned]
    return {"changed": False, "repositories": rows} if rows else {}


def _pruned(repository: str, plan: Plan, sizes: Mapping[BackupId, int], *, deleted: bool,
            retained: Mapping[BackupId, str] | None = None, stayed: Sequence[BackupId] = ()) -> Plain:
    locked = retained or {}
    gone = [row for row in plan.dropped if row.id not in locked and row.id not in stayed]
    return {"repository": repository, "deleted": deleted,
            "kept": [_fate(row, sizes) for row in plan.kept], "dropped": [_fate(row, sizes) for row in gone],
            "retained": [{**_fate(row, sizes), "until": locked[row.id]} for row in plan.dropped if row.id in locked],
            "stayed": [_fate(row, sizes) for row in plan.dropped if row.id in stayed],
            "freed": sum(sizes.get(row.id, 0) for row in gone),
            "refusals": [asdict(each) for each in plan.refusals], "evidence": []}


def _fate(row: Row, sizes: Mapping[BackupId, int]) -> Plain:
    return {"backup": str(row.id), "time": iso(row.id.time), "size": sizes.get(row.id), "reasons": list(row.reasons)}


def plan_diff(cluster: str, repository: Plain) -> Plain:
    """Return the plan for one repository as Ansible prints a diff."""
    # "prepared" and not before and after: Ansible would leave out the kept ones that are not beside a dropped one
    rows = [(each["backup"], " ", "keep", each["reasons"]) for each in repository["kept"]]
    rows += [(each["backup"], "-", "drop", each["reasons"]) for each in repository["dropped"]]
    rows += [(each["backup"], " ", "retained", [f"locked until {each['until']}"])
             for each in repository["retained"]]
    rows += [(each["backup"], " ", "stayed", ["could not be deleted"]) for each in repository["stayed"]]
    lines = [f"{sign} {backup}  {fate}  {', '.join(reasons)}"
             for backup, sign, fate, reasons in sorted(rows, reverse=True)]
    lines += [f"- WAL {run['first']} to {run['last']}  drop  {run['count']} files"
              for run in repository.get("wal", {}).get("runs", ()) if not run["kept_by"]]
    lines += [f"  not pruned to the end: {repository['error']}"] if repository.get("error") else []
    kept = f": keep {repository['policy']}" if "policy" in repository else ""
    return {"prepared": "\n".join([f"{cluster} in {repository['repository']}{kept}", *lines, ""])}


def drill_report(plan: DrillPlan, evidence: Evidence | None) -> Plain:
    """Describe a drill: its plan, and its evidence unless it was a dry run."""
    body: Plain = {"changed": evidence is not None, "backup": str(plan.backup.id), "picked": plan.picked,
                   "repository": plan.repository, "server": plan.server, "plain_size": plan.plain_size,
                   "expected_seconds": plan.expected_seconds}
    if evidence is not None:
        body.update(evidence.as_dict(), words=in_words(evidence))
    return plain_mapping(body)


def restore_report(plan: RestorePlan, notes: Iterable[str], *, dry_run: bool = False) -> Plain:
    """Describe what a restore did, or would do."""
    steps = [{"action": step.action, "database": step.database, "from": step.item.database, "detail": step.detail,
              "plain_size": step.item.plain_size, "notes": list(step.notes)} for step in plan.steps]
    return {"changed": bool(plan.steps) and not dry_run, "backup": plan.backup, "picked": plan.picked,
            "repository": plan.repository, "globals": plan.globals, "steps": steps, "notes": list(notes),
            "verdict": plan.verdict, "drilled": iso(plan.drilled), "leftovers": list(plan.leftovers),
            "proof": _proof(plan)}


def _proof(plan: RestorePlan) -> str:
    on = f" on {plan.drilled:%Y-%m-%d %H:%M} UTC" if plan.drilled else ""
    return {"passed": f"proven by a drill{on}", "failed": f"NOT proven: its drill{on} failed",
            "incomplete": f"not proven: its drill{on} could not run to the end"}.get(
                plan.verdict, f"not proven: it was never drilled; `restorable drill {plan.backup}` would tell")


def verify_report(found: Sequence[Verified], *, dry_run: bool = False) -> Plain:
    """Describe what L0 and L1 found of every set that was read."""
    rows = [{"backup": str(each.backup.id) if each.backup else "", "repository": each.repository,
             "size": each.backup.size if each.backup else 0,
             "verdict": "" if dry_run else each.verdict, "checks": [_check(check) for check in each.checks],
             "opened": not dry_run and not any(check.name == "opened" and check.result == "not_run"
                                               for check in each.checks)}
            for each in found]
    told = {row["verdict"] for row in rows}
    worst = next((each for each in ("failed", "incomplete") if each in told), "passed")
    return {"changed": any(each.noted for each in found), "verdict": "" if dry_run else worst, "backups": rows,
            "warnings": [words for each in found for words in each.warnings]}


def _check(check: Check) -> Plain:
    return asdict(check)


def list_report(rows: Sequence[RepositoryStatus], now: datetime) -> Plain:
    """Describe what every repository holds, newest first."""
    return {"repositories": [
        {"repository": row.name, "error": row.error, "free": row.free,
         "size": sum(each.size for each in row.catalogue.backups), "missing": list(row.missing),
         "strangers": list(row.catalogue.strangers),
         "recovery": recovery_report(row.windows),
         "backups": [_row_with_keys(each, now, row.keys) for each in reversed(row.catalogue.backups)]} for row in rows]}


def _row_with_keys(backup: Backup, now: datetime, keys: Mapping[BackupId, Sequence[str]]) -> Plain:
    return {**backup_row(backup, now), **({"sealed_for": list(keys[backup.id])} if backup.id in keys else {})}


def backup_row(backup: Backup, now: datetime) -> Plain:
    """Describe one set as its listing shows it."""
    return {"backup": str(backup.id), "time": iso(backup.id.time), "kind": backup.id.kind, "label": backup.id.label,
            "state": backup.state(), "size": backup.size, "age": (now - backup.id.time).total_seconds(),
            "held": backup.held, "sealed": backup.sealed, "missing": list(backup.missing), "proven": backup.proven,
            "drilled": iso(backup.drilled), "verdict": backup.verdict}


def status_report(status: ClusterStatus) -> Plain:
    """Describe one cluster's health and the newest set of each repository."""
    return {"colour": status.health.colour, "reasons": list(status.health.reasons),
            "last_drill": iso(status.last_drill), "last_evidence": status.last_evidence, "now": iso(status.now),
            "repositories": [_repository(row, status.now) for row in status.repositories]}


def _repository(row: RepositoryStatus, now: datetime | None) -> Plain:
    sets = row.catalogue.committed()
    proven = [each for each in sets if each.proven]
    return {"repository": row.name, "error": row.error, "free": row.free, "missing": list(row.missing),
            "count": len(sets), "orphans": len(row.catalogue.orphans()),
            "size": sum(each.size for each in row.catalogue.backups),
            "recovery": recovery_report(row.windows),
            "newest": backup_row(sets[-1], now or sets[-1].id.time) if sets else None,
            "newest_proven": backup_row(proven[-1], now or proven[-1].id.time) if proven else None}


def recovery_report(windows: Sequence[Window]) -> Plain | None:
    """Describe what can be recovered to from base backups, as rows and as a line of time; None without any."""
    if not windows:
        return None
    return {"line": draw(windows), "legend": LEGEND, "windows": [
        {"backup": str(each.backup), "from_time": iso(each.begin), "from_lsn": str(each.start), "whole": each.whole,
         "to_lsn": str(max(each.reach, each.start)), "to_time": iso(each.until), "gap_behind": each.beyond}
        for each in sorted(windows, key=lambda each: each.begin)]}


def show_report(repository: str, backup: Backup, manifest: Manifest, drills: Sequence[Mapping[str, Any]],
                now: datetime) -> Plain:
    """Describe one set: its manifest's essentials, its drills, and the stock commands that restore it."""
    return {**backup_row(backup, now), "repository": repository, "cluster": manifest.cluster, "tool": manifest.tool,
            "begun": iso(manifest.begun), "ended": iso(manifest.ended), "plain_size": manifest.plain_size,
            "server": plain(manifest.server), "databases": _databases(manifest),
            "objects": [plain(asdict(item)) for item in manifest.items], "sealed_for": list(manifest.key_ids()),
            "not_covered": list(manifest.not_covered),
            "failed": list(manifest.failed), "hooks": plain(manifest.hooks), "adopted": plain(manifest.adopted),
            "restore": list(manifest.restore), "drills": [plain(each) for each in drills]}


def adopt_report(done: AdoptReport) -> Plain:
    """Describe which files were taken in, which were there already, and which were left and why."""
    rows = [{"file": each.name, "action": each.action, "backup": str(each.backup) if each.backup else "",
             "series": each.series, "database": each.database, "format": each.format, "size": each.size,
             "reason": each.reason, "notes": list(each.notes), "moved": each.moved} for each in done.files]
    return {"changed": any(row["action"] == "adopted" for row in rows), "folder": done.folder,
            "pattern": done.pattern, "repositories": list(done.repositories), "files": rows,
            "warnings": list(done.warnings)}


def hold_report(backup: str, changed: bool, *, release: bool, reason: str = "",
                warnings: Sequence[str] = ()) -> Plain:
    """Describe a hold that was set or released."""
    return {"changed": changed, "backup": backup, "held": not release, "reason": reason, "warnings": list(warnings)}


def iso(time: datetime | None) -> str | None:
    """Return an ISO 8601 time, or None for no time."""
    return time.isoformat() if time else None


def plain_mapping(value: Mapping[str, Any]) -> Plain:
    """Return a mapping with nothing in it but what JSON knows."""
    return {str(key): plain(inner) for key, inner in value.items()}


def plain(value: Any) -> Any:
    """Return a value made of nothing but dicts, lists, texts, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return plain_mapping(value)
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
