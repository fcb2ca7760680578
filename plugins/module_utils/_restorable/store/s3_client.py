# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make a client of an S3 endpoint from a repository's settings."""
from __future__ import annotations

import gc
import os
import stat
from contextlib import contextmanager
from typing import Any, Iterator

from ..errors import ConfigError
from ..model.s3_settings import S3Repository
from .s3_sign import sign_by_checksum

DEFAULT_REGION = "us-east-1"           # what endpoints of other makers expect where a region means nothing to them
KEPT = 8                               # clients, the last ones
CONNECT_TIMEOUT = 10.0                 # seconds; an address that does not answer by then is tried again


_known: list[tuple[S3Repository, Any]] = []


def client_of(settings: S3Repository) -> Any:
    """Return the client of these very settings; one is made for all their stores: it takes as long as 50 requests."""
    for each, client in _known:
        if each is settings:
            return client
    client = connect(settings)
    _known[:] = [*_known[1 - KEPT:], (settings, client)]
    return client


def connect(settings: S3Repository) -> Any:
    """Return a client of boto3's kind; nothing is sent yet. Retries are ours, so its own are off.

    Credentials come from the settings, the named profile or file, or the usual chain of variables, files and roles.
    """
    try:
        # what boto3 is made of: its own layer, of which nothing is used here, takes a third more time to load
        import botocore.exceptions
        import botocore.session
        from botocore.config import Config
    except ImportError as error:
        raise ConfigError(f"repository {settings.name} is of type s3, and the Python package boto3 is missing",
                          code="store.no_boto3",
                          hint="Run `python3 -m pip install boto3` for the Python that runs this, or on Debian "
                               "`apt-get install python3-boto3`.") from error
    options: dict[str, Any] = {
        "connect_timeout": min(CONNECT_TIMEOUT, settings.timeout), "read_timeout": settings.timeout,
        "retries": {"total_max_attempts": 1}, "max_pool_connections": settings.parallel + 2, "tcp_keepalive": True,
        "signature_version": "s3v4", "s3": {"addressing_style": settings.addressing}}
    # we send and compare checksums of our own; newer versions would add theirs to every request
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        if hasattr(Config, "OPTION_DEFAULTS") and name in Config.OPTION_DEFAULTS:
            options[name] = "when_required"
    try:
        session = botocore.session.Session(profile=settings.profile or None)
        if settings.credentials_file:
            _guard(settings)
            session.set_config_variable("credentials_file", settings.credentials_file)
        key, secret, token = settings.credentials or (None, None, None)
        region = settings.region or session.get_config_variable("region") or DEFAULT_REGION
        with _no_collection():
            client = session.create_client(
                "s3", region_name=region, endpoint_url=settings.endpoint_url or None, verify=settings.ca_file or None,
                aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token or None,
                config=Config(**options))
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ConfigError(f"repository {settings.name}: {error}", code="store.client",
                          hint="Mend the endpoint_url, the profile or the files that are named.") from error
    if "IfNoneMatch" not in client.meta.service_model.operation_model("PutObject").input_shape.members:
        # before 1.35.2 it cannot ask that nothing is overwritten, and so neither could we
        raise ConfigError(f"repository {settings.name}: botocore {botocore.__version__} is too old",
                          hint="Install 1.35.2 or newer with `python3 -m pip install --upgrade boto3`; Debian 12's "
                               "package is older.", code="store.old_boto3")
    sign_by_checksum(client)
    return client


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage while botocore reads its description of S3: none of those many objects is any."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _guard(settings: S3Repository) -> None:
    path = settings.credentials_file
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        raise ConfigError(f"repository {settings.name}: credentials_file {path} cannot be read: {error.strerror}",
                          hint="Name a file in the form of ~/.aws/credentials.",
                          code="store.credentials_file") from error
    if mode & 0o077:
        raise ConfigError(f"repository {settings.name}: credentials_file {path} has mode {mode:04o}",
                          hint=f"Run `chmod 0600 {path}`.", code="store.credentials_file")
