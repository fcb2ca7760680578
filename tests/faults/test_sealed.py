# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed backups: what fails closed, what a host without keys still sees, what every damaged or wrong part causes."""
from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from faults.conftest import SHOP

from _restorable.errors import ConfigError, Damaged
from _restorable.ops.rekey import rekey
from _restorable.stream.age import CHUNK, SEALED, read_header
from kit.agekeys import make_pair
from kit.chain import Chain, failed, new_folder
from kit.leftovers import every_process

WIDE = "CREATE TABLE wide AS SELECT g, md5(random()::text) || md5(random()::text) t FROM generate_series(1, 9000) g"


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain with one sealed backup whose dump has several chunks; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE sealed TEMPLATE template0")
    pg16.sql(*SHOP, WIDE, database="sealed")
    chain = sealed_chain(pg16, folder)
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE sealed")
    shutil.rmtree(folder)


def sealed_chain(server, folder, **more):
    """Return a chain with a pair of keys, which both dumps and opens."""
    chain = Chain(server, folder, databases=["sealed"], **more)
    chain.pair = make_pair(folder / "key") if not (folder / "key").exists() else None
    chain.body["encryption"] = {"recipients": [chain.pair.public] if chain.pair else [],
                                "identity_file": str(folder / "key")}
    return chain


@pytest.fixture
def copy(taken, folder):
    """A copy of that backup that may be damaged, with its keys."""
    shutil.copytree(taken.folder / "local", folder / "local")
    chain = Chain(taken.server, folder, databases=["sealed"])
    chain.pair = taken.pair
    chain.body["encryption"] = dict(taken.body["encryption"])
    return chain


def dump_of(chain):
    return next(path for path in chain.objects(chain.ids()[-1]) if path.name == "sealed.dump.zst.age")


def not_run(evidence):
    return [f"{each.level} {each.name}: {each.detail}" for each in evidence.checks
            if each.result == "not_run" and not each.optional]


def test_every_object_is_sealed_and_only_the_manifest_is_not(taken):
    names = [path.name for path in taken.objects(taken.ids()[0])]
    assert [name for name in names if not name.endswith(".age")] == ["manifest.json"]
    assert len(names) == 5
    for path in taken.objects(taken.ids()[0]):
        head = path.read_bytes()[:22]
        assert (head == b"age-encryption.org/v1\n") == (path.name != "manifest.json")
    manifest = taken.show()[2]
    assert {(item.encryption, item.recipients) for item in manifest.items} == {("age", (taken.pair.key_id,))}
    assert dump_of(taken).stat().st_size > 3 * CHUNK
    assert taken.modes() == {"0o600"}


def test_a_thief_reads_how_much_there_is_and_nothing_of_it(copy, pg16):
    assert copy.drill().verdict == "passed"
    pg16.sql("CREATE DATABASE told TEMPLATE sealed")
    copy.own["jobs"]["dump"]["databases"] = ["sealed", "told"]
    secrets = ["secret_table", "secret_column", "secret row", "secret comment", "secret body"]
    pg16.sql("CREATE TABLE secret_table (secret_column text)", "INSERT INTO secret_table VALUES ('secret row')",
             "COMMENT ON TABLE secret_table IS 'secret comment'",
             "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'secret body' $$", database="told")
    try:
        manifest = copy.taken()
        assert copy.drill().verdict == "passed"
    finally:
        pg16.sql("DROP DATABASE told")
    stored = b"".join(path.read_bytes() for path in (copy.folder / "local").rglob("*") if path.is_file())
    assert [word for word in secrets if word.encode() in stored] == []
    assert b'"told"' in stored and copy.pair.key_id.encode() in stored
    assert sum(each.tables for each in manifest.databases) > 2


def test_a_sealed_backup_is_verified_drilled_and_restored(copy, pg16):
    assert [found.verdict for found in copy.verify()] == ["passed"]
    evidence = copy.drill()
    assert (evidence.verdict, failed(evidence)) == ("passed", [])
    [rung] = [each for each in evidence.checks if each.name.startswith("key opens")]
    assert (rung.result, copy.pair.key_id in rung.detail, "of all, daily" in rung.detail) == ("ok", True, True)
    copy.restore(databases=("sealed",), into="sealed_again")
    rows = pg16.sql("SELECT count(*), md5(string_agg(t, '' ORDER BY g)) FROM wide", database="sealed_again")
    pg16.sql("DROP DATABASE sealed_again")
    assert rows == pg16.sql("SELECT count(*), md5(string_agg(t, '' ORDER BY g)) FROM wide", database="sealed")


