# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Debian trixie's PostgreSQL 17 run on this machine without installing it: .work/trixie, by apt's own keys.

The packages are unpacked into one tree. Their programs need a newer C library than the machine may have, so each is
started through the loader that was unpacked with them; that needs no root, no chroot and no engine.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from engine import mirror
from installation import MARK

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / ".work" / "trixie"
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BIN = "usr/lib/postgresql/17/bin"
# PostgreSQL and what its programs load; JIT's compiler is left out, it is loaded only when it is used
PACKAGES = (
    "postgresql-17", "postgresql-client-17", "libpq5", "libc6", "libgcc-s1", "libstdc++6", "libicu76", "libssl3t64",
    "libxml2", "libxslt1.1", "libzstd1", "liblz4-1", "liblzma5", "zlib1g", "libpam0g", "libaudit1", "libcap-ng0",
    "libselinux1", "libpcre2-8-0", "libldap2", "libsasl2-2", "libgssapi-krb5-2", "libkrb5-3", "libk5crypto3",
    "libkrb5support0", "libcom-err2", "libkeyutils1", "libsystemd0", "libcap2", "libuuid1", "libreadline8t64",
    "libtinfo6", "libgcrypt20", "libgpg-error0", "libedit2", "libbsd0", "libmd0")
# $0 is how the program finds its own folder, so it is told the script's name
SCRIPT = """\
#!/bin/sh
here=${0%/*}
tree=$here/../../../../..
exec "$tree/@LOADER@" --argv0 "$0" --library-path "$tree/@LIBRARIES@" "$here/@NAME@" "$@"
"""


def lacking() -> str:
    """Return why it cannot be had here, or "" if it can."""
    missing = [program for program in ("apt-get", "dpkg-deb") if not shutil.which(program)]
    return f"no {', no '.join(missing)} on the PATH" if missing else ""


def main() -> int:
    """Make the tree unless it is there; return 0 if PostgreSQL 17 runs."""
    if not (TREE / MARK).exists():
        TREE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TREE.parent) as folder:
            made = Path(folder) / "tree"
            _unpack(_download(Path(folder)), made)
            _wrap(made)
            shutil.rmtree(TREE, ignore_errors=True)
            made.replace(TREE)
    return subprocess.run([TREE / BIN / "postgres", "--version"], check=False).returncode


def _download(folder: Path) -> list[Path]:
    """Let apt fetch the packages, with lists and keys of its own, and the machine's left alone."""
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    options = {"Dir::State": folder, "Dir::State::Lists": folder / "lists", "Dir::State::Status": folder / "status",
               "Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
               "Dir::Cache": folder, "Acquire::Languages": "none", "Acquire::Retries": "3",
               # the folders are ours, not the account's that apt would drop to
               "APT::Sandbox::User": "root"}
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    for command in (("update",), ("download", *PACKAGES)):
        subprocess.run(["apt-get", "--quiet", *words, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb"))


def _unpack(packages: list[Path], tree: Path) -> None:
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, tree], check=True)
    shutil.rmtree(tree / "usr" / "share" / "doc", ignore_errors=True)
    tree.chmod(0o755)


def _wrap(tree: Path) -> None:
    """Put a script before every program, by the program's own name."""
    [loader] = (tree / "usr" / "lib").glob("*/ld-linux-*.so.?")
    for program in sorted((tree / BIN).iterdir()):
        if program.is_symlink() or program.read_bytes()[:4] != b"\x7fELF":
            continue
        real = program.with_name(f"{program.name}.elf")
        program.rename(real)
        text = SCRIPT.replace("@LOADER@", str(loader.relative_to(tree)))
        text = text.replace("@LIBRARIES@", str(loader.parent.relative_to(tree))).replace("@NAME@", real.name)
        program.write_text(text)
        program.chmod(0o755)
    (tree / MARK).write_text(f"{SUITE}: {' '.join(PACKAGES)}\n")


if __name__ == "__main__":
    os.umask(0o022)
    raise SystemExit(main())
