# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The real clock."""
from __future__ import annotations

import time
from datetime import datetime, timezone


class SystemClock:
    """Keeps ports.Clock."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return datetime.now(timezone.utc)

    def elapsed(self) -> float:
        """Return seconds on the monotonic clock."""
        return time.monotonic()
