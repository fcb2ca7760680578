# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_wal_archive, pg_wal_archive_info and the role, run by Ansible on a server of their own."""
from __future__ import annotations

import subprocess

import pytest

from _restorable.model.wal_naming import wal_prefix
from kit.archiving import archiving, fill, give, shipping, wait_until
from kit.plays import Ansible
from kit.restart import restart_script, stop_restarted


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server that does not archive yet, and what a module is told of it."""
    with archiving(15, config={"archive_mode": "off", "archive_command": "", "wal_level": "minimal",
                               "max_wal_senders": "0"}) as (server, host):
        yield server, host, Ansible(tmp_path_factory.mktemp("ansible"))


def asked(server, host, **options):
    own = {"connection": server.settings, "wal": {**host.body["clusters"]["shop"]["wal"]}}
    return {"cluster": "shop", "settings": {**host.body, "clusters": {"shop": own}}, **options}


def test_a_server_is_set_restarted_when_told_and_proven(place):
    server, host, ansible = place
    fallback = [str(host.launcher), "wal-push"]
    before = ansible.module("pg_wal_archive", "-C", "-D", **asked(server, host, fallback_command=fallback))
    assert before["changed"], before["said"]
    assert {each["name"] for each in before["changes"]} == {"wal_level", "archive_mode", "archive_command",
                                                            "archive_timeout"}
    assert set(before["pending_restart"]) == {"wal_level", "archive_mode"}
    assert server.sql("SHOW archive_command") == [("(disabled)",)]

    first = ansible.module("pg_wal_archive", **asked(server, host, fallback_command=fallback))
    assert set(first["pending_restart"]) == {"wal_level", "archive_mode"} and not first["restarted"]
    assert first["proven"] == ""
    again = ansible.module("pg_wal_archive", **asked(server, host, fallback_command=fallback))
    assert not again["changed"] and again["pending_restart"]

    give(host.folder)
    told = ansible.module("pg_wal_archive", **asked(
        server, host, fallback_command=fallback, restart_command=restart_script(server, host)))
    try:
        assert told["restarted"] and not told["pending_restart"], told["said"]
        assert len(told["proven"]) == 24 and told["proven"] in host.archived()
        quiet = ansible.module("pg_wal_archive", **asked(server, host, fallback_command=fallback))
        assert not quiet["changed"] and quiet["proven"] == ""

        info = ansible.module("pg_wal_archive_info", **asked(server, host))
        assert not info["changed"]
        assert info["server"]["last_archived"] >= told["proven"]
        [row] = info["repositories"]
        assert row["behind"] == 0 and not row["gaps"] and row["segment_size"] == 2**20

        fill(server, 600, segments=6)
        wait_archived_by_status(server)
        middle = sorted((host.folder / "local" / wal_prefix("shop")).rglob("*.zst"))[-3]
        middle.unlink()
        [row] = ansible.module("pg_wal_archive_info", **asked(server, host))["repositories"]
        assert [each["count"] for each in row["gaps"]] == [1]
    finally:
        stop_restarted(server)


def wait_archived_by_status(server):
    status = server.folder / "data" / "pg_wal" / "archive_status"
    wait_until(lambda: not list(status.glob("*.ready")), server.log_text)


def test_an_archive_that_nothing_reaches_is_not_proven(tmp_path):
    with archiving(16) as (server, host):
        told = Ansible(tmp_path).module("pg_wal_archive", **asked(server, host, prove="always", prove_timeout=2))
        assert told["code"] == "archiver.not_proven" and "was ended and is not in repository local" in told["msg"]
        # what is set already and does not arrive is no success of the next run either
        settled = Ansible(tmp_path).module("pg_wal_archive", **asked(server, host, prove="never"))
        again = Ansible(tmp_path).module("pg_wal_archive", **asked(server, host, prove_timeout=2))
        assert again["code"] == "archiver.not_proven", (settled["said"], again["said"])
        with host.shipper():
            wait_archived_by_status(server)
            mended = Ansible(tmp_path).module("pg_wal_archive", **asked(server, host, prove_timeout=2))
            assert (mended["changed"], mended["proven"]) == (False, ""), mended["said"]    # the server tells it now


def test_the_method_stream_makes_the_slot_and_ends_segments_of_a_quiet_server(tmp_path):
    config = {"archive_mode": "off", "archive_command": "", "max_wal_senders": "5"}
    with archiving(16, method="stream", slot="shop", archive_timeout="1s", config=config) as (server, host):
        host.body["clusters"]["shop"].update(connection=server.settings)
        host.write_config()
        ansible = Ansible(tmp_path)
        told = ansible.module("pg_wal_archive", **asked(server, host, prove="never"))
        assert told["slot_made"] and [each["name"] for each in told["changes"]] == ["archive_timeout"], told["said"]
        assert server.sql("SELECT slot_name FROM pg_replication_slots") == [("shop",)]
        with host.shipper("wal-stream"):
            server.sql("CREATE TABLE w AS SELECT 1 AS n")
            wait_until(lambda: [name for name in host.archived() if len(name) == 24], host.log_text)
        again = ansible.module("pg_wal_archive", **asked(server, host, prove="always", prove_timeout=2))
        assert again["code"] == "archiver.not_proven"      # nobody receives now
        assert not ansible.module("pg_wal_archive", **asked(server, host, prove="never"))["changed"]


def test_a_conf_file_that_nobody_includes_is_refused_and_an_included_one_is_read(tmp_path):
    with shipping(18) as (server, host):
        conf = server.folder / "data" / "conf.d"
        conf.mkdir(mode=0o700)
        give(conf)
        ansible = Ansible(tmp_path)
        options = asked(server, host, conf_file=str(conf / "restorable.conf"))
        options["settings"]["clusters"]["shop"]["wal"]["archive_timeout"] = "77s"
        refused = ansible.module("pg_wal_archive", **options)
        assert refused["code"] == "archiver.not_read" and not list(conf.iterdir())
        with open(server.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("include_dir = 'conf.d'\n")
        told = ansible.module("pg_wal_archive", **options)
        assert told["changed"] and told["proven"] in host.archived(), told["said"]
        assert server.sql("SHOW archive_timeout") == [("77s",)]


def test_the_role_writes_a_unit_that_systemd_accepts_and_a_second_run_changes_nothing(tmp_path):
    with archiving(15, fallback=True) as (server, host):
        units = tmp_path / "units"
        units.mkdir()
        ansible = Ansible(tmp_path)
        own = {"connection": server.settings, "wal": host.body["clusters"]["shop"]["wal"]}
        inventory = ansible.inventory(localhost={
            "restorable_repositories": host.body["repositories"], "restorable_clusters": {"shop": own},
            "restorable_become": False, "wal_archive_service": False, "wal_archive_unit_dir": str(units),
            "wal_archive_command": str(host.launcher), "wal_archive_config": str(host.config)})
        first = ansible.play("wal_archive", inventory)
        assert first.status == 0, first.text
        unit = (units / "restorable-wal-shop.service").read_text()
        assert f"--config {host.config} --cluster shop --quiet wal-ship" in unit
        assert "unreachable=0" in first.text and host.archived()
        second = ansible.play("wal_archive", inventory)
        assert "changed=0" in second.text, second.text
        checked = ansible.play("wal_archive", inventory, "--check", "--diff")
        assert checked.status == 0 and "changed=0" in checked.text, checked.text
        verified = subprocess.run(["systemd-analyze", "verify", str(units / "restorable-wal-shop.service")],
                                  capture_output=True, text=True, check=False)
        assert "Unknown" not in verified.stderr and "Invalid" not in verified.stderr, verified.stderr
        gone = ansible.play("wal_archive", inventory, wal_archive_state="absent")
        assert gone.status == 0 and not list(units.iterdir()), gone.text
