# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable audit."""
from __future__ import annotations

import argparse

from ...errors import Damaged
from ..call import Call, Result


def new_key(options: argparse.Namespace) -> Result:
    """Make a signing key; no settings are needed for it."""
    from ...host.signer import new_key as make
    if options.dry_run:
        return Result({"changed": False}, done=f"dry run: no key was made; it would be {options.new_key}")
    public = make(options.new_key)
    return Result({"changed": True, "signing_key_file": options.new_key, "verify_key": public},
                  f"verify key  {public}\n", f"done: the private key is {options.new_key}; keep it on hosts that write")


def run(call: Call) -> Result:
    """Check every journal of a cluster; damage is exit status 7."""
    from ...ops.audit import audit
    from ..render_audit import audit_done, render_audit
    from ..report_audit import audit_report
    from ..wire import open_verifier
    report = audit_report(audit(call.world(), open_verifier(call.settings)))
    status = Damaged.exit_status if report["verdict"] == "damaged" else 0
    return Result(report, render_audit(call.cluster.name, report), audit_done(call.cluster.name, report), status)
