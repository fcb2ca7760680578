# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read archives without a server: list them, read them to their end, turn them into SQL."""
from __future__ import annotations

from typing import Iterable, Iterator

from ..ports import RestoreOptions
from ..stream.program import read_from, through
from .archives import complete_sql, damage, plain_environment, staged
from .flowing import flowing
from .tools import find_newest


class PgArchives:
    """Reads archives with this machine's pg_restore; no server is needed (ports.Archives)."""

    def __init__(self, bin_dir: str = "", stage: str = "") -> None:
        self._bin_dir, self._stage = bin_dir, stage

    def contents(self, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """Return the table of contents, having read the archive to its end; see ports.Archives."""
        if options.format == "plain":
            for _chunk in complete_sql(chunks):
                pass
            return []
        opened = flowing(chunks, self._stage, self._bin_dir) if options.format == "custom" else staged(
            chunks, options.format, self._stage, self._bin_dir)
        with opened as archive:
            archive.read_all()
            return archive.lines()

    def sql(self, chunks: Iterable[bytes], options: RestoreOptions) -> Iterator[bytes]:
        """Yield the whole archive as SQL, the creation of its database first; see ports.Archives."""
        if options.format == "plain":
            yield from complete_sql(chunks)
            return
        if options.format == "custom":
            with damage():
                tool = find_newest("pg_restore", self._bin_dir or None).path
                yield from through([tool, "--create", "--file=-"], env=plain_environment())(chunks)
            return
        with staged(chunks, options.format, self._stage, self._bin_dir) as archive, damage():
            yield from read_from([archive.tool(), "--create", "--file=-", archive.path], env=plain_environment())
