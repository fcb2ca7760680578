# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture, kept by reading sources; nothing is imported. docs/architecture.md says why."""
from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
CORE = ("module_utils", "_restorable")

# which layer may import which parts of the core, besides errors, version and itself
MAY_IMPORT = {
    "errors": (),
    "version": (),
    "model": (),
    "ports": ("model",),
    "stream": ("model", "ports"),
    "store": ("model", "ports", "stream"),
    "postgres": ("model", "ports", "stream"),
    "host": ("model", "ports", "stream"),
    "ops": ("model", "ports", "stream"),      # docs/adr/0001
    "app": ("model", "ports", "stream", "store", "postgres", "host", "ops"),
    # the plugins outside the core: _module, modules, action
    "border": ("app.wire", "app.report", "app.report_base", "app.report_recover", "app.record", "app.report_audit",
               "app.archiving", "app.report_wal", "app.report_sync", "ops", "model"),
}
FREE = ("errors", "version")
ADAPTERS = ("stream", "store", "postgres", "host")      # the only ones that may use third-party packages
WORLD = {  # clock, files, environment, randomness, sockets, processes, logging
    "os", "io", "time", "random", "socket", "subprocess", "logging",
    "asyncio", "fcntl", "getpass", "glob", "grp", "http", "mmap", "multiprocessing", "pathlib", "platform", "pwd",
    "secrets", "select", "shutil", "signal", "ssl", "tempfile", "threading", "uuid", "warnings",
}
KEPT = Path(*CORE, "app", "kept.py")       # imports at run time: only in the packed command, which holds everything
CLOCKS = frozenset(("now", "utcnow", "today"))
LONGEST = 300
COPYRIGHT = "# Copyright (c) 2026 restorable contributors"
GPL = ("# GNU General Public License v3.0+ "
       "(see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)")
BSD = "# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)"
SPDX = "# SPDX-License-Identifier: "


