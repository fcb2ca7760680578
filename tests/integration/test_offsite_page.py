# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/offsite.md, followed word for word: its own command blocks, in one bash, against a fresh `rclone serve s3`."""
from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from kit.agecommand import age_command

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "offsite.md"
PORT = "8333"                      # as the page has it; a test takes a free one


def blocks():
    """Return the page's commands, each block behind a line by which its output is found."""
    found = re.findall(r"^## (\d)\. .*?^```console\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert [number for number, _text in found] == [str(number) for number in range(1, 8)]
    return "".join(f"echo '== {number}'\n{text}" for number, text in found)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def followed(script, folder, server):
    """Run the commands in one bash that stops at the first that fails; return {step: what it said}."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "ANSIBLE_", "RESTORABLE"))}
    environment = {
        **clean, "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1",
        # what the reader has done: a virtual environment is there, psql reaches the server
        "PATH": f"{os.path.dirname(sys.executable)}:{server.bin_dir}:{clean['PATH']}",
        "PGHOST": server.settings["host"], "PGPORT": str(server.settings["port"]), "PGUSER": server.settings["user"]}
    bash = subprocess.Popen(["bash", "-c", f"set -e\n{script}"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        said = bash.communicate(timeout=300)[0]
    finally:
        if bash.poll() is None:
            os.killpg(bash.pid, signal.SIGKILL)
    assert bash.returncode == 0, said
    parts = re.split(r"^== (\d)\n", said, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_the_page_ends_with_a_sealed_proven_backup_an_audit_that_verifies_and_a_restore_without_us(
        request, empty_server, tmp_path):
    age_command(request)
    server = empty_server(15)
    server.sql("CREATE TABLE orders (id int PRIMARY KEY, total numeric)",
               "INSERT INTO orders SELECT g, g FROM generate_series(1, 1000) g", database="postgres")
    tmp_path.chmod(0o755)
    looked = "psql -d without_us -Atc 'SELECT count(*), sum(total) FROM orders'\ndropdb without_us"
    said = followed(blocks().replace(PORT, free_port()).replace("dropdb without_us", looked), tmp_path, server)
    assert said["2"].count("age1") == 1
    assert "acme-backups" in said["4"]
    for word in ("passed", "green", "intact"):             # by the drill, the status and the audit
        assert re.search(rf"\b{word}\b", said["5"], re.IGNORECASE), said["5"]
    assert said["5"].count("failed=0") == 4
    assert ".dump.zst.age" in said["6"]
    assert "manifest.json" in said["6"]
    # what the stock tools restored, before the page's last step took it away
    assert said["7"].splitlines()[0] == "1000|500500"
    assert not list(tmp_path.glob("tmp.*"))
    assert server.sql("SELECT count(*) FROM pg_database WHERE datname = 'without_us'") == [(0,)]
