# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of a connection, in libpq's own names, and the conninfo text that programs are given."""
from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from typing import Mapping

from ..errors import ConfigError
from ..model.meant import did_you_mean

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS and libpq-envars.html.
# Left out on purpose: client_encoding and replication, which are ours to choose, and the secrets that libpq
# takes neither from a file nor from the environment (sslpassword, scram_*_key, oauth_client_secret).
KEYWORDS: dict[str, str] = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "passfile": "PGPASSFILE", "dbname": "PGDATABASE", "service": "PGSERVICE", "options": "PGOPTIONS",
    "application_name": "PGAPPNAME", "connect_timeout": "PGCONNECT_TIMEOUT", "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "sslcertmode": "PGSSLCERTMODE", "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR", "sslsni": "PGSSLSNI", "requirepeer": "PGREQUIREPEER",
    "require_auth": "PGREQUIREAUTH", "channel_binding": "PGCHANNELBINDING",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION", "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "gsslib": "PGGSSLIB",
    "gssdelegation": "PGGSSDELEGATION", "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "keepalives": "", "keepalives_idle": "", "keepalives_interval": "", "keepalives_count": "",
    "tcp_user_timeout": "",
}
OWN = ("password_file",)
DEFAULTS = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10",
            "keepalives_count": "6"}
SOCKET_FOLDERS = ("/var/run/postgresql", "/run/postgresql", "/tmp")  # noqa: S108 - a socket's place, nothing is written


@dataclass(frozen=True)
class Connection:
    """How a server is reached. The password is apart, so that neither repr nor conninfo can show it."""

    params: Mapping[str, str]      # libpq keyword → value, never the password
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Connection:
        """Read settings such as {"host": "/run/postgresql", "user": "postgres", "password_file": "…"}.

        Without any setting the PG* variables of environ are the settings, as for psql; with at least one they
        are ignored, so that a stray PGHOST never redirects a backup. Raises ConfigError naming key and value.
        """
        environ = os.environ if environ is None else environ
        given = _checked(settings) if settings else {
            key: environ[name] for key, name in KEYWORDS.items() if name and environ.get(name)}
        password = _password(given)
        if "passfile" in given:
            _check_private(given["passfile"], "passfile")
        if not {"host", "hostaddr", "service"} & set(given):
            folder = _socket_folder(given.get("port", "5432"))
            given.update({"host": folder} if folder else {})
        return cls({**DEFAULTS, **given}, password)

    @property
    def maintenance_database(self) -> str:
        """Return the database that is asked for facts of the whole server."""
        return self.params.get("dbname", "postgres")

    def pinned(self, host: str, hostaddr: str, port: int) -> Connection:
        """Return the same settings for one server out of several hosts, a service or a name with many addresses.

        A snapshot is known only to the server that exported it.
        """
        params = {key: value for key, value in self.params.items() if key not in ("hostaddr", "load_balance_hosts")}
        params.update({"host": host, "port": str(port)})
        if hostaddr and not host.startswith("/"):
            params["hostaddr"] = hostaddr
        return replace(self, params=params)

    def conninfo(self, dbname: str) -> str:
        """Return the text for a program's --dbname, without the password.

        The name is quoted inside: given bare, a database called host=evil would be taken for settings
        (libpq-connect.html, "dbname").

        >>> Connection({"port": "5433"}).conninfo("host=evil")
        "port='5433' dbname='host=evil'"
        """
        params = {key: value for key, value in self.params.items() if key != "dbname"}
        return " ".join(f"{key}={_quoted(value)}" for key, value in {**params, "dbname": dbname}.items())

    def with_options(self, options: str) -> Connection:
        """Return the same settings with more of libpq's "options", which count for more than those before them.

        Without any, nothing changes: a connection pooler may refuse even empty ones.
        """
        if not options:
            return self
        given = self.params.get("options", "")
        return replace(self, params={**self.params, "options": f"{given} {options}".strip()})

    def environment(self, database: str) -> dict[str, str]:
        """Return the PG* variables with which a command reaches a database, the password among them."""
        found = {KEYWORDS[key]: value for key, value in self.params.items() if KEYWORDS.get(key)}
        password = {} if self.password is None else {"PGPASSWORD": self.password}
        return {**found, "PGDATABASE": database, **password}

    def mask(self, text: str) -> str:
        """Return text with everything that may be a password blotted out."""
        text = re.sub(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", r"\1***", text, flags=re.IGNORECASE)
        text = re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", text)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no message may show. A password that is also the user's name would make all unreadable."""
        known = not self.password or len(self.password) < 4 or self.password in self.params.values()
        return () if known or self.password is None else (self.password,)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _checked(settings: Mapping[str, object]) -> dict[str, str]:
    given: dict[str, str] = {}
    for key, value in settings.items():
        if key not in KEYWORDS and key not in OWN:
            raise ConfigError(f"connection setting {key!r} is not known",
                              hint=did_you_mean(str(key), [*KEYWORDS, *OWN], form="`{}`") or
                              "Use libpq's names, such as host, port, user, password_file, sslmode.",
                              code="connect.unknown_setting")
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise ConfigError(f"connection setting {key!r} is a {type(value).__name__}, not text or a number",
                              hint=f"Write {key} as text, for example `{key}: \"…\"`.", code="connect.bad_setting")
        given[key] = str(value)
        secret = key == "password"
        if "\0" in given[key]:
            raise ConfigError(f"connection setting {key!r} holds a NUL character", code="connect.bad_setting",
                              hint=f"Write {key} without control characters.")
        if not given[key] and not secret:
            del given[key]             # an empty value means libpq's default, as in a conninfo text
    _check_port(given.get("port", "5432"))
    return given


def _check_port(text: str) -> None:
    for part in text.split(","):       # one for each host
        if part and not (part.isascii() and part.isdigit() and 0 < int(part) < 65536):
            raise ConfigError(f"connection setting 'port' is {text!r}, not a number from 1 to 65535",
                              hint="Set port to the server's port, usually 5432.", code="connect.bad_setting")


def _password(given: dict[str, str]) -> str | None:
    password, path = given.pop("password", None), given.pop("password_file", None)
    if path is None:
        return password or None
    if password:
        raise ConfigError("connection has both password and password_file",
                          hint="Keep password_file and remove password.", code="connect.two_passwords")
    _check_private(path, "password_file")
    try:
        with open(path, encoding="utf-8") as file:
            content = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"password_file {path!r} cannot be read: {error}",
                          hint=f"Let the user who runs this read it: `chown $(id -un) {path}`.",
                          code="connect.password_file") from error
    if content.endswith("\n"):
        content = content[:-1]
    if not content or "\0" in content:
        raise ConfigError(f"password_file {path!r} holds no password", code="connect.password_file",
                          hint="Write the password, and nothing else, into it.")
    return content


def _check_private(path: str, key: str) -> None:
    """Raise ConfigError unless only its owner can read the file; libpq would silently ignore such a passfile."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        raise ConfigError(f"{key} {path!r} cannot be used: {error.strerror}",
                          hint=f"Create the file or correct {key}.", code=f"connect.{key}") from error
    if mode & 0o077:
        raise ConfigError(f"{key} {path!r} has mode {mode:04o}, others can read it",
                          hint=f"Run `chmod 600 {path}`.", code=f"connect.{key}_mode")


def _socket_folder(port: str) -> str:
    """Return the folder where a local server listens, or "": builds of libpq differ in the one they try."""
    for folder in SOCKET_FOLDERS:
        if os.path.exists(os.path.join(folder, f".s.PGSQL.{port}")):
            return folder
    return ""
