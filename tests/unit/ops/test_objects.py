# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read is judged before its last byte is passed on."""
from __future__ import annotations

import hashlib

import pytest

from _restorable.errors import Damaged
from _restorable.ops.objects import expect

CHUNKS = [b"first", b"", b"second", b"last"]
WHOLE = b"".join(CHUNKS)
SIZE, SHA256 = len(WHOLE), hashlib.sha256(WHOLE).hexdigest()


def passed(chunks, size=SIZE, sha256=SHA256):
    """Return what got through before the error, and the error."""
    seen = []
    try:
        for chunk in expect(size, sha256, "x")(chunks):
            seen.append(chunk)
    except Damaged as error:
        return b"".join(seen), error.message
    return b"".join(seen), ""


def test_the_right_bytes_pass():
    assert passed(CHUNKS) == (WHOLE, "")
    assert passed([], 0, hashlib.sha256(b"").hexdigest()) == (b"", "")


@pytest.mark.parametrize(("chunks", "told"), [
    ([b"first", b"second", b"lasT"], "has SHA-256"), ([b"First", b"second", b"last"], "has SHA-256"),
    ([b"first", b"second"], "has 11 bytes, the manifest says 15"),
    ([b"first", b"second", b"last", b"more"], "more than 15 bytes")])
def test_of_other_bytes_the_end_is_never_seen(chunks, told):
    seen, message = passed(chunks)
    assert told in message
    assert len(seen) < len(WHOLE)
    assert not seen.endswith(chunks[-1])
