# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on keys: keygen makes files that the age command takes, and never writes over one."""
from __future__ import annotations

import json
import stat

import pytest

from kit.agecommand import age_command, run
from kit.agekeys import make_pair
from kit.command import Command


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path, {"shop": {"connection": {"host": str(tmp_path)}}})


def test_keygen_writes_what_the_age_command_opens_with(command, tmp_path, request):
    age = age_command(request)
    path = tmp_path / "key.txt"
    ran = command("keygen", str(path))
    public = ran.out.split()[2]
    assert (ran.status, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert run("age-keygen", "-y", path).decode().strip() == public
    assert run(age, "-d", "-i", path, data=run(age, "-r", public, data=b"content")) == b"content"
    assert path.read_text().splitlines()[-1] not in ran.out + ran.err
    assert command("keygen", "--show", str(path)).out.strip() == public


def test_keygen_needs_no_settings(command, tmp_path):
    command.config.unlink()
    ran = command("--json", "keygen", str(tmp_path / "key.txt"))
    assert (ran.status, ran.json["recipients"][0][:4], ran.json["changed"]) == (0, "age1", True)


def test_keygen_never_writes_over_a_file_and_a_dry_run_makes_none(command, tmp_path):
    path = tmp_path / "key.txt"
    assert command("keygen", "--dry-run", str(path)).status == 0
    assert not path.exists()
    path.write_text("precious")
    ran = command("keygen", str(path))
    assert (ran.status, path.read_text()) == (2, "precious")
    assert "exists" in ran.err and "never open" in ran.err
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert command("keygen", str(path)).status == 2
    assert not (tmp_path / "elsewhere").exists()
    assert command("keygen", str(tmp_path / "no" / "folder")).status == 2


def test_a_hybrid_key_is_made_and_shown(command, tmp_path):
    path = tmp_path / "key.txt"
    ran = command("keygen", "--hybrid", str(path))
    assert ran.out.split()[2].startswith("age1pq1")
    assert path.read_text().splitlines()[-1].startswith("AGE-SECRET-KEY-PQ-1")
    assert command("keygen", "--show", str(path)).out.strip() == ran.out.split()[2]


@pytest.mark.parametrize("content", [
    "", "# nothing\n", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n", "\xff\xfe",
    "AGE-SECRET-KEY-1QQQ\n"])
def test_a_file_without_a_key_is_refused_by_its_name(command, tmp_path, content):
    path = tmp_path / "key.txt"
    path.touch(mode=0o600)
    path.write_bytes(content.encode("latin-1"))
    ran = command("keygen", "--show", str(path))
    assert ran.status == 2 and str(path) in ran.err


def test_a_rekey_without_recipients_is_refused_and_without_backups_has_nothing_to_do(command, tmp_path):
    ran = command("rekey")
    assert ran.status == 2 and "no recipient" in ran.err
    body = json.loads(command.config.read_text())
    body["encryption"] = {"recipients": [make_pair(tmp_path / "key.txt").public]}
    command.config.write_text(json.dumps(body))
    ran = command("rekey", "--dry-run")
    assert (ran.status, "to rekey: 0 backups" in ran.out + ran.err) == (0, True), ran
