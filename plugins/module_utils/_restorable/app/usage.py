# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Usage errors as they help: what was not known, and what was probably meant."""
from __future__ import annotations

import re
from typing import Iterable

from ..errors import ConfigError
from ..model.meant import did_you_mean

# argparse.py, _check_value; before Python 3.12 the choices are quoted
_CHOICE = re.compile(r"argument (.+?): invalid choice: '(.*)' \(choose from (.*)\)", re.S)
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")


def usage_error(message: str, prog: str) -> ConfigError:
    """Return the error of what argparse complains about; a word that is none of its choices is met by the nearest."""
    found = _CHOICE.fullmatch(message)
    if found is None:
        return ConfigError(message, hint=f"Run `{prog} --help`.", code="usage")
    name, word, choices = found[1], found[2], [each.strip("'") for each in found[3].split(", ")]
    if name == "VERB":
        return ConfigError(f"verb {word!r} is not known", code="usage",
                           hint=f"{_meant(word, choices, f'{prog} ')}Run `{prog} --help` for all of them.")
    return ConfigError(f"{name} is {word!r}, not one of {', '.join(choices)}", code="usage",
                       hint=f"{_meant(word, choices, '')}Run `{prog} --help`.")


def too_much(words: list[str], usage: str, prog: str) -> ConfigError:
    """Return the error of arguments that nobody takes; usage is the text that names the options which are taken."""
    options = [each.partition("=")[0] for each in words if each.startswith("-")]
    if not options:
        return ConfigError(f"unrecognized arguments: {' '.join(words)}", hint=f"Run `{prog} --help`.", code="usage")
    # without its value, which may be a secret
    return ConfigError(f"{prog} has no option {options[0]}", code="usage",
                       hint=f"{_meant(options[0], _OPTION.findall(usage), '')}Run `{prog} --help`.")


def _meant(word: str, words: Iterable[str], before: str) -> str:
    asked = did_you_mean(word, sorted(set(words)), form=f"`{before}{{}}`")
    return f"{asked} " if asked else ""
