# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The only border with Ansible: parameters → settings → one operation → one result. Private to this collection.

Every error the core explains becomes fail_json(msg, code, hint, …details). Check mode is the operations' dry run.
"""
from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping

from ansible.module_utils.basic import AnsibleModule

from ._restorable.app.record import record_failure, record_result
from ._restorable.app.report import plan_diff, refused_prune_report
from ._restorable.app.wire import open_progress, open_world
from ._restorable.errors import ConfigError, NotFound, RestorableError
from ._restorable.model.repositories import with_secrets, without_secrets
from ._restorable.model.row_data import without_rows
from ._restorable.model.settings import ClusterSettings, Settings
from ._restorable.ops.world import World

Plain = dict[str, Any]

BLOTTED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"   # Ansible's own words
SECRET = "password"    # noqa: S105 - the option's name
CONNECTION: Plain = {name: {"type": "str", "no_log": name == SECRET} for name in (
    "host", "hostaddr", "port", "user", SECRET, "password_file", "passfile", "dbname", "service", "options",
    "application_name", "connect_timeout", "sslmode", "sslnegotiation", "sslcert", "sslkey", "sslcertmode",
    "sslrootcert", "sslcrl", "sslcrldir", "sslsni", "requirepeer", "require_auth", "channel_binding",
    "ssl_min_protocol_version", "ssl_max_protocol_version", "gssencmode", "krbsrvname", "gsslib", "gssdelegation",
    "target_session_attrs", "load_balance_hosts", "keepalives", "keepalives_idle", "keepalives_interval",
    "keepalives_count", "tcp_user_timeout")}
ENCRYPTION: Plain = {
    "recipients": {"type": "list", "elements": "str"}, "recipients_file": {"type": "path"},
    "identity_file": {"type": "list", "elements": "path"}, "passphrase_file": {"type": "path", "no_log": False},
    "required": {"type": "bool"}}
COMMON: Plain = {
    "cluster": {"type": "str", "required": True},
    "repositories": {"type": "dict"},
    "repository_secrets": {"type": "dict", "no_log": True},
    "settings": {"type": "dict"},
    "connection": {"type": "dict", "options": CONNECTION},
    "encryption": {"type": "dict", "options": ENCRYPTION},
    "state_dir": {"type": "path"},
    "bin_dir": {"type": "path"},
    "identity": {"type": "str"},
}
PROGRESS: Plain = {"progress_file": {"type": "path"}}


@dataclass(frozen=True)
class Call:
    """What a module's verb is given."""

    params: Mapping[str, Any]
    cluster: ClusterSettings
    world: World
    dry_run: bool
    settings: Settings


class Failure(Exception):
    """A verb came to a result that fails the task, such as a verdict that is not passed."""

    def __init__(self, message: str, result: Plain) -> None:
        super().__init__(message)
        self.message = message
        self.result = result


def run(verb: Callable[[Call], Plain], options: Plain, *, job: str = "", job_options: tuple[str, ...] = (),
        record: str = "") -> None:
    """Run one verb as a module. job_options are the options that stand for settings of jobs.JOB of the cluster.

    record is the verb's name in the journal; without one it leaves no event.
    """
    module = AnsibleModule(argument_spec={**COMMON, **options}, supports_check_mode=True)
    params = _without_secrets(module)
    try:
        settings = Settings.of(settings_body(params, job, job_options))
        cluster = settings.cluster(params["cluster"])
        world = open_world(settings, cluster, open_progress(params.get("progress_file")))
        world = replace(world, source=params.get("repository") or "")
        result = _recorded(module, verb, Call(params, cluster, world, module.check_mode, settings), record)
    except Failure as failure:
        module.fail_json(msg=failure.message, **failure.result)
    except RestorableError as error:
        module.fail_json(msg=error.message, code=error.code, hint=error.hint, **_refused(params["cluster"], error))
    except Exception as error:  # noqa: BLE001 - one of the two tops: whatever is left is our bug, and is told as one
        said = without_rows(str(error))
        module.fail_json(msg=f"this is a bug in restorable.postgres: {type(error).__name__}: {said}", code="bug",
                         hint="Report it with the traceback.", exception=traceback.format_exc())
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**result)


def _refused(cluster: str, error: RestorableError) -> Plain:
    """Return the plan of retention that a guard forbade to carry out, also as a diff; {} for another error."""
    report = refused_prune_report(error)
    return {**report, "diff": [plan_diff(cluster, each) for each in report["repositories"]]} if report else {}


