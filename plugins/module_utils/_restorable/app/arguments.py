# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The host command's arguments; usage errors are ConfigError, help is a text, nothing exits."""
from __future__ import annotations

import argparse
from typing import Any, Mapping, NoReturn, Sequence

from ..model.pick import WORDS
from ..version import VERSION
from .arguments_keys import add_keys
from .arguments_recover import recover_arguments
from .arguments_schedule import add_schedule
from .arguments_wal import add_wal
from .usage import too_much, usage_error

EPILOG = """\
settings come from --config, $RESTORABLE_CONFIG, ~/.config/restorable/config.json or /etc/restorable/config.json;
with RESTORABLE_CONFIG=environment from environment variables, as in the container image
exit status: 0 done · 1 drill failed, status red · 2 settings · 3 unavailable · 4 refused · 5 not found
             6 a tool failed · 7 damaged · 8 drill incomplete · 124 stopped by a signal"""
BACKUP = f"an id or its unique beginning, {', '.join(WORDS)}, or a moment such as 2026-11-20T03:00:00Z"


class Help(Exception):
    """The text that --help or --version asks for."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise usage_error(message, self.prog)

    def print_help(self, file: Any = None) -> None:  # noqa: ARG002 - argparse's signature
        raise Help(self.format_help())


class _Version(argparse.Action):
    def __call__(self, *_given: Any, **_options: Any) -> None:
        raise Help(f"restorable {VERSION}\n")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; raise ConfigError("usage") or Help."""
    parser, verbs = _parser()
    options, rest = parser.parse_known_args(list(argv))
    if rest:
        asked = verbs.get(options.verb, parser)
        raise too_much(rest, asked.format_usage(), asked.prog)
    if not options.verb:
        raise Help(parser.format_help())
    return options


def _parser() -> tuple[_Parser, Mapping[str, argparse.ArgumentParser]]:
    parser = _Parser(prog="restorable", description="PostgreSQL backups that are proven by restoring them.",
                     epilog=EPILOG)
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version")
    _add_global(parser, suppress=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for add in (_backup, _prune, _list, _show, _verify, _restore, _recover, _drill, _status, _hold, _adopt, _init,
                _config, _audit, _sync, _check):
        add(verbs)
    add_wal(verbs, _verb)
    add_schedule(verbs, _verb)
    add_keys(verbs, _verb)
    return parser, verbs.choices


def _add_global(parser: argparse.ArgumentParser, *, suppress: bool) -> None:
    # the same options stand before and after the verb; only the outer parser sets their defaults
    def default(value: Any) -> Any:
        return argparse.SUPPRESS if suppress else value

    parser.add_argument("--config", metavar="PATH", default=default(None), help="the settings file")
    parser.add_argument("--cluster", metavar="NAME", default=default(""), help="one cluster of the settings")
    parser.add_argument("--all", action="store_true", default=default(False), help="every cluster; the default")
    parser.add_argument("--json", action="store_true", default=default(False), help="print one JSON object")
    parser.add_argument("-q", "--quiet", action="store_true", default=default(False),
                        help="no progress and no closing line")
    parser.add_argument("--dry-run", action="store_true", default=default(False),
                        help="print the plan and change nothing")
    parser.add_argument("--status-file", metavar="PATH", default=default(""),
                        help="leave how it went in this file, for a scheduled job")
    parser.add_argument("--wait", metavar="SPAN", default=default("0s"),
                        help="wait so long for another run of the cluster to end, such as 6h, instead of being refused")


def _verb(verbs: Any, name: str, summary: str) -> argparse.ArgumentParser:
    sentence = f"{summary[0].upper()}{summary[1:]}."
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=sentence)
    _add_global(parser, suppress=True)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", default="", metavar="NAME",
                        help="read from this one only; without it from the first that has a good copy")


def _backup(verbs: Any) -> None:
    parser = _verb(verbs, "backup", "dump every chosen database, or copy the whole server, into every repository")
    parser.add_argument("--kind", choices=("dump", "base", "incremental"), default="dump",
                        help="base copies the whole server; incremental only what changed since the last base")
    parser.add_argument("--database", action="append", default=[], metavar="NAME",
                        help="only this database, as a set of its own; may be repeated")
    parser.add_argument("--max-age", metavar="SPAN", help="do nothing if the newest set is younger, such as 20h")
    parser.add_argument("--accept-new-server", action="store_true",
                        help="bind the cluster to this server although another one is known")


def _prune(verbs: Any) -> None:
    parser = _verb(verbs, "prune", "delete what the retention policy does not keep")
    parser.add_argument("--confirm", action="store_true", help="act although a guard asks for a human decision")


def _list(verbs: Any) -> None:
    parser = _verb(verbs, "list", "list the backups of every repository, newest first")
    _add_source(parser)
    parser.add_argument("--keys", action="store_true", help="name the keys that each backup is sealed for")


def _show(verbs: Any) -> None:
    parser = _verb(verbs, "show", "show one backup, its drills, and the stock commands that restore it without us")
    parser.add_argument("backup", nargs="?", default="latest", metavar="BACKUP",
                        help="an id, its unique beginning, or latest")
    _add_source(parser)


def _verify(verbs: Any) -> None:
    parser = _verb(verbs, "verify", "read every stored byte and compare it with the manifest")
    parser.add_argument("backup", nargs="?", default="all", metavar="BACKUP", help="an id, latest, or all; the default")
    _add_source(parser)


