# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of every module tells the truth: options, examples, results."""
from __future__ import annotations

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring

from _restorable.model.policy import COUNTS, Policy
from _restorable.postgres.parameters import KEYWORDS, OWN

from .conftest import MODULES, load


def documentation(name):
    """Return (doc, examples, returns) with the fragments merged in, as ansible-doc does."""
    path = load(f"modules.{name}").__file__
    doc, examples, returns, _metadata = get_docstring(path, fragment_loader, collection_name="restorable.postgres",
                                                      plugin_type="module")
    return doc, yaml.safe_load(examples), returns


def shape(spec, inner):
    """Return {option: (type, elements, required, default, choices, nested shape)} of a spec or of documentation."""
    return {name: (option.get("type", "str"), option.get("elements"), bool(option.get("required")),
                   option.get("default"), option.get("choices"),
                   shape(option[inner], inner) if option.get(inner) else None)
            for name, option in spec.items()}


@pytest.mark.parametrize("name", MODULES)
def test_the_documented_options_are_the_options(name, spec_of):
    doc, _examples, _returns = documentation(name)
    assert shape(doc["options"], "suboptions") == shape(spec_of(name)["argument_spec"], "options")


@pytest.mark.parametrize("name", MODULES)
def test_every_example_is_accepted_by_the_module(name, spec_of):
    _doc, examples, _returns = documentation(name)
    validator = ArgumentSpecValidator(spec_of(name)["argument_spec"])
    for task in examples:
        found = validator.validate(task[f"restorable.postgres.{name}"])
        assert found.error_messages == [], task["name"]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_is_accepted_by_the_core(name, border):
    _doc, examples, _returns = documentation(name)
    module = load(f"modules.{name}")
    for task in examples:
        job = "drill" if name == "pg_drill" else "dump"
        body = border.settings_body(task[f"restorable.postgres.{name}"], job, tuple(getattr(module, "JOB", ())))
        assert border.Settings.of(body).cluster("shop").name == "shop"


@pytest.mark.parametrize("name", [*MODULES, "print_table"])
def test_every_result_has_a_sample(name):
    _doc, _examples, returns = documentation(name)
    for key, row in returns.items():
        for inner, told in (row.get("contains") or {key: row}).items():
            assert "sample" in told, f"{key}.{inner}"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_check_mode_and_says_how_idempotent_it_is(name, spec_of):
    doc, _examples, _returns = documentation(name)
    assert spec_of(name)["supports_check_mode"] is True
    assert doc["attributes"]["check_mode"]["support"] == "full"
    assert {"diff_mode", "platform", "idempotent", "action_group"} <= set(doc["attributes"])


def test_every_parameter_of_libpq_that_the_core_knows_is_an_option(border):
    assert set(border.CONNECTION) == {*KEYWORDS, *OWN}


def test_only_the_password_is_hidden(border):
    assert [name for name, option in border.CONNECTION.items() if option["no_log"]] == ["password"]


def test_every_rule_of_a_policy_is_an_option():
    assert set(load("modules.pg_prune").RETENTION) == set(Policy.of({}).as_dict())
    assert set(COUNTS) < set(load("modules.pg_prune").RETENTION)
