#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that the journal of a cluster's backups was not tampered with."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_audit_info
short_description: Check that the journal of a cluster's backups was not tampered with
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Every backup, prune, restore, drill, adoption and hold leaves an event in the journal of every repository, chained
    to the event before it, and signed if a signing key is set.
  - This module reads every event, manifest and evidence of every repository, and reports what was edited, reordered,
    removed or cut off, by comparing chains, repositories, and what drills, prunes and other writers saw.
  - Never asks the server, and never changes anything.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.repository
  - restorable.postgres.encryption
attributes:
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  verify_keys:
    description:
      - Public keys whose signatures count, as C(restorable audit --new-key) prints them.
      - With any given, every event since the first signed one of a chain must be signed by one of them. Replaces those
        in O(settings).
    type: list
    elements: str
  fail_on_damage:
    description: Whether a finding fails the task.
    type: bool
    default: true
seealso:
  - module: restorable.postgres.pg_drill
  - module: restorable.postgres.pg_backup_info
"""

EXAMPLES = r"""
- name: Fail if anybody rewrote the history of the backups
  restorable.postgres.pg_audit_info:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}

- name: Accept only events of the production key, and go on with what was found
  restorable.postgres.pg_audit_info:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    verify_keys: ["ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
    fail_on_damage: false
  register: audit
"""

RETURN = r"""
verdict:
  description: V(intact), V(damaged), or V(empty) where no event was written yet.
  returned: success, and failure by a finding
  type: str
  sample: intact
findings:
  description:
    - What must not be. Its C(kind) is V(unreadable), V(edited), V(reordered), V(gap), V(cut), V(unsigned),
      V(signature), V(missing), V(added) or V(replaced).
  returned: success, and failure by a finding
  type: list
  elements: dict
  sample:
    - {kind: cut, repository: offsite, where: db1.postgres 12, message: "the chain ends at event 11, …"}
notes:
  description: What could not be told, such as backups that were taken before there was a journal.
  returned: success, and failure by a finding
  type: list
  elements: str
  sample: []
repositories:
  description: The chains of every repository. Keep the last C(sha256) elsewhere to compare it later.
  returned: success, and failure by a finding
  type: list
  elements: dict
  sample:
    - repository: local
      journal: 9f0c1b2a3d4e5f60
      evidence: 3
      manifests: 14
      chains:
        - chain: db1.postgres
          first: 1
          last: 42
          count: 42
          signed: 42
          newest: "2026-11-20T04:00:00+00:00"
          sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: 42 events, 42 signed, intact
code:
  description: The stable code of an error; V(audit.damaged) for findings.
  returned: failure
  type: str
  sample: audit.damaged
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Keep the repositories as they are, and find out who could write to them.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Failure, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_audit import audit_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import open_verifier
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.audit import audit

HINT = "Keep the repositories as they are, and find out who could write to them; docs/security.md says what each means."


def check(call: Call) -> Plain:
    """Audit, and fail with what was found."""
    report = audit_report(audit(call.world, open_verifier(call.settings)))
    chains = [chain for each in report["repositories"] for chain in each["chains"]]
    count, signed = (sum(chain[key] for chain in chains) for key in ("count", "signed"))
    words = f"{count} events, {signed} signed, {report['verdict']}"
    if report["findings"] and call.params["fail_on_damage"]:
        first = report["findings"][0]
        where = f"{first['kind']} {first['where']} in repository {first['repository']}"
        told = f"{len(report['findings'])} findings, the first: {where}: {first['message']}"
        raise Failure(told, {**report, "words": words, "code": "audit.damaged", "hint": HINT})
    return {**report, "words": words}


def main() -> None:
    """Run the module."""
    run(check, {"verify_keys": {"type": "list", "elements": "str", "no_log": False},
                "fail_on_damage": {"type": "bool", "default": True}})


if __name__ == "__main__":
    main()
