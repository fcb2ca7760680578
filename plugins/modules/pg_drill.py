#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove a backup by restoring it into a scratch server and comparing."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_drill
short_description: Prove a backup by restoring it into a scratch server and comparing
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Reads a backup from its repository, restores it into a private server that is started for this and vanishes after,
    and
    compares structure and data with the fingerprint that was taken in the dump's own snapshot.
  - Stores dated evidence with a verdict in every repository. V(passed) makes the backup proven; a check that could not
    be
    run makes it V(incomplete), which is no pass.
  - The server that was dumped is never touched, and need not run.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.attributes.progress
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
  - restorable.postgres.source
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every drill stores new evidence.
options:
  backup:
    description:
      - Which backup, V(latest), V(oldest), V(random), V(random_weekly), an id, the beginning of one, or a moment such
        as
        V(2026-11-20T03:00:00Z). The default is V(latest).
      - V(random_weekly) draws a week first and then a backup of it.
    type: str
  kind:
    description:
      - V(dump) restores a dump into an empty server and compares it with its fingerprint, V(base) recovers a base
        backup with its WAL, reads all of it and asserts where it ended. The default is V(dump).
    type: str
    choices: [dump, base]
  moment:
    description:
      - Of O(kind=base), recover to this time, which must say its zone, or to a V(random) one of the window. Without it,
        to the end of the WAL.
    type: str
  jobs:
    description: Parallel workers of the restore. The default is V(2).
    type: int
  checks:
    description: Your own questions to the restored databases.
    type: list
    elements: dict
    suboptions:
      sql:
        description: A query.
        type: str
        required: true
      expect:
        description:
          - What the first column of its first row must be. Without it the query must give a row whose first column is
            neither false nor null.
        type: raw
      database:
        description: The database to ask. Without it, each database of the backup.
        type: str
      name:
        description: A name for the evidence.
        type: str
  command:
    description:
      - A command with its arguments that must succeed with the restored databases, such as smoke tests. The C(PG*)
        variables of its environment reach the scratch server.
    type: list
    elements: str
  command_timeout:
    description: How long the command may take, a duration. The default is V(1h).
    type: str
  keep_on_failure:
    description: Leave the scratch server's folder behind if the drill fails. The default is V(false).
    type: bool
  scratch:
    description: Where the scratch server lives.
    type: dict
    suboptions:
      dir:
        description: A folder with room for the restored databases.
        type: str
      user:
        description: The operating system user it runs as, if the module runs as root.
        type: str
  optional:
    description: Checks that may be not run in a passed drill. The default is V(amcheck) and V(checksums).
    type: list
    elements: str
  objectives:
    description: Promises that the measured times are compared with.
    type: dict
    suboptions:
      rpo:
        description: How old the newest backup may be, a duration.
        type: str
      rto:
        description: How long it may take until the restored server answers, a duration.
        type: str
  fail_on_verdict:
    description: Fail the task if the verdict is not V(passed). The evidence is in the result in any case.
    type: bool
    default: true
  seed:
    description: Makes the choice of V(random) and V(random_weekly) repeatable.
    type: int
seealso:
  - module: restorable.postgres.pg_dump
"""

EXAMPLES = r"""
- name: Prove the newest backup
  restorable.postgres.pg_drill:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}

- name: Prove one of all the weeks, with questions of our own
  restorable.postgres.pg_drill:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    backup: random_weekly
    checks:
      - name: every order has a customer
        database: app
        sql: SELECT count(*) FROM orders WHERE customer IS NULL
        expect: 0
    objectives: {rpo: 24h, rto: 30m}
    fail_on_verdict: false
  register: drill
"""

RETURN = r"""
verdict:
  description: V(passed), V(failed) or V(incomplete).
  returned: when the drill ran, also if it fails the task
  type: str
  sample: passed
words:
  description: The verdict, or in check mode the plan, as a sentence.
  returned: success, and failure by the verdict
  type: str
  sample: "PASSED: backup 20261120T030000Z-dump of shop was restored and equals what was dumped; 31 checks ok"
evidence:
  description: What is stored, with every check, expected and actual values, phases, and objectives with what was
    measured.
  returned: when the drill ran, also if it fails the task
  type: dict
  sample:
    verdict: passed
    backup: 20261120T030000Z-dump
    rto: 4.2
    rpo: 3600.0
    checks:
      - {level: L4, name: data app, result: ok, detail: 12 tables}
plan:
  description: What is, or in check mode would be, drilled and where.
  returned: success
  type: dict
  contains:
    backup:
      description: The id of the backup.
      type: str
      sample: 20261120T030000Z-dump
    picked:
      description: Why this backup.
      type: str
      sample: the newest
    repository:
      description: The repository it is read from.
      type: str
      sample: local
    server:
      description: The scratch server in words.
      type: str
      sample: PostgreSQL 18 in a private folder
    plain_size:
      description: Bytes that are restored.
      type: int
      sample: 9740288
    expected_seconds:
      description: How long the last drill that passed took, or none.
      type: float
      sample: 4.1
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: backup.none
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Run `restorable backup` first.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import PROGRESS, Call, Failure, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import (
    drill_report,
    plain_mapping,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import (
    chooser,
    open_scratch,
    open_scratch_recovery,
    operator,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.drill import in_words
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.drill import drill
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.drill_base import drill_base

TEXT = {"type": "str"}
TEXTS = {"type": "list", "elements": "str"}
JOB = {
    "backup": TEXT, "kind": {"type": "str", "choices": ["dump", "base"]}, "moment": TEXT, "jobs": {"type": "int"},
    "checks": {"type": "list", "elements": "dict", "options": {
        "sql": {"type": "str", "required": True}, "expect": {"type": "raw"}, "database": TEXT, "name": TEXT}},
    "command": TEXTS, "command_timeout": TEXT, "keep_on_failure": {"type": "bool"},
    "scratch": {"type": "dict", "options": {"dir": TEXT, "user": TEXT}}, "optional": TEXTS,
}


def drill_backup(call: Call) -> Plain:
    """Drill, and fail with the evidence unless the verdict is passed."""
    job, choose = call.cluster.drill, chooser(call.params["seed"])
    if job.kind == "base":
        plan, evidence = drill_base(call.world, open_scratch_recovery(call.cluster), call.cluster, job, choose=choose,
                                    operator=operator(), dry_run=call.dry_run)
    else:
        plan, evidence = drill(call.world, open_scratch(call.cluster), call.cluster, job, choose=choose,
                               operator=operator(), dry_run=call.dry_run)
    told = drill_report(plan, None)
    del told["changed"]
    words = f"would drill {told['backup']} ({told['picked']}) in {told['server']}"
    result: Plain = {"changed": True, "plan": told, "words": words}   # evidence is, or in check mode would be, stored
    if evidence is None:
        return result
    result.update(verdict=evidence.verdict, words=in_words(evidence), evidence=plain_mapping(evidence.as_dict()))
    if evidence.verdict != "passed" and call.params["fail_on_verdict"]:
        raise Failure(result["words"], result)
    return result


def main() -> None:
    """Run the module."""
    run(drill_backup, {
        **JOB, **PROGRESS, "repository": TEXT, "objectives": {"type": "dict", "options": {"rpo": TEXT, "rto": TEXT}},
        "fail_on_verdict": {"type": "bool", "default": True}, "seed": {"type": "int"}},
        job="drill", job_options=tuple(JOB), record="drill")


if __name__ == "__main__":
    main()
