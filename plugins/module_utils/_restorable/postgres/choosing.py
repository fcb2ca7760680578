# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Restore chosen tables and schemas into a database that lives: nothing is dropped that does not come back."""
from __future__ import annotations

from ..model.choice import choose
from ..ports import RestoreOptions
from .archives import StagedArchive
from .databases import Databases
from .loading import Loader
from .standing import dependents


def bring(databases: Databases, loader: Loader, database: str, archive: StagedArchive,
          options: RestoreOptions) -> list[str]:
    """Restore what options choose; return notes on what of others was lost and could not be brought back.

    Raises Refused before anything is changed if something else would be dropped for good.
    """
    choice = choose(archive.toc(), options.tables, options.schemas, alone=options.alone)
    if not options.clean or options.data_only or options.alone:
        return loader.chosen(database, archive, options, choice)
    places = [each.place for each in choice.relations]
    with databases.open(database) as session:
        before = choice.foreign(dependents(session, places, options.schemas))
    choice.require_back(before, database)
    notes = loader.chosen(database, archive, options, choice)
    with databases.open(database) as session:
        after = set(dependents(session, places, options.schemas))
    told = "\n".join(notes)
    return notes + [f"{each} was dropped and did not come back" for each in before
                    if each not in after and f"{each} was not restored" not in told]
