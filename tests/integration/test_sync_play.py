# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook sync: its check mode tells what would come, its run brings it, another changes nothing."""
from __future__ import annotations

import shutil

from kit.chain import Chain, new_folder
from kit.plays import Ansible


def test_a_new_repository_is_brought_level_by_the_playbook(servers, tmp_path):
    folder = new_folder()
    server = servers.of(16)
    server.sql("CREATE DATABASE play_sync TEMPLATE template0")
    try:
        chain = Chain(server, folder, databases=["play_sync"])
        taken = str(chain.taken().id)
        chain.body["repositories"]["vault"] = {"path": str(folder / "vault")}
        ansible = Ansible(tmp_path)
        inventory = ansible.inventory(db1={f"restorable_{name}": chain.body[name]
                                           for name in ("repositories", "clusters")})
        planned = ansible.play("sync", inventory, "--check")
        assert planned.status == 0, planned.text
        assert "1 backup, " in planned.line("app", "planned")
        assert not (folder / "vault").exists()
        done = ansible.play("sync", inventory)
        assert done.status == 0, done.text
        assert "all repositories are level" in done.line("app", " ok ")
        assert chain.ids("vault") == [taken]
        flipped = next(path for path in chain.objects(taken, "vault") if path.name == "manifest.json")
        flipped.write_bytes(flipped.read_bytes().replace(b"restorable ", b"another "))
        refused = ansible.play("sync", inventory)
        assert refused.status != 0
        assert "sync.conflict" in refused.text or "other bytes than another one" in refused.text
    finally:
        server.sql("DROP DATABASE play_sync WITH (FORCE)")
        shutil.rmtree(folder)
