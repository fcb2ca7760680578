# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Text of databases and archives of any encoding: bytes that it does not know survive both ways. Pure.

A database of SQL_ASCII has no encoding (multibyte.html): its names are whatever bytes clients sent, most often UTF-8.
Bytes that are none become lone surrogates (PEP 383), which JSON holds as escapes.
"""
from __future__ import annotations

import codecs
import re

ESCAPED = "backslashreplace"       # for JSON's text: a lone surrogate becomes its escape, \udce4

# charset.html: names as pg_encoding_to_char gives them, where Python does not know them under the same one
_CODECS = {
    "SQL_ASCII": "utf-8", "UTF8": "utf-8", "LATIN1": "iso8859-1", "LATIN2": "iso8859-2", "LATIN3": "iso8859-3",
    "LATIN4": "iso8859-4", "LATIN5": "iso8859-9", "LATIN6": "iso8859-10", "LATIN7": "iso8859-13",
    "LATIN8": "iso8859-14", "LATIN9": "iso8859-15", "LATIN10": "iso8859-16", "WIN": "cp1251", "WIN866": "cp866",
    "WIN874": "cp874", "KOI8R": "koi8-r", "KOI8U": "koi8-u", "EUC_CN": "gb2312", "EUC_JIS_2004": "euc_jis_2004",
    "SHIFT_JIS_2004": "shift_jis_2004", "SJIS": "shift_jis", "UHC": "cp949",
}


def codec_of(encoding: str) -> str:
    """Return Python's codec of a PostgreSQL encoding; of one that Python lacks, such as EUC_TW, UTF-8's."""
    name = _CODECS.get(encoding) or re.sub(r"^WIN(?=125\d$)", "cp", encoding)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def text_of(data: bytes, codec: str = "utf-8") -> str:
    """Return bytes as text of a codec; bytes_of gives the very same bytes back."""
    return data.decode(codec, "surrogateescape")


def bytes_of(text: str, codec: str = "utf-8") -> bytes:
    """Return the bytes that text_of was given."""
    return text.encode(codec, "surrogateescape")
