# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the whole chain on an embedded PostgreSQL: back up, prune a year, drill, and bring lost data back, twice.

    demo.py run      build everything under .demo and tell the story
    demo.py clean    stop the server and remove .demo
"""
from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from place import Place, find_place  # noqa: E402 - the folder of this script is not a package
from server import DemoServer  # noqa: E402


def main(argv: list[str]) -> int:
    """Run or clean the demo."""
    place = find_place(HERE.parent.parent, os.geteuid())
    if argv not in (["run"], ["clean"]):
        sys.stderr.write(__doc__ or "")
        return 2
    # a second run begins anew
    DemoServer(place).stop()
    with the_only_demo() as turn:
        DemoServer(place).stop_scratch_servers()
        place.remove()
        if argv == ["clean"]:
            say("The demo's server is stopped and its files are gone.")
            return 0
        return run(place, turn)


def run(place: Place, turn: int) -> int:
    """Tell the story in a new place; turn is the lock that every child holds too."""
    place.create()
    try:
        return Story(place, turn).tell()
    except subprocess.CalledProcessError as error:
        say(f"\nThe demo stopped: {shlex.join(map(str, error.cmd))} exited {error.returncode}.")
        say(f"Its files are in {place.folder}; `make demo-clean` removes them.")
        return 1
    finally:
        DemoServer(place).stop()


class Story:
    """The demo, step by step."""

    def __init__(self, place: Place, turn: int) -> None:
        self.place = place
        self.turn = turn
        self.server = DemoServer(place)

    def tell(self) -> int:
        """Tell it all; return 0 if the drill passed and the table came back."""
        self.start()
        self.back_up()
        self.prune_a_year()
        self.drill()
        back = self.lose_a_table_and_restore_it()
        back = self.delete_a_table_and_go_back_in_time() and back
        self.close(back)
        return 0 if back else 1

    def start(self) -> None:
        head("1. A server with a small shop")
        self.server.start()
        self.server.seed(HERE / "shop.sql")
        rows = self.server.ask("SELECT count(*) FROM shop.orders")
        say(f"PostgreSQL {self.server.version()} listens on a socket in {self.place.socket_dir}; "
            f"the database shop holds {rows} orders.")
        self.place.write_inventory(self.server.bin_dir)

    def back_up(self) -> None:
        head("2. ansible-playbook restorable.postgres.backup")
        self.playbook("backup")
        self.restorable("list")

    def prune_a_year(self) -> None:
        head("3. A year of nightly files from an old script, adopted and pruned")
        count = self.server.old_dumps(self.place.old_files)
        say(f"{count} files such as {sorted(self.place.old_files.iterdir())[-1].name} lie in {self.place.old_files}.")
        self.restorable("adopt", str(self.place.old_files), "--pattern", "shop-db-YYYYMMDD-HHMMSS.sql.gz",
                        "--database", "shop", quiet=True)
        say("\nThe plan, with the reason for everything that is kept:\n")
        self.restorable("prune", "--dry-run", "--confirm", kept_only=True)
        say("\nand the same by the playbook. It would delete more than half, so it has to be confirmed:\n")
        self.playbook("prune", "-e", "restorable_confirm=true")

    def drill(self) -> None:
        head("4. ansible-playbook restorable.postgres.drill: is the backup worth anything?")
        self.playbook("drill")
        self.playbook("status")

    def lose_a_table_and_restore_it(self) -> bool:
        head("5. A table is lost")
        before = self.server.ask("SELECT count(*), sum(hashtext(o::text)) FROM shop.orders o")
        self.server.execute("DROP TABLE shop.orders CASCADE")
        say("DROP TABLE shop.orders CASCADE")
        self.playbook("restore", "-e", '{"restorable_cluster": "shop", "restorable_databases": ["shop"], '
                                       '"restorable_tables": ["shop.orders"]}')
        after = self.server.ask("SELECT count(*), sum(hashtext(o::text)) FROM shop.orders o")
        say(f"rows and digest before: {before}\nrows and digest after:  {after}")
        return before == after

    def delete_a_table_and_go_back_in_time(self) -> bool:
        head("6. The finale: the second before the mistake")
        data = self.place.recovered
        with self.shipper():
            self.restorable("backup", "--kind", "base")
            time.sleep(2)
            before = self.server.ask("SELECT count(*), sum(hashtext(o::text)) FROM shop.orders o")
            moment = self.server.ask("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"')")
            time.sleep(2)
            self.server.execute("DROP TABLE shop.orders CASCADE")
            say(f"DROP TABLE shop.orders CASCADE. A second before, at {moment}, all {before[0]} orders were there.")
            last = self.server.ask("SELECT pg_walfile_name(pg_switch_wal())", "postgres")
            while self.server.ask("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver", "postgres") < last:
                time.sleep(0.2)
        self.restorable("list")
        self.restorable("recover", str(data), "--time", moment)
        self.server.start_recovered(data)
        try:
            after = self.server.ask("SELECT count(*), sum(hashtext(o::text)) FROM shop.orders o", recovered=True)
        finally:
            self.server.stop_recovered(data)
        say(f"rows and digest before:          {before}\nrows and digest in the recovered: {after}")
        return before == after

    @contextlib.contextmanager
    def shipper(self) -> Iterator[None]:
        """Run the shipper that brings WAL into the repository."""
        argv = [str(HERE.parent / "restorable"), "--config", str(self.place.config), "wal-ship"]
        say("$ restorable wal-ship &")
        with open(self.place.folder / "ship.log", "ab") as log:
            process = subprocess.Popen(argv, env=self.place.environment(), cwd=self.place.folder,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[self.turn])
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def close(self, back: bool) -> None:
        verdict = "passed" if back else "FAILED"
        head(f"Verdict: {verdict}")
        if back:
            say("The backup was restored into a server of its own and equals what was dumped. A lost table is back,\n"
                "and the whole server as it was a second before a mistake.")
        say(f"""
