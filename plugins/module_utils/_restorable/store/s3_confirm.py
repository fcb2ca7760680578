# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ask an S3 endpoint to check what it is sent, and judge by its answers whether it holds those bytes.

An answer confirms bytes if it repeats the checksum that we sent, or if its ETag is their MD5, as it is in most stores
without KMS. An answer that says neither confirms nothing, and what was stored is then read back.
"""
from __future__ import annotations

import base64
import hashlib
import re
import zlib
from typing import Any, Sequence, Union

Bytes = Union[bytes, bytearray]

_MD5 = re.compile(r"[0-9a-f]{32}")
FIELDS = {"sha256": "ChecksumSHA256", "crc32": "ChecksumCRC32"}        # of requests and of answers


def checksums(method: str, data: Bytes) -> dict[str, str]:
    """Return what goes with the bytes: {"ChecksumSHA256": …} or {"ContentMD5": …}."""
    if method == "md5":
        return {"ContentMD5": _base64(_md5(data))}
    digest = hashlib.sha256(data).digest() if method == "sha256" else zlib.crc32(data).to_bytes(4, "big")
    return {FIELDS[method]: _base64(digest)}


def begins(method: str) -> dict[str, str]:
    """Return what a multipart upload is begun with."""
    return {} if method == "md5" else {"ChecksumAlgorithm": method.upper()}


def confirms(answer: dict[str, Any], sent: dict[str, str], data: Bytes) -> bool:
    """Say whether the answer to a put or to a part proves that the endpoint has these bytes."""
    md5 = base64.b64decode(sent["ContentMD5"]) if "ContentMD5" in sent else b""
    return repeats(answer, sent) or etag_of(answer) == (md5 or _md5(data)).hex()


def repeats(answer: dict[str, Any], sent: dict[str, str]) -> bool:
    """Say whether the answer repeats a checksum that was sent."""
    return any(answer.get(name) == value for name, value in sent.items() if name != "ContentMD5")


def confirms_whole(answer: dict[str, Any], parts: Sequence[dict[str, Any]]) -> bool:
    """Say whether the answer to the end of a multipart upload proves that these parts, confirmed each, were joined."""
    count = f"-{len(parts)}"
    for name in FIELDS.values():
        known = [part[name] for part in parts if name in part]
        if len(known) == len(parts) and name in answer:
            raw = b"".join(base64.b64decode(each) for each in known)
            joined = hashlib.sha256(raw).digest() if name == "ChecksumSHA256" else zlib.crc32(raw).to_bytes(4, "big")
            if answer[name].removesuffix(count) == _base64(joined):
                return True
    return etag_of(answer) == joined_etag(parts) != ""


def joined_etag(parts: Sequence[dict[str, Any]]) -> str:
    """Return the ETag that an object of these parts has, "" where their own ETags are no MD5."""
    tags = [etag_of(part) for part in parts]
    if not all(map(_MD5.fullmatch, tags)):
        return ""
    return f"{_md5(b''.join(bytes.fromhex(each) for each in tags)).hex()}-{len(parts)}"


def part_of(number: int, answer: dict[str, Any]) -> dict[str, Any]:
    """Return how a part is named when the upload is completed."""
    sums = {name: answer[name] for name in FIELDS.values() if answer.get(name)}
    return {"PartNumber": number, "ETag": answer["ETag"], **sums}


def etag_of(answer: dict[str, Any]) -> str:
    """Return an answer's ETag without its quotes."""
    return str(answer.get("ETag", "")).strip('"')


def etag_of_one(sent: dict[str, str]) -> str:
    """Return the ETag that an object of one request has, by the MD5 that goes with it."""
    return base64.b64decode(sent["ContentMD5"]).hex()


class Reading:
    """Digests a body while it is read, by what the answer says of it; says in the end whether it was that."""

    def __init__(self, answer: dict[str, Any]) -> None:
        whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in str(
            answer.get("ChecksumSHA256", ""))
        self._parts = "-" in etag_of(answer)
        self._sha256 = str(answer.get("ChecksumSHA256", "")) if whole and not self._parts else ""
        plain = _MD5.fullmatch(etag_of(answer)) and answer.get("ServerSideEncryption", "AES256") == "AES256"
        self._etag = etag_of(answer) if plain and not self._sha256 and "SSECustomerAlgorithm" not in answer else ""
        self._digest = hashlib.sha256() if self._sha256 else hashlib.md5(usedforsecurity=False) if self._etag else None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._digest is not None:
            self._digest.update(chunk)

    def agrees(self) -> bool:
        """Say whether what was read is what the store says it holds; true where it says nothing."""
        if self._digest is None:
            return True
        found = self._digest
        return _base64(found.digest()) == self._sha256 if self._sha256 else found.hexdigest() == self._etag


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _md5(data: Bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
