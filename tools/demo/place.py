# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demo keeps its files, and its inventory and settings."""
from __future__ import annotations

import hashlib
import json
import os
import pathlib
import pwd
import shutil
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """The demo's folders. As root they lie where the unprivileged owner of the server can reach them."""

    checkout: pathlib.Path
    folder: pathlib.Path
    owner: pwd.struct_passwd | None    # whom the server runs as, if we are root
    uid: int                           # who we are

    @property
    def socket_dir(self) -> pathlib.Path:
        """Return the server's socket folder; its path must stay short (107 bytes with the socket's name)."""
        name = f"restorable-demo-{self.uid}-{key(self.checkout)}"
        return pathlib.Path("/tmp", name)  # noqa: S108 - created with mode 0700, checked

    @property
    def data(self) -> pathlib.Path:
        """Return the server's data directory."""
        return self.folder / "server" / "data"

    @property
    def recovered(self) -> pathlib.Path:
        """Return the data directory that is recovered."""
        return self.folder / "server" / "recovered"

    @property
    def spool(self) -> pathlib.Path:
        """Return the spool of the server's archive_command."""
        return self.folder / "spool"

    @property
    def scratch_dir(self) -> pathlib.Path:
        """Return where drills make their servers."""
        return self.folder / "scratch"

    @property
    def repository(self) -> pathlib.Path:
        """Return the backup repository."""
        return self.folder / "repository"

    @property
    def old_files(self) -> pathlib.Path:
        """Return the folder of the old script's dumps."""
        return self.folder / "old-backups"

    @property
    def config(self) -> pathlib.Path:
        """Return the host command's settings file."""
        return self.folder / "config.json"

    @property
    def password_file(self) -> pathlib.Path:
        """Return the file with the superuser's password."""
        return self.folder / "password"

    def create(self) -> None:
        """Make all folders, private."""
        for path in (self.folder, self.folder / "server", self.old_files, self.scratch_dir, self.spool):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700)
        if self.owner:
            # the owner of the server must pass through the demo's folder, and owns its own parts
            self.folder.chmod(0o711)
            for path in (self.folder / "server", self.scratch_dir, self.socket_dir, self.spool):
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def remove(self) -> None:
        """Remove everything."""
        for path in (self.folder, self.socket_dir):
            if path.exists():
                shutil.rmtree(path)

    def environment(self) -> dict[str, str]:
        """Return the environment of Ansible and of the host command."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "ANSIBLE_"))}
        programs = f"{pathlib.Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
        return {**clean, "PYTHON": sys.executable, "PATH": programs,
                "ANSIBLE_COLLECTIONS_PATH": str(self.checkout / ".work" / "collections"),
                "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                "ANSIBLE_ASYNC_DIR": str(self.folder / "ansible" / "async"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
                "ANSIBLE_FORCE_COLOR": "true" if sys.stdout.isatty() else "false"}

    def settings(self, bin_dir: str) -> dict[str, Any]:
        """Return the settings that inventory and host command share."""
        return {
            "repositories": {"local": {"type": "local", "path": str(self.repository)}},
            "clusters": {"shop": {
                "connection": {"host": str(self.socket_dir), "port": 5432, "user": "postgres",
                               "password_file": str(self.password_file)},
                "repositories": ["local"], "bin_dir": bin_dir,
                "wal": {"method": "push", "spool": str(self.spool), "data_directory": str(self.data)},
                "jobs": {"dump": {"databases": "all"},
                         "drill": {"backup": "latest", "scratch": self.scratch(),
                                   "checks": [{"name": "orders have customers", "database": "shop",
                                               "sql": "SELECT count(*) FROM shop.orders o "
                                                      "LEFT JOIN shop.customers c ON c.id = o.customer_id "
                                                      "WHERE c.id IS NULL", "expect": 0}]}},
                "retention": {"dump": {"daily": 7, "weekly": 4, "monthly": 12}},
                "objectives": {"rpo": "1h", "rto": "5m"}}}}

    def scratch(self) -> dict[str, str]:
        """Return where and as whom a drill starts its server."""
        place = {"dir": str(self.scratch_dir)}
        return {**place, "user": self.owner.pw_name} if self.owner else place

    def interpreter(self) -> str:
        """Return this Python by a path without spaces, which is all that Ansible takes."""
        python = pathlib.Path(sys.executable)
        if " " not in str(python):
            return str(python)
        link = self.socket_dir / "venv"
        if not link.is_symlink():
            link.symlink_to(python.parent.parent)
        return str(link / "bin" / python.name)

    def write_inventory(self, bin_dir: str) -> None:
        """Write inventory.yml (JSON is YAML) and config.json with the same settings."""
        settings = self.settings(bin_dir)
        variables = {"ansible_connection": "local", "ansible_python_interpreter": self.interpreter(),
                     **{f"restorable_{key}": value for key, value in settings.items()}}
        hosts = {"all": {"hosts": {"shop1": variables}}}
        (self.folder / "inventory.yml").write_text(json.dumps(hosts, indent=2) + "\n")
        self.config.write_text(json.dumps(settings, indent=2) + "\n")


def key(checkout: pathlib.Path) -> str:
    """Return what tells this checkout's demo from others', which may run beside it."""
    return hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]


def find_place(checkout: pathlib.Path, uid: int) -> Place:
    """Return the demo's place: .demo in the checkout, or a folder of the checkout's own under /var/tmp as root."""
    if uid != 0:
        return Place(checkout, checkout / ".demo", None, uid)
    for name in ("postgres", "nobody"):
        try:
            folder = pathlib.Path("/var/tmp", f"restorable-demo-{key(checkout)}")  # noqa: S108
            return Place(checkout, folder, pwd.getpwnam(name), uid)
        except KeyError:
            continue
    raise SystemExit("There is no user postgres or nobody to run PostgreSQL as; run the demo as another user.")