repository   {self.place.repository}
evidence     {self.place.repository}/shop/drill/
inventory    {self.place.folder}/inventory.yml
settings     {self.place.config}
old files    {self.place.old_files}

Look around:  tools/restorable --config {self.place.config} list
Clean up:     make demo-clean""")

    def playbook(self, name: str, *arguments: str) -> None:
        """Run one of the collection's playbooks and show what it prints."""
        argv = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), f"restorable.postgres.{name}",
                "-i", str(self.place.folder / "inventory.yml"), *arguments]
        say(f"$ ansible-playbook restorable.postgres.{name} -i inventory.yml {shlex.join(arguments)}".rstrip())
        subprocess.run(argv, check=True, env=self.place.environment(), cwd=self.place.folder, pass_fds=[self.turn])

    def restorable(self, *arguments: str, quiet: bool = False, kept_only: bool = False) -> None:
        """Run the host command; kept_only shows the rows of a plan that are kept and counts the others."""
        argv = [str(HERE.parent / "restorable"), "--config", str(self.place.config), *arguments]
        say(f"$ restorable {shlex.join(arguments)}")
        done = subprocess.run(argv, check=False, env=self.place.environment(), cwd=self.place.folder,
                              stdout=subprocess.PIPE, text=True, pass_fds=[self.turn])
        if done.returncode:
            say(done.stdout)
            raise subprocess.CalledProcessError(done.returncode, argv)
        lines = done.stdout.splitlines()
        if quiet:
            lines = lines[-1:]
        if kept_only:
            lines = without_dropped(lines)
        say("\n".join(lines))


@contextlib.contextmanager
def the_only_demo() -> Iterator[int]:
    """Wait until no other demo of this checkout runs, nor a child that a killed one left; yield the lock's number."""
    with pathlib.Path(__file__).open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("An interrupted demo is still at work; waiting for its end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def without_dropped(lines: list[str]) -> list[str]:
    """Return a plan's lines with one that counts the dropped backups in place of their rows."""
    first = next((number for number, line in enumerate(lines) if line.startswith("  drop")), len(lines))
    kept = [line for line in lines if not line.startswith("  drop")]
    return [*kept[:first], f"  … and {len(lines) - len(kept)} rows that begin with drop", *kept[first:]]


def head(text: str) -> None:
    """Print a heading."""
    width = min(100, shutil.get_terminal_size((100, 20)).columns)
    say(f"\n{'─' * width}\n{text}\n{'─' * width}")


def say(text: str) -> None:
    """Print at once, so that the lines of child processes stay in order."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o077)
    raise SystemExit(main(sys.argv[1:]))