@dataclass(frozen=True)
class Source:
    """One file under plugins/; path is relative to it."""

    root: Path
    path: Path

    @cached_property
    def text(self):
        return (self.root / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self):
        return ast.parse(self.text, feature_version=(3, 9))

    @property
    def in_core(self):
        return self.path.parts[:2] == CORE

    @property
    def layer(self):
        """Return model for module_utils/_restorable/model/naming.py, errors for …/errors.py, border outside."""
        if not self.in_core:
            return "border"
        name = self.path.with_suffix("").parts[2]
        return "app" if name in ("__main__", "__init__") else name      # the package's own door leads to app

    def imports(self):
        """Yield (absolute dotted name, relative or not) of every import, wherever it stands."""
        package = self.path.parts[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, False) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield from ((f"{node.module}.{alias.name}", False) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[:len(package) - node.level + 1] if node.level <= len(package) else ("outside",)
                stem = ".".join((*base, *filter(None, [node.module])))
                yield from ((f"{stem}.{alias.name}", True) for alias in node.names)


# --- the checks: each takes a source and yields what is wrong with it ---


def inward(source):
    """Imports follow MAY_IMPORT."""
    core = ".".join(CORE) + "."
    own = () if source.layer == "border" else (source.layer,)
    allowed = (*FREE, *own, *MAY_IMPORT.get(source.layer, ()))
    if source.layer not in MAY_IMPORT:
        yield f"{source.layer} is no layer of the table"
    for name, _relative in source.imports():
        name = name.removeprefix("ansible_collections.restorable.postgres.plugins.")
        part = name.removeprefix(core)
        if part != name and not any(f"{part}.".startswith(f"{ok}.") for ok in allowed):
            yield f"{source.layer} imports {part}"


def relative_only(source):
    """The core is an ordinary package: it names itself relatively, stays inside itself, and never knows Ansible."""
    for name, relative in source.imports():
        if relative and not name.startswith(".".join(CORE)):
            yield f"{name} lies outside the core"
        elif not relative and name.partition(".")[0] in ("ansible", "ansible_collections", "_restorable"):
            yield f"absolute import of {name}"


def static(source):
    """AnsiballZ ships the closure of static imports; what is imported at run time would be missing on a host."""
    if source.path == KEPT:
        return
    for name, _relative in source.imports():
        if name.partition(".")[0] in ("importlib", "imp", "pkgutil", "runpy"):
            yield f"import of {name}"
    for node in calls(source):
        if isinstance(node.func, ast.Name) and node.func.id in ("__import__", "exec", "eval"):
            yield f"call of {node.func.id}"


def pure(source):
    """The model sees values only: no clock, files, environment, randomness, sockets, logging."""
    for name, relative in source.imports():
        top = name.partition(".")[0]
        if not relative and (top in WORLD or name.startswith("urllib.request")):
            yield f"impure import of {name}"
    for node in calls(source):
        if isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input"):
            yield f"call of {node.func.id}"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"call of {node.func.attr}"


def guarded(source):
    """Third-party packages: only in adapters, and so that the file can be imported without them."""
    shelter = (ast.Try, ast.FunctionDef, ast.ClassDef, ast.If)
    loose = {id(node) for node in source.tree.body if not isinstance(node, shelter)}
    for node in ast.walk(source.tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
            [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
        for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
            if source.layer not in ADAPTERS:
                yield f"{source.layer} imports third-party {top}"
            elif id(node) in loose:
                yield f"unguarded import of third-party {top}"


def small(source):
    """One idea, one file."""
    if (count := len(source.text.splitlines())) > LONGEST:
        yield f"{count} lines, {LONGEST} at most"


def old_python(source):
    """plugins/ runs on Python 3.9."""
    try:
        body = source.tree.body
    except SyntaxError as error:
        yield f"no Python 3.9: {error.msg}"
        return
    if body and not any(isinstance(n, ast.ImportFrom) and n.module == "__future__" and n.names[0].name == "annotations"
                        for n in body):
        yield "no `from __future__ import annotations`"
    for node in calls(source):
        if called(node) == "dataclass":
            yield from (f"dataclass({word.arg}=) needs Python 3.10"
                        for word in node.keywords if word.arg in ("slots", "kw_only", "match_args"))
        if called(node) == "zip" and any(word.arg == "strict" for word in node.keywords):
            yield "zip(strict=) needs Python 3.10"
        if called(node) in ("isinstance", "issubclass") and any(isinstance(word, ast.BinOp) for word in node.args[1:]):
            yield "isinstance(…, A | B) needs Python 3.10"


def calls(source):
    """Return every call of a source."""
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]


def called(node):
    """Return the bare name of what a call calls."""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def licensed(source):
    """BSD-2-Clause in module_utils, GPL-3.0-or-later everywhere else; the header stands on top."""
    bsd = source.path.parts[0] == "module_utils"
    wanted = [COPYRIGHT, *((BSD, SPDX + "BSD-2-Clause") if bsd else (GPL, SPDX + "GPL-3.0-or-later"))]
    lines = [line for line in source.text.splitlines() if not line.startswith(("#!", "# -*-"))]
    if source.text and lines[:3] != wanted:
        yield "the licence header is missing or another one"


def empty_init(source):
    """Ansible replaces __init__.py files on the way to a host, so nothing may depend on one."""
    if source.path.name == "__init__.py" and source.text:
        yield "an __init__.py must be empty"


def in_package(source):
    """Every folder of the core is a package."""
    if not (source.root / source.path.parent / "__init__.py").exists():
        yield "its folder has no __init__.py"


EVERYWHERE = (inward, static, small, old_python, licensed, empty_init)
IN_THE_CORE = (relative_only, guarded, in_package)
IN_THE_MODEL = (pure,)


def checks_of(source):
    if not source.in_core:
        return EVERYWHERE
    return (*EVERYWHERE, *IN_THE_CORE, *(IN_THE_MODEL if source.layer == "model" else ()))


def findings(source):
    """Return everything that is wrong with a source; a file that cannot be parsed has that one finding."""
    if syntax := [word for word in old_python(source) if word.startswith("no Python")]:
        return syntax
    return [word for check in checks_of(source) for word in check(source)]


def sources(root):
    return [Source(root, path.relative_to(root)) for path in sorted(root.rglob("*.py"))]


# --- the tree as it is ---


@pytest.mark.parametrize("source", sources(PLUGINS), ids=lambda source: source.path.as_posix())
def test_a_file_keeps_the_architecture(source):
    assert findings(source) == []


def test_the_core_has_no_layer_that_the_table_does_not_name():
    found = {source.layer for source in sources(PLUGINS) if source.in_core}
    assert found <= set(MAY_IMPORT)


# --- the checks themselves: a planted violation is found ---

HEADER = f"{COPYRIGHT}\n{BSD}\n# SPDX-License-Identifier: BSD-2-Clause\nfrom __future__ import annotations\n"
GPL_HEADER = f"{COPYRIGHT}\n{GPL}\n# SPDX-License-Identifier: GPL-3.0-or-later\nfrom __future__ import annotations\n"
GUARDED = "try:\n    import zstandard\nexcept ImportError:\n    zstandard = None\n"
COLLECTION = "ansible_collections.restorable.postgres.plugins.module_utils"


def plant(root, name, text, *, header=HEADER):
    """Write a file under a plugins folder of its own, every folder a package, and return its findings."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in path.parents:
        if folder == root:
            break
        (folder / "__init__.py").touch()
    path.write_text(header + text)
    return findings(Source(root, Path(name)))


@pytest.mark.parametrize(("layer", "line", "finding"), [
    ("model", "from ..ports import Store", "model imports ports.Store"),
    ("model", "from ..store.local import LocalStore", "model imports store.local.LocalStore"),
    ("model", "from .. import ops", "model imports ops"),
    ("stream", "from ..host.clock import SystemClock", "stream imports host.clock.SystemClock"),
    ("store", "from ..postgres.probe import server", "store imports postgres.probe.server"),
    ("postgres", "from ..host import files", "postgres imports host.files"),
    ("host", "def f():\n    from ..ops.backup import run_backup", "host imports ops.backup.run_backup"),
    ("ops", "from ..store import local", "ops imports store.local"),
    ("ops", "from ..streams import x", "ops imports streams.x"),
    ("ops", "from ..app.wire import open_store", "ops imports app.wire.open_store"),
    ("util", "", "util is no layer of the table"),
])
def test_an_import_against_the_table_is_found(tmp_path, layer, line, finding):
    assert plant(tmp_path, f"module_utils/_restorable/{layer}/new.py", line + "\n") == [finding]


@pytest.mark.parametrize(("name", "line"), [
    ("modules/pg_new.py", f"from {COLLECTION}._restorable.stream.stage import Stage"),
    ("modules/pg_new.py", f"from {COLLECTION}._restorable.app.cli import main"),
    ("action/pg_new.py", f"from {COLLECTION}._restorable.store.local import LocalStore"),
])
def test_a_plugin_that_reaches_past_the_border_is_found(tmp_path, name, line):
    [finding] = plant(tmp_path, name, line + "\n", header=GPL_HEADER)
    assert finding.startswith("border imports ")


def test_the_border_itself_is_held_too(tmp_path):
    found = plant(tmp_path, "module_utils/_module.py", "from ._restorable.store.local import LocalStore\n")
    assert found == ["border imports store.local.LocalStore"]


@pytest.mark.parametrize(("name", "line"), [
    ("module_utils/_restorable/model/new.py", "from ..errors import Refused\nfrom .naming import stamp\nimport json"),
    ("module_utils/_restorable/ports.py", "from .model.server import Server"),
    ("module_utils/_restorable/stream/new.py", "from ..ports import Progress\nfrom .stage import Stage"),
    ("module_utils/_restorable/ops/new.py", "from ..stream.stage import Stage\nfrom ..stream import stage"),
    ("module_utils/_restorable/app/new.py", "from ..store.local import LocalStore\nfrom ..ops import backup"),
    ("module_utils/_module.py", "from ._restorable.app.wire import wire\nfrom ansible.module_utils import basic"),
])
def test_an_import_the_table_allows_is_no_finding(tmp_path, name, line):
    assert plant(tmp_path, name, line + "\n") == []


@pytest.mark.parametrize(("line", "finding"), [
    ("import os", "impure import of os"),
    ("from time import monotonic", "impure import of time.monotonic"),
    ("import logging.handlers", "impure import of logging.handlers"),
    ("from urllib.request import urlopen", "impure import of urllib.request.urlopen"),
    ("from datetime import datetime\nNOW = datetime.now()", "call of now"),
    ("from datetime import date\nNOW = date.today()", "call of today"),
    ("def f():\n    return open('/etc/passwd')", "call of open"),
])
def test_an_impure_model_is_found(tmp_path, line, finding):
    assert plant(tmp_path, "module_utils/_restorable/model/new.py", line + "\n") == [finding]


@pytest.mark.parametrize(("layer", "line", "finding"), [
    ("store", "from _restorable.errors import Refused", "absolute import of _restorable.errors.Refused"),
    ("store", "import ansible", "absolute import of ansible"),
    ("store", f"from {COLLECTION}._restorable.errors import Refused",
     f"absolute import of {COLLECTION}._restorable.errors.Refused"),
    ("store", "from ..._module import run", "module_utils._module.run lies outside the core"),
])
def test_an_import_that_is_not_relative_or_leaves_the_core_is_found(tmp_path, layer, line, finding):
    assert finding in plant(tmp_path, f"module_utils/_restorable/{layer}/new.py", line + "\n")


@pytest.mark.parametrize(("line", "finding"), [
    ("import importlib", "import of importlib"),
    ("from importlib import import_module", "import of importlib.import_module"),
    ("THING = __import__('json')", "call of __import__"),
])
def test_an_import_that_packing_cannot_see_is_found(tmp_path, line, finding):
    assert finding in plant(tmp_path, "module_utils/_restorable/app/new.py", line + "\n")


@pytest.mark.parametrize(("layer", "text", "found"), [
    ("postgres", "import psycopg\n", ["unguarded import of third-party psycopg"]),
    ("ops", GUARDED, ["ops imports third-party zstandard"]),
    ("stream", GUARDED, []),
    ("postgres", "def connect():\n    import psycopg\n", []),
])
def test_a_third_party_import_is_guarded_and_stands_in_an_adapter(tmp_path, layer, text, found):
    assert plant(tmp_path, f"module_utils/_restorable/{layer}/new.py", text) == found


@pytest.mark.parametrize(("text", "word"), [
    ("match 1:\n    case 1:\n        pass\n", "no Python 3.9"),
    ("from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass A:\n    pass\n", "slots"),
    ("PAIRS = list(zip([1], [2], strict=True))\n", "strict"),
    ("ODD = isinstance(1, int | str)\n", "isinstance"),
])
def test_what_python_3_9_lacks_is_found(tmp_path, text, word):
    [finding] = plant(tmp_path, "module_utils/_restorable/app/new.py", text)
    assert word in finding


def test_a_file_without_postponed_annotations_is_found(tmp_path):
    header = HEADER.replace("from __future__ import annotations\n", "")
    found = plant(tmp_path, "module_utils/_restorable/app/new.py", "A = 1\n", header=header)
    assert found == ["no `from __future__ import annotations`"]


def test_a_long_file_is_found(tmp_path):
    assert plant(tmp_path, "module_utils/_restorable/app/new.py", "\n" * (LONGEST - 4)) == []
    assert plant(tmp_path, "module_utils/_restorable/app/new.py", "\n" * (LONGEST - 3)) == ["301 lines, 300 at most"]


@pytest.mark.parametrize(("name", "header"), [
    ("modules/pg_new.py", HEADER),
    ("module_utils/_restorable/app/new.py", GPL_HEADER),
    ("module_utils/_restorable/app/new.py", "from __future__ import annotations\n"),
])
def test_a_missing_or_wrong_licence_is_found(tmp_path, name, header):
    assert plant(tmp_path, name, "A = 1\n", header=header) == ["the licence header is missing or another one"]


def test_a_module_may_begin_with_its_interpreter(tmp_path):
    assert plant(tmp_path, "modules/pg_new.py", "A = 1\n", header="#!/usr/bin/python\n" + GPL_HEADER) == []


def test_an_init_file_with_content_is_found(tmp_path):
    assert "an __init__.py must be empty" in plant(tmp_path, "module_utils/_restorable/app/__init__.py", "A = 1\n")


def test_a_folder_that_is_no_package_is_found(tmp_path):
    plant(tmp_path, "module_utils/_restorable/app/new.py", "A = 1\n")
    (tmp_path / "module_utils/_restorable/app/__init__.py").unlink()
    assert findings(Source(tmp_path, Path("module_utils/_restorable/app/new.py"))) == ["its folder has no __init__.py"]
