# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bind a cluster's WAL in a repository to one server: the first one, whoever comes at the same moment."""
from __future__ import annotations

import json
from typing import Iterable

from ..errors import Refused
from ..model.naming import cluster_key
from ..model.wal_naming import binding_key, binding_prefix, parse_binding_key
from ..ports import Store
from .preflight import bound_identifier


def bind_server(store: Store, cluster: str, system_identifier: str) -> None:
    """Bind a cluster to a server if it is not bound; raise Refused if it is bound to another one."""
    key = cluster_key(cluster)
    if not any(entry.key == key for entry in store.list(key)):
        put_once(store, key, [json.dumps({"format": 1, "system_identifier": system_identifier}).encode()])
    bound = bound_identifier(store, key)       # whoever was first
    if bound and bound != system_identifier:
        raise other_server(f"repository {store.name}", bound, system_identifier)


def bind_wal(store: Store, cluster: str, system_identifier: str, segment_size: int) -> None:
    """Bind a cluster's WAL in a repository to one server at its first segment; refuse another server later."""
    bind_server(store, cluster, system_identifier)
    sizes = _sizes(store, cluster)
    if not sizes:
        body = {"format": 1, "system_identifier": system_identifier, "segment_size": segment_size}
        put_once(store, binding_key(cluster, segment_size), [json.dumps(body).encode()])
        sizes = [segment_size]
    if any(size != segment_size for size in sizes):
        raise Refused(f"repository {store.name} holds segments of {sizes[0]} bytes, this server's have {segment_size}",
                      hint="Give the server a new cluster name after `pg_resetwal --wal-segsize`, and take a base "
                           "backup at once.", code="wal.segment_size")


def put_once(store: Store, key: str, body: Iterable[bytes]) -> None:
    """Store an object that another one may have stored in the same moment."""
    try:
        store.put(key, body)
    except Refused as error:
        if error.code != "store.exists":
            raise


def other_server(whose: str, bound: str, found: str) -> Refused:
    """Return the refusal of another server's WAL."""
    return Refused(f"{whose} is bound to the system identifier {bound}, this WAL is of {found}",
                   hint="Give each server a cluster name of its own; `pg_controldata` shows a server's identifier.",
                   code="wal.other_server")


def _sizes(store: Store, cluster: str) -> list[int]:
    return [size for entry in store.list(binding_prefix(cluster)) for size in [parse_binding_key(entry.key)] if size]
