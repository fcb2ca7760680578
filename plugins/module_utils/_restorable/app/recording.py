# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep a scheduled job's status file true, whatever becomes of the job."""
from __future__ import annotations

import argparse
from typing import Callable

from ..errors import RestorableError
from ..host.job_file import JobFile

Tell = Callable[[str], None]
STOPPED = 124


def recorded(options: argparse.Namespace, work: Callable[[Tell], int]) -> int:
    """Do the work between the file's beginning and its end; what the work tells becomes the file's words."""
    words: list[str] = []
    file = JobFile(options.status_file, options.cluster, options.verb)
    file.begin()
    try:
        status = work(words.append)
    except RestorableError as error:
        file.end(error.exit_status, error.message)
        raise
    except BaseException as error:      # a signal, or a defect: the top tells it, the file must not say running
        file.end(STOPPED, f"stopped by {error}" if str(error).startswith("SIG") else f"ended by {type(error).__name__}")
        raise
    file.end(status, "; ".join(filter(None, words)))
    return status
