# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Check journals: every chain by itself, chains against what others saw of them, and events against objects. Pure."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Iterator, Mapping, Sequence

from .journal import UPKEEP, Event, Head
from .journal_view import Claim, Finding, Found, JournalView, Upkeep, Verify, announced, claims, upkeep
from .naming import MANIFEST, every_name, manifest_generation, parse_drill_key


def check(views: Sequence[JournalView], verify: Verify | None, *, own: str = "") -> tuple[list[Finding], list[str]]:
    """Return (findings, notes) of all journals of one cluster together; own is the chain of whoever asks.

    Without verify no signature is asked for: then only what rewrites a whole chain, and every copy and witness of
    it, stays unseen.
    """
    explained = {view.repository: upkeep(view, verify) for view in views}
    findings: list[Finding] = []
    for view in views:
        anchors = explained[view.repository].anchors
        for chain, found in view.chains.items():
            findings += _chain(view, chain, found, anchors.get(chain, Head()), verify)
        findings += _objects(view, explained[view.repository])
        findings += _added(view, views)
        findings += _evidence(view, explained[view.repository], views)
    seen = [claim for view in views for claim in claims(view)]
    findings += _heads(views, seen, explained)
    findings += _copies(views, explained)
    findings += _differing(views)
    lost, notes = _strangers(views, seen, own)
    unwitnessed = [note for view in views for note in _unwitnessed(view)]
    return _once(findings + lost), [*notes, *unwitnessed]


def _once(findings: Sequence[Finding]) -> list[Finding]:
    kept: dict[tuple[str, str, str], Finding] = {}
    for each in findings:
        kept.setdefault((each.kind, each.repository, each.where), each)
    return list(kept.values())


def _chain(view: JournalView, chain: str, found: Sequence[Found], anchor: Head,
           verify: Verify | None) -> Iterator[Finding]:
    def finding(kind: str, number: int, message: str) -> Finding:
        return Finding(kind, view.repository, f"{chain} {number}", message)

    first = found[0]
    if first.number > anchor.number + 1:
        yield finding("gap", anchor.number + 1, f"{_events(anchor.number + 1, first.number - 1)} missing at the "
                                                "beginning, and no anchor explains it")
    elif first.number == anchor.number + 1 and first.event and first.event.previous != anchor.sha256:
        yield finding("edited", first.number, "it does not follow the event before, as far as that is known")
    prior: Found | None = None
    for each in found:
        if each.problem:
            yield finding("unreadable", each.number, each.problem)
        elif wrong := _misplaced(view, chain, each):
            yield finding("reordered", each.number, wrong)
        elif prior and each.number != prior.number + 1:
            yield finding("gap", prior.number + 1, f"{_events(prior.number + 1, each.number - 1)} missing")
        elif prior and each.event and each.event.previous != prior.sha256 and _sound(view, chain, prior):
            yield finding("edited", prior.number, f"it is not the event that event {each.number} was chained to")
        if each.number == anchor.number and each.sha256 != anchor.sha256:
            yield finding("edited", each.number, "it is not the event that an anchor names")
        prior = each
    if verify:
        yield from _signatures(view, chain, found, verify)


def _sound(view: JournalView, chain: str, found: Found) -> bool:
    return not found.problem and not _misplaced(view, chain, found)


def _misplaced(view: JournalView, chain: str, found: Found) -> str:
    event = found.event
    if event is None:
        return ""
    if (event.chain, event.number) != (chain, found.number):
        return f"it says that it is event {event.number} of chain {event.chain}"
    return f"it was written to another journal, {event.repository}" if event.repository != view.id else ""


def _events(first: int, last: int) -> str:
    return f"event {first} is" if first == last else f"events {first} to {last} are"


def _signatures(view: JournalView, chain: str, found: Sequence[Found], verify: Verify) -> Iterator[Finding]:
    """Yield what is not signed well. Events from before a chain's first signature are bound by it, and are fine."""
    if not any(each.signature for each in found):
        yield Finding("unsigned", view.repository, f"{chain} {found[-1].number}", "no event of this chain is signed")
        return
    signed = False
    for each in found:
        signed = signed or bool(each.signature)
        if each.event and each.signature:
            wrong = verify(each.covered, each.signature)
            if wrong:
                yield Finding("signature", view.repository, f"{chain} {each.number}", wrong)
        elif each.event and signed:
            yield Finding("unsigned", view.repository, f"{chain} {each.number}", "it is not signed")


