# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give ansible-test the bootstrap script of pip that it would download from a host of its own.

`ansible-test --venv` and `--local` fetch one get-pip file into ~/.ansible/test/cache. Where only a package index can
be reached that download fails, so the file is made here from pip's wheel of the same version, which the index has.
A file that is there already is left alone.
"""
from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

SCRIPT = '''"""pip {version}, unpacked from the wheel inside this file. Made from the package index's wheel."""
import base64
import os
import sys
import tempfile

WHEEL = "{wheel}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pip-{version}-py3-none-any.whl")
        with open(path, "wb") as file:
            file.write(base64.b85decode(WHEEL))
        sys.path.insert(0, path)
        from pip._internal.cli.main import main as pip
        # the caller's words for the original script: what to install, and what else not to
        return pip(["install", "--force-reinstall", "--no-index", "--disable-pip-version-check", path])


if __name__ == "__main__":
    sys.exit(main())
'''


def provide(cache: Path) -> Path:
    """Write the script for the installed ansible-test unless it is there; return its path."""
    version = wanted_version()
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = script.with_suffix(".part")
        part.write_text(SCRIPT.format(version=version, wheel=base64.b85encode(pip_wheel(version)).decode()))
        part.replace(script)
    return script


def wanted_version() -> str:
    """Return the version of pip that the installed ansible-test bootstraps."""
    from ansible_test._internal.python_requirements import get_venv_packages

    return get_venv_packages(SimpleNamespace(version=f"{sys.version_info[0]}.{sys.version_info[1]}"))["pip"]


def pip_wheel(version: str) -> bytes:
    """Fetch pip's wheel from the configured package index."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--quiet", "--disable-pip-version-check",
                "--no-deps", "--only-binary", ":all:", "--dest", folder, f"pip=={version}"]
        subprocess.run(argv, check=True)
        return next(Path(folder).glob("pip-*.whl")).read_bytes()


if __name__ == "__main__":
    print(provide(Path.home() / ".ansible" / "test" / "cache"))
