# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole chain on buckets: by the host command on two servers of different makers, and by the playbooks."""
from __future__ import annotations

import io
import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.app.cli import main
from kit.command import Ran
from kit.plays import Ansible
from kit.s3_servers import SECRET

MAJOR = 15


@pytest.fixture
def shop(servers):
    """A server with one database, and the settings of its cluster."""
    server = servers.of(MAJOR)
    server.sql("DROP DATABASE IF EXISTS app", "CREATE DATABASE app")
    server.sql("CREATE TABLE orders (id int PRIMARY KEY, body text)", "CREATE TABLE notes (body text)",
               "INSERT INTO orders SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 20000) n", database="app")
    yield server, {"connection": server.settings, "bin_dir": server.bin_dir,
                   "jobs": {"dump": {"databases": ["app"], "globals": False}},
                   "retention": {"dump": {"last": 1, "min_keep": 1, "min_age": "0s", "max_delete_percent": 100}}}
    server.sql("DROP DATABASE IF EXISTS app WITH (FORCE)")


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A function that runs the host command with these settings."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def command(body, *words):
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**body, "state_dir": str(tmp_path / "state")}))
        config.chmod(0o600)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "AWS_", "RESTORABLE"))}
        out, err = io.StringIO(), io.StringIO()
        status = main(words, out, err, {**clean, "RESTORABLE_CONFIG": str(config)})
        return Ran(status, out.getvalue(), err.getvalue())
    return command


def test_a_bucket_holds_backups_that_are_proven_restored_and_pruned(s3, shop, command):
    server, cluster = shop
    bucket = s3.bucket()
    body = {"repositories": {"offsite": s3.settings(bucket, prefix="postgres", part_size=5)},
            "clusters": {"shop": cluster}}
    said = [command(body, "backup")]
    assert said[-1].status == 0, said[-1].err
    first = command(body, "list", "--json").json["clusters"][0]["repositories"][0]["backups"][0]["backup"]
    for words in (["verify"], ["drill"], ["backup"], ["prune"]):
        said.append(command(body, *words))
        assert said[-1].status == 0, (words, said[-1].out, said[-1].err)
    listed = command(body, "list", "--json").json["clusters"][0]["repositories"][0]["backups"]
    left = [each["backup"] for each in listed]
    # the newest proven backup stays whatever the policy says
    assert first in left and len(left) == 2
    server.sql("DROP TABLE orders", database="app")
    said.append(command(body, "restore", first, "--database", "app", "--table", "public.orders"))
    assert said[-1].status == 0, said[-1].err
    assert server.sql("SELECT count(*) FROM orders", database="app") == [(20000,)]
    assert all(SECRET not in each.out + each.err for each in said)
    keys = [each["Key"] for each in s3.client().list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys and all(key.startswith("postgres/shop/") for key in keys)


def test_the_playbooks_make_a_bucket_and_prove_a_backup_in_it_and_show_no_secret(moto_s3, shop, tmp_path):
    _server, cluster = shop
    ansible = Ansible(tmp_path)
    repository = moto_s3.settings("made-by-the-playbook", prefix="postgres", object_lock={"days": 1})
    inventory = ansible.inventory(db1={"restorable_repositories": {"offsite": repository},
                                       "restorable_state_dir": str(tmp_path / "state"),
                                       "restorable_clusters": {"shop": cluster}})
    planned = ansible.play("bucket", inventory, "--check", "--diff")
    assert planned.status == 0 and planned.line("db1 ", "shop ", "planned"), planned.text
    said = [planned]
    for name, *more in (["bucket"], ["backup", "-vvv"], ["drill"]):
        said.append(ansible.play(name, inventory, *more))
        assert said[-1].status == 0, said[-1].text
    assert said[1].line("db1 ", "shop ", "made") and said[-1].line("db1 ", "shop ", "PASSED")
    assert all(SECRET not in each.text for each in said)


def test_what_object_lock_keeps_is_retained_and_later_deleted(moto_s3, shop, command):
    _server, cluster = shop
    bucket = moto_s3.bucket(ObjectLockEnabledForBucket=True)
    body = {"repositories": {"offsite": moto_s3.settings(bucket, object_lock={"days": 1, "mode": "compliance"})},
            "clusters": {"shop": cluster}}
    for _count in range(2):
        assert command(body, "backup").status == 0
    pruned = command(body, "prune", "--json")
    found = pruned.json["clusters"][0]["repositories"][0]
    assert (pruned.status, len(found["dropped"]), len(found["retained"]), found["freed"]) == (0, 0, 1, 0), pruned.out
    until = datetime.fromisoformat(found["retained"][0]["until"])
    assert timedelta(hours=23) < until - datetime.now(timezone.utc) < timedelta(hours=25)
    assert len(command(body, "list", "--json").json["clusters"][0]["repositories"][0]["backups"]) == 2
    # a backup more, and the same is told to a person
    time.sleep(1)                          # a backup of the second of the last prune is no newer one
    assert command(body, "backup").status == 0
    told = command(body, "prune")
    assert (told.status, "2 retained by locks" in told.out) == (0, True), told.out
    # a prune that announced what is still there reads as no tampering
    audited = command(body, "audit")
    assert (audited.status, "nothing is edited, missing or cut off" in audited.out) == (0, True), audited.out
