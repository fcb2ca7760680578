# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A place in the WAL: a 64-bit number that PostgreSQL writes as two hexadecimal halves. Pure."""
from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ConfigError

_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")


@dataclass(frozen=True, order=True)
class Lsn:
    """Bytes since the beginning of the WAL; sorts as PostgreSQL sorts pg_lsn."""

    value: int

    @classmethod
    def parse(cls, text: str) -> Lsn:
        """Read 0/16B3748; raise ConfigError for anything else.

        >>> Lsn.parse("1/0").value == 2**32
        True
        """
        found = _LSN.fullmatch(text)
        if not found:
            raise ConfigError(f"WAL position {text!r} is not valid", code="wal.bad_lsn",
                              hint="Write it as PostgreSQL does, such as 0/16B3748 (`SELECT pg_current_wal_lsn()`).")
        return cls((int(found[1], 16) << 32) + int(found[2], 16))

    def __str__(self) -> str:
        return f"{self.value >> 32:X}/{self.value & 0xFFFFFFFF:X}"

    def __add__(self, count: int) -> Lsn:
        return Lsn(self.value + count)

    def __sub__(self, other: Lsn) -> int:
        """Return how many bytes lie between two places."""
        return self.value - other.value
