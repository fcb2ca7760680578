# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the inventory's variables into a host's settings and its jobs. Private to this collection; nothing is sent."""
from __future__ import annotations

import difflib
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.restorable.postgres.plugins.module_utils._restorable.errors import RestorableError
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.jobs import COMMANDS
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.reading import duration
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.s3_settings import CREDENTIALS
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.schedule import Schedule
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.settings import Settings
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.state_place import (
    needed_folders,
    private_folders,
    written_folders,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.timers import (
    crontab,
    on_calendar,
    warnings,
)

PREFIX = "restorable_"
PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
SECRET = re.compile(r"password|passphrase|secret|token|private_key")
PUBLIC = re.compile(r"(_file|_files|_command|role_passwords)$")      # names a place, or is no secret itself


def unknown_variables(names: Iterable[str], known: Iterable[str]) -> str:
    """Return what is wrong with the inventory's variables, "" if each is known to a playbook or to the settings."""
    used = {name for path in sorted(PLAYBOOKS.rglob("*.yml"))
            for name in re.findall(rf"\b{PREFIX}\w+", path.read_text(encoding="utf-8"))}
    good = {*used, *(f"{PREFIX}{key}" for key in known)}
    for name in sorted(set(names) - good):
        near = difflib.get_close_matches(name, good, 1, 0.8)
        return f"{name} is no variable of this collection. " + (f"Did you mean {near[0]}?" if near else "Remove it.")
    return ""


def misspelt_variables(names: Iterable[str], known: Iterable[str]) -> str:
    """Return what is wrong with variables that begin like a role's, "" if none is a role's but for a letter or two."""
    good = list(known)
    for name in sorted(set(names) - set(good)):
        near = difflib.get_close_matches(name, good, 1, 0.88)
        if near:
            return f"{name} is no variable of this role. Did you mean {near[0]}?"
    return ""


def foreign_variables(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that begins like a role's and is none; it may be somebody else's."""
    good = list(known)
    nearest = {name: difflib.get_close_matches(name, good, 2) for name in sorted(set(names) - set(good))}
    return [f"{name} is no variable of this role, and is not read. "
            + (f"The nearest are {' and '.join(near)}." if len(near) > 1 else
               f"The nearest is {near[0]}." if near else "Remove it, unless it is of something else.")
            for name, near in nearest.items()]


def host_settings(body: Mapping[str, Any], secrets: str = "/etc/restorable") -> dict[str, Any]:
    """Return {"config", "secrets", "folders"}: the settings file, in which secrets became files, and these files.

    folders are those of locks and of evidence, which must be there before a job that may write nowhere else.
    """
    config, found = _plain(body), []
    config = {key: value for key, value in config.items() if value not in ({}, [], "", None)}
    for name, cluster in config.get("clusters", {}).items():
        connection = (cluster or {}).get("connection") or {}
        password = connection.pop("password", None)
        if password:
            connection["password_file"] = f"{secrets}/{name}.inventory.password"
            found.append({"path": connection["password_file"], "content": f"{password}\n"})
    _read(config)
    for name, repository in config.get("repositories", {}).items():
        found += _credentials(f"{secrets}/{name}.inventory.credentials", repository)
    for where in _secrets(config, ""):
        raise AnsibleFilterError(f"{where} holds a secret in the inventory, and a host's settings file holds none. "
                                 f"{_cure(where)}")
    settings = _read(config)
    folders = {path for cluster in settings.clusters.values() for path in private_folders(settings, cluster)}
    return {"config": config, "secrets": found, "folders": sorted(folders)}


def jobs(body: Mapping[str, Any], wait: str = "") -> list[dict[str, Any]]:
    """Return every scheduled job: its unit's name, its command, when it runs in each notation, what it writes to.

    wait is how long a job waits for another one of its cluster to end.
    """
    plain = _plain(body)
    settings, now = _read({key: value for key, value in plain.items() if value not in ({}, [], "", None)}), _now()
    return [{
        "cluster": cluster.name, "job": job, "name": f"restorable-{cluster.name}-{job}",
        "command": ["--cluster", cluster.name, *_waiting(str(wait)), *COMMANDS[job]], "schedule": schedule.text,
        "timezone": schedule.timezone, "on_calendar": list(on_calendar(schedule)),
        "cron": _lines(schedule),
        "warnings": list(warnings(schedule, now)), "paths": written_folders(settings, cluster),
        "mounts": needed_folders(settings, cluster),
    } for cluster in settings.clusters.values() for job, schedule in cluster.schedules.items()]


def cron_lines(text: str, where: str = "schedule") -> list[dict[str, str]]:
    """Return the five fields, and the test to be put before the command, of the lines that mean a schedule."""
    try:
        return _lines(Schedule.parse(str(text), where=str(where)))
    except RestorableError as error:
        raise AnsibleFilterError(f"{error.message}. {error.hint}") from None


def _lines(schedule: Schedule) -> list[dict[str, str]]:
    return [{"fields": line.fields, "guard": line.guard} for line in crontab(schedule)]


def _read(body: Mapping[str, Any]) -> Settings:
    try:
        return Settings.of(body)
    except RestorableError as error:
        raise AnsibleFilterError(f"{error.message}. {error.hint}") from None


def _waiting(wait: str) -> list[str]:
    try:
        return ["--wait", wait] if wait and duration(wait, "the time that jobs wait for each other") else []
    except RestorableError as error:
        raise AnsibleFilterError(f"{error.message}. {error.hint}") from None


def _credentials(path: str, repository: dict[str, Any]) -> list[dict[str, str]]:
    """Move a bucket's keys out of its settings into the file at path, in the form of ~/.aws/credentials."""
    given = {name: repository.pop(name) for name in CREDENTIALS if name in repository}
    if not any(given.values()):
        return []
    if repository.get("credentials_file"):
        raise AnsibleFilterError("a repository has access_key_id and a credentials_file. Give one of them.")
    lines = [f"[{repository.get('profile') or 'default'}]", *(f"aws_{name} = {value}" for name, value in given.items())]
    repository["credentials_file"] = path
    return [{"path": path, "content": "".join(f"{line}\n" for line in lines)}]


def _cure(where: str) -> str:
    if ".secret_options." in where:
        return ("Write a remote with it into a configuration of rclone on the host, mode 0600 and the agent's user, "
                "and name that file in config_file.")
    return "Put it into a file of mode 0600 on the host, and name that file."


def _secrets(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{where}.{key}" if where else str(key)
            hidden = (SECRET.search(str(key)) and not PUBLIC.search(str(key))) or where.endswith(".secret_options")
            if isinstance(inner, str) and inner and hidden:
                yield path
            yield from _secrets(inner, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{where}[{number}]")


def _plain(value: Any) -> Any:
    """Return a copy without Ansible's own types, of which JSON and the core know nothing."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return str(value)
    return value


def _now() -> datetime:
    return datetime.now(timezone.utc)