@pytest.mark.parametrize(("encryption", "code"), [
    ({"recipients": []}, "encryption.no_recipient"), ({"recipients": None}, "encryption.no_recipient"),
    ({"recipients": ["age1qqqqqq"]}, "encryption.bad_recipient"),
    ({"recipients_file": "/no/such/file"}, "encryption.unreadable"),
    ({"recipients": ["passphrase"]}, "encryption.no_passphrase"),
    ({"recipients": ["age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsjgdkym"]}, "encryption.bad_recipient")])
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry run"])
def test_without_a_usable_recipient_nothing_is_written(copy, fails, encryption, code, dry_run):
    copy.body["encryption"] = encryption
    with fails(copy, code):
        copy.back_up(dry_run=dry_run)


def test_a_recipient_that_vanishes_in_mid_run_leaves_nothing_behind(copy, folder, fails):
    """The file of recipients is read once: what the run began with is what it seals for."""
    path = folder / "recipients.txt"
    path.write_text(copy.pair.public + "\n")
    copy.body["encryption"] = {"recipients_file": str(path)}
    copy.own["jobs"]["dump"]["pre_command"] = ["rm", str(path)]
    manifest = copy.taken()
    assert manifest.key_ids() == (copy.pair.key_id,)
    with fails(copy, "encryption.unreadable", str(path)):
        copy.back_up()


def test_unsealed_on_purpose_is_possible_and_has_to_be_said(copy):
    copy.body["encryption"] = {"identity_file": str(copy.pair.path), "required": False}
    assert {item.encryption for item in copy.taken().items} == {""}
    assert [found.verdict for found in copy.verify()] == ["passed", "passed"]


def test_a_host_with_public_keys_only_sees_every_stored_byte_and_says_what_it_could_not_open(copy):
    copy.body["encryption"] = {"recipients": [copy.pair.public]}
    [found] = copy.verify()
    opened = [each for each in found.checks if each.result != "ok"]
    assert [(each.name, each.result) for each in opened] == [("opened", "not_run")]
    assert "4 sealed objects" in opened[0].detail
    path = dump_of(copy)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert copy.verify()[0].verdict == "failed"


def test_a_drill_without_identity_is_no_pass(copy):
    copy.body["encryption"] = {"recipients": [copy.pair.public]}
    evidence = copy.drill()
    assert (evidence.verdict, failed(evidence)) == ("incomplete", [])
    assert any("key opens" in line and "identity_file" in line for line in not_run(evidence))


def test_a_restore_without_identity_names_the_key_and_makes_nothing(copy, fails, pg16):
    copy.body["encryption"] = {"recipients": [copy.pair.public]}
    with fails(copy, "encryption.no_identity", copy.pair.key_id, "identity_file"):
        copy.restore(databases=("sealed",), into="never")
    assert pg16.sql("SELECT datname FROM pg_database WHERE datname = 'never'") == []


def test_a_wrong_identity_is_named_with_the_key_it_would_take(copy, folder, fails, pg16):
    other = make_pair(folder / "other")
    copy.body["encryption"]["identity_file"] = str(other.path)
    with fails(copy, "age.no_match", copy.pair.key_id, other.key_id, "sealed.dump.zst.age"):
        copy.restore(databases=("sealed",), into="never")
    assert pg16.sql("SELECT datname FROM pg_database WHERE datname = 'never'") == []
    assert [found.verdict for found in copy.verify()] == ["incomplete"]


def with_another_key(copy, folder):
    copy.body["encryption"]["identity_file"] = str(make_pair(folder / "other").path)


