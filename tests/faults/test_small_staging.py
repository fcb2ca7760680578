# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A staging folder on a disk that is far smaller than the archive: what is restored without it, and what is told."""
from __future__ import annotations

import pytest

from kit.agekeys import make_pair
from kit.chain import Chain
from kit.small_disk import command_in_tmpfs

BIG = 8                            # MiB that nothing compresses; the disk of the staging folder has 3


@pytest.fixture
def far(pg16, shop, folder, rclone_s3):
    """A chain whose repository is a bucket, with one sealed backup of a database of more than 8 MiB."""
    pg16.sql("CREATE TABLE big (t text)", "INSERT INTO big SELECT string_agg(sha512(random()::text::bytea)::text, '') "
             f"FROM generate_series(1, {BIG * 1024 * 1024 // 130}) g GROUP BY g % 100", database=shop)
    chain = Chain(pg16, folder, databases=[shop], fingerprint="none")
    pair = make_pair(folder / "identity.txt")
    chain.body["repositories"]["local"] = rclone_s3.settings(rclone_s3.bucket())
    chain.body["state_dir"] = str(folder / "state")
    chain.body["encryption"] = {"recipients": [pair.public], "identity_file": str(folder / "identity.txt")}
    chain.own["staging"] = str(folder / "staging")
    (folder / "staging").mkdir()
    assert chain.taken().size > BIG * 1024 * 1024 // 2
    return chain


def on_small_disk(chain, *words):
    """Run the host command with a staging folder of 3 MiB; return (status, what it said, what is left there)."""
    return command_in_tmpfs(chain.config(), words, chain.folder / "staging", options="size=3m")


def test_a_single_table_comes_back_without_room_for_the_archive(far, pg16, shop):
    pg16.sql("DROP TABLE item", database=shop)
    status, said, left = on_small_disk(far, "restore", "latest", shop, "--table", "item")
    assert (status, left) == (0, []), said
    assert pg16.sql("SELECT count(*), sum(price) FROM item", database=shop) == [(500, 125250)]
    found = pg16.sql("SELECT conname FROM pg_constraint WHERE conrelid = 'item'::regclass ORDER BY 1", database=shop)
    assert found == [("item_customer_fkey",), ("item_pkey",), ("item_price_check",)]


def test_every_byte_is_verified_without_room_for_the_archive(far):
    status, said, left = on_small_disk(far, "verify")
    assert (status, left) == (0, []), said
    assert "passed" in said


def test_a_whole_database_is_restored_without_room_for_the_archive(far, pg16, shop):
    try:
        status, said, left = on_small_disk(far, "restore", "latest", shop, "--into", f"{shop}_again")
        assert (status, left) == (0, []), said
        for table in ("big", "item"):
            sums = [pg16.sql(f"SELECT count(*), sum(hashtext(x::text)) FROM {table} x", database=each)
                    for each in (shop, f"{shop}_again")]
            assert sums[0] == sums[1]
    finally:
        pg16.sql(f"DROP DATABASE IF EXISTS {shop}_again")


@pytest.mark.parametrize("words", [("--table", "big"), ("--into", "never_whole", "--jobs", "2")], ids=["table", "jobs"])
def test_a_full_staging_disk_is_one_error_and_nothing_is_half_made(far, pg16, shop, words):
    pg16.sql("ALTER TABLE big RENAME TO kept", database=shop)
    status, said, left = on_small_disk(far, "restore", "latest", shop, *words)
    assert status not in (0, 1), said
    assert left == []
    assert "No space left on device" in said
    assert str(far.folder / "staging") in said
    assert "Set staging to a folder with room" in said
    assert "Traceback" not in said
    assert pg16.sql("SELECT count(*) FROM pg_database WHERE datname = 'never_whole'") == [(0,)]
    assert pg16.sql("SELECT to_regclass('big') IS NULL, count(*) FROM kept", database=shop) == [(True, 100)]
