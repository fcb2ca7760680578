# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sealed backup is restored without us: age -d | zstd -d | pg_restore, on the stored object and the real tools."""
from __future__ import annotations

import subprocess

from kit import shop as shop_kit
from kit.agecommand import age_command, run
from kit.chain import Chain
from kit.servers import start_server


def joined(*commands, stdin=None, env=None):
    """Run commands, each reading what the one before writes; every status must be 0."""
    children, source = [], stdin or subprocess.DEVNULL
    for words in commands:
        child = subprocess.Popen([str(word) for word in words], stdin=source, stdout=subprocess.PIPE, env=env)
        if source not in (stdin, subprocess.DEVNULL):
            source.close()
        children.append(child)
        source = child.stdout
    out = source.read()
    assert [child.wait(60) for child in children] == [0] * len(children)
    source.close()
    return out


def test_age_zstd_and_pg_restore_bring_a_sealed_backup_back_without_us(servers, folder, request):
    age, source = age_command(request), servers.of(15)
    shop_kit.build(source, "sealed_shop")
    run("age-keygen", "-o", folder / "key.txt")
    public = run("age-keygen", "-y", folder / "key.txt").decode().strip()
    chain = Chain(source, folder, databases=["sealed_shop"])
    chain.body["encryption"] = {"recipients": [public]}
    manifest = chain.taken()
    before = shop_kit.described(source, "sealed_shop")
    source.sql("DROP DATABASE sealed_shop")
    stored = {path.name: path for path in chain.objects(manifest.id)}
    [dump] = [line for line in manifest.restore if "pg_restore" in line]
    opening, unpacking, restoring = (part.split() for part in dump.split(" | "))
    assert (opening[0], unpacking) == ("age", ["zstd", "-d"])
    assert opening[1:] == ["-d", "-i", "key.txt", "sealed_shop.dump.zst.age"]
    with start_server(15) as target:
        environment = {"PATH": f"{target.bin_dir}:/usr/bin:/bin", "PGHOST": str(target.folder), "PGUSER": "postgres"}
        joined([age, "-d", "-i", folder / "key.txt", stored["globals.sql.zst.age"]], unpacking,
               ["psql", "-X", "-q", "-d", "postgres"], env=environment)
        joined([age, *opening[1:3], folder / "key.txt", stored[opening[4]]], unpacking, restoring, env=environment)
        assert shop_kit.described(target, "sealed_shop") == before
