# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run the host command: python3 -m _restorable, or the zip that the agent role installs."""
from __future__ import annotations

import io
import os
import sys

from .app.cli import main

if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")      # a name of a database without an encoding, as on stderr
    raise SystemExit(main(sys.argv[1:], sys.stdout, sys.stderr, os.environ))
