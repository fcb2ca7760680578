# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of a bucket that holds backups. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ..errors import ConfigError
from .object_lock import ObjectLock
from .policy import Policy
from .reading import Reader, absolute

CREDENTIALS = ("access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True)
class S3Repository:
    """A bucket, or what lies below a prefix of it."""

    name: str
    bucket: str
    prefix: str = ""               # "" or closed by "/"
    region: str = ""
    endpoint_url: str = ""
    ca_file: str = ""
    addressing: str = "auto"       # auto, path, virtual
    profile: str = ""
    credentials_file: str = ""     # in the form of ~/.aws/credentials
    credentials: tuple[str, str, str] | None = None    # key id, secret, session token; not shown
    sse: str = ""                  # "", AES256, aws:kms
    kms_key_id: str = ""
    storage_class: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    object_lock: ObjectLock | None = None
    checksum: str = "sha256"       # sha256, crc32, md5: what the endpoint is asked to check
    part_size: int = 8             # MiB; grows with the number of parts
    parallel: int = 4              # parts under way at once
    timeout: float = 60.0          # seconds to connect, and between two bytes
    retries: int = 5               # of a call whose bytes can be sent again
    retention: Mapping[str, Policy] = field(default_factory=dict)      # by family, in the place of the cluster's

    def __repr__(self) -> str:
        return f"S3Repository({self.name!r}, {self.place!r})"      # a repr may reach a log

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return f"s3://{self.bucket}/{self.prefix}"


def s3_repository(name: str, reader: Reader) -> S3Repository:
    """Read a repository of type s3."""
    bucket, prefix = reader.text("bucket"), reader.text("prefix").strip("/")
    if not bucket or "/" in bucket:
        raise reader.wrong("bucket", bucket, "the name of a bucket")
    endpoint = reader.text("endpoint_url")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise reader.wrong("endpoint_url", endpoint, "a URL that begins with https:// or http://")
    sse, key = reader.choice("sse", "", ("", "AES256", "aws:kms")), reader.text("kms_key_id")
    if key and sse != "aws:kms":
        raise reader.wrong("sse", sse, "aws:kms where kms_key_id is given")
    return S3Repository(
        name, bucket, f"{prefix}/" if prefix else "", reader.text("region"), endpoint, absolute(reader, "ca_file"),
        reader.choice("addressing", "auto", ("auto", "path", "virtual")), reader.text("profile"),
        absolute(reader, "credentials_file"), _credentials(reader), sse, key, reader.text("storage_class"),
        _tags(reader), ObjectLock.of(reader.raw("object_lock"), f"{reader.where}.object_lock"),
        reader.choice("checksum", "sha256", ("sha256", "crc32", "md5")),
        reader.number("part_size", 8, least=5, most=4096), reader.number("parallel", 4, least=1, most=64),
        reader.duration("timeout", 60), reader.number("retries", 5, least=0, most=100))


def _credentials(reader: Reader) -> tuple[str, str, str] | None:
    key, secret, token = (_secret(reader, name) for name in CREDENTIALS)
    if bool(key) != bool(secret) or (token and not key):
        raise ConfigError(f"{reader.where} has a part of its credentials only", code="config.value",
                          hint="Give access_key_id and secret_access_key together, or neither.")
    return (key, secret, token) if key else None


def _secret(reader: Reader, name: str) -> str:
    value = reader.raw(name, "")
    if not isinstance(value, str):
        # the value is left out of the error
        raise ConfigError(f"{reader.where}.{name} is not a text", hint="Write it in quotes.", code="config.value")
    return value


def _tags(reader: Reader) -> tuple[tuple[str, str], ...]:
    tags = reader.raw("tags", {})
    if not isinstance(tags, Mapping) or len(tags) > 10:
        raise reader.wrong("tags", tags, "at most ten keys with texts")
    return tuple(sorted((str(key), str(value)) for key, value in tags.items()))
