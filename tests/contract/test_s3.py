# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket keeps the contract of a store, on two servers of different makers, also below a prefix and with versions."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from contract.suite import MIB, StoreContract

SMALL_PARTS = {"part_size": 5, "parallel": 2}      # an object of 64 MiB is then thirteen parts


class S3Contract(StoreContract):
    most_memory = 32 * MIB             # two parts under way, one that fills, and the client's own copies

    def fill(self, store, keys):
        """Put with the bare client, one request for each."""
        client, settings = store.client, store.settings
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: client.put_object(Bucket=settings.bucket, Key=settings.prefix + key, Body=b"x"),
                          keys))


class TestRclone(S3Contract):
    @pytest.fixture
    def store(self, rclone_s3):
        return rclone_s3.store(**SMALL_PARTS)      # it does not know If-None-Match, so keys are looked at


class TestMoto(S3Contract):
    @pytest.fixture
    def store(self, moto_s3):
        return checked(moto_s3.store(prefix="backups/postgres", **SMALL_PARTS))


class TestMotoWithVersions(S3Contract):
    @pytest.fixture
    def store(self, moto_s3):
        bucket = moto_s3.bucket()
        moto_s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return checked(moto_s3.store(bucket, **SMALL_PARTS))


def checked(store):
    """Return the store once it knows that the endpoint itself refuses a second put."""
    store.check()
    assert store.conditional
    return store
