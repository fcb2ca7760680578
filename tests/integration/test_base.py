# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups of real servers: what is stored, what stock tools make of it, and what is never committed."""
from __future__ import annotations

import io
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

from _restorable.errors import ConfigError, Refused, RestorableError
from _restorable.stream.compress import decompressor
from kit.archiving import wait_until
from kit.physical import CONFIG, Physical, home
from kit.servers import PHYSICAL_MAJORS, run_folder, start_standby, unprivileged


@pytest.fixture
def physical(empty_server, folder):
    """A function that makes a chain over a server of its own."""
    return lambda major=15, **options: Physical(empty_server(major, config=CONFIG[major]), folder, **options)


def members(path: pathlib.Path) -> dict[str, int]:
    """Return the names and sizes of a stored archive's files."""
    plain = b"".join(decompressor("zstd")([path.read_bytes()]))
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return {each.name: each.size for each in archive}


@pytest.mark.parametrize("major", PHYSICAL_MAJORS, ids=lambda major: f"pg{major}")
def test_a_base_backup_starts_by_the_stock_commands_alone(physical, folder, major):
    chain = physical(major)
    chain.server.sql("CREATE TABLE kept AS SELECT g AS id FROM generate_series(1, 1000) g")
    manifest = chain.based()
    assert manifest.base.self_contained and manifest.base.timeline == 1
    assert [item.role for item in manifest.items] == ["base", "file_list"]
    home = folder / "by-hand"
    shutil.copytree(folder / "local" / "app" / "backup" / str(manifest.id), home)
    made = [each for each in manifest.restore if not each.startswith("pg_ctl")]
    subprocess.run(["bash", "-ec", "\n".join(made)], cwd=home, check=True)
    who = unprivileged()
    if who:
        subprocess.run(["chown", "-R", f"{who['user']}:{who['group']}", home], check=True)
    with open(home / "data" / "postgresql.auto.conf", "a", encoding="utf-8") as file:
        file.write(f"unix_socket_directories = '{home}'\n")
    with run_folder(major, chain.server.bin_dir, home) as back:
        assert back.sql("SELECT count(*), sum(id) FROM kept") == [(1000, 500500)]


def test_every_tablespace_is_an_archive_of_its_own_and_nothing_is_staged(physical, folder):
    chain = physical()
    places = [chain.server.folder / name for name in ("one", "two", "three")]
    for place in places:
        place.mkdir()
        if unprivileged():
            shutil.chown(place, unprivileged()["user"], unprivileged()["group"])
        chain.server.sql(f"CREATE TABLESPACE {place.name} LOCATION '{place}'",
                         f"CREATE TABLE t_{place.name} TABLESPACE {place.name} AS SELECT generate_series(1, 100) AS id")
    manifest = chain.based()
    assert sorted(each.path for each in manifest.base.tablespaces) == sorted(map(str, places))
    assert sorted(item.role for item in manifest.items) == ["base", "file_list", *["tablespace"] * 3]
    assert sum(line.startswith("mkdir -p") for line in manifest.restore) == 3
    assert not (folder / "local" / ".part").exists() or not list((folder / "local" / ".part").iterdir())


def test_two_repositories_get_the_same_objects_from_one_reading(physical, folder):
    chain = physical(repositories=("local", "disk"))
    manifest = chain.based()
    stored = {name: {path.name: path.read_bytes() for path in chain.objects(manifest.id, name)}
              for name in ("local", "disk")}
    assert stored["local"] == stored["disk"] and "base.tar.zst" in stored["local"]


def test_what_the_server_cannot_compress_is_compressed_here(physical):
    chain = physical(16)               # the wheel's server is built without zstd
    manifest = chain.based()
    base = manifest.find("base")
    assert base.compression == "zstd" and base.plain_sha256 and base.plain_size > base.size
    assert "PG_VERSION" in members(chain.objects(manifest.id)[1])


def test_a_standby_gives_a_base_backup_without_its_primary(empty_server, folder):
    primary = empty_server(15, config={"full_page_writes": "on"})
    primary.sql("CREATE TABLE kept AS SELECT generate_series(1, 10) AS id")
    with start_standby(primary) as standby:
        chain = Physical(standby, folder)
        manifest = chain.based()
    data = home(folder)
    chain.recover(data)
    with chain.running(data) as back:
        assert back.sql("SELECT count(*), pg_is_in_recovery() FROM kept") == [(10, False)]
    assert manifest.server["in_recovery"] is True and manifest.base.self_contained
    assert manifest.server["system_identifier"]


@pytest.mark.parametrize("major", [17, 18], ids=lambda major: f"pg{major}")
def test_an_incremental_names_its_parent_and_is_small(physical, major):
    chain = physical(major)
    chain.server.sql("CREATE TABLE big AS SELECT g AS id, repeat('x', 100) AS t FROM generate_series(1, 20000) g")
    full = chain.based()
    chain.server.sql("INSERT INTO big VALUES (0, 'new')")
    first = chain.based(kind="incremental")
    second = chain.based(kind="incremental")
    assert (first.id.kind, first.base.parent, second.base.parent) == ("incr", str(full.id), str(first.id))
    assert first.base.size < full.base.size / 4


@pytest.mark.parametrize(("lost", "named"), [("manifest.json", "is not there"), ("backup_manifest.zst", "is gone")])
def test_an_incremental_on_a_parent_that_is_not_whole_is_refused(physical, lost, named):
    chain = physical(18)
    full = chain.based()
    middle = chain.based(kind="incremental")
    (chain.folder / "local" / "app" / "backup" / str(full.id) / lost).unlink()
    before = chain.ids()
    with pytest.raises(Refused, match=named) as caught:
        chain.base(kind="incremental", parent=str(middle.id))
    assert caught.value.code == "base.chain_broken" and str(full.id) in caught.value.message
    assert chain.ids() == before


