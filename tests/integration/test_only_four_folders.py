# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection needs nothing but meta, plugins, roles and playbooks when it runs."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import collection_tree

from kit.plays import Ansible

NEEDED = {"meta", "plugins", "roles", "playbooks"}


def install(tmp_path):
    """Build the collection, install it into an empty folder, and delete all but the four folders there."""
    for name in filter(lambda name: (collection_tree.ROOT / name).is_file(), collection_tree.listed()):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(collection_tree.ROOT / name, tmp_path / "source" / name)
    galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
    # galaxy installs nothing where a path of the environment, such as make's, has the collection already
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    subprocess.run([galaxy, "collection", "build", "--output-path", str(tmp_path / "dist")],
                   cwd=tmp_path / "source", check=True, capture_output=True, env=env)
    [archive] = (tmp_path / "dist").glob("*.tar.gz")
    subprocess.run([galaxy, "collection", "install", "--offline", str(archive), "-p", str(tmp_path / "collections")],
                   cwd=tmp_path, check=True, capture_output=True, env=env)
    place = tmp_path / "collections" / "ansible_collections" / "restorable" / "postgres"
    for each in place.iterdir():
        if each.name not in NEEDED:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    return tmp_path / "collections", {each.name for each in place.iterdir()}


def test_a_backup_needs_only_the_four_folders(servers, tmp_path):
    server = servers.of(15)
    collections, left = install(tmp_path)
    assert left <= NEEDED
    ansible = Ansible(tmp_path, collections)
    inventory = ansible.inventory(db1={
        "restorable_repositories": {"local": {"type": "local", "path": str(tmp_path / "backups")}},
        "restorable_clusters": {"shop": {"connection": server.settings, "bin_dir": server.bin_dir,
                                         "jobs": {"dump": {"databases": ["postgres"], "globals": False}}}}})
    done = ansible.play("backup", inventory)
    assert done.status == 0, done.text
    assert "ok" in done.line("db1 ", "shop ")
    assert ansible.play("status", inventory).status == 0
