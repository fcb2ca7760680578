# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A base backup of a standby, which knows its primary and the production archive: drills and recoveries use neither."""
from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from contextlib import ExitStack

import pytest

from _restorable.stream.compress import decompressor
from kit.chain import new_folder
from kit.physical import Physical, archiving, home
from kit.servers import start_server, start_standby

CONFIG = {**archiving(15), "log_connections": "on", "log_replication_commands": "on", "hot_standby": "on",
          "restore_command": "false"}
# what the drilled copy says of itself; each would be another value in the server that was copied
ALONE = {
    "SELECT setting FROM pg_settings WHERE name = 'archive_mode'": "off",
    "SELECT setting FROM pg_settings WHERE name = 'archive_command'": "(disabled)",
    "SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'": "",
    "SELECT setting FROM pg_settings WHERE name = 'listen_addresses'": "",
    "SELECT pg_is_in_recovery()::text": "false",
    "SELECT count(*) FROM pg_stat_wal_receiver": 0,
    "SELECT archived_count + failed_count FROM pg_stat_archiver": 0,
    "SELECT count(*) FROM rows": 3}


@pytest.fixture(scope="module")
def chain():
    """A chain whose base backup is a standby's; production's archive is chain.archive, the primary chain.server."""
    with ExitStack() as stack:
        primary = stack.enter_context(start_server(15, config=CONFIG, initdb=("--wal-segsize=1",)))
        archive = primary.folder / "arch"
        primary.sql("CREATE TABLE rows (id int)",
                    f"ALTER SYSTEM SET archive_command = 'mkdir -p {archive} && cp %p {archive}/%f.part && "
                    f"mv {archive}/%f.part {archive}/%f'", "SELECT pg_reload_conf()")
        standby = stack.enter_context(start_standby(primary))
        folder = new_folder()
        stack.callback(shutil.rmtree, folder)
        chain = Physical(primary, folder)
        chain.archive, chain.archived = archive, True

        def waiting(seconds):
            # a standby ends no segment, so the WAL of its backup comes when its primary ends one
            primary.sql("SELECT txid_current(), pg_switch_wal()")
            chain.waiting(seconds)

        chain.sleep, chain.own["connection"] = waiting, standby.settings
        chain.manifest = chain.based()
        standby.stop()
        for number in (1, 2, 3):
            primary.sql(f"INSERT INTO rows VALUES ({number})", f"SELECT pg_create_restore_point('after {number}')")
        chain.moment = chain.now()
        chain.switch()
        yield chain


def production(chain) -> dict[str, str]:
    """Return the digests of all that a drill must not touch: production's archive, and the WAL in the repository."""
    files = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in chain.archive.rglob("*")}
    return {**files, **chain.files("/wal/")}


def test_a_standbys_base_knows_whom_it_followed_and_where_production_archives(chain):
    [stored] = [path for path in chain.objects(chain.manifest.id) if path.name.startswith("base.tar")]
    plain = io.BytesIO(b"".join(decompressor("zstd")([stored.read_bytes()])))
    with tarfile.open(fileobj=plain) as members:
        own = members.extractfile("postgresql.auto.conf").read().decode()
        assert "standby.signal" in members.getnames()
    assert f"host={chain.server.folder}" in own.replace("'", "") and str(chain.archive) in own
    assert chain.manifest.server["in_recovery"] is True and not chain.manifest.base.self_contained


@pytest.mark.parametrize("primary", ["listening", "stopped"])
def test_a_drill_never_writes_to_the_production_archive_and_never_connects_to_the_primary(chain, primary):
    if primary == "stopped":
        chain.server.stop()
    before, heard = production(chain), chain.server.log_text().count("connection received")
    evidence = chain.drill_base(checks=[{"sql": sql, "database": "postgres", "expect": wanted}
                                        for sql, wanted in ALONE.items()])
    assert evidence.verdict == "passed", evidence.checks
    assert evidence.recovery["replayed"] and evidence.recovery["segments"] > 0
    assert production(chain) == before
    assert chain.server.log_text().count("connection received") == heard
    assert (chain.server.process.poll() is None) == (primary == "listening")


@pytest.mark.parametrize(("kind", "value", "rows"), [("name", "after 2", 2), ("latest", "", 3)])
def test_a_standbys_base_is_recovered_with_archived_wal_to_a_target(chain, kind, value, rows):
    data = home(chain.folder, f"home-{kind}")
    before = production(chain)
    plan, done = chain.recover(data, kind, value)
    assert plan.base.id == chain.manifest.id and done.segments > 0
    with chain.running(data) as back:
        assert back.sql("SELECT count(*), pg_is_in_recovery() FROM rows") == [(rows, False)]
        assert back.sql("SHOW archive_mode") == [("off",)] and back.sql("SHOW primary_conninfo") == [("",)]
        back.sql("SELECT pg_switch_wal()", "CHECKPOINT")
    assert production(chain) == before
