# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server is reached, in libpq's own names."""
from __future__ import annotations


class ModuleDocFragment:
    """The connection option, with every parameter of libpq that makes sense for a backup."""

    DOCUMENTATION = r"""
options:
  connection:
    description:
      - How the server is reached, in the names of libpq. Only what is given is used; without any of it the C(PG*)
        variables
        of the target are the settings, as for C(psql).
      - Put over the connection in O(settings).
    type: dict
    suboptions:
      host:
        description: Host name, address, or folder of the socket. Without any host a local socket is searched.
        type: str
      hostaddr:
        description: Numeric address of the host, instead of a look-up.
        type: str
      port:
        description: Port of the server; V(5432) if nothing is said.
        type: str
      user:
        description: Role to connect as. Dumps need a superuser, or a role that may read everything.
        type: str
      password:
        description: Password of the role. Prefer O(connection.password_file), which never leaves the target.
        type: str
      password_file:
        description: File on the target that holds the password and nothing else, with mode 0600.
        type: str
      passfile:
        description: Password file in the format of libpq, with mode 0600.
        type: str
      dbname:
        description: Database that is asked for facts of the whole server; V(postgres) if nothing is said.
        type: str
      service:
        description: Name of a service in pg_service.conf.
        type: str
      options:
        description: Command-line options for the server's session.
        type: str
      application_name:
        description: Name that is shown in pg_stat_activity; V(restorable) if nothing is said.
        type: str
      connect_timeout:
        description: Seconds to wait for a connection; V(10) if nothing is said.
        type: str
      sslmode:
        description: How strictly TLS is asked for, such as V(verify-full).
        type: str
      sslnegotiation:
        description: How TLS is negotiated.
        type: str
      sslcert:
        description: File of the client's certificate.
        type: str
      sslkey:
        description: File of the client's private key.
        type: str
      sslcertmode:
        description: Whether the client's certificate is sent.
        type: str
      sslrootcert:
        description: File of the certificate authorities that are trusted.
        type: str
      sslcrl:
        description: File of the revoked certificates.
        type: str
      sslcrldir:
        description: Folder of the revoked certificates.
        type: str
      sslsni:
        description: Whether the server's name is sent, V(1) or V(0).
        type: str
      requirepeer:
        description: Operating system user that must own the server at the other end of the socket.
        type: str
      require_auth:
        description: Methods of authentication that are accepted.
        type: str
      channel_binding:
        description: Whether channel binding is required.
        type: str
      ssl_min_protocol_version:
        description: Oldest TLS version that is accepted.
        type: str
      ssl_max_protocol_version:
        description: Newest TLS version that is accepted.
        type: str
      gssencmode:
        description: How strictly GSSAPI encryption is asked for.
        type: str
      krbsrvname:
        description: Kerberos service name.
        type: str
      gsslib:
        description: GSSAPI library.
        type: str
      gssdelegation:
        description: Whether GSSAPI credentials are delegated.
        type: str
      target_session_attrs:
        description: Which of several hosts is accepted, such as V(primary) or V(standby).
        type: str
      load_balance_hosts:
        description: In which order several hosts are tried.
        type: str
      keepalives:
        description: Whether TCP keepalives are sent, V(1) or V(0).
        type: str
      keepalives_idle:
        description: Seconds of silence before a keepalive; V(30) if nothing is said.
        type: str
      keepalives_interval:
        description: Seconds between keepalives; V(10) if nothing is said.
        type: str
      keepalives_count:
        description: Lost keepalives until the connection counts as dead; V(6) if nothing is said.
        type: str
      tcp_user_timeout:
        description: Milliseconds that sent data may stay unacknowledged.
        type: str
"""
