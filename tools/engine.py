# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command with a Docker engine, its compose plugin and the images that the command needs.

    engine.py with IMAGE,IMAGE -- COMMAND …   start an engine if none answers, build what is missing, run, stop it again
    engine.py images IMAGE,IMAGE              build only, with the engine that answers

An image NAME is `restorable-test/NAME:bookworm`, made from tools/images/NAME/Dockerfile; `debian` is the base, made
by debootstrap. Each carries the digest of its recipe, so that it is made again only when the recipe changed. An engine
that is started here keeps its layers in .work/engine and dies with this program.
"""
from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".work"
IMAGES = ROOT / "tools" / "images"
SUITE, LABEL = "bookworm", "restorable.recipe"
BASE = f"debootstrap --variant=minbase {SUITE}\n"
# Debian 12 has no compose v2; trixie's package holds the static plugin, and its digest is what makes http good enough
PLUGIN = ("pool/main/d/docker-compose/docker-compose_2.26.1-4_amd64.deb",
          "47681197cb2b1ab88206b42a1a92fc75f50d9530a6322d03494a473eed0408ea")
READY = 60           # seconds in which an engine must answer


class Lacking(Exception):
    """What this machine has not, in words."""


def main(argv: Sequence[str]) -> int:
    """Do what argv says; return the exit status of the command."""
    try:
        if len(argv) > 3 and argv[0] == "with" and argv[2] == "--":
            with running() as environment:
                for name in filter(None, argv[1].split(",")):
                    build(name, environment)
                return subprocess.run(argv[3:], env=environment, check=False).returncode
        if len(argv) == 2 and argv[0] == "images":
            for name in argv[1].split(","):
                build(name, surroundings(None))
            return 0
    except Lacking as error:
        print(f"error: {error}\nhint: Run .ci/run as root, or start a Docker engine.", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


def lacking() -> str:
    """Return why no engine and no image can be had here, or "" if they can."""
    missing = [program for program in ("docker", "debootstrap", "dpkg-deb") if not shutil.which(program)]
    if missing:
        return f"no {', no '.join(missing)} on the PATH"
    if os.geteuid() != 0:
        return "debootstrap makes the images' base and must run as root"
    if answers(surroundings(None)) or shutil.which("dockerd"):
        return ""
    return "no Docker engine answers, and there is no dockerd to start"


def surroundings(socket: str | None) -> dict[str, str]:
    """Return the environment in which docker finds the engine and the compose plugin, and this project's images."""
    engine = {"DOCKER_HOST": f"unix://{socket}"} if socket else {}
    # the builder of 20.10 needs no plugin
    return {**os.environ, **engine, "DOCKER_CONFIG": str(WORK / "docker"), "DOCKER_BUILDKIT": "0"}


def answers(environment: dict[str, str]) -> bool:
    """Say whether an engine answers."""
    return subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Yield the environment of an engine that answers: the machine's own, or one that ends with the context."""
    if reason := lacking():
        raise Lacking(reason)
    provide_plugin()
    if answers(surroundings(None)):
        yield surroundings(None)
        return
    folder = Path(tempfile.mkdtemp(prefix="rs-engine-", dir="/tmp"))     # a socket's path must be short
    environment = surroundings(f"{folder}/socket")
    argv = ["dockerd", "--host", environment["DOCKER_HOST"], "--data-root", str(WORK / "engine"),
            "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    with open(WORK / "engine.log", "wb") as log:
        engine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                  preexec_fn=_end_with_us)  # noqa: PLW1509 - no thread runs yet
    try:
        until = time.monotonic() + READY
        while not answers(environment):
            if engine.poll() is not None or time.monotonic() > until:
                raise Lacking(f"dockerd does not start:\n{(WORK / 'engine.log').read_text()[-2000:]}")
            time.sleep(0.5)
        yield environment
    finally:
        engine.terminate()
        try:
            engine.wait(60)
        except subprocess.TimeoutExpired:
            engine.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_us() -> None:
    """Ask the kernel to stop the engine when this program is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))


def mirror() -> str:
    """Return the address, with a slash at its end, of the archive that this machine's apt takes Debian from."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)"], text=True,
                          capture_output=True, check=False)
    for line in told.stdout.splitlines():
        if line.split()[1:] == [SUITE, "main"]:
            return line.split()[0]
    raise Lacking(f"apt knows no archive with {SUITE} main; run `apt-get update` on a machine with Debian 12")


