# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command prints: nothing that a database's name holds gives orders to a terminal."""
from __future__ import annotations

import io
import json

import pytest

from _restorable.app import config
from _restorable.app.console import Console
from _restorable.app.render import render_backup
from _restorable.errors import ConfigError

HOSTILE = "\x1b]0;title\x07\x1b[31mRED\nerror: fake"


def console():
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, {}), out, err


def test_no_name_gives_orders_to_a_terminal():
    ours, out, err = console()
    ours.text(f"database {HOSTILE}")
    ours.warn(HOSTILE)
    ours.explain(ConfigError(HOSTILE, hint=HOSTILE))
    for said in (out.getvalue(), err.getvalue()):
        assert "\x07" not in said
        assert "\x1b]" not in said
        assert "\\x1b]0;title\\x07" in said


def test_colours_of_our_own_and_line_breaks_stay():
    ours, out, _err = console()
    ours.text("a\n\t\x1b[32mok\x1b[0m")
    assert out.getvalue() == "a\n\t\x1b[32mok\x1b[0m\n"


def test_no_name_makes_a_line_of_its_own():
    said = render_backup("shop", {"skipped_because": "", "not_covered": [f"database {HOSTILE}"]}, dry_run=False)
    assert said.count("\n") == 1
    assert "\x1b" not in said


AFTER = "next:\n    restorable backup --kind base\n  restorable stays, and so does restorable.postgres.drill\n"
HINT = "Run `restorable list`, `sudo restorable` or `restorable wal-push pg_wal/X`."


def test_a_command_names_the_settings_file_of_its_run():
    ours, out, err = console()
    ours.name_config("/srv/my settings.json")
    ours.text(AFTER)
    ours.warn(HINT)
    ours.fail(ConfigError("no `restorable init` yet", hint=HINT))
    named = "restorable --config '/srv/my settings.json'"
    assert out.getvalue() == AFTER.replace("restorable backup", f"{named} backup")
    assert err.getvalue().count(f"`{named} list`, `sudo restorable` or `{named} wal-push pg_wal/X`") == 2
    assert f"error: no `{named} init` yet" in err.getvalue()


def test_so_does_one_in_an_object():
    ours, out, _err = console()
    ours.name_config("/srv/x.json")
    ours.object({"clusters": [{"cluster": "`restorable x", "warnings": [HINT], "error": {"hint": HINT}}, "shop"]})
    [body, bare] = json.loads(out.getvalue())["clusters"]
    assert bare == "shop"
    assert body["cluster"] == "`restorable x"
    for told in (body["warnings"][0], body["error"]["hint"]):
        assert "`restorable --config /srv/x.json list`" in told


@pytest.mark.parametrize(("path", "environment"), [
    (None, {}), ("/srv/x.json", {"RESTORABLE_CONFIG": "/srv/x.json"}),
    ("environment", {"RESTORABLE_CONFIG": "environment"}), ("usual.json", {"HOME": "/nowhere"})])
def test_a_file_that_the_command_finds_by_itself_is_not_named(path, environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "SYSTEM", str(tmp_path / "usual.json"))
    (tmp_path / "usual.json").touch()
    out = io.StringIO()
    ours = Console(out, out, environment)
    ours.name_config(path)
    ours.text(AFTER)
    assert out.getvalue() == AFTER


def test_a_path_is_told_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours, _out, err = console()
    ours.name_config("x.json")
    ours.warn(HINT)
    assert f"`restorable --config {tmp_path}/x.json list`" in err.getvalue()


def test_what_is_refused_can_be_asked_for_again_with_the_same_settings(host):
    ran = host.run("--config", str(host.folder / "other.json"), "list")
    assert ran.status == 2 and "other.json does not exist" in ran.err
    (host.folder / "other.json").write_text((host.folder / "config.json").read_text())
    ran = host.run("list", "--config", str(host.folder / "other.json"), "--dry-run", "--cluster", "shop")
    assert ran.status == 0, ran.err
    ran = host.run("recover", str(host.folder / "data"), "--config", str(host.folder / "other.json"))
    assert ran.status == 5 and f"`restorable --config {host.folder}/other.json backup --kind base`" in ran.err, ran.err
