#!/bin/sh
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Make the cluster on the first start, then become the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username="${POSTGRES_USER:-postgres}" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    if [ -n "${POSTGRES_DB:-}" ]; then
        # in a folder that nobody else looks into: whoever finds a server is to find the one that stays
        private=$(mktemp -d)
        pg_ctl -w -o "-c listen_addresses= -c unix_socket_directories=$private" start >/dev/null
        createdb --host="$private" --username="${POSTGRES_USER:-postgres}" "$POSTGRES_DB"
        pg_ctl -w -m fast stop >/dev/null
        rmdir "$private"
    fi
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
