# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of real runs: both doors write it, signed, and the audit checks it down to OpenSSL's judgement."""
from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess

import pytest

from _restorable.host.signer import public_key
from _restorable.model.audit_settings import raw_key
from _restorable.model.journal import signed_bytes
from kit.agekeys import make_pair
from kit.chain import NAME, Chain, new_folder
from kit.plays import Ansible

KEY = bytes.fromhex("302a300506032b6570032100")    # RFC 8410: what stands before an Ed25519 key in DER


@pytest.fixture
def chain(servers):
    """A chain over a small database, in two repositories, signed."""
    folder, server = new_folder(), servers.of(16)
    server.sql("CREATE DATABASE journaled TEMPLATE template0")
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 10) AS a", database="journaled")
    made = Chain(server, folder, repositories=("local", "offsite"), databases=["journaled"])
    status, out, _err = made.run("audit", "--new-key", str(folder / "key.pem"))
    assert (status, f"verify key  {public_key(str(folder / 'key.pem'))}" in out) == (0, True)
    made.body["audit"] = {"signing_key_file": str(folder / "key.pem"), "identity": "Ada, job 7"}
    yield made
    server.sql("DROP DATABASE journaled WITH (FORCE)")
    shutil.rmtree(folder, ignore_errors=True)


def events(chain, repository="local"):
    """Return [(what, result, code)] of the one chain."""
    [writer] = [path for path in (chain.folder / repository / NAME / "journal").iterdir() if path.is_dir()]
    return [(body["what"], body["result"], body["code"]) for path in sorted(writer.iterdir())
            for body in [json.loads(path.read_text())]]


def newest(chain):
    return max((chain.folder / "local" / NAME / "journal").glob("*/*.json"))


def test_the_host_command_records_what_was_done_failed_and_refused(chain):
    chain.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}
    assert chain.run("backup", "--dry-run")[0] == 0
    assert chain.run("status")[0] == 1
    assert not (chain.folder / "local" / NAME).exists()
    assert chain.run("backup")[0] == 0
    assert chain.run("backup")[0] == 0
    assert chain.run("hold", "latest")[0] == 0
    assert chain.run("hold", "latest")[0] == 0
    status, _out, err = chain.run("restore")
    assert (status, "`--into NAME`" in err, "`--replace`" in err) == (4, True, True), err
    assert chain.run("drill", "--jobs", "0")[0] == 0
    assert chain.run("backup", "--database", "absent")[0] == 5
    assert chain.run("hold", "latest", "--release")[0] == 0
    assert chain.run("prune")[0] == 0
    for repository in ("local", "offsite"):
        assert events(chain, repository) == [
            ("backup", "ok", ""), ("backup", "ok", ""), ("hold", "ok", ""), ("restore", "refused", "restore.not_empty"),
            ("drill", "ok", ""), ("backup", "failed", "database.missing"), ("hold", "ok", ""), ("prune", "begun", ""),
            ("prune", "ok", "")]
    status, out, err = chain.run("audit")
    assert (status, err) == (0, "")
    assert "18 events, 18 signed: nothing is edited, missing or cut off" in out
    body = json.loads(newest(chain).read_text())
    assert (body["who"], body["where"].count("@")) == ("Ada, job 7", 1)
    evidence = json.loads(next((chain.folder / "local" / NAME / "drill").glob("*.json")).read_text())
    assert (evidence["operator"], len(evidence["journal"])) == ("Ada, job 7", 2)
    for repository in ("local", "offsite"):
        [stored] = (chain.folder / repository / NAME / "drill").glob("*.json")
        page = stored.with_suffix(".html")
        assert hashlib.sha256(stored.read_bytes()).hexdigest() in page.read_text()
        assert page.stat().st_mode & 0o777 == 0o600
    page.write_text(page.read_text().replace("Ada", "Eve"))
    status, out, _err = chain.run("audit")
    assert (status, f"FAILED  edited  offsite: {NAME}/drill/{page.name}" in out) == (7, True)