def test_a_key_that_is_not_here_leaves_the_drilled_backup_unproven_and_is_no_fault_of_it(copy, folder):
    assert copy.drill().verdict == "passed"
    with_another_key(copy, folder)
    evidence = copy.drill()
    assert (evidence.verdict, failed(evidence)) == ("incomplete", [])
    [key] = [line for line in not_run(evidence) if "key opens" in line]
    assert "cannot be opened by the identities given" in key and copy.pair.key_id in key
    assert {each.result for each in evidence.checks if each.name.startswith("object ")} == {"ok"}    # as stored
    [row] = copy.list()
    assert row.catalogue.committed()[-1].proven        # by the drill before, which this one does not undo
    status, out, _err = copy.run("drill", "--json")
    assert (status, json.loads(out)["clusters"][0]["verdict"]) == (8, "incomplete")
    [row] = copy.prune(dry_run=True, confirm=True, last=1, min_keep=0, min_age="0", max_delete_percent=100)
    assert [each.keep for each in row.plan.rows] == [True]
    assert not any("bad" in reason for each in row.plan.rows for reason in each.reasons)
    status, out, _err = copy.run("drill")
    assert status == 8 and "cannot be opened by the identities given" in out


@pytest.mark.parametrize("harm", ["header", "cut"])
def test_a_backup_that_was_changed_is_bad_also_to_who_has_another_key_or_none(copy, folder, harm):
    path = dump_of(copy)
    data = bytearray(path.read_bytes())
    data[40] = b"AB"[data[40] == ord("A")]             # now it looks as if it were sealed for another key
    path.write_bytes(data if harm == "header" else path.read_bytes()[:-7])
    for encryption in ({}, {"identity_file": str(copy.pair.path)}):
        copy.body["encryption"] = {"recipients": [copy.pair.public], **encryption}
        evidence = copy.drill()
        assert evidence.verdict == "failed", encryption
        assert any("sealed.dump.zst.age" in line and "as stored" in line for line in failed(evidence))
    with_another_key(copy, folder)
    assert copy.drill().verdict == "failed"


def test_a_copy_that_this_key_opens_stands_in_for_one_that_it_does_not(copy, folder):
    """A rekey came to one repository only."""
    new = make_pair(folder / "new")
    shutil.copytree(folder / "local", folder / "vault")
    copy.body["repositories"]["vault"] = {"path": str(folder / "vault")}
    copy.body["encryption"] = {"recipients": [new.public], "identity_file": [str(copy.pair.path), str(new.path)]}
    world = copy.world()
    assert [each.action for each in rekey(replace(world, stores=world.stores[1:]))] == ["rekeyed"]
    copy.body["encryption"]["identity_file"] = str(new.path)
    evidence = copy.drill()
    assert (evidence.verdict, evidence.repository, failed(evidence)) == ("passed", "vault", [])
    assert any("the copy in local could not be read" in note for note in evidence.notes)


def test_an_old_set_that_is_closed_to_the_drill_stops_no_drill_and_is_no_lost_key(copy):
    [old] = copy.ids()
    copy.taken()

    class Denied:
        """A store that does not give away the old set's manifest."""

        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def get(self, key):
            if f"{old}/manifest" in key:
                raise ConfigError(f"{key} is closed to these credentials", code="store.denied", hint="Allow it.")
            return self._inner.get(key)

    copy.wrap_store = Denied
    evidence = copy.drill()
    assert (evidence.verdict, failed(evidence)) == ("incomplete", [])
    assert [line for line in not_run(evidence) if f"key opens {old}" not in line] == []
    assert "closed to these credentials" in not_run(evidence)[0]
    assert evidence.key in [str(path.relative_to(copy.folder / "local")) for path in (copy.folder / "local").rglob("*")]


@pytest.mark.parametrize("place", [
    "version", "share", "body", "mac", "nonce", "first chunk", "middle chunk", "last chunk"])
def test_a_flipped_bit_in_a_sealed_dump_is_damage_wherever_it_is(copy, place):
    path = dump_of(copy)
    data = bytearray(path.read_bytes())
    head = len(read_header(iter([bytes(data)]))[0])
    at = {"version": 3, "share": 40, "body": 90, "mac": head - 20, "nonce": head + 3, "first chunk": head + 50,
          "middle chunk": head + 16 + SEALED + 50, "last chunk": len(data) - 1}[place]
    letter = place in ("share", "body", "mac")       # another letter of base 64, so that the header keeps its form
    data[at] = b"AB"[data[at] == ord("A")] if letter else data[at] ^ 1
    path.write_bytes(data)
    [found] = copy.verify()
    assert found.verdict == "failed"
    [line] = [each.detail for each in found.checks if each.result == "failed"]
    assert "sealed.dump.zst.age" in line
    # whatever the key says of it, the stored bytes are not those of the manifest: that is told, not where opening ended
    assert "as stored has SHA-256" in line
    with pytest.raises((Damaged, ConfigError)):
        copy.restore(databases=("sealed",), into="never")


