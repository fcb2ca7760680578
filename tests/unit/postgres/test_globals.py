# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Globals fit the server that they are restored into; recorded from pg_dumpall 15, 16 and 18."""
from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import Damaged
from _restorable.postgres.globals import GlobalsFilter, filter_globals, statements, unquote

RECORDED = pathlib.Path(__file__).parent / "recorded"
MAJORS = (15, 16, 18)
HEAD = b"--\n-- PostgreSQL database cluster dump\n--\n\n"
TAIL = b"\n--\n-- PostgreSQL database cluster dump complete\n--\n\n"


def recorded(major: int) -> bytes:
    return (RECORDED / f"globals-{major}.sql").read_bytes()


def fitted(text: bytes, **rules) -> tuple[str, list[str]]:
    rule = GlobalsFilter(**{"bootstrap_user": "chef", **rules})
    return b"".join(filter_globals([text], rule)).decode(), rule.left_out


def whole(*lines: str) -> bytes:
    return HEAD + "".join(f"{line}\n" for line in lines).encode() + TAIL


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("size", [1, 7, 100000])
def test_the_parts_joined_are_the_text_however_it_is_cut(major, size):
    text = recorded(major)
    chunks = [text[at:at + size] for at in range(0, len(text), size)]
    assert b"".join(statements(chunks)) == text
    assert list(statements(chunks)) == list(statements([text]))


@pytest.mark.parametrize("major", MAJORS)
def test_a_name_or_comment_that_holds_a_statement_is_not_taken_for_one(major):
    parts = [part.decode() for part in statements([recorded(major)])]
    assert 'CREATE ROLE "line\nCREATE ROLE boss;";\n' in parts
    assert "COMMENT ON ROLE app IS E'first line\nCREATE ROLE boss;\nit''s a \\\\ comment';\n" in parts
    assert not any(part.startswith("CREATE ROLE boss") for part in parts)


@pytest.mark.parametrize("major", MAJORS)
def test_on_a_scratch_server_only_the_bootstrap_user_is_not_created_again(major):
    text, left_out = fitted(recorded(major), place=lambda name: f"/scratch/{len(name)}")
    assert "CREATE ROLE chef;" not in text
    assert "ALTER ROLE chef WITH SUPERUSER" in text
    assert left_out == []
    for line in recorded(major).decode().splitlines():
        if line != "CREATE ROLE chef;" and not line.startswith("CREATE TABLESPACE"):
            assert line in text


@pytest.mark.parametrize("major", MAJORS)
def test_a_scratch_server_never_gets_the_production_folder_of_a_tablespace(major):
    asked = []
    text, _left_out = fitted(recorded(major), place=lambda name: asked.append(name) or "/scratch/it's 1")
    assert asked == ["fast 'disk"]
    assert "/srv/fast" not in text
    assert "CREATE TABLESPACE \"fast 'disk\" OWNER app LOCATION '/scratch/it''s 1';\n" in text


def test_a_live_server_keeps_the_folder_of_a_new_tablespace():
    text, _left_out = fitted(recorded(15))
    assert "LOCATION '/srv/fast';" in text


@pytest.mark.parametrize("major", MAJORS)
def test_what_exists_on_a_live_server_stays_as_it_is_and_is_reported(major):
    text, left_out = fitted(recorded(major), existing_roles={"chef", "app", 'odd "name'},
                            existing_tablespaces={"fast 'disk"})
    assert "ROLE chef" not in text
    assert "ALTER ROLE app" not in text
    assert "COMMENT ON ROLE app" not in text
    assert 'ALTER ROLE "odd' not in text
    assert "TABLESPACE" not in text
    assert "CREATE ROLE reader;" in text
    assert "GRANT reader TO app" in text
    assert left_out == ["role 'app' exists and stays as it is", "role 'chef' exists and stays as it is",
                        "role 'odd \"name' exists and stays as it is",
                        "tablespace \"fast 'disk\" exists and stays where it is"]


def test_roles_come_in_one_transaction_that_ends_before_the_first_tablespace():
    text, _left_out = fitted(recorded(18))
    assert text.startswith("BEGIN;\n")
    assert text.index("COMMIT;\n") < text.index("CREATE TABLESPACE")
    assert text.count("COMMIT;\n") == 1
    assert fitted(whole("CREATE ROLE a;"))[0].endswith("COMMIT;\n")


def test_a_grant_by_the_sources_bootstrap_user_is_made_by_the_targets_one():
    text = recorded(16)
    assert "GRANTED BY chef;" in fitted(text, bootstrap_user="chef", target_major=16)[0]
    other = fitted(text, bootstrap_user="postgres", target_major=16)[0]
    assert "GRANTED BY chef" not in other
    assert "GRANT reader TO app WITH ADMIN OPTION, INHERIT TRUE;\n" in other
    assert "GRANT reader TO e_nl WITH INHERIT TRUE GRANTED BY app;\n" in other
    assert "GRANTED BY chef;" in fitted(text, bootstrap_user="postgres", target_major=15)[0]


@pytest.mark.parametrize("cut", [0, 30, 400, 1500])
def test_globals_that_were_cut_off_are_damaged_and_never_committed(cut):
    rules = GlobalsFilter("chef")
    seen = b""
    with pytest.raises(Damaged, match="globals end before"):
        for part in filter_globals([recorded(15)[:cut]], rules):
            seen += part
    assert b"COMMIT" not in seen


def test_the_last_line_inside_a_comment_on_a_role_does_not_count():
    text = HEAD + b"COMMENT ON ROLE a IS '\n-- PostgreSQL database cluster dump complete\n';\n"
    with pytest.raises(Damaged):
        fitted(text)


def test_an_endless_statement_is_refused_with_bounded_memory():
    def endless():
        yield b"COMMENT ON ROLE a IS '"
        while True:
            yield b"x" * 1024 * 1024

    with pytest.raises(Damaged, match="more than 16 MiB"):
        for _part in statements(endless()):
            pass


IDENTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(IDENTS, IDENTS, IDENTS)
def test_any_name_is_recognised(role, tablespace, owner):
    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    text = whole(f"CREATE ROLE {quoted(role)};", f"ALTER ROLE {quoted(role)} WITH NOSUPERUSER;",
                 f"CREATE TABLESPACE {quoted(tablespace)} OWNER {quoted(owner)} LOCATION '/a''b';")
    asked = []
    result, left_out = fitted(text, bootstrap_user="\0", existing_roles={role},
                              place=lambda name: asked.append(name) or "/new")
    assert asked == [tablespace]
    assert left_out == [f"role {role!r} exists and stays as it is"]
    assert "LOCATION '/new';" in result
    assert unquote(quoted(role).encode()) == role
