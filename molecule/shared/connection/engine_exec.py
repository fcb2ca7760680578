# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's connection to a container of this machine's engine, by `docker exec`; no other collection is needed."""
from __future__ import annotations

import shlex
import subprocess

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = r"""
name: engine_exec
short_description: Run tasks in a container
description: Run tasks in a container of the engine that the docker client finds.
author: restorable contributors
options:
  remote_addr:
    description: The container's name.
    default: inventory_hostname
    vars: [{name: inventory_hostname}, {name: ansible_host}]
"""


class Connection(ConnectionBase):
    """One container; nothing is kept open."""

    transport = "engine_exec"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """Run a shell command."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._run(["/bin/sh", "-c", cmd], in_data)

    def put_file(self, in_path, out_path):
        """Copy a file into the container."""
        super().put_file(in_path, out_path)
        with open(in_path, "rb") as file:
            self._copy(f"cat > {shlex.quote(out_path)}", file.read())

    def fetch_file(self, in_path, out_path):
        """Copy a file out of the container."""
        super().fetch_file(in_path, out_path)
        content = self._copy(f"cat {shlex.quote(in_path)}", b"")
        with open(out_path, "wb") as file:
            file.write(content)

    def close(self):
        """Nothing is open."""
        self._connected = False

    def _copy(self, command, data):
        status, out, err = self._run(["/bin/sh", "-c", command], data)
        if status:
            raise AnsibleError(f"{command} exits {status}: {err.decode(errors='replace')}")
        return out

    def _run(self, argv, data):
        name = self.get_option("remote_addr")
        done = subprocess.run(["docker", "exec", "-i", name, *argv], input=data or b"", capture_output=True,
                              check=False)
        if b"No such container" in done.stderr or b"is not running" in done.stderr:
            raise AnsibleConnectionFailure(done.stderr.decode(errors="replace"))
        return done.returncode, done.stdout, done.stderr