def test_openssl_accepts_a_signature_without_us(chain, tmp_path):
    assert chain.run("backup")[0] == 0
    body = json.loads(newest(chain).read_text())
    files = {"key": KEY + raw_key(public_key(str(chain.folder / "key.pem"))), "data": signed_bytes(body),
             "signature": base64.b64decode(body["signature"]["value"])}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "key", "-rawin",
             "-in", tmp_path / "data", "-sigfile", tmp_path / "signature"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    (tmp_path / "data").write_bytes(files["data"].replace(b"backup", b"backUp"))
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def test_damage_is_exit_status_7_and_one_json_object(chain):
    assert chain.run("backup")[0] == 0
    newest(chain).write_text(newest(chain).read_text().replace("Ada", "Eve"))
    status, out, _err = chain.run("audit", "--json")
    [found] = json.loads(out)["clusters"]
    assert (status, found["verdict"]) == (7, "damaged")
    assert ("unreadable", "local") in {(each["kind"], each["repository"]) for each in found["findings"]}
    status, out, _err = chain.run("audit")
    assert (status, "FAILED  unreadable  local: " in out) == (7, True)


@pytest.mark.parametrize("verb", ["backup", "prune", "drill"])
def test_a_repository_that_is_missing_is_told_once_and_first(chain, verb):
    assert chain.run("backup")[0] == 0
    chain.body["repositories"]["nas"] = {"path": str(chain.folder / "nas"), "require_marker": True}
    status, _out, err = chain.run(verb, *(["--repository", "nas"] if verb == "drill" else []))
    assert status == 4, err
    assert err.startswith("error: repository nas: ") and err.count("seems not to be mounted") == 1, err
    # the journal that can be written has the event, and knows which one lacks it
    assert chain.run("status")[1].count("repository nas: repository nas") == 0


def test_a_backup_stands_and_warns_where_its_event_cannot_be_written_and_a_prune_deletes_nothing(chain):
    chain.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}
    assert chain.run("backup")[0] == 0
    (chain.folder / "key.pem").chmod(0o644)
    status, out, err = chain.run("backup")
    assert (status, "done: dump" in out) == (0, True)
    [warning] = [line for line in err.splitlines() if line.startswith("warning: ") and "repository local" in line]
    # the cause first, then what came of it
    assert warning.startswith("warning: audit.signing_key_file"), err
    assert warning.endswith(": so the journal of repository local has no event of this backup"), err
    before = chain.files()
    status, _out, err = chain.run("prune")
    assert (status, "nothing was deleted, because the journal of repository local cannot record it" in err) == (4, True)
    assert chain.files() == before
    assert chain.run("prune", "--confirm")[0] == 0
    assert len(chain.ids()) == 1


def test_a_signing_key_is_never_overwritten_and_is_private(chain):
    before = (chain.folder / "key.pem").read_bytes()
    status, _out, err = chain.run("audit", "--new-key", str(chain.folder / "key.pem"))
    assert (status, "exists already" in err) == (4, True)
    assert (chain.folder / "key.pem").read_bytes() == before
    assert (chain.folder / "key.pem").stat().st_mode & 0o777 == 0o600


def test_an_adoption_a_rekey_and_a_sync_leave_their_events(chain, tmp_path):
    pairs = [make_pair(tmp_path / name) for name in ("old", "new")]
    (tmp_path / "both").write_text("".join(pair.path.read_text() for pair in pairs))
    (tmp_path / "both").chmod(0o600)
    chain.body["encryption"] = {"recipients": [pairs[0].public], "identity_file": str(tmp_path / "both")}
    chain.body["repositories"] = {"local": chain.body["repositories"]["local"]}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "shop_20261101.sql").write_bytes(b"-- PostgreSQL database dump\n\nSELECT 1;\n\n"
                                                        b"-- PostgreSQL database dump complete\n--\n")
    assert chain.run("backup")[0] == 0
    assert chain.run("adopt", str(tmp_path / "in"), "--pattern", "shop_*.sql")[0] == 0
    chain.body["encryption"]["recipients"] = [pairs[1].public]
    assert chain.run("rekey")[0] == 0
    chain.body["repositories"]["offsite"] = {"path": str(chain.folder / "offsite")}
    assert chain.run("sync")[0] == 0
    done = ["backup ok", "adopt ok", "rekey begun", "rekey ok", "sync ok"]
    assert list(dict.fromkeys(f"{what} {result}" for what, result, _code in events(chain))) == done
    assert events(chain, "offsite") == [("sync", "ok", "")]
    assert chain.run("audit")[0] == 0


