# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the modules as Ansible does, by their full names, and run one inside this process."""
from __future__ import annotations

import importlib
import json

import collection_tree
import pytest
from ansible.module_utils import basic
from ansible.plugins.loader import init_plugin_loader

PLUGINS = "ansible_collections.restorable.postgres.plugins"
MODULES = ("pg_audit_info", "pg_backup_info", "pg_drill", "pg_dump", "pg_prune", "pg_restore", "pg_verify",
           "s3_bucket")

init_plugin_loader([str(collection_tree.link())])


def load(name):
    """Import plugins/modules/pg_dump.py for "modules.pg_dump"."""
    return importlib.import_module(f"{PLUGINS}.{name}")


@pytest.fixture
def border():
    """The module with everything of plugins/module_utils/_module.py."""
    return load("module_utils._module")


@pytest.fixture
def spec_of(border, monkeypatch):
    """A function that returns what a module hands to AnsibleModule: spec_of("pg_dump")."""
    class Asked(Exception):
        pass

    def spec_of(name):
        def ask(**arguments):
            raise Asked(arguments)
        monkeypatch.setattr(border, "AnsibleModule", ask)
        with pytest.raises(Asked) as found:
            load(f"modules.{name}").main()
        monkeypatch.undo()
        return found.value.args[0]
    return spec_of


@pytest.fixture
def call(monkeypatch, capsys):
    """A function that runs a module as Ansible starts it and returns its result: call("pg_dump", cluster="shop")."""
    def call(name, *, check=False, **params):
        arguments = {**params, "_ansible_check_mode": check, "_ansible_remote_tmp": "/tmp"}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        if hasattr(basic, "_ANSIBLE_PROFILE"):      # since ansible-core 2.19
            monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")
        with pytest.raises(SystemExit):
            load(f"modules.{name}").main()
        return json.loads(capsys.readouterr().out)
    return call
