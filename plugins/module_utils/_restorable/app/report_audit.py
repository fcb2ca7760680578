# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn an audit into plain values."""
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ops.audit import AuditReport


def audit_report(found: AuditReport) -> dict[str, Any]:
    """Describe every chain, what is wrong, and what could not be told."""
    return {"changed": False, "verdict": found.verdict, "findings": [asdict(each) for each in found.findings],
            "notes": list(found.notes),
            "repositories": [
                {"repository": each.repository, "journal": each.journal, "evidence": each.evidence,
                 "manifests": each.manifests,
                 "chains": [{**asdict(chain), "newest": chain.newest.isoformat() if chain.newest else None}
                            for chain in each.chains]} for each in found.repositories]}
