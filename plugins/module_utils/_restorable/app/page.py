# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Render a drill's evidence as one HTML page for auditors: self-contained, no script, printable, light and dark."""
from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any, Iterable, Mapping, Sequence

from ..model.drill import levels_of
from ..model.text import human_duration
from .page_style import STYLE

Body = Mapping[str, Any]

_MARKS = {"ok": "✓", "failed": "✗", "not_run": "–"}
_WORDS = {"ok": "ok", "failed": "failed", "not_run": "not run"}
_VERDICTS = {
    "passed": "Passed", "failed": "Failed", "incomplete": "Incomplete: could not be proven"}
_NO_OBJECTIVE = "no objective is set"


def evidence_page(body: Body, words: str, sha256: str) -> bytes:
    """Return the page of evidence as it is stored; sha256 is that of the stored JSON, which the page stands for."""
    verdict = str(body["verdict"])
    head = f"Drill of {body['backup']}, cluster {body['cluster']}: {verdict}"
    sections = (_headline(body, words), _figures(body), _ladder(body), _not_run(body["checks"]),
                _phases(body["phases"]), _provenance(body, sha256), _objects(body["objects"]), _notes(body["notes"]))
    return _PAGE.format(title=escape(head), style=STYLE, verdict=escape(verdict),
                        sections="\n".join(each for each in sections if each)).encode("utf-8", "backslashreplace")


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="{verdict}">
<main>
{sections}
</main>
</body>
</html>
"""


def _headline(body: Body, words: str) -> str:
    return (f"<header><p class=\"kicker\">Evidence of a restore drill</p><h1>{_text(body['cluster'])} "
            f"<span class=\"id\">{_text(body['backup'])}</span></h1>"
            f"<p class=\"verdict\"><strong>{_text(_VERDICTS[str(body['verdict'])])}</strong></p>"
            f"<p>{_text(words)}</p><p class=\"quiet\">{_when(body['begun'])} to {_when(body['ended'])}</p></header>")


def _figures(body: Body) -> str:
    targets = {each["name"]: each for each in body["objectives"]}
    counts = {result: sum(each["result"] == result for each in body["checks"]) for result in _MARKS}
    cards = [_figure("Recovery time", "from the start to a server that answers", body["rto"], targets.get("rto"),
                     _NO_OBJECTIVE),
             _figure("Data at risk", _lost(body), body["rpo"], targets.get("rpo"), _unjudged(body)),
             _card("Checks", f"{counts['ok']} of {len(body['checks'])}", "ok",
                   f"{counts['failed']} failed, {counts['not_run']} not run", "failed" if counts["failed"] else "ok")]
    return f"<section class=\"figures\">{''.join(cards)}</section>"


def _lost(body: Body) -> str:
    """Say between which two moments the data at risk was measured."""
    recovery = body.get("recovery") or {}
    if not recovery:
        return "age of the snapshot when the drill started"
    target = str(recovery.get("target", ""))
    cut = f"the recovery target, {target}" if target.startswith("time ") else "the drill's start"
    return f"from the newest recovered commit to {cut}"


def _unjudged(body: Body) -> str:
    """Say why no objective was compared with the data at risk, of evidence that holds none."""
    if body["picked"] == "the newest":
        return _NO_OBJECTIVE
    return "not judged: this is not the newest backup, recovered as far as it goes"


def _figure(title: str, meaning: str, seconds: float | None, objective: Body | None, unjudged: str) -> str:
    measured = "not measured" if seconds is None else human_duration(seconds)
    if objective is None:
        return _card(title, measured, meaning, unjudged, "none")
    state = "ok" if objective["met"] else "failed"
    said = "met" if objective["met"] else "missed"
    return _card(title, measured, meaning, f"objective {human_duration(objective['target'])}: {said}", state)


def _card(title: str, value: str, meaning: str, judged: str, state: str) -> str:
    return (f"<div class=\"card {state}\"><h2>{_text(title)}</h2><p class=\"value\">{_text(value)}</p>"
            f"<p class=\"quiet\">{_text(meaning)}</p><p class=\"judged\">{_text(judged)}</p></div>")


def _ladder(body: Body) -> str:
    checks, known = body["checks"], levels_of(body.get("recovery"))
    names = {**known, **{each["level"]: each["level"] for each in checks if each["level"] not in known}}
    groups = []
    for level, meaning in names.items():
        rows = [each for each in checks if each["level"] == level]
        nothing = "<tr><td colspan=\"4\" class=\"quiet\">nothing to check</td></tr>"
        groups.append(f"<tbody><tr class=\"level\"><th scope=\"rowgroup\" colspan=\"4\">{_text(level)} "
                      f"<span>{_text(meaning if meaning != level else '')}</span></th></tr>"
                      f"{''.join(map(_check, rows)) or nothing}</tbody>")
    heads = "".join(f"<th scope=\"col\"{' class=number' if each == 'Took' else ''}>{each}</th>"
                    for each in ("Result", "Check", "Expected, and what was found", "Took"))
    return (f"<section><h2>What was checked</h2><table><thead><tr>{heads}</tr></thead>{''.join(groups)}</table>"
            "</section>")


def _check(check: Body) -> str:
    result = str(check["result"])
    found = [_text(check["detail"])] if check["detail"] else []
    if check["expected"] or check["actual"]:
        found.append(f"<dl class=\"pair\"><dt>expected</dt><dd>{_text(check['expected'])}</dd>"
                     f"<dt>actual</dt><dd>{_text(check['actual'])}</dd></dl>")
    took = human_duration(check["seconds"]) if check["seconds"] else ""
    return (f"<tr class=\"{result}\"><td class=\"result\"><b>{_MARKS[result]}</b> {_WORDS[result]}</td>"
            f"<td>{_text(check['name'])}</td><td>{' '.join(found)}</td><td class=\"number\">{_text(took)}</td></tr>")


def _not_run(checks: Sequence[Body]) -> str:
    rows = [each for each in checks if each["result"] == "not_run"]
    if not rows:
        return ""
    items = "".join(f"<li><b>{_text(each['level'])} {_text(each['name'])}</b>: {_text(each['detail'])}"
                    f"{' <i>(may be missing in a passed drill)</i>' if each['optional'] else ''}</li>" for each in rows)
    return f"<section><h2>What was not run, and why</h2><ul>{items}</ul></section>"


def _phases(phases: Mapping[str, float]) -> str:
    longest = max(phases.values(), default=0.0)
    if not longest:
        return ""
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td class=\"bar\"><i style=\"width:{100 * seconds / longest:.1f}%\"></i></td>"
        f"<td class=\"number\">{_text(human_duration(seconds))}</td></tr>" for name, seconds in phases.items())
    return f"<section><h2>How long it took</h2><table class=\"phases\">{rows}</table></section>"


def _provenance(body: Body, sha256: str) -> str:
    source, previous = body["source"], body["previous"]
    rows = [
        ("Drilled by", body["operator"]), ("With", body["tool"]), ("Picked", body["picked"]),
        ("From repository", body["repository"]), ("Restored into", body["server"]),
        ("Dumped from", _joined(source, "version", "system_identifier")), ("Dumped with", source.get("pg_dump", "")),
        ("This evidence", body.get("key", "")), ("SHA-256 of it", sha256),
        ("Evidence before", previous.get("key", "none")), ("SHA-256 of that", previous.get("sha256", "")),
        *((f"Journal in {heads['name']}, {chain}", f"event {head['number']}, {head['sha256']}")
          for heads in body.get("journal", {}).values() for chain, head in heads["chains"].items())]
    return f"<section><h2>Where it comes from</h2>{_pairs(rows)}</section>"


def _joined(source: Body, *keys: str) -> str:
    names = {"version": "PostgreSQL {}", "system_identifier": "system identifier {}"}
    return ", ".join(names[key].format(source[key]) for key in keys if source.get(key))


def _objects(objects: Mapping[str, str]) -> str:
    if not objects:
        return ""
    rows = "".join(f"<tr><td>{_text(name)}</td><td class=\"hash\">{_text(sha256)}</td></tr>"
                   for name, sha256 in sorted(objects.items()))
    return ("<section><h2>Objects of the backup</h2><table><thead><tr><th scope=\"col\">Object</th>"
            f"<th scope=\"col\">SHA-256 as stored</th></tr></thead><tbody>{rows}</tbody></table></section>")


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(each)}</li>" for each in notes)
    return f"<section><h2>Notes</h2><ul>{items}</ul></section>" if items else ""


def _pairs(rows: Iterable[tuple[str, Any]]) -> str:
    return "<dl class=\"facts\">" + "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
                                            for name, value in rows if value) + "</dl>"


def _when(iso: str) -> str:
    return f"<time datetime=\"{escape(iso)}\">{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S} UTC</time>"


def _text(value: Any) -> str:
    # names and values of somebody's database: nothing of it may be read as HTML
    return escape(str(value))