def provide_plugin() -> None:
    """Put the compose plugin where DOCKER_CONFIG points, once."""
    plugin = WORK / "docker" / "cli-plugins" / "docker-compose"
    if plugin.exists():
        return
    plugin.parent.mkdir(parents=True, exist_ok=True)
    address, digest = mirror() + PLUGIN[0], PLUGIN[1]
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        package = Path(folder) / "compose.deb"
        with urllib.request.urlopen(address, timeout=120) as answer:        # noqa: S310 - apt's own archive, and a digest
            package.write_bytes(answer.read())
        if hashlib.sha256(package.read_bytes()).hexdigest() != digest:
            raise Lacking(f"{address} is not the package with the digest {digest}")
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        found = Path(folder) / "usr/libexec/docker/cli-plugins/docker-compose"
        found.chmod(0o755)
        found.replace(plugin)


def image(name: str) -> str:
    """Return an image's full name."""
    return f"restorable-test/{name}:{SUITE}"


def recipe(name: str) -> str:
    """Return the digest of all that an image is made from."""
    if name == "debian":
        return hashlib.sha256(BASE.encode()).hexdigest()
    files = sorted(path for path in (IMAGES / name).rglob("*") if path.is_file())
    if not files:
        raise Lacking(f"there is no image {name} in {IMAGES}")
    body = b"\0".join([*(recipe(each).encode() for each in parents(name)), *(path.read_bytes() for path in files)])
    return hashlib.sha256(body).hexdigest()


def parents(name: str) -> list[str]:
    """Return the images of ours that an image begins with."""
    lines = (IMAGES / name / "Dockerfile").read_text().splitlines()
    begins = [line.split()[1] for line in lines if line.startswith("FROM ")]
    return [each.partition("/")[2].partition(":")[0] for each in begins if each.startswith("restorable-test/")]


def build(name: str, environment: dict[str, str]) -> None:
    """Make an image and those it begins with, unless they are there from the same recipe."""
    asked = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image(name)]
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    if found.stdout.strip() == recipe(name):
        return
    begun = time.monotonic()
    if name == "debian":
        bootstrap(environment)
    else:
        for each in parents(name):
            build(each, environment)
        subprocess.run(["docker", "build", "--quiet", "--label", f"{LABEL}={recipe(name)}", "--tag", image(name),
                        str(IMAGES / name)], env=environment, check=True)
    print(f"image {image(name)} made in {time.monotonic() - begun:.0f} s", flush=True)


def bootstrap(environment: dict[str, str]) -> None:
    """Make the base image from Debian's packages: no registry of images is asked."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        os.chmod(folder, 0o755)                        # it becomes the image's /
        with open(WORK / "debootstrap.log", "wb") as log:
            made = subprocess.run(["debootstrap", "--variant=minbase", SUITE, folder, mirror()], stdout=log, stderr=log,
                                  check=False)
        if made.returncode:
            raise Lacking(f"debootstrap fails:\n{(WORK / 'debootstrap.log').read_text()[-2000:]}")
        with subprocess.Popen(["tar", "-C", folder, "-c", "--exclude=./var/cache/apt/archives/*.deb", "."],
                              stdout=subprocess.PIPE) as tar:
            subprocess.run(["docker", "import", "--change", f"LABEL {LABEL}={recipe('debian')}", "-", image("debian")],
                           stdin=tar.stdout, env=environment, check=True, stdout=subprocess.DEVNULL)
        if tar.returncode:
            raise Lacking(f"tar ends with status {tar.returncode}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # as an exception, so that the engine is stopped
    sys.exit(main(sys.argv[1:]))
