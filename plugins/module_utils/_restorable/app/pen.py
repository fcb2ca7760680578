# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make the pen that writes this process's events: its name, its lock, its key."""
from __future__ import annotations

import getpass
import os
import secrets
import socket

from ..host.lock import FileLock
from ..host.signer import signer
from ..model.audit_settings import AuditSettings
from ..model.naming import chain_name
from ..ops.pen import Pen
from ..ports import Clock

PATIENCE = 30.0                # seconds to wait while another run of this host writes its event


def open_pen(audit: AuditSettings, cluster: str, state: str, clock: Clock) -> Pen:
    """Return the pen of this host and user for one cluster; a signing key is read when the first event is written."""
    where = operator()
    user, _at, host = where.rpartition("@")
    lock = FileLock(os.path.join(state, f"{cluster}.journal.lock"), clock, f"journal of {cluster}", wait=PATIENCE)
    return Pen(chain_name(audit.writer or f"{host}.{user}"), audit.identity or where, where, lock,
               lambda: secrets.token_hex(4), signer(audit.signing_key_file) if audit.signing_key_file else None)


def operator() -> str:
    """Return who runs this, as user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
