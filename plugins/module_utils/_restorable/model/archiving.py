# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a server must be set to so that its WAL is archived, and what would have to change. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ..errors import ConfigError, Refused
from .wal_settings import WalJob

RESTART = ("wal_level", "archive_mode", "max_wal_senders", "max_replication_slots")

DISABLED = "(disabled)"            # SHOW archive_command while archive_mode is off, whatever the files say (guc.c)


@dataclass(frozen=True)
class Setting:
    """One setting as the server has it; value is in the form that SET takes."""

    value: str
    pending_restart: bool = False
    source: str = ""               # the file that it comes from, where that is known


@dataclass(frozen=True)
class Archiver:
    """How a server archives at the moment."""

    version_num: int
    system_identifier: str
    data_directory: str
    in_recovery: bool
    settings: Mapping[str, Setting]
    segment_size: int
    timeline: int
    current: str                   # the segment that is being written; empty on a standby
    slot: Mapping[str, Any] | None = None      # the replication slot of method stream: active, lag (bytes)
    last_archived: str = ""
    last_archived_age: float | None = None     # seconds
    last_failed: str = ""
    last_failed_age: float | None = None
    ready: int | None = None       # files that wait, None where that may not be asked
    configured: Mapping[str, str] = field(default_factory=dict)    # what the files say, applied or not

    def value(self, name: str) -> str:
        """Return a setting's value, "" for one that this server does not have."""
        return self.settings[name].value if name in self.settings else ""

    def in_doubt(self, method: str) -> bool:
        """Say whether nothing tells that WAL arrives: none did since the last failure, or nobody uses the slot.

        pg_stat_archiver keeps both times (monitoring.html); a stream does not go through the archiver.
        """
        if method == "stream":
            return self.slot is None or not self.slot["active"]
        if self.last_archived_age is None or self.last_failed_age is None:
            return self.last_archived_age is None
        return self.last_failed_age <= self.last_archived_age


@dataclass(frozen=True)
class Change:
    """One setting that is to change."""

    name: str
    before: str
    after: str
    restart: bool


def desired(job: WalJob, found: Archiver, fallback: Sequence[str] = ()) -> dict[str, str]:
    """Return the settings that the method needs; raise Refused for a server that must not archive like that."""
    level = found.value("wal_level")
    wanted = {"wal_level": level if level in ("replica", "logical") else "replica"}
    if job.method == "stream":
        for name in ("max_wal_senders", "max_replication_slots"):
            wanted[name] = found.value(name) if int(found.value(name) or 0) > 0 else "10"
        # it ends segments whether the server archives them itself or not (checkpointer.c, CheckArchiveTimeout)
        wanted["archive_timeout"] = f"{round(job.archive_timeout)}s"
        return wanted
    if found.value("archive_mode") == "always":
        raise Refused("archive_mode is always, so a standby would archive the same WAL beside its primary",
                      hint="Set archive_mode to on: standbys of one cluster must not write into its archive.",
                      code="archiver.always")
    wanted["archive_mode"] = "on"
    wanted["archive_command"] = archive_command(job, fallback)
    wanted["archive_timeout"] = f"{round(job.archive_timeout)}s"
    if "archive_library" in found.settings:
        wanted["archive_library"] = ""
    return wanted


def plan_changes(found: Archiver, wanted: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what differs from what is wanted: in the server's files, or in force where that needs no restart."""
    changes = []
    for name, after in wanted.items():
        running = found.value(name)
        written = found.configured.get(name, running)
        unknown = name in RESTART or running == DISABLED
        for before in (written,) if unknown else (running, written):
            if _plain(name, before) != _plain(name, after):
                changes.append(Change(name, before, after, name in RESTART))
                break
    return tuple(changes)


def archive_command(job: WalJob, fallback: Sequence[str] = ()) -> str:
    """Return archive_command: our script, and with a fallback the command that it runs while no shipper does.

    bash exits with 127 if a script is not there, on which PostgreSQL's archiver dies instead of counting a failure. So
    the spool is looked at first.
    """
    script = f"{job.spool}/archive.sh"
    words = ["[", "-r", script, "]", "||", "exit", "3;", "exec", "/bin/sh", script, job.spool,
             str(max(1, round(job.wait))), "%p", "%f"]
    return " ".join(words + [_word(word) for word in fallback])


def restore_command(job: WalJob, command: Sequence[str]) -> str:
    """Return restore_command: our script, and the command that it asks for what was not fetched ahead.

    dash exits with 2 if a script is not there, which PostgreSQL would take for the end of the WAL: it would promote
    with rows missing. So the spool is looked at first.
    """
    script = f"{job.spool}/restore.sh"
    words = ["[", "-r", script, "]", "||", "exit", "255;", "exec", "/bin/sh", script, job.spool, "%p", "%f"]
    return " ".join(words + [_word(word) for word in command])


def _word(word: str) -> str:
    """Return a word as sh and PostgreSQL read it: quoted where it must be, with % doubled."""
    if "\n" in word or "\0" in word:
        raise ConfigError(f"command word {word!r} holds a line break", hint="Leave it out.", code="archiver.command")
    safe = word and all(each.isalnum() or each in "_./:=@+,-" for each in word)
    return (word if safe else "'" + word.replace("'", "'\\''") + "'").replace("%", "%%")


def _plain(name: str, value: str) -> str:
    if name == "archive_command" and value == "(disabled)":
        return ""
    if name != "archive_timeout":
        return value
    number = value.rstrip("smind")
    factor = 60 if value.endswith("min") else 1
    return str(int(number) * factor) if number.isdigit() else value