def _restore(verbs: Any) -> None:
    parser = _verb(verbs, "restore", "restore a set, one database, or single tables into the cluster's server")
    parser.add_argument("backup", nargs="?", default="latest", metavar="BACKUP", help=BACKUP)
    parser.add_argument("name", nargs="?", default="", metavar="DATABASE", help="only this one, like --database")
    parser.add_argument("--database", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--scratch", action="store_true",
                        help="into a scratch server instead, as $DRILL_TARGET=scratch asks; it is gone afterwards")
    parser.add_argument("--stay", action="store_true", help="with --scratch: keep it until Ctrl-C, to look into it")
    parser.add_argument("--into", default="", metavar="NAME", help="restore the one database under another name")
    parser.add_argument("--table", action="append", default=[], metavar="NAME", help="only this table; repeatable")
    parser.add_argument("--schema", action="append", default=[], metavar="NAME", help="only this schema; repeatable")
    parser.add_argument("--globals", action="store_true", help="roles and tablespaces first")
    parser.add_argument("--replace", action="store_true", help="swap the restored database for one that is not empty")
    parser.add_argument("--clean", action="store_true", help="drop the chosen tables first")
    parser.add_argument("--cascade", action="store_true", help="with --clean: drop what depends on them too")
    parser.add_argument("--disconnect", action="store_true", help="end the sessions that stand in the way")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="parallel workers")
    parser.add_argument("--no-owner", action="store_true", help="everything belongs to the restoring role")
    parser.add_argument("--no-privileges", action="store_true", help="leave grants out")
    parser.add_argument("--seed", type=int, metavar="N", help="make a random choice repeatable")
    _add_source(parser)
    parser.add_argument("--post-command", nargs=argparse.REMAINDER, default=[], metavar="ARG",
                        help="a command to run after each database; takes the rest of the line")


def _recover(verbs: Any) -> None:
    recover_arguments(_verb(verbs, "recover", "make a data directory of a base backup and WAL, at any moment since"))


def _drill(verbs: Any) -> None:
    parser = _verb(verbs, "drill", "restore a backup into a scratch server, compare, and store the evidence")
    parser.add_argument("backup", nargs="?", default="", metavar="BACKUP", help=BACKUP)
    parser.add_argument("--kind", choices=("dump", "base"), default="", help="what is drilled; default: the setting's")
    parser.add_argument("--moment", default="", metavar="TIME",
                        help="of a base backup: recover to random, or to a time with its zone; default: the end")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="parallel workers of the restore")
    parser.add_argument("--keep-on-failure", action="store_true",
                        help="keep the scratch server, stopped, if the drill fails")
    parser.add_argument("--seed", type=int, metavar="N", help="make a random choice repeatable")
    _add_source(parser)


def _check(verbs: Any) -> None:
    parser = _verb(verbs, "check", "prove a repository fit before it is trusted, in a scratch folder of its own")
    parser.add_argument("--repository", action="append", default=[], metavar="NAME",
                        help="this repository; may be repeated; without it all of the settings")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="of the large object, in MiB")


def _sync(verbs: Any) -> None:
    parser = _verb(verbs, "sync", "copy the backups that a repository lacks from another one")
    parser.add_argument("--to", default="", metavar="NAME", help="only into this repository; without it into every one")
    parser.add_argument("--from", default="", metavar="NAME", dest="source", help="only from this repository")


def _init(verbs: Any) -> None:
    _verb(verbs, "init", "make the folder and the marker of every repository, once, while its disk is mounted")


def _config(verbs: Any) -> None:
    parser = _verb(verbs, "config", "read the settings, and the secret files that they name, and say what is scheduled")
    parser.add_argument("--for-user", default="", metavar="NAME", help="the user who must be able to read the secrets")
    parser.add_argument("--for-removal", action="store_true",
                        help="ask the servers instead whether one archives its WAL through this command")


def _status(verbs: Any) -> None:
    _verb(verbs, "status", "tell whether each cluster is green, yellow or red, and why")


def _audit(verbs: Any) -> None:
    parser = _verb(verbs, "audit", "check that no event, manifest or evidence was edited, reordered or cut off")
    parser.add_argument("--new-key", default="", metavar="PATH",
                        help="make a signing key in a new file instead, and print its public half")


def _hold(verbs: Any) -> None:
    parser = _verb(verbs, "hold", "keep one backup whatever the retention policy says")
    parser.add_argument("backup", metavar="BACKUP", help="an id, its unique beginning, or latest")
    parser.add_argument("--release", action="store_true", help="let it go again")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why it is held")


def _adopt(verbs: Any) -> None:
    parser = _verb(verbs, "adopt", "take existing dump files in, to be listed, pruned and drilled like ours")
    parser.add_argument("folder", metavar="FOLDER", help="where the files lie; folders in it are not entered")
    parser.add_argument("--pattern", required=True, action="append", metavar="PATTERN",
                        help="whole file names: app-YYYYMMDD-HHMMSS.sql.gz or 'app_*.sql.gz'; may be repeated")
    parser.add_argument("--database", default="", metavar="NAME", help="the database all these files are of")
    parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="the zone of the times in the names")
    parser.add_argument("--move", action="store_true", help="remove each original once its set is committed everywhere")
