# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told of a real server's WAL: gaps in the line, what waits, and what a slot holds."""
from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime

import pytest
from integration.test_wal_streaming import streaming

from _restorable.app.report_wal import wal_info_report
from _restorable.app.wal import waiting_wal
from _restorable.model.settings import Settings
from _restorable.ops.wal_info import wal_info
from kit.archiving import archiving as archiving_host
from kit.archiving import fill, wait_until
from kit.chain import new_folder
from kit.physical import Physical, archiving
from kit.servers import start_server


@pytest.fixture
def chain():
    with start_server(15, config=archiving(15), initdb=("--wal-segsize=1",)) as server:
        folder = new_folder()
        yield Physical(server, folder)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_gap_is_seen_in_the_line_of_status_and_in_what_the_archive_tells(chain):
    first = chain.based()
    for _segment in range(3):
        chain.server.sql("SELECT pg_create_restore_point('so that there is something to switch')")
        chain.switch()
    before, lost, _after = sorted((chain.folder / "local" / "app" / "wal").rglob("*.zst"))[-3:]
    lost.unlink()
    [gap] = status_of(chain)["reasons"][:1]
    assert gap.startswith("WAL is missing behind 0/") and "no later moment can be recovered: take a base backup" in gap

    second = chain.based(self_contained=True)
    begin, end = (moment(each) for each in (first, second))
    half = (begin + (end - begin) / 2).timestamp()
    os.utime(before, (half, half))             # when the last segment before the gap was archived
    told = status_of(chain)
    assert told["colour"] != "red" and any("to the next base backup no moment" in each for each in told["reasons"])
    [row] = told["repositories"]
    assert re.search(r"  B─+·+B[─·]*  ", row["recovery"]["line"]), row["recovery"]["line"]
    _status, text, _err = chain.run("status")
    assert row["recovery"]["line"] in text and "no moment between" in text

    [info] = wal_info_report(wal_info(chain.world(), None), None, {})["repositories"]
    assert [each["count"] for each in info["gaps"]] == [1]
    one, other = info["windows"]
    assert one["gap_behind"] and one["whole"] and one["until"].startswith(f"{begin + (end - begin) / 2:%Y-%m-%dT%H:%M}")
    assert other["whole"] and not other["gap_behind"] and other["until"] >= other["since"]


def test_a_base_that_has_its_own_wal_is_whole_where_the_archive_has_none_of_it(chain):
    chain.based(self_contained=True)
    shutil.rmtree(chain.folder / "local" / "app" / "wal", ignore_errors=True)
    [info] = wal_info_report(wal_info(chain.world(), None), None, {})["repositories"]
    [window] = info["windows"]
    assert window["whole"] and window["until"] == window["since"]


def status_of(chain):
    _status, out, err = chain.run("--json", "status")
    assert "reasons" in out, (out, err)
    return json.loads(out)["clusters"][0]


def moment(manifest):
    return datetime.fromisoformat(manifest.base.stop_time)


def test_what_waits_for_a_shipper_that_never_ran_turns_red_with_time():
    with archiving_host(15, config={"archive_command": "/bin/false"}) as (server, host):
        fill(server, 40, segments=4)
        ready = server.folder / "data" / "pg_wal" / "archive_status"
        wait_until(lambda: len(list(ready.glob("*.ready"))) >= 4)
        assert "wait to be archived" not in host.run("status").stdout
        for each in ready.glob("*.ready"):
            os.utime(each, (each.stat().st_mtime - 3000, each.stat().st_mtime - 3000))
        told = host.run("status")
        assert told.returncode == 1 and re.search(r"\d WAL files wait to be archived, the oldest for 5\dm", told.stdout)
        assert "left on its disk" in told.stdout


def test_what_a_slot_holds_is_told_by_the_stream_and_asked_for_where_none_runs():
    with streaming(15) as (server, host):
        root = host.folder / "local"
        root.write_text("no folder")
        with host.shipper("wal-stream"):
            fill(server, 400, segments=4)
            wait_until(lambda: json.loads((host.spool / "status.json").read_text()).get("slot_bytes", 0) >= 3 * 2**20
                       if (host.spool / "status.json").exists() else False, host.log_text)
        root.unlink()
        cluster = Settings.of(host.body).cluster("shop")
        # nobody has reported anything lately: the server is asked
        assert waiting_wal(cluster, {})["slot_bytes"] >= 3 * 2**20
        assert waiting_wal(cluster, json.loads((host.spool / "status.json").read_text())) == {}
