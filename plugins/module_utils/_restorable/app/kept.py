# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep the packed command's sources in memory, so that no run breaks when its file is replaced or removed meanwhile.

Python reads a module out of a zip when it is first imported: by the zip's path, at the place where it stood when the
program began. Many of our modules are imported late, a run may wait for hours, and an upgrade puts another file there.
All sources take 2 MB; to import them all at once would take every run a second, and several times the memory.
"""
from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:    # the modules typing and importlib.abc are not loaded: --version must cost next to nothing
    from importlib.abc import Loader
    from types import ModuleType
    from typing import Sequence
    from zipimport import zipimporter
else:
    Loader = object


class Kept(Loader):
    """Finds and loads modules from sources in memory, as if they still came from the zip."""

    def __init__(self, archive: str, sources: dict[str, bytes]) -> None:
        self._archive = archive
        self._sources = sources        # by name in the zip

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Return how to load one of our modules, or None for any other."""
        name, package = self._name(fullname)
        if name not in self._sources:
            return None
        spec = ModuleSpec(fullname, self, origin=f"{self._archive}/{name}", is_package=package)
        spec.has_location = True       # __file__ is where the source came from
        if package:
            spec.submodule_search_locations = [f"{self._archive}/{name.rpartition('/')[0]}"]
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:  # noqa: ARG002 - the protocol's
        """Let Python make the module as always."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's source."""
        name, _package = self._name(module.__name__)
        code = compile(self._sources[name], f"{self._archive}/{name}", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is what importing is

    def get_source(self, fullname: str) -> str:
        """Return a source, whose lines a traceback shows."""
        return self._sources[self._name(fullname)[0]].decode()

    def _name(self, fullname: str) -> tuple[str, bool]:
        path = fullname.replace(".", "/")
        package = f"{path}/__init__.py"
        return (package, True) if package in self._sources else (f"{path}.py", False)


def keep(archive: zipimporter, names: Sequence[str]) -> None:
    """Read these sources out of the zip, and import them from memory from now on."""
    sys.meta_path.insert(0, Kept(archive.archive, {name: archive.get_data(name) for name in names}))
