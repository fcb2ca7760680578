# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing alone, against a bare loop of the same cipher and against the age command."""
from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from typing import Callable, Iterable, Iterator

from _restorable.model.agekeys import X25519, Identity, parse_recipient, public_text, secret_text
from _restorable.stream.age import CHUNK, seal, unseal
from _restorable.stream.agewrap import cipher, public_raw

from .measure import in_turn, ratio
from .table import Row

SIZE = 384 * 2**20                 # bytes; fits the page cache
PIECE = 1 << 20                    # bytes; what compressors and stores hand on


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the rows of sealing and opening; without the age command its rows are left out, and that is said."""
    identity = Identity(X25519, os.urandom(32))
    public = public_text(public_raw(identity))
    recipient = parse_recipient(public, "bench")
    piece = os.urandom(PIECE)
    with tempfile.TemporaryDirectory(prefix="rs-bench-") as folder:
        path = pathlib.Path(folder) / "plain"
        path.write_bytes(piece * (SIZE // PIECE))
        sealed = pathlib.Path(folder) / "sealed"
        with sealed.open("wb") as file:
            file.writelines(seal([recipient])(read(path)))
        contestants = {
            "bare loop": lambda: timed(bare, piece),
            "sealing": lambda: timed(drain, seal([recipient])(piece for _number in range(SIZE // PIECE))),
            "sealing a file": lambda: timed(drain, seal([recipient])(read(path))),
            "opening a file": lambda: timed(drain, unseal([identity])(read(sealed)))}
        age = shutil.which("age")
        if age:
            key = pathlib.Path(folder) / "key"
            key.write_text(identity_text(identity))
            contestants["age"] = lambda: timed(command, [age, "-r", public, str(path)])
            contestants["age -d"] = lambda: timed(command, [age, "-d", "-i", str(key), str(sealed)])
        else:
            say("sealing: the age command is not installed, so it is not compared with")
        runs = in_turn(max(rounds, 5), contestants, lambda _text: None)
    rows = [_row("bare ChaCha20-Poly1305, 64 KiB : sealing", runs["bare loop"], runs["sealing"], 0.8)]
    if age:
        rows += [_row("age : sealing a file", runs["age"], runs["sealing a file"], 1.0),
                 _row("age -d : opening a file", runs["age -d"], runs["opening a file"], 1.0)]
    return rows


def _row(what, other, ours, goal):
    rate = SIZE / 1e9
    return Row(what, ratio(other, ours), goal, at_most=False,
               detail=f"{rate / other.median:.2f} / {rate / ours.median:.2f} GB/s")


def timed(work: Callable, *arguments) -> tuple[float, int, int]:
    """Return (seconds, 0, bytes) of a call."""
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began, 0, SIZE


def bare(piece: bytes) -> None:
    """Encrypt as many chunks of 64 KiB as there are, and nothing else."""
    encrypt, data = cipher(os.urandom(32)).encrypt, piece[:CHUNK]
    for count in range(SIZE // CHUNK):
        encrypt(count.to_bytes(11, "big") + b"\0", data, None)


def drain(chunks: Iterable[bytes]) -> None:
    """Take everything."""
    for _chunk in chunks:
        pass


def read(path: pathlib.Path) -> Iterator[bytes]:
    """Yield a file in pieces."""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


def command(argv: list[str]) -> None:
    """Run a command whose output nobody takes."""
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)


def identity_text(identity: Identity) -> str:
    """Return an identity as its file holds it."""
    return secret_text(identity.raw) + "\n"
