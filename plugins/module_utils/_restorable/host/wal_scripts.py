# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The two POSIX sh scripts that PostgreSQL runs for each file: no Python, no program at all when all goes well.

archive.sh SPOOL WAIT PATH NAME [COMMAND…]     archive_command; exit status 0 or 1 to 125
    Waits until the shipper has acknowledged the file. With a COMMAND, a file is pushed by it when no shipper runs, and
    when one that seems to run said nothing of it: its process id may be somebody else's by now.
restore.sh SPOOL PATH NAME COMMAND…            restore_command; exit status 0, 1 (proven to be absent), 143 or 255
    Takes what was fetched ahead, else asks COMMAND, whose status 99 alone is the proof of absence: an interpreter that
    cannot start exits with 1 too. What seems to be coming is waited for half a minute and no longer.

`-nt` is POSIX since 2024, and was in every sh before.
"""
from __future__ import annotations

import os
from contextlib import suppress

from .files import write_atomically

ABSENT = 99                        # what the command of restore.sh exits with for proven absence

ARCHIVE = """\
#!/bin/sh
# Written by restorable; changes are lost. archive.sh SPOOL WAIT PATH NAME [COMMAND...]
spool=$1 wait=$2 path=$3 name=$4
shift 4
ok=$spool/$name.ok error=$spool/$name.error tries=0
while [ ! "$ok" -nt "$path" ]; do
    if [ "$error" -nt "$path" ]; then
        read -r status words <"$error" || :
        case $status in
            4 | 7)
                echo "restorable: $words" >&2
                exit "$status"
                ;;
        esac
    fi
    if [ $# -gt 0 ]; then
        pid=
        [ ! -r "$spool/shipper.pid" ] || read -r pid <"$spool/shipper.pid" || :
        if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then
            "$@" "$path"
            status=$?
            [ "$status" -le 125 ] || status=125
            exit "$status"
        fi
    fi
    if [ "$tries" -ge "$((wait * 20))" ]; then
        if [ $# -gt 0 ] && [ ! "$error" -nt "$path" ]; then
            "$@" "$path"
            status=$?
            [ "$status" -le 125 ] || status=125
            exit "$status"
        fi
        words="no answer within $wait s: is \\`restorable wal-ship\\` running?"
        [ ! -r "$error" ] || read -r status words <"$error" || :
        echo "restorable: $name is not archived yet: $words" >&2
        exit 3
    fi
    sleep 0.05 2>/dev/null || { sleep 1 && tries=$((tries + 19)); } || exit 1
    tries=$((tries + 1))
done
exit 0
"""

RESTORE = """\
#!/bin/sh
# Written by restorable; changes are lost. restore.sh SPOOL PATH NAME COMMAND...
spool=$1 path=$2 name=$3
shift 3
ahead=$spool/get tries=0
pid=
[ ! -r "$ahead/pid" ] || read -r pid <"$ahead/pid" || :
if [ -n "$pid" ]; then
    while kill -0 "$pid" 2>/dev/null; do
        if [ -f "$ahead/$name" ]; then
            mv -f "$ahead/$name" "$path.new" && mv -f "$path.new" "$path" && exit 0
            [ ! -f "$ahead/$name" ] || exit 255
        fi
        [ -e "$ahead/$name.coming" ] || break
        [ "$tries" -lt 3000 ] || break
        sleep 0.01 2>/dev/null || { sleep 1 && tries=$((tries + 99)); } || exit 255
        tries=$((tries + 1))
    done
fi
"$@" --absent 99 "$name" "$path"
case $? in
    0) [ -s "$path" ] && exit 0 ;;
    99) exit 1 ;;
    143) exit 143 ;;
esac
exit 255
"""


def write_scripts(folder: str, account: tuple[int, int] | None = None, *, dry_run: bool = False) -> bool:
    """Write both scripts into the spool, for an account where we are root; say whether they were others before."""
    changed = False
    for name, text in (("archive.sh", ARCHIVE), ("restore.sh", RESTORE)):
        path = os.path.join(folder, name)
        if _content(path) == text:
            continue
        changed = True
        if not dry_run:
            write_atomically(path, text.encode(), mode=0o700)
            if account is not None and os.geteuid() == 0:
                os.chown(path, *account)
    return changed


def _content(path: str) -> str:
    with suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as file:
        return file.read()
    return ""
