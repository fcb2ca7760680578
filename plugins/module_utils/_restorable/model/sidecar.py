# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read the small file that lies beside a dump and describes it, whatever its form. Pure."""
from __future__ import annotations

import json
import re
from typing import Any, Mapping

LIMIT = 64 * 1024                  # bytes; more is no description
SHOWN = 2000                       # characters of free text that are kept
_SECRET = re.compile(r"(?i)pass|secret|token|private|credential|api_?key")
_PAIR = re.compile(r"\s*([A-Za-z_][\w .-]{0,60}?)\s*[=:]\s*(.*?)\s*")


def sidecar_names(name: str, stem: str) -> tuple[str, ...]:
    """Return the names under which a dump's description may lie: app.sql.gz.meta, app.sql.meta, app.meta."""
    found = [f"{name}.meta"]
    while name != stem and "." in name:
        name = name.rpartition(".")[0]
        found.append(f"{name}.meta")
    return tuple(found)


def read_meta(data: bytes) -> Mapping[str, Any] | str:
    """Return a description's keys and values, or its text if it has none; values of secrets are left out."""
    text = data.decode(errors="replace").strip()
    try:
        body = json.loads(text)
    except ValueError:
        body = _pairs(text)
    if isinstance(body, Mapping):
        return {str(key): _value(str(key), value) for key, value in body.items()}
    return "\n".join("***" if _SECRET.search(line) else line for line in text.splitlines())[:SHOWN]


def described_database(meta: Any) -> str:
    """Return the database that a description names, or ""."""
    if not isinstance(meta, Mapping):
        return ""
    words = {key.lower().replace("-", "_"): value for key, value in meta.items()}
    return next((str(words[key]) for key in ("database", "dbname", "db", "database_name") if words.get(key)), "")


def _pairs(text: str) -> Mapping[str, Any] | None:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";", "["))]
    pairs = [_PAIR.fullmatch(line) for line in lines]
    if not lines or sum(pair is not None for pair in pairs) * 2 <= len(lines):
        return None
    return {pair[1]: pair[2].strip("\"'") for pair in pairs if pair}


def _value(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return "***"
    if isinstance(value, Mapping):
        return {str(inner): _value(str(inner), each) for inner, each in value.items()}
    return value if isinstance(value, (int, float, bool)) or value is None else str(value)[:SHOWN]
