# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Sign requests by the SHA-256 that goes with their bytes already, so that no part is digested twice for it."""
from __future__ import annotations

import base64
from typing import Any

SHA256, CRC32 = "x-amz-checksum-sha256", "x-amz-checksum-crc32"
_OURS = "restorable-s3v4"


def sign_by_checksum(client: Any) -> None:
    """Let a client that signs by version 4 take the digest of a body from its checksum header.

    The signature covers the same digest as without this, so nothing is lost where an endpoint compares it with the
    body. A body that goes with a CRC is left unsigned over TLS only, as botocore does by itself with an MD5.
    """
    import botocore.auth
    if _OURS not in botocore.auth.AUTH_TYPE_MAPS:
        botocore.auth.AUTH_TYPE_MAPS[_OURS] = _signer(botocore.auth.S3SigV4Auth)
    client.meta.events.register_first("choose-signer.s3", _choose)


def _choose(signature_version: Any = None, **_more: Any) -> str | None:
    return _OURS if signature_version in ("s3v4", "v4") else None


def _signer(base: Any) -> Any:
    class ByChecksum(base):  # type: ignore[misc]
        def payload(self, request: Any) -> str:
            told = request.headers.get(SHA256)
            if told:
                return base64.b64decode(told).hex()
            return str(super().payload(request))

        def _should_sha256_sign_payload(self, request: Any) -> bool:
            if request.url.startswith("https") and request.headers.get(CRC32):
                return False
            return bool(super()._should_sha256_sign_payload(request))

    return ByChecksum