def test_an_incremental_without_any_base_is_refused(physical):
    with pytest.raises(Refused, match="no base backup to stand on"):
        physical(18).base(kind="incremental")


def test_an_incremental_of_an_older_server_is_refused(physical):
    with pytest.raises(ConfigError, match="takes no incremental"):
        physical(15).base(kind="incremental")


def test_an_incremental_without_summaries_is_refused(empty_server, folder):
    with pytest.raises(ConfigError, match="summarize_wal is off"):
        Physical(empty_server(18), folder).base(kind="incremental")


def test_a_base_whose_wal_never_arrived_is_not_done(physical):
    chain = physical()
    chain.archived = True
    chain.sleep = lambda seconds: None
    with pytest.raises(RestorableError) as caught:
        chain.base(wal_timeout="0s")
    assert caught.value.code == "base.wal_missing" and "0000000100000000" in caught.value.message
    assert chain.ids() == [] and chain.files("-base") == {}


def test_a_server_that_archives_nothing_is_told_before_its_base_backup_waits_for_wal(physical):
    chain = physical()
    chain.archived = "push"
    with pytest.raises(ConfigError, match="archive_mode is off on the server") as caught:
        chain.base()
    assert caught.value.code == "base.archive_mode" and chain.ids() == []
    assert chain.based(self_contained=True)


def test_a_base_backup_whose_wal_nobody_streams_is_refused_before_it_begins(physical, folder):
    chain, looks = physical(), []
    chain.own["wal"] = {"method": "stream", "slot": "shop", "spool": str(folder / "spool")}
    chain.archived, chain.sleep = "stream", looks.append
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match="no physical replication slot 'shop'") as caught:
            chain.base(dry_run=dry_run)
        assert caught.value.code == "base.no_slot" and "`restorable wal-stream --cluster app`" in caught.value.hint
    chain.server.sql("SELECT pg_create_physical_replication_slot('shop', true)")
    assert looks == []
    with pytest.raises(Refused, match="nobody streams from replication slot 'shop'") as caught:
        chain.base()
    assert caught.value.code == "base.no_stream" and "`restorable wal-stream --cluster app`" in caught.value.hint
    # after some looks, since a stream that is started again is waited for
    assert len(looks) > 9 and chain.files("-base") == {}
    # one that brings its WAL itself asks for no stream
    assert chain.based(self_contained=True)
    with chain.command("wal-stream") as stream:
        try:
            chain.sleep = lambda _seconds: time.sleep(0.1)
            wait_until(lambda: chain.server.sql("SELECT active FROM pg_replication_slots") == [(True,)])
            assert not chain.based().base.self_contained
            # one that has come to a halt, although it holds the slot
            stream.send_signal(signal.SIGSTOP)
            with pytest.raises(RestorableError, match="did not come into repository") as caught:
                chain.base(wal_timeout="0s")
            assert "pg_replication_slots" in caught.value.hint and "`restorable wal-stream " in caught.value.hint
        finally:
            stream.send_signal(signal.SIGCONT)
            stream.terminate()
            assert stream.wait(60) == 0


def test_the_server_is_asked_to_send_no_faster_than_the_limit(empty_server, folder):
    chain = Physical(empty_server(15, config={"log_replication_commands": "on"}), folder)
    assert chain.based(max_rate=1048576).options["max_rate"] == 1048576
    [asked] = [line for line in chain.server.log_text().splitlines() if "BASE_BACKUP (" in line and "LOG:" in line]
    assert "MAX_RATE 1048576" in asked


def test_a_young_base_makes_another_needless(physical):
    chain = physical()
    first = chain.based()
    again = chain.base(max_age="1h")
    assert not again.changed and str(first.id) in again.plan.skipped_because and chain.ids() == [str(first.id)]


def test_a_dry_run_writes_nothing(physical):
    chain = physical()
    done = chain.base(dry_run=True)
    assert done.manifest is None and done.plan.self_contained and chain.files() == {}


def test_damaged_pages_of_the_source_are_found_and_not_committed(empty_server, folder):
    server = empty_server(18)          # 18 has checksums unless told otherwise
    chain = Physical(server, folder)
    server.sql("CREATE TABLE hurt AS SELECT generate_series(1, 5000) AS id", "CHECKPOINT")
    path = server.folder / "data" / server.sql("SELECT pg_relation_filepath('hurt')")[0][0]
    data = bytearray(path.read_bytes())
    data[8192 + 4000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(RestorableError) as caught:
        chain.base()
    assert caught.value.code == "base.source_damaged" and "checksum" in caught.value.message
    assert chain.ids() == []


def test_a_role_without_replication_is_told_so(physical):
    chain = physical()
    chain.server.sql("CREATE ROLE plain LOGIN", "GRANT pg_read_all_settings TO plain",
                     "GRANT EXECUTE ON FUNCTION pg_control_system() TO plain")
    chain.own["connection"]["user"] = "plain"
    with pytest.raises(RestorableError) as caught:
        chain.base()
    assert caught.value.code == "connect.no_replication" and "ALTER ROLE plain REPLICATION" in caught.value.hint
    assert chain.ids() == []


def test_the_host_command_takes_base_backups(physical):
    chain = physical()
    status, out, _err = chain.run("backup", "--kind", "base")
    assert status == 0 and "done: base app" in out
    status, out, _err = chain.run("--json", "backup", "--kind", "base", "--dry-run")
    assert status == 0 and '"self_contained": true' in out