def test_a_page_that_vanished_is_found(chain):
    assert (chain.run("backup")[0], chain.run("drill")[0], chain.run("audit")[0]) == (0, 0, 0)
    [page] = (chain.folder / "offsite" / NAME / "drill").glob("*.html")
    page.unlink()
    status, out, _err = chain.run("audit")
    assert (status, f"FAILED  missing  offsite: {NAME}/drill/{page.name}" in out) == (7, True), out


def test_a_tail_that_was_cut_in_a_lone_repository_is_found_by_what_a_prune_saw(chain):
    chain.body["repositories"] = {"local": chain.body["repositories"]["local"]}
    chain.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}
    assert (chain.run("backup")[0], chain.run("backup")[0], chain.run("prune")[0]) == (0, 0, 0)
    assert chain.run("audit")[0] == 0
    [seen] = (chain.folder / "local" / NAME / "prune").glob("*.json")
    for path in sorted((chain.folder / "local" / NAME / "journal").glob("*/*.json"))[1:]:
        path.unlink()
    status, out, _err = chain.run("audit")
    assert status == 7
    assert f"the chain ends at event 1, {NAME}/prune/{seen.name} in local saw event 3" in out


def test_the_modules_write_the_same_journal(chain, tmp_path):
    ansible = Ansible(tmp_path)
    common = {"cluster": NAME, "identity": "Ada, AWX job 8",
              "settings": json.loads(json.dumps({**chain.body, "clusters": {NAME: chain.own}}))}
    assert ansible.module("pg_dump", "--check", **common)["changed"]
    assert not (chain.folder / "local" / NAME).exists()
    assert ansible.module("pg_dump", **common)["changed"]
    assert ansible.module("pg_restore", **common)["code"] == "restore.not_empty"
    assert ansible.module("pg_drill", **common)["verdict"] == "passed"
    assert ansible.module("pg_prune", **common)["changed"] is False
    assert events(chain) == [("backup", "ok", ""), ("restore", "refused", "restore.not_empty"), ("drill", "ok", ""),
                             ("prune", "ok", "")]
    assert json.loads(newest(chain).read_text())["who"] == "Ada, AWX job 8"
    found = ansible.module("pg_audit_info", **common)
    assert (found["verdict"], found["words"]) == ("intact", "8 events, 8 signed, intact")
    unknown = ansible.module("pg_audit_info", **common, verify_keys=["ed25519:" + 43 * "A" + "="])
    assert (unknown["code"], unknown["findings"][0]["kind"], "unknown key" in unknown["msg"]) == (
        "audit.damaged", "signature", True)


def test_the_playbook_audits_every_cluster_and_names_whom_awx_names(chain, tmp_path):
    ansible = Ansible(tmp_path)
    hosts = ansible.inventory(db1={
        "restorable_repositories": chain.body["repositories"], "restorable_clusters": {NAME: chain.own},
        "restorable_audit": {"signing_key_file": str(chain.folder / "key.pem")}})
    assert ansible.play("backup", hosts, awx_user_name="ada", awx_job_id=7).status == 0
    assert json.loads(newest(chain).read_text())["who"] == "ada, AWX job 7"
    said = ansible.play("audit", hosts)
    assert (said.status, "intact" in said.line("db1", NAME, "signed")) == (0, True)
    newest(chain).write_text("{}")
    said = ansible.play("audit", hosts)
    assert (said.status, "FAILED" in said.line("db1", NAME, "findings, the first: unreadable")) == (2, True)
