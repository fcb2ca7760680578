# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The description that lies beside a dump, in whatever form."""
from __future__ import annotations

import pytest

from _restorable.model.sidecar import described_database, read_meta, sidecar_names


def test_a_description_may_be_named_after_any_part_of_its_dump():
    assert sidecar_names("app_full_1.sql.gz", "app_full") == ("app_full_1.sql.gz.meta", "app_full_1.sql.meta",
                                                              "app_full_1.meta")


@pytest.mark.parametrize(("text", "meta"), [
    ('{"database": "shop", "rows": 5, "inner": {"a": [1]}}', {"database": "shop", "rows": 5, "inner": {"a": "[1]"}}),
    ("# made by cron\ndatabase = shop\nrows: 5\n\n", {"database": "shop", "rows": "5"}),
    ('DB="shop"\n', {"DB": "shop"}), ("a full backup\nof the shop", "a full backup\nof the shop"), ("", ""),
    ("[1, 2]", "[1, 2]")])
def test_a_description_is_json_or_pairs_or_a_text(text, meta):
    assert read_meta(text.encode()) == meta


@pytest.mark.parametrize("text", ['{"password": "hunter2"}', "db_pass=hunter2", "API-KEY: x\nsecret: hunter2",
                                  '{"a": {"token": "hunter2"}}', "note: below\nwords\nmore\nthe password hunter2"])
def test_secrets_of_a_description_are_not_kept(text):
    assert "hunter2" not in str(read_meta(text.encode()))


def test_bytes_that_are_no_text_do_no_harm():
    assert isinstance(read_meta(b"\xff\xfe\x00"), str)


@pytest.mark.parametrize(("meta", "name"), [
    ({"Database": "shop"}, "shop"), ({"db-name": "x", "dbname": "shop"}, "shop"), ({"rows": 5}, ""), ("text", "")])
def test_a_description_may_name_the_database(meta, name):
    assert described_database(meta) == name