def _heads(views: Sequence[JournalView], seen: Sequence[Claim], explained: Mapping[str, Upkeep]) -> Iterator[Finding]:
    """Yield chains that are shorter than, or other than, what somebody saw."""
    by_id = {view.id: view for view in views if view.id}
    for claim in sorted(seen, key=lambda claim: -claim.head.number):
        view = by_id.get(claim.journal)
        if view is None or not claim.head.number:
            continue
        chain = {each.number: each for each in view.chains.get(claim.chain, ())}
        there = chain.get(claim.head.number)
        last = max(chain, default=explained[view.repository].anchors.get(claim.chain, Head()).number)
        if there and there.sha256 != claim.head.sha256:
            yield Finding("edited", view.repository, f"{claim.chain} {claim.head.number}",
                          f"it is not the event that {claim.witness} saw")
        elif last < claim.head.number:
            yield Finding("cut", view.repository, f"{claim.chain} {last + 1}",
                          f"the chain ends at event {last}, {claim.witness} saw event {claim.head.number}")


def _copies(views: Sequence[JournalView], explained: Mapping[str, Upkeep]) -> Iterator[Finding]:
    """Yield chains whose end lacks what another repository has of the same writer."""
    missed = frozenset().union(*(each.missed for each in explained.values()))
    for view in views:
        for chain, found in view.chains.items():
            mine = {each.event.id for each in found if each.event}
            for other in views:
                after = _after_last_common(other.chains.get(chain, ()), mine)
                lost = [each for each in after if (each.id, view.repository) not in missed]
                if lost:
                    count = "1 later event" if len(lost) == 1 else f"{len(lost)} later events"
                    yield Finding("cut", view.repository, f"{chain} {found[-1].number + 1}",
                                  f"repository {other.repository} has {count}, the last one of "
                                  f"{lost[-1].at:%Y-%m-%d %H:%M:%S} UTC: {lost[-1].what} {lost[-1].result}")


def _differing(views: Sequence[JournalView]) -> Iterator[Finding]:
    """Yield events that say something else in two repositories; which of the two is right, no machine can tell."""
    first: dict[str, tuple[JournalView, Event]] = {}
    for view in views:
        for event in view.events():
            other, told = first.setdefault(event.id, (view, event))
            if _said(told) != _said(event):
                for mine, theirs, each in ((view, other, event), (other, view, told)):
                    yield Finding("edited", mine.repository, f"{each.chain} {each.number}",
                                  f"it says otherwise than the same event in {theirs.repository}")


def _said(event: Event) -> tuple[Any, ...]:
    return (event.chain, event.at, event.who, event.where, event.tool, event.cluster, event.what, event.result,
            event.code, event.message, event.details)


def _after_last_common(chain: Sequence[Found], mine: set[str]) -> list[Event]:
    events = [each.event for each in chain if each.event and each.event.what != UPKEEP]
    common = [at for at, event in enumerate(events) if event.id in mine]
    return events[common[-1] + 1:] if common else []


def _objects(view: JournalView, known: Upkeep) -> Iterator[Finding]:
    """Yield manifests and evidence that are gone or changed since an event named them."""
    expected: dict[str, tuple[str, Event]] = {}
    deleted: set[str] = set()
    for event in view.events():
        deleted |= set(event.deleted)
        if known.before and event.at < known.before:
            continue               # the last of its chain; what told of later deletions may have aged out
        for key, sha256 in event.present.items():
            expected[key] = (sha256, event)
            deleted.discard(key)
    for key, (sha256, event) in expected.items():
        there = view.digests.get(key)
        if there is None and not _deleted(key, deleted):
            yield Finding("missing", view.repository, key, f"event {event.chain} {event.number} of "
                          f"{event.at:%Y-%m-%d %H:%M:%S} UTC saw it, and no event tells that it was deleted")
        elif there is not None and there != sha256:
            yield Finding("edited", view.repository, key, f"it is not what event {event.chain} {event.number} saw")


