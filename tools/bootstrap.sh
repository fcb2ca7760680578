#!/bin/sh
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Create the virtual environment with the pinned requirements of one purpose: tools/bootstrap.sh demo|dev [folder]
# Set PYTHON to choose the interpreter. Needs no root.
set -eu

purpose=$1
cd "$(dirname "$0")/.."
folder=$(pwd -P)/${2:-.venv}

too_old=''
incomplete=''
chosen=''
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    # an interpreter counts only if it runs: version managers put names on the path that stand for nothing
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        too_old="$too_old $candidate ($version)"
    elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        incomplete="$incomplete $candidate ($version)"
    else
        chosen=$candidate
        break
    fi
done

if [ -z "$chosen" ] && [ -n "$incomplete" ]; then
    echo "error: a virtual environment cannot be created with$incomplete: the module ensurepip is missing" >&2
    echo "hint: On Debian and Ubuntu run \`apt-get install python3-venv\`, then repeat the command." >&2
    exit 1
fi
if [ -z "$chosen" ]; then
    echo "error: no Python 3.11 or newer was found${too_old:+, only$too_old}" >&2
    echo "hint: Install Python 3.11 or newer, or name one: \`make PYTHON=/path/to/python3.12 …\`." >&2
    exit 1
fi

# an environment that was moved or half made cannot be mended, only made again
if [ "$(cat "$folder/.made-for" 2>/dev/null)" != "$folder" ] || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "creating $folder with $chosen ($version)"
    rm -rf "$folder"
    "$chosen" -m venv "$folder"
    echo "$folder" >"$folder/.made-for"
fi

echo "installing requirements/$purpose.txt into $folder"
"$folder/bin/python" -m pip install --disable-pip-version-check --quiet --quiet --requirement "requirements/$purpose.txt"
