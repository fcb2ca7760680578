# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to an endpoint: names of buckets in the host's name, keys of a session with their token, and another clock."""
from __future__ import annotations

import socket
from datetime import timedelta

import botocore.auth
import pytest

from _restorable.errors import RestorableError

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
MIB = 1024 * 1024


@pytest.fixture
def names(monkeypatch):
    """Let every name below s3.example be this machine, as a DNS would; returns the names that were asked for."""
    asked, real = [], socket.getaddrinfo

    def getaddrinfo(host, *more, **named):
        if str(host).endswith("s3.example"):
            asked.append(str(host))
            host = "127.0.0.1"
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("addressing", ["virtual", "auto", "path"])
def test_a_bucket_is_named_in_the_host_or_in_the_path(moto_s3, names, addressing):
    bucket = moto_s3.bucket()
    url = moto_s3.url.replace("127.0.0.1", "s3.example")
    store = moto_s3.store(bucket, endpoint_url=url, addressing=addressing, part_size=5)
    if addressing == "virtual":
        data = bytes(6 * MIB)
        store.check()
        assert store.put(KEY, [data]).size == len(b"".join(store.get(KEY)))
        store.delete(KEY)
        assert (list(store.list("")), set(names)) == ([], {f"{bucket}.s3.example"})
        return
    with pytest.raises(RestorableError):       # moto takes any name with a dot for one that begins with a bucket
        store.check()
    assert set(names) == {"s3.example"}


def test_a_clock_that_is_off_is_told_as_such_by_a_real_endpoint(rclone_s3, monkeypatch):
    bucket, real = rclone_s3.bucket(), botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *words: real(*words) + timedelta(hours=2))
    with pytest.raises(RestorableError) as caught:
        rclone_s3.store(bucket).check()
    assert (caught.value.code, "timedatectl" in caught.value.hint) == ("store.clock", True)
