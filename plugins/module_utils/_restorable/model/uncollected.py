# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make very many values without Python's collector of cycles, which would look at all of them again and again. Pure."""
from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector off meanwhile; also a decorator. For what makes values that hold one another in no cycle.

    Such values go with their last reference. With the collector a plan over 100,000 backups took a third longer, and
    thirteen times as long as one over 10,000.
    """
    if not gc.isenabled():         # by an outer one, or by another thread's, which ends it
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
