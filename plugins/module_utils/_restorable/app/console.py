# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where the host command writes: results on out, errors and progress on err, colour only for a person's terminal."""
from __future__ import annotations

import json
import os
import re
import traceback
from typing import Any, Mapping, TextIO

from ..errors import RestorableError
from ..model.row_data import without_rows
from ..ports import Progress
from .ink import Ink

# a command of ours in a sentence, or on a line of its own
_COMMAND = re.compile(r"(?m)(?:`|^    )restorable (?=[a-z])")
_OBEYED = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


class Defect(RestorableError):
    """This program is wrong."""

    code = "defect"
    exit_status = 70


class Console:
    """The two streams of one run, and how they are to be used."""

    def __init__(self, out: TextIO, err: TextIO, environment: Mapping[str, str], *, as_json: bool = False,
                 quiet: bool = False) -> None:
        self.environment = environment
        self.as_json = as_json
        self.quiet = quiet
        self._out = out
        self._err = err
        self._line: Any = None
        self._config = ""          # the words that every command is told with
        plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        self.ink = Ink(out.isatty() and not plain)
        self._err_ink = Ink(err.isatty() and not plain)

    def name_config(self, path: str | None) -> None:
        """Tell every command with the settings file of this run, if it was named and is not the usual one."""
        from .config import named_config
        self._config = named_config(path, self.environment)

    @property
    def out(self) -> TextIO:
        """Return the stream of results, for a verb that never ends."""
        return self._out

    def text(self, text: str) -> None:
        """Print a result for a person."""
        if text and not self.as_json:
            self.clear()
            self._out.write(_harmless(self._whole(text if text.endswith("\n") else text + "\n")))
            self._out.flush()

    def closing(self, text: str) -> None:
        """Print the line that says what was done, unless -q."""
        if text and not self.quiet:
            self.text(text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        if not self.as_json:
            self._complain("warning", "yellow", text)

    def object(self, body: Mapping[str, Any]) -> None:
        """Print the one JSON object of a run with --json."""
        self.clear()
        self._out.write(json.dumps(self._told(body), indent=1, ensure_ascii=True) + "\n")
        self._out.flush()

    def fail(self, error: RestorableError, cluster: str = "") -> None:
        """Print an error and its hint, or the JSON object that carries them."""
        if self.as_json:
            self.object({"error": error.as_dict()})
        else:
            self.explain(error, cluster)

    def explain(self, error: RestorableError, cluster: str = "") -> None:
        """Print an error and its hint on err."""
        self._complain("error", "red", f"cluster {cluster}: {error.message}" if cluster else error.message)
        if error.hint:
            self._complain("hint", "bold", error.hint)

    def defect(self, error: Exception) -> RestorableError:
        """Return an error that this program has no word for as one it has; RESTORABLE_TRACE prints its trace."""
        if self.environment.get("RESTORABLE_TRACE"):
            self._err.write("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        return Defect(f"unexpected {type(error).__name__}: {without_rows(str(error))}",
                      hint="This is a defect; run again with RESTORABLE_TRACE=1 and report what it prints.")

    def progress(self) -> Progress:
        """Return what shows how far long work has come: a line on a terminal, nothing elsewhere."""
        from ..host.progress import Silent, TerminalLine
        if self.quiet or self.as_json or not self._err.isatty():
            return Silent()
        self.clear()
        line = TerminalLine(self._err)
        self._line = line
        return line

    def clear(self) -> None:
        """Take the progress line away before something else is printed."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def give_up_output(self) -> None:
        """Send what is still buffered for a reader that went away nowhere, so that the interpreter's end is quiet."""
        try:
            number = self._out.fileno()
        except (OSError, ValueError):
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)

    def _complain(self, word: str, colour: str, text: str) -> None:
        self.clear()
        self._out.flush()
        self._err.write(f"{self._err_ink.paint(word, colour)}: {_harmless(self._whole(text))}\n")
        self._err.flush()

    def _whole(self, text: str) -> str:
        """Return a text whose commands name the settings file."""
        return _COMMAND.sub(lambda found: f"{found[0]}{self._config} ", text) if self._config else text

    def _told(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object whose errors and warnings tell whole commands, its clusters' too."""
        told = dict(body)
        if not self._config:
            return told
        if isinstance(body.get("error"), Mapping):
            told["error"] = {key: self._whole(text) for key, text in body["error"].items()}
        for key in ("warnings", "notes"):
            if isinstance(body.get(key), list):
                told[key] = [self._whole(each) if isinstance(each, str) else each for each in body[key]]
        if isinstance(body.get("clusters"), list):
            told["clusters"] = [self._told(each) if isinstance(each, Mapping) else each for each in body["clusters"]]
        return told


def _harmless(text: str) -> str:
    """Spell out control characters that a terminal would obey, but line breaks, tabs and our own colours."""
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text)
