# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listing of very many keys is whole, in order, and of our own prefix."""
from __future__ import annotations

from _restorable.model.repositories import repository
from _restorable.store.s3 import S3Store
from kit.s3_pages import BUCKET, key, pages

COUNT = 100_000


def test_a_listing_of_a_hundred_thousand_keys_is_whole():
    with pages(COUNT) as url:
        store = S3Store(repository("many", {"type": "s3", "bucket": BUCKET, "endpoint_url": url, "addressing": "path",
                                            "access_key_id": "id", "secret_access_key": "x"}))
        found = [(entry.key, entry.size) for entry in store.list("")]
    assert found == [(key(number), number) for number in range(COUNT)]
