# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of repositories, by type; whatever is wrong is named, and no secret is shown."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.repositories import repository

GOOD = {"type": "s3", "bucket": "acme-backups"}


def s3(**more):
    return repository("offsite", {**GOOD, **more})


def test_a_bucket_is_enough():
    found = s3()
    assert (found.place, found.credentials, found.object_lock, found.parallel) == ("s3://acme-backups/", None, None, 4)


@pytest.mark.parametrize(("given", "prefix"), [("", ""), ("/", ""), ("postgres", "postgres/"), ("/a/b/", "a/b/")])
def test_a_prefix_is_closed_so_that_no_other_shares_it(given, prefix):
    assert s3(prefix=given).prefix == prefix


def test_everything_that_can_be_set_is_read():
    found = s3(region="eu-west-1", endpoint_url="https://s3.example", ca_file="/ca.pem", addressing="path",
               sse="aws:kms", kms_key_id="k", storage_class="STANDARD_IA", tags={"b": 2, "a": "x"}, timeout="30s",
               object_lock={"days": 7}, access_key_id="id", secret_access_key="Gehe'im", session_token="t")
    assert (found.sse, found.kms_key_id, found.tags) == ("aws:kms", "k", (("a", "x"), ("b", "2")))
    assert (found.timeout, found.object_lock.days, found.credentials) == (30, 7, ("id", "Gehe'im", "t"))


def test_a_secret_shows_in_no_representation():
    assert "Gehe'im" not in repr(s3(access_key_id="id", secret_access_key="Gehe'im"))


@pytest.mark.parametrize(("more", "path"), [
    ({"bucket": ""}, "bucket"), ({"bucket": "a/b"}, "bucket"), ({"endpoint_url": "s3.example"}, "endpoint_url"),
    ({"ca_file": "ca.pem"}, "ca_file"), ({"addressing": "dns"}, "addressing"), ({"sse": "AES"}, "sse"),
    ({"kms_key_id": "k"}, "sse"), ({"part_size": 4}, "part_size"), ({"tags": ["a"]}, "tags"),
    ({"parallel": 0}, "parallel"), ({"checksum": "md4"}, "checksum"), ({"pfad": "x"}, "pfad"), ({"path": "/x"}, "path"),
])
def test_a_wrong_value_is_named_with_its_path(more, path):
    with pytest.raises(ConfigError) as caught:
        s3(**more)
    assert caught.value.message.startswith(f"repositories.offsite.{path} ") and caught.value.hint


@pytest.mark.parametrize("more", [{"access_key_id": "id"}, {"secret_access_key": "Gehe'im"},
                                  {"session_token": "Gehe'im"}, {"secret_access_key": ["Gehe'im"]}])
def test_a_part_of_credentials_is_refused_without_showing_it(more):
    with pytest.raises(ConfigError) as caught:
        s3(**more)
    assert "Gehe'im" not in caught.value.message + caught.value.hint


def test_an_unknown_type_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="repositories.x.type is 'ftp'") as caught:
        repository("x", {"type": "ftp"})
    assert "local" in caught.value.hint and "s3" in caught.value.hint
