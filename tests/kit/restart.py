# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that restarts a test's server, as a service manager's would."""
from __future__ import annotations

import os
import signal
import sys

from kit.archiving import Archiving, wait_until
from kit.servers import RunningServer, unprivileged


def restart_script(server: RunningServer, host: Archiving) -> list[str]:
    """Return the words of that command; the server it starts is no child of the test's."""
    pid = server.folder / "data" / "postmaster.pid"
    script = host.folder / "restart.py"
    script.write_text(f"""
import os, signal, subprocess, time
first = open({str(pid)!r}).readline()
os.kill(int(first), signal.SIGINT)
while os.path.exists({str(pid)!r}):
    time.sleep(0.05)
subprocess.Popen([{server.bin_dir + '/postgres'!r}, "-D", {str(server.folder / 'data')!r}], start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=open({str(server.folder / 'server.log')!r}, "ab"),
                 stderr=subprocess.STDOUT, cwd={str(server.folder)!r}, **{unprivileged()!r})
""")
    return [sys.executable, str(script)]


def stop_restarted(server: RunningServer) -> None:
    """End the server that the restart began, by its own id."""
    pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGINT)
    wait_until(lambda: not (server.folder / "data" / "postmaster.pid").exists())
