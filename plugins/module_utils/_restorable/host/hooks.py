# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run a user's own commands around the work: no shell, a time limit, every exit status judged."""
from __future__ import annotations

import os
import signal
import subprocess
from typing import Mapping, Sequence

from ..errors import ConfigError, ToolFailed
from ..model.row_data import without_rows
from ..stream.failure import describe_status, hide, secret_values
from ..stream.held import HeldSignals

KEPT = 2048    # bytes of what the command said last


class CommandHooks:
    """Keeps ports.Hooks with real processes."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str], *, timeout: float = 3600.0) -> str:
        """Run a command; a command that outlives timeout is killed with everything it started."""
        with HeldSignals() as held:
            child = _begin(argv, environment)
            try:
                held.let_through()
                output, _errors = child.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as error:
                raise ToolFailed(f"command {argv[0]!r} ran longer than {timeout:g} s and was killed",
                                 hint="Make it faster, or raise its time limit.", code="hook.timeout") from error
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        said = output[-KEPT:].decode(errors="replace").strip()
        said = without_rows(hide(said, secret_values({**os.environ, **environment})))
        if child.returncode:
            raise ToolFailed(f"command {argv[0]!r} {describe_status(child.returncode)}: {said or 'it said nothing'}",
                             code="hook.failed", hint="Run it by hand as the same user and mend it.")
        return said


def _begin(argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env={**os.environ, **environment}, start_new_session=True)
    except OSError as error:
        raise ConfigError(f"command {argv[0]!r} cannot be run: {error.strerror}", code="hook.missing",
                          hint="Give the program's full path; a shell's own words need `sh -c`.") from error
