#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell how far the WAL archive is behind its server, and what can be recovered."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_wal_archive_info
short_description: Tell how far the WAL archive is behind its server, and what can be recovered
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Reads what every repository holds of the cluster's WAL, and asks the server how it archives.
  - A server that cannot be asked is no error, since that is when the recovery windows matter.
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
seealso:
  - module: restorable.postgres.pg_wal_archive
"""

EXAMPLES = r"""
- name: Ask for gaps and for the recovery window
  restorable.postgres.pg_wal_archive_info:
    cluster: shop
    settings: "{{ restorable_settings }}"
  register: wal

- name: Let no gap pass
  ansible.builtin.assert:
    that: wal.repositories | map(attribute='gaps') | flatten | length == 0
"""

RETURN = r"""
server:
  description:
    - How the server archives, with the last archived file and its age in seconds, the last failed one, and how many
      files wait.
    - Empty if the server could not be asked.
  returned: success
  type: dict
  sample:
    current: "000000010000000000000008"
    last_archived: "000000010000000000000007"
    last_archived_age: 12.5
    waiting: 0
server_error:
  description: Why the server could not be asked.
  returned: success
  type: str
  sample: ""
shipper:
  description: What the shipper said last, with what it could not archive and why.
  returned: success
  type: dict
  sample: {waiting: 0, last: "000000010000000000000007", warning: ""}
repositories:
  description: The WAL of each repository.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: Name of the repository.
      type: str
      sample: local
    error:
      description: Why it could not be read; empty if it could.
      type: str
      sample: ""
    segments:
      description: How many segments it holds.
      type: int
      sample: 7
    size:
      description: Their stored bytes.
      type: int
      sample: 1850112
    segment_size:
      description: Bytes of a segment as the server has it.
      type: int
      sample: 16777216
    last:
      description: The last segment of the newest timeline.
      type: str
      sample: "000000010000000000000007"
    behind:
      description: How many finished segments of the server are not there; null if the server could not be asked.
      type: int
      sample: 0
    timelines:
      description: The timelines that have segments.
      type: list
      elements: int
      sample: [1]
    conflicts:
      description: Names that are stored with different contents.
      type: list
      elements: str
      sample: []
    gaps:
      description: Runs of missing segments after the first one that a base backup needs.
      type: list
      elements: dict
      sample: [{first: "000000010000000000000005", last: "000000010000000000000006", count: 2}]
    windows:
      description:
        - From each base backup, since when and until when every moment can be recovered.
        - The last moment is when the last segment that leads there was archived; its WAL position stands beside it.
        - A base backup is whole if it can be made consistent, by its own WAL or by the archive's.
      type: list
      elements: dict
      sample:
        - base: 20261120T020000Z-base
          since: "2026-11-20T02:03:00+00:00"
          start: "0/2000028"
          until: "2026-11-20T03:10:00+00:00"
          until_lsn: "0/8000000"
          whole: true
          gap_behind: false
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "local: 7 segments, 0 gaps, 0 behind, recovery from 2026-11-20T02:03:00+00:00 to 2026-11-20T03:10:00+00:00"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: config.invalid
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Set wal of the cluster.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.archiving import ask_wal
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_wal import wal_info_report


def info(call: Call) -> Plain:
    """Ask the server and every repository."""
    rows, found, shipper, error = ask_wal(call.world, call.cluster)
    report = wal_info_report(rows, found, shipper)
    return {**report, "server_error": error, "words": "; ".join(map(_in_words, report["repositories"]))}


def _in_words(row: Plain) -> str:
    if row["error"]:
        return f"{row['repository']}: {row['error']}"
    behind = "" if row["behind"] is None else f", {row['behind']} behind"
    whole = [each for each in row["windows"] if each["whole"]]
    window = f", recovery from {whole[0]['since']} to {max(each['until'] for each in whole)}" if whole else ""
    return f"{row['repository']}: {row['segments']} segments, {len(row['gaps'])} gaps{behind}{window}"


def main() -> None:
    """Run the module."""
    run(info, {})


if __name__ == "__main__":
    main()
