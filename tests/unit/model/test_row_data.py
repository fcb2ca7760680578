# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from _restorable.model.row_data import one_line, without_rows

FAILED = \
    'pg_restore: error: COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"\n'
# what PostgreSQL 15 to 18 and their programs said, and what may be kept of it
WORDS = {
    "a check": (
        FAILED + "DETAIL:  Failing row contains (1, alice@example.com, (a), null).\n"
        'CONTEXT:  COPY t, line 1: "1\talice@example.com"',
        FAILED + "DETAIL:  Failing row contains (…)\nCONTEXT:  COPY t, line 1"),
    "a value of several lines": (
        "DETAIL:  Failing row contains (1, alice\nlives\n(here).\n\nand there).\nCONTEXT:  SQL statement",
        "DETAIL:  Failing row contains (…)\nCONTEXT:  SQL statement"),
    "a row that was cut off": ("DETAIL:  Failing row contains (1, ali\n[...]\npg_restore: error: no",
                               "DETAIL:  Failing row contains (…)\n[...]\npg_restore: error: no"),
    "a unique key": ("ERROR:  duplicate key\nDETAIL:  Key (email)=(alice) already exists.\nCONTEXT:  COPY t, line 2",
                     "ERROR:  duplicate key\nDETAIL:  Key (email)=(…) already exists.\nCONTEXT:  COPY t, line 2"),
    "a unique index": ("Key (lower(email), a)=(alice (x), 2) is duplicated.",
                       "Key (lower(email), a)=(…) is duplicated."),
    "a foreign key": ('Key (a)=(alice) is not present in table "b".', 'Key (a)=(…) is not present in table "b".'),
    "a foreign key from elsewhere": ('Key (a)=(alice) is still referenced from table "b".\nCommand was: X',
                                     'Key (a)=(…) is still referenced from table "b".\nCommand was: X'),
    "an exclusion": ("Key (a)=([alice,b)) conflicts with existing key (a)=([alice,c)).",
                     "Key (a)=(…) conflicts with existing key (a)=(…)"),
    "a value that ends as a message does": ("Key (a)=(b) already exists. alice) already exists.",
                                            "Key (a)=(…) already exists."),
    "another language's key": ("DETAIL:  Schlüssel »(email)=(alice)« existiert bereits.",
                               "DETAIL:  Schlüssel »(email)=(…)"),
    "another language's row": ("DÉTAIL : La ligne en échec contient (1, alice).\nCONTEXTE : COPY t, ligne 1 : « a »",
                               "DÉTAIL : La ligne en échec contient (…)"),
    "a German row": (
        "DETAIL:  Fehlgeschlagene Zeile enthält (1, alice).", "DETAIL:  Fehlgeschlagene Zeile enthält (…)"),
    "a partition": ("DETAIL:  Partition key of the failing row contains (a, b) = (5, alice).",
                    "DETAIL:  Partition key of the failing row contains (a, b) = (…)"),
    "a type": ('ERROR:  invalid input syntax for type integer: "alice"\nCONTEXT:  COPY s.t, line 1, column a: "alice"',
               'ERROR:  invalid input syntax for type integer: "…"\nCONTEXT:  COPY s.t, line 1, column a'),
    "a null": ('CONTEXT:  COPY t, line 1, column a: null input', "CONTEXT:  COPY t, line 1, column a"),
    "a number": ('ERROR:  value "4711" is out of range for type smallint',
                 'ERROR:  value "…" is out of range for type smallint'),
    "a statement": ("Command was: INSERT INTO t VALUES (1, 'alice');\n\n", "Command was: INSERT INTO t VALUES (…)"),
    "a server's log": ("LINE 1: INSERT INTO t VALUES ('alice\n2026-11-26 03:00:00.1 UTC [7] LOG:  stopped",
                       "LINE 1: INSERT INTO t VALUES (…)\n2026-11-26 03:00:00.1 UTC [7] LOG:  stopped"),
    "parameters": ("CONTEXT:  unnamed portal with parameters: $1 = 'ali''ce', $2 = NULL",
                   "CONTEXT:  unnamed portal with parameters: $1 = '…', $2 = NULL"),
    "a token": ('DETAIL:  Token "alice" is invalid.\nCONTEXT:  JSON data, line 1: {alice',
                'DETAIL:  Token "…" is invalid.\nCONTEXT:  JSON data, line 1'),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_values_of_rows_are_gone_and_names_stay(name):
    said, kept = WORDS[name]
    assert without_rows(said) == kept
    assert without_rows(kept) == kept


@pytest.mark.parametrize("said", [
    "pg_dump: detail: Query was: SELECT pg_catalog.lower(a) FROM t WHERE (a) = (b)",
    "Command was: ALTER TABLE ONLY t ADD CONSTRAINT c CHECK ((a = 1))",
    "FOR VALUES FROM (1) TO (10)", 'ERROR:  relation "t" does not exist\nLINE 1: SELECT a FROM t\n',
    'DETAIL:  view v depends on table t\nHINT:  Use DROP ... CASCADE to drop the dependent objects too.',
])
def test_what_names_no_row_stays_as_it_is(said):
    assert without_rows(said) == said


def test_a_servers_words_become_one_line_without_rows():
    error = ValueError("duplicate key\nDETAIL:  Key (a)=(x\ny) already exists.\n")
    assert one_line(error) == "duplicate key DETAIL: Key (a)=(…) already exists."
