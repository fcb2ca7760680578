# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint's answer confirms bytes by its checksum or its ETag, and otherwise nothing is believed."""
from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from _restorable.store.s3_confirm import Reading, checksums, confirms, confirms_whole, part_of

DATA = b"some bytes"
SHA256 = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
MD5 = hashlib.md5(DATA).hexdigest()


def joined(*parts):
    """Return the ETag that S3 gives parts of these bytes."""
    return f'"{hashlib.md5(b"".join(hashlib.md5(each).digest() for each in parts)).hexdigest()}-{len(parts)}"'


@pytest.mark.parametrize(("method", "sent"), [
    ("sha256", {"ChecksumSHA256": SHA256}),
    ("crc32", {"ChecksumCRC32": base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()}),
    ("md5", {"ContentMD5": base64.b64encode(bytes.fromhex(MD5)).decode()})])
def test_the_bytes_go_with_the_checksum_that_is_set(method, sent):
    assert checksums(method, DATA) == sent


@pytest.mark.parametrize(("answer", "sure"), [
    ({"ChecksumSHA256": SHA256, "ETag": '"of-the-key-service"'}, True),
    ({"ETag": f'"{MD5}"'}, True),
    ({"ETag": MD5}, True),
    ({"ETag": '"something else"'}, False),
    ({"ETag": f'"{"0" * 32}"'}, False),
    ({"ChecksumSHA256": "AAAA", "ETag": '"x"'}, False),
    ({"ContentMD5": SHA256}, False),
    ({}, False)])
def test_only_a_known_digest_confirms(answer, sure):
    assert confirms(answer, checksums("sha256", DATA), DATA) is sure


def test_joined_parts_are_confirmed_by_the_digest_of_their_digests():
    one, two = hashlib.md5(b"1").hexdigest(), hashlib.md5(b"2").hexdigest()
    parts = [part_of(1, {"ETag": f'"{one}"'}), part_of(2, {"ETag": f'"{two}"'})]
    assert confirms_whole({"ETag": joined(b"1", b"2")}, parts)
    assert not confirms_whole({"ETag": joined(b"2", b"1")}, parts)
    assert not confirms_whole({"ETag": joined(b"1")}, parts)
    assert not confirms_whole({}, parts)


def test_joined_parts_are_confirmed_by_additional_checksums_where_etags_say_nothing():
    digests = [hashlib.sha256(each).digest() for each in (b"1", b"2")]
    parts = [part_of(number, {"ETag": '"kms"', "ChecksumSHA256": base64.b64encode(each).decode()})
             for number, each in enumerate(digests, 1)]
    whole = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    assert confirms_whole({"ETag": '"kms"', "ChecksumSHA256": f"{whole}-2"}, parts)
    assert not confirms_whole({"ETag": '"kms"', "ChecksumSHA256": f"{SHA256}-2"}, parts)
    assert not confirms_whole({"ETag": '"kms"'}, parts)


@pytest.mark.parametrize(("answer", "read", "agrees"), [
    ({"ChecksumSHA256": SHA256, "ETag": '"x"'}, DATA, True),
    ({"ChecksumSHA256": SHA256, "ETag": '"x"'}, b"other", False),
    ({"ETag": f'"{MD5}"'}, DATA, True),
    ({"ETag": f'"{MD5}"'}, b"other", False),
    ({"ETag": f'"{MD5}-2"'}, b"other", True),                                          # of parts, which we do not see
    ({"ETag": f'"{MD5}"', "ServerSideEncryption": "aws:kms"}, b"other", True),         # of the sealed bytes
    ({"ETag": '"x-2"', "ChecksumSHA256": SHA256, "ChecksumType": "COMPOSITE"}, b"other", True),
    ({}, b"other", True)])
def test_a_body_is_held_against_what_the_answer_says_of_the_whole(answer, read, agrees):
    reading = Reading(answer)
    reading.feed(read)
    assert reading.agrees() is agrees
