#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove repositories fit before they are trusted with backups."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_repository_check
short_description: Prove repositories fit before they are trusted with backups
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Tries on the real repository what every backup relies on. An object comes back as it was, is listed at once and is
    never overwritten, a stream that fails leaves nothing, a large object passes, the clocks agree, and what is deleted
    is gone.
  - Writes into a scratch folder C(_check/) only, and removes what it wrote. What a bucket locks as it comes stays, is
    told as V(retained), which is no fault, and is removed by a check a day or more later once the lock is over.
  - Check mode only asks whether the repositories can be read.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  repository:
    description: The name of the one repository to check. Without it all of the cluster's.
    type: str
  size:
    description: Size of the large object in MiB.
    type: int
    default: 64
  fail_on_verdict:
    description: Fail the task if a repository is not fit. The findings are in the result in any case.
    type: bool
    default: true
seealso:
  - module: restorable.postgres.pg_dump
"""

EXAMPLES = r"""
- name: Is the repository fit?
  restorable.postgres.pg_repository_check:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    size: 8
"""

RETURN = r"""
fit:
  description: Whether every repository kept every rule.
  returned: success, and failure by the verdict
  type: bool
  sample: true
repositories:
  description: Every repository with what was tried.
  returned: success, and failure by the verdict
  type: list
  elements: dict
  sample:
    - repository: local
      place: /var/backups/restorable
      fit: true
      checks:
        - {name: overwrite refused, result: ok, detail: a second put of the same key is refused, seconds: 0.01}
words:
  description: The result as one sentence.
  returned: success
  type: str
  sample: "local: fit"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: repository.unknown
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: "Known repositories: local, offsite."
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Failure, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import check_repositories


def check_them(call: Call) -> Plain:
    """Check, and fail with the findings if a repository is not fit."""
    wanted = call.params["repository"]
    report, words = check_repositories(call.settings, [wanted] if wanted else call.cluster.repositories,
                                       call.world.progress, size_mib=call.params["size"], dry_run=call.dry_run)
    if not report["fit"] and call.params["fail_on_verdict"]:
        raise Failure(words, report)
    return {**report, "words": words}


def main() -> None:
    """Run the module."""
    run(check_them, {"repository": {"type": "str"}, "size": {"type": "int", "default": 64},
                     "fail_on_verdict": {"type": "bool", "default": True}})


if __name__ == "__main__":
    main()