@pytest.mark.parametrize("left", [0, 100, "header", SEALED, -1])
def test_a_truncated_sealed_dump_is_damage(copy, left):
    path = dump_of(copy)
    data = path.read_bytes()
    head = len(read_header(iter([data]))[0]) + 16
    path.write_bytes(data[:{0: 0, 100: 100, "header": head, -1: len(data) - 1}.get(left, head + SEALED)])
    assert copy.verify()[0].verdict == "failed"
    with pytest.raises(Damaged, match="sealed.dump.zst.age"):
        copy.restore(databases=("sealed",), into="never")


def test_a_work_factor_that_would_exhaust_the_host_is_damage(copy, folder):
    """Somebody who can write to the repository puts a header of his own before a dump."""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("guess\n")
    copy.body["encryption"]["passphrase_file"] = str(passphrase)
    path = dump_of(copy)
    data = path.read_bytes()
    head, rest = read_header(iter([data]))
    forged = b"age-encryption.org/v1\n-> scrypt " + b"A" * 22 + b" 30\n" + b"A" * 43 + b"\n" + head[-48:]
    path.write_bytes(forged + rest)
    [line] = [each.detail for each in copy.verify()[0].checks if each.result == "failed"]
    assert f"as stored has {len(forged + rest)} bytes" in line and "sealed.dump.zst.age" in line


def test_rotated_keys_show_in_every_set_and_a_drill_says_which_old_set_no_key_opens(copy, folder):
    new = make_pair(folder / "new")
    copy.body["encryption"] = {"recipients": [new.public], "identity_file": [str(new.path)]}
    copy.taken()
    assert [copy.show(each)[2].key_ids() for each in copy.ids()] == [(copy.pair.key_id,), (new.key_id,)]
    evidence = copy.drill()
    assert evidence.verdict == "failed"
    assert [line for line in failed(evidence) if "key opens" not in line] == []
    assert copy.ids()[0] in failed(evidence)[0] and copy.pair.key_id in failed(evidence)[0]
    # the drilled one was restored all the same, and is no bad backup by a key that it does not need
    assert [each.result for each in evidence.checks if each.level == "L4"] == ["ok"]
    assert (evidence.copies["local"]["verdict"], evidence.copies["local"]["levels"]) == ("failed", ["keys"])
    copy.taken()
    [row] = copy.prune(dry_run=True, confirm=True, last=3, min_keep=0, min_age="0", max_delete_percent=100)
    assert [each.keep for each in row.plan.rows] == [True, True, True]
    # nor is it a bad one to a repository that lacks it
    copy.body["repositories"]["vault"] = {"path": str(folder / "vault")}
    assert sorted(copy.sync(to="vault")["vault"].sets) == copy.ids("local")
    copy.body["encryption"]["identity_file"] = [str(new.path), str(copy.pair.path)]
    assert copy.drill().verdict == "passed"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
@pytest.mark.parametrize("kind", ["identity_file", "passphrase_file"])
def test_a_secret_that_others_can_read_is_refused(copy, folder, fails, mode, kind):
    copied = folder / "loose"
    copied.write_text(copy.pair.path.read_text())
    copied.chmod(mode)
    copy.body["encryption"][kind] = str(copied)
    with fails(copy, "encryption.mode", str(copied), f"{mode:04o}", "chmod 0600"):
        copy.restore(databases=("sealed",), into="never")


def test_no_secret_is_in_any_output_or_command_line(copy, folder):
    seen = set()
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse\n")
    copy.body["encryption"]["passphrase_file"] = str(passphrase)
    for words in (["backup"], ["verify"], ["show"], ["--json", "show"], ["drill"], ["status"]):
        process = copy.command(*words)
        seen.update(command_line(pid) for pid in every_process())
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        for secret in (copy.pair.secret, "correct horse"):
            assert secret not in out + err
    assert not any(copy.pair.secret.encode() in line or b"correct horse" in line for line in seen)
    for path in (copy.folder / "local").rglob("*"):
        assert not path.is_file() or copy.pair.secret.encode() not in path.read_bytes()


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""
