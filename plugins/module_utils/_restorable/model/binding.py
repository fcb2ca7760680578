# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The object that binds a cluster's folder to one server: {"format": 1, "system_identifier": "7431…"}. Pure."""
from __future__ import annotations

import json

from ..errors import Damaged

FORMAT = 1


def read_binding(data: bytes, where: str) -> str:
    """Return the system identifier, "" where none was known; raise Damaged for an unknown format or other bytes."""
    try:
        body = json.loads(data)
        version, bound = body["format"], str(body["system_identifier"])
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"object {where} cannot be read: {error}", code="repository.binding_damaged",
                      hint="Check the disk; if this is the right repository, remove that one file, and the next "
                           "backup writes it again.") from error
    if version != FORMAT:
        raise Damaged(f"object {where} has format {version!r}, this version reads {FORMAT}",
                      hint="Use the version of restorable that wrote it, or a newer one.",
                      code="repository.unknown_format")
    return bound