def _recorded(module: AnsibleModule, verb: Callable[[Call], Plain], call: Call, record: str) -> Plain:
    """Run a verb, and write into the journals how it ended."""
    if call.dry_run or not record:
        return verb(call)
    try:
        result = verb(call)
    except Failure as failure:
        _warn(module, record_result(record, lambda: call.world, failure.result))
        raise
    except BaseException as error:
        _warn(module, record_failure(record, lambda: call.world, error))
        raise
    _warn(module, record_result(record, lambda: call.world, result))
    return result


def _warn(module: AnsibleModule, warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        module.warn(warning)


def settings_body(params: Mapping[str, Any], job: str = "", job_options: tuple[str, ...] = ()) -> Plain:
    """Return the body of Settings.of for one cluster: the settings option with the other options put over it.

    Other clusters are left out, so that a mistake in one of them fails only its own tasks.
    """
    body = given(params.get("settings") or {})
    name = params["cluster"]
    own = _own_settings(body, name)
    if params.get("connection"):
        own["connection"] = {**_mapping(own.get("connection")), **given(params["connection"])}
    without_secrets(body.get("repositories"), "settings.repositories")
    if params.get("repositories"):
        body["repositories"] = given(params["repositories"])
        own["repositories"] = list(params["repositories"])
        without_secrets(body["repositories"], "repositories")
    body["repositories"] = with_secrets(body.get("repositories") or {}, given(params.get("repository_secrets") or {}))
    sealing = params.get("encryption") or _mapping(params.get("settings")).get("encryption")
    if sealing:
        # a recipient that came out as null must not turn into a backup that is not sealed
        body["encryption"] = sealing
    if params.get("state_dir"):
        body["state_dir"] = params["state_dir"]
    audit = given({"identity": params.get("identity") or None, "verify_keys": params.get("verify_keys")})
    if audit:
        body["audit"] = {**_mapping(body.get("audit")), **audit}
    if params.get("bin_dir"):
        own["bin_dir"] = params["bin_dir"]
    if params.get("retention"):
        # a policy is one thing: a tier that stands in the settings only must not come back in
        own["retention"] = {**_mapping(own.get("retention")), "dump": given(params["retention"])}
    if params.get("objectives"):
        own["objectives"] = {**_mapping(own.get("objectives")), **given(params["objectives"])}
    wanted = given({key: params.get(key) for key in job_options})
    if wanted:
        jobs = _mapping(own.get("jobs"))
        own["jobs"] = {**jobs, job: {**_mapping(jobs.get(job)), **wanted}}
    return {**body, "clusters": {name: own}}


def given(value: Any) -> Any:
    """Return a value without the None that stands for an option nobody gave, at any depth of mappings."""
    if isinstance(value, Mapping):
        return {key: given(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [given(each) for each in value]
    return value


def _own_settings(body: Plain, name: str) -> Plain:
    clusters = body.get("clusters", {})
    if not isinstance(clusters, Mapping):
        raise ConfigError(f"settings.clusters is {clusters!r}, not a mapping", code="config.type",
                          hint="Write one key for each cluster, with its settings under it.")
    if clusters and name not in clusters:
        raise NotFound(f"cluster {name!r} is not in the settings", code="cluster.unknown",
                       hint=f"Known clusters: {', '.join(map(str, clusters))}.")
    own = clusters.get(name, {})
    if not isinstance(own, Mapping):
        raise ConfigError(f"clusters.{name} is {own!r}, not a mapping", code="config.type",
                          hint=f"Write the settings of {name} as keys and values.")
    if "password" in _mapping(own.get("connection")):
        raise ConfigError(f"clusters.{name}.connection in the option settings holds a password",
                          hint="Give the password as connection.password, which is kept out of every log, "
                               "or use a password_file.", code="config.password")
    return dict(own)


def _mapping(value: Any) -> Plain:
    return dict(value) if isinstance(value, Mapping) else {}


def _without_secrets(module: AnsibleModule) -> Plain:
    """Return the parameters, and take the password and the repositories' secrets out of what Ansible keeps.

    Ansible blots a secret out wherever it occurs in a result, so a password such as "app" would make a database
    called app unreadable. Results here are built from values that never hold a secret, and the texts of programs
    are masked where they are read, so that nothing is left for Ansible to blot out.
    """
    params = dict(module.params)
    password = (params.get("connection") or {}).get(SECRET)
    if password:
        module.no_log_values.discard(password)
        module.params["connection"] = {**params["connection"], SECRET: BLOTTED}
    secrets = params.get("repository_secrets")
    if secrets:
        for value in texts_of(secrets):
            module.no_log_values.discard(value)
        module.params["repository_secrets"] = BLOTTED
    return params


def texts_of(value: Any) -> list[str]:
    """Return every text in a value, at any depth, as Ansible collects what it is to blot out."""
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts_of(inner)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in texts_of(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