def _deleted(key: str, deleted: set[str]) -> bool:
    """Say whether an event tells that a key, or the set it belongs to, was deleted."""
    return key in deleted or f"{key.rpartition('/')[0]}/{MANIFEST}" in deleted


def _added(view: JournalView, views: Sequence[JournalView]) -> Iterator[Finding]:
    """Yield manifests that took the place of one that an event knows, without an event of their own.

    One that was copied from another repository, before the copy could be told, is what an event there saw; one that a
    killed rekey has left is what that rekey had announced.
    """
    known = {key for event in view.events() for key in event.present}
    elsewhere = {pair for each in views for event in each.events()
                 for pair in (*event.present.items(), *announced(event))}
    for key in view.digests:
        folder, _slash, name = key.rpartition("/")
        if manifest_generation(name) and key not in known and f"{folder}/{MANIFEST}" in known \
                and (key, view.digests[key]) not in elsewhere:
            yield Finding("added", view.repository, key, "it takes the place of the set's manifest, and no event tells "
                                                         "of it")


def _aged(key: str, before: datetime | None) -> bool:
    parsed = parse_drill_key(key.replace(".html", ".json"))
    return bool(parsed and before and parsed[0] < before)


def _evidence(view: JournalView, known: Upkeep, views: Sequence[JournalView]) -> Iterator[Finding]:
    """Yield evidence that was changed, renamed or removed, as far as other evidence shows it."""
    first = next(view.events(), None)
    for key, body in view.evidence.items():
        if not isinstance(body, Mapping):
            yield Finding("unreadable", view.repository, key, "it is no evidence")
            continue
        if renamed(key, body):
            yield Finding("reordered", view.repository, key, f"it says that it is {body.get('key') or 'another'}")
        previous = body.get("previous") or {}
        name = str(previous.get("key", "")) if isinstance(previous, Mapping) else ""
        if not name or _aged(name, known.before):
            continue
        if name not in view.digests:
            # a repository that was added later never had the evidence of before, and each names its own verdict
            elsewhere = any(one in each.digests for one in every_name(name) for each in views)
            if not elsewhere and not (first and _aged(name, first.at)):
                yield Finding("missing", view.repository, name,
                              f"{key} follows it, and no event tells that it was deleted")
        elif view.digests[name] != previous.get("sha256"):
            yield Finding("edited", view.repository, name, f"it is not the evidence that {key} follows")


def renamed(key: str, body: Mapping[str, Any]) -> bool:
    """Say whether evidence stands under a name that is not its own."""
    if body.get("key"):
        return bool(body["key"] != key)
    parsed = parse_drill_key(key)      # written before evidence knew its own name
    return bool(parsed and (str(parsed[1]), parsed[2]) != (body.get("backup"), body.get("verdict")))


def _strangers(views: Sequence[JournalView], seen: Sequence[Claim], own: str) -> tuple[list[Finding], list[str]]:
    """Tell of journals that somebody saw and that none of these repositories has."""
    here = {view.id for view in views}
    names = {view.repository for view in views}
    lost: list[Finding] = []
    notes: list[str] = []
    for claim in seen:
        if claim.journal in here or not claim.head.number:
            continue
        if claim.repository in names and claim.writer in ("", own):
            lost.append(Finding("replaced", claim.repository, f"journal {claim.journal}",
                                f"{claim.witness} saw {claim.head.number} events of {claim.chain} in it, and this "
                                "repository has another journal or none"))
        else:
            notes.append(f"journal {claim.journal} of a repository {claim.repository} is not among these repositories")
    return lost, list(dict.fromkeys(notes))


def _unwitnessed(view: JournalView) -> list[str]:
    known = {key for event in view.events() for key in (*event.present, *event.deleted)}
    count = sum(key not in known for key in view.digests if key.endswith("/manifest.json"))
    return [f"{count} backups in {view.repository} were taken without an event"] if count else []
