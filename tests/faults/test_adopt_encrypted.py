# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted files of older scripts: openssl enc by every way of making its key, and age; opened by real tools first."""
from __future__ import annotations

import gzip

import pytest

from _restorable.errors import ConfigError, Damaged
from _restorable.model.naming import BackupId, object_key
from kit.agecommand import age_command, run
from kit.agekeys import make_pair
from kit.chain import failed

WAYS = {"pbkdf2": ("openssl/pbkdf2/sha256", ["-pbkdf2"]), "plain": ("openssl/evp/sha256", []),
        "old": ("openssl/evp/md5", ["-md", "md5"])}


@pytest.fixture
def script(pg16, shop):
    """A plain dump in gzip, as scripts make them."""
    return gzip.compress(run(f"{pg16.bin_dir}/pg_dump", "-h", pg16.folder, "-U", pg16.superuser, shop))


@pytest.fixture
def old(chain, folder):
    """A folder for old files; the chain knows the passphrase and stores unsealed on purpose."""
    (folder / "old").mkdir()
    (folder / "passphrase").touch(mode=0o600)
    (folder / "passphrase").write_text("correct horse\n")
    chain.body["encryption"] = {"passphrase_file": str(folder / "passphrase"), "required": False}
    return folder / "old"


def encrypt(folder, data, words):
    return run("openssl", "enc", "-aes-256-cbc", "-salt", *words, "-pass", f"file:{folder / 'passphrase'}", data=data,
               stderr=-3)


def pattern(old):
    return old, "shop-YYYYMMDD.sql.gz*"


@pytest.mark.parametrize("way", WAYS)
def test_a_file_of_openssl_is_adopted_drilled_and_restored_with_a_warning(chain, old, folder, script, shop, pg16, way):
    encryption, words = WAYS[way]
    (old / "shop-20260101.sql.gz.enc").write_bytes(encrypt(folder, script, words))
    [found] = chain.adopt(*pattern(old)).files
    assert (found.action, found.format) == ("adopted", "plain")
    assert any("carries no integrity" in note for note in found.notes)
    [item] = chain.show()[2].dumps()
    assert (item.encryption, item.compression, item.name) == (encryption, "gzip", "shop-20260101.sql.gz.enc")
    assert [each.verdict for each in chain.verify()] == ["passed"]
    evidence = chain.drill()
    assert (evidence.verdict, failed(evidence)) == ("passed", [])
    assert any("carries no integrity" in note for note in evidence.notes)
    _plan, notes = chain.restore(databases=("shop",), into="from_openssl")
    assert any("carries no integrity" in note for note in notes)
    rows = pg16.sql("SELECT count(*) FROM item", database="from_openssl")
    pg16.sql("DROP DATABASE from_openssl")
    assert rows == [(500,)]
    assert chain.adopt(*pattern(old)).files[0].action == "known"


@pytest.mark.parametrize("way", WAYS)
def test_the_stock_command_of_an_adopted_file_of_openssl_is_its_own(chain, old, folder, script, way):
    (old / "shop-20260101.sql.gz.enc").write_bytes(encrypt(folder, script, WAYS[way][1]))
    chain.adopt(*pattern(old))
    [line] = [each for each in chain.show()[2].restore if each.startswith("openssl ")]
    words = line.split(" | ")[0].replace("passphrase.txt", str(folder / "passphrase")).split()
    assert line.split(" | ")[1] == "gzip -d"
    assert run(*words, cwd=chain.objects(chain.ids()[0])[0].parent, stderr=-3) == script


def test_a_wrong_or_missing_passphrase_leaves_the_file_out_with_the_reason(chain, old, folder, script):
    (old / "shop-20260101.sql.gz.enc").write_bytes(encrypt(folder, script, ["-pbkdf2"]))
    (folder / "passphrase").write_text("another\n")
    [found] = chain.adopt(*pattern(old)).files
    assert found.action == "skipped" and "by none of: pbkdf2/sha256, evp/sha256, evp/md5" in found.reason
    chain.body["encryption"] = {}
    [found] = chain.adopt(*pattern(old)).files
    assert found.action == "skipped" and "no passphrase_file is set" in found.reason
    assert chain.ids() == []


def test_a_cut_off_file_of_openssl_is_left_out(chain, old, folder, script):
    for cut in (-1, -16, 40):
        (old / "shop-20260101.sql.gz.enc").write_bytes(encrypt(folder, script, [])[:cut])
        assert chain.adopt(*pattern(old)).files[0].action == "skipped"


def test_a_changed_adopted_file_of_openssl_is_damage_since_its_adoption(chain, old, folder, script, shop):
    (old / "shop-20260101.sql.gz.enc").write_bytes(encrypt(folder, script, ["-pbkdf2"]))
    chain.adopt(*pattern(old))
    path = next(path for path in chain.objects(chain.ids()[0]) if path.name.endswith(".enc"))
    data = bytearray(path.read_bytes())
    path.unlink()                      # it shares its bytes with the original
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert chain.verify()[0].verdict == "failed"
    with pytest.raises(Damaged):
        chain.restore(databases=("shop",), into="never")


def test_a_host_that_may_not_delete_adopts_beside_what_an_earlier_run_left(chain, old, script):
    class KeepsAll:
        def __init__(self, inner):
            self.inner, self.name = inner, inner.name

        def __getattr__(self, verb):
            return getattr(self.inner, verb)

        def delete(self, key):
            raise ConfigError(f"{key}: delete_object was denied", code="store.denied", hint="Ask the pruning host.")

    left = object_key("app", BackupId.parse("20260101T000000Z-dump"), "any.dump.zst")
    chain.world().stores[0].put(left, [b"half"])
    (old / "shop-20260101.sql.gz").write_bytes(script)
    chain.wrap_store = KeepsAll
    [found] = chain.adopt(*pattern(old)).files
    assert found.action == "adopted", found
    assert b"".join(chain.world().stores[0].get(left)) == b"half"


@pytest.mark.parametrize("armored", [False, True], ids=["binary", "armored"])
def test_a_file_of_age_is_adopted_as_it_is_and_opened_with_the_identity(chain, old, folder, script, request, armored):
    pair = make_pair(folder / "key")
    closed = run(age_command(request), *(["--armor"] if armored else []), "-r", pair.public, data=script)
    (old / "shop-20260101.sql.gz.age").write_bytes(closed)
    chain.body["encryption"] = {"identity_file": str(pair.path), "required": False}
    assert chain.adopt(*pattern(old)).files[0].action == "adopted"
    [item] = chain.show()[2].dumps()
    assert (item.encryption, item.recipients, item.name) == ("age", (), "shop-20260101.sql.gz.age")
    assert chain.drill().verdict == "passed"


def test_plain_files_are_sealed_as_they_are_adopted_where_backups_are_sealed(chain, old, folder, script):
    pair = make_pair(folder / "key")
    chain.body["encryption"] = {"recipients": [pair.public], "identity_file": str(pair.path)}
    (old / "shop-20260101.sql.gz").write_bytes(script)
    (old / "shop-20260101.sql.gz.meta").write_text("database: shop\n")
    report = chain.adopt(*pattern(old))
    assert [each.action for each in report.files if not each.name.endswith(".meta")] == ["adopted"]
    names = [path.name for path in chain.objects(chain.ids()[0])]
    assert [name for name in names if not name.endswith(".age")] == ["manifest.json"]
    assert "shop-20260101.sql.gz.age" in names
    assert chain.show()[2].key_ids() == (pair.key_id,)
    assert chain.drill().verdict == "passed"
    assert chain.adopt(*pattern(old)).files[0].action == "known"
