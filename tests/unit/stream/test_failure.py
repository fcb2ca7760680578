# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from _restorable.stream.failure import KEPT, Complaint, describe_status, failure, hide, secret_values, telling


@pytest.mark.parametrize(("status", "text"), [
    (1, "exited with status 1"), (255, "exited with status 255"), (-9, "died by signal 9 (SIGKILL)"),
    (-13, "died by signal 13 (SIGPIPE)"), (-63, "died by signal 63"),
])
def test_a_status_in_words(status, text):
    assert describe_status(status) == text


@pytest.mark.parametrize(("said", "told"), [
    ("", ""),
    ("pg_dump: last OID is 16383\npg_dump: error: query failed: no\npg_dump: detail: Query was: LOCK TABLE x\nbye\n",
     "pg_dump: error: query failed: no; pg_dump: detail: Query was: LOCK TABLE x"),
    ("one\ntwo\n\nthree\n", "three"),
    ("warning: x\nERROR:  first\nERROR:  second\n", "ERROR:  first"),
])
def test_the_telling_line_is_the_first_that_names_an_error(said, told):
    assert telling(said) == told


def test_the_beginning_and_the_end_of_a_long_complaint_are_kept():
    complaint = Complaint()
    complaint.add(b"first words\n")
    for number in range(10_000):
        complaint.add(f"line {number}\n".encode())
    text = complaint.text()
    assert text.startswith("first words")
    assert text.endswith("line 9999")
    assert "[...]" in text
    assert len(text) <= 2 * KEPT + 10


def test_a_short_complaint_is_kept_as_it_is():
    complaint = Complaint()
    complaint.add(b"a" * 3000)
    assert complaint.text() == "a" * 3000


@pytest.mark.parametrize(("text", "hidden"), [
    ("host=db password=geheim user=app", "host=db password=*** user=app"),
    ("password = 'a \\' b' user=app", "password = *** user=app"),
    ("PGPASSWORD=geheim psql", "PGPASSWORD=*** psql"),
    ("postgresql://app:ge:heim@db/shop?sslmode=require", "postgresql://app:***@db/shop?sslmode=require"),
    ("nothing to hide: password authentication failed for user \"app\"",
     "nothing to hide: password authentication failed for user \"app\""),
])
def test_what_is_called_a_password_is_hidden(text, hidden):
    assert hide(text) == hidden


def test_the_longer_of_two_secrets_is_hidden_first():
    assert hide("xabcx", ("ab", "abc", "")) == "x***x"


def test_secret_variables_are_known_by_name():
    env = {"PGPASSWORD": "a", "PGPASSFILE": "/x/y", "AWS_SECRET_ACCESS_KEY": "bbbb", "API_TOKEN": "cccc",
           "HOME": "/root", "USE_TOKEN": "1"}
    assert secret_values(env) == ("a", "bbbb", "cccc")


def test_the_reason_comes_first_and_the_command_last():
    said = "pg_dump: error: no\npg_dump: detail: none"
    error = failure(["/usr/bin/pg_dump", "-d", "my db"], 1, f"pg_dump: warning: old\n{said}", ())
    assert error.message == "pg_dump exited with status 1: error: no; pg_dump: detail: none"
    assert error.hint == f"It said:\npg_dump: warning: old\n{said}\nThe command was: /usr/bin/pg_dump -d 'my db'"
    assert (error.status, error.exit_status) == (1, 6)


def test_what_the_message_says_is_not_said_again():
    error = failure(["/usr/bin/pg_dump", "-d", "my db"], 1, "pg_dump: error: no", ())
    assert (error.message, error.stderr) == ("pg_dump exited with status 1: error: no", "pg_dump: error: no")
    assert error.hint == "The command was: /usr/bin/pg_dump -d 'my db'"


def test_a_long_command_is_cut_and_a_secret_at_the_cut_stays_hidden():
    secret = "geheim-" * 8
    tables = [f"--table=public.number_{number}" for number in range(7)]
    argv = ["/usr/bin/pg_restore", *tables, f"--x={secret}", "b" * 999]
    error = failure(argv, 1, "pg_restore: error: no", (secret,))
    assert error.hint.startswith("The command was: /usr/bin/pg_restore --table=public.number_0 ")
    assert len(error.hint) < 300 and "more characters)" in error.hint
    assert "geheim" not in error.hint


ROW = ('pg_restore: error: COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"\n'
       "DETAIL:  Failing row contains (1, alice@example.com).\nCONTEXT:  COPY t, line 1: \"1\talice@example.com\"\n")


def test_neither_message_nor_hint_nor_what_is_kept_holds_a_row():
    error = failure(["/usr/bin/pg_restore"], 1, ROW, ())
    assert not [part for part in (error.message, error.hint, error.stderr) if "alice" in part]
    assert "Failing row contains (…)" in error.message
    assert error.hint.endswith("CONTEXT:  COPY t, line 1\nThe command was: /usr/bin/pg_restore")


def test_a_row_that_is_cut_in_the_middle_of_a_long_complaint_is_not_shown():
    complaint = Complaint()
    complaint.add(b"x" * 4000 + b"\nDETAIL:  Failing row contains (1, " + b"alice " * 1000 + b").\nCONTEXT:  no\n")
    complaint.add(b"last words\n")
    error = failure(["/usr/bin/pg_restore"], 1, complaint.text(), ())
    assert "alice" not in f"{error.message}{error.hint}{error.stderr}"
    assert "\nlast words\n" in error.hint
