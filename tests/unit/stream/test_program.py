# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from _restorable.errors import ConfigError, ToolFailed
from _restorable.stream import child
from _restorable.stream.program import feed, picking, read_from, through
from _restorable.stream.stage import compose
from kit.leftovers import is_gone, nothing_left

MIB = 1024 * 1024
CORE = Path(__file__).parents[3] / "plugins" / "module_utils"


def sh(text):
    return ["sh", "-c", text]


def test_a_program_is_read_to_its_end():
    with nothing_left():
        assert b"".join(read_from(["printf", "%s", "hello"])) == b"hello"


def test_chunks_are_large():
    sizes = [len(chunk) for chunk in read_from(["head", "-c", str(64 * MIB), "/dev/zero"])]
    assert sum(sizes) == 64 * MIB
    assert max(sizes) <= MIB
    assert len(sizes) < 64 * MIB / (64 * 1024)


@pytest.mark.parametrize("status", [1, 3, 255])
def test_a_bad_status_after_all_output_is_an_error_and_no_end(status):
    seen = []
    with nothing_left(), pytest.raises(ToolFailed) as caught:
        for chunk in read_from(sh(f"echo whole; echo 'sh: error: disk on fire' >&2; exit {status}")):
            seen.append(chunk)
    assert seen == [b"whole\n"]
    assert caught.value.message == f"sh exited with status {status}: error: disk on fire"
    assert (caught.value.status, caught.value.code) == (status, "tool.failed")


def test_death_by_a_signal_is_named():
    with nothing_left(), pytest.raises(ToolFailed) as caught:
        list(read_from(sh("kill -9 $$")))
    assert caught.value.message == "sh died by signal 9 (SIGKILL)"
    assert (caught.value.status, caught.value.code) == (-9, "tool.killed")
    assert "journalctl -k" in caught.value.hint


def test_a_program_killed_in_the_middle_is_an_error_and_no_end():
    with nothing_left() as children:
        chunks = read_from(sh("echo begun; exec sleep 60"))
        assert next(chunks) == b"begun\n"
        os.kill(children()[0], signal.SIGKILL)
        with pytest.raises(ToolFailed, match="SIGKILL"):
            next(chunks)


def test_a_missing_program_is_named_with_what_to_do():
    with nothing_left(), pytest.raises(ConfigError) as caught:
        list(read_from(["pg_dumq"], env={"PATH": "/usr/bin"}))
    assert caught.value.message == "program pg_dumq was not found in /usr/bin"
    assert caught.value.code == "tool.missing"
    assert "Install" in caught.value.hint


def test_a_file_that_cannot_be_run_is_missing_too(tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    with pytest.raises(ConfigError) as caught:
        list(read_from([str(tmp_path / "tool")]))
    assert caught.value.code == "tool.missing"


def test_a_missing_working_folder_is_not_taken_for_a_missing_program(tmp_path):
    with nothing_left(), pytest.raises(ConfigError) as caught:
        list(read_from(["true"], cwd=str(tmp_path / "nowhere")))
    assert caught.value.code == "tool.cannot_start"
    assert "nowhere" in caught.value.message


def test_the_environment_is_given_whole():
    assert b"".join(read_from(["env"], env={"PATH": "/usr/bin:/bin", "A": "1"})).split() == [
        b"PATH=/usr/bin:/bin", b"A=1"]


def test_a_program_has_no_terminal_to_ask_at():
    assert b"".join(read_from(sh("(: < /dev/tty) 2>/dev/null && echo asks || echo quiet"))) == b"quiet\n"
    assert b"".join(read_from(["cat"])) == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the account")
def test_a_program_may_run_as_another_account():
    nobody = pwd.getpwnam("nobody")
    assert b"".join(read_from(sh("id -u; id -g; id -G; pwd"), user="nobody")).split() == [
        str(nobody.pw_uid).encode(), str(nobody.pw_gid).encode(), str(nobody.pw_gid).encode(), b"/"]


def test_an_unknown_account_is_refused():
    with pytest.raises(ConfigError) as caught:
        list(read_from(["true"], user="nosuchuser"))
    assert caught.value.code == "tool.no_user"


def test_a_consumer_that_stops_early_kills_the_program_and_what_it_started():
    with nothing_left() as children:
        chunks = read_from(sh("sleep 60 & echo $!; yes"))
        grandchild = int(next(chunks).split()[0])
        [pid] = children()
        chunks.close()
        assert is_gone(pid)
        assert is_gone(grandchild)


def test_a_stream_that_was_never_asked_starts_nothing():
    with nothing_left() as children:
        chunks = read_from(["sleep", "60"])
        assert children() == []
        chunks.close()


def test_a_program_may_be_a_stage():
    data = os.urandom(5 * MIB)
    with nothing_left():
        assert b"".join(compose([data, b"", b"end"], through(["cat"]), through(["cat"]))) == data + b"end"
        assert b"".join(through(["cat"])([])) == b""


def test_a_stage_that_gives_before_it_takes_and_after_does_not_hang():
    eager = sh(f"head -c {3 * MIB} /dev/zero; cat > /dev/null; head -c {3 * MIB} /dev/zero")
    with nothing_left():
        assert sum(map(len, through(eager)(bytes(MIB) for _index in range(5)))) == 6 * MIB


def test_complaints_without_end_do_not_hang_the_stream_nor_fill_memory():
    loud = sh(f"head -c {8 * MIB} /dev/zero | tr '\\0' 'e' >&2; cat; printf '\\nlast words: failed\\n' >&2; exit 1")
    with nothing_left(), pytest.raises(ToolFailed) as caught:
        list(through(loud)([b"x"]))
    assert "last words: failed" in caught.value.stderr
    assert len(caught.value.stderr) < 5000


def test_an_input_that_fails_kills_the_program_and_is_no_end_for_it(tmp_path):
    mark = tmp_path / "committed"

    def broken():
        yield b"begin;"
        time.sleep(0.1)
        raise KeyError("upstream")

    with nothing_left(), pytest.raises(KeyError, match="upstream"):
        feed(sh(f"cat > /dev/null; echo committed > {mark}"), broken())
    time.sleep(0.2)
    assert not mark.exists()


def test_a_failed_program_above_kills_the_one_below(tmp_path):
    mark = tmp_path / "committed"
    above = read_from(sh("echo data; sleep 0.1; exit 4"))
    with nothing_left(), pytest.raises(ToolFailed, match="status 4"):
        feed(sh(f"cat > /dev/null; echo committed > {mark}"), above)
    assert not mark.exists()


def test_a_program_that_fails_early_closes_the_stream_above_it():
    with nothing_left():
        above = read_from(["yes"])
        with pytest.raises(ToolFailed, match="status 7"):
            feed(sh("head -c 10 > /dev/null; exit 7"), above)


def test_feed_gives_back_what_was_printed():
    with nothing_left():
        assert feed(["cat"], [b"a", b"b"]) == b"ab"
        assert len(feed(["cat"], [bytes(MIB)])) == 64 * 1024


@pytest.mark.parametrize("count", [1, 40])
def test_a_program_that_stops_reading_has_failed_even_if_it_exits_0(count):
    with nothing_left(), pytest.raises(ToolFailed) as caught:
        feed(["head", "-c", "10"], [b"x" * 100_000] * count)
    assert "head stopped reading with" in caught.value.message


def test_a_program_may_leave_once_it_has_read_all():
    def source():
        yield b"x" * 10
        time.sleep(0.2)
        yield b""                      # head has left by now, as pg_restore does after the last block

    with nothing_left():
        assert feed(["head", "-c", "10"], source()) == b"x" * 10


def test_an_input_that_fails_after_the_program_has_left_is_no_success():
    def source():
        yield b"x" * 10
        time.sleep(0.2)
        yield b""
        raise KeyError("the digest is wrong")

    with nothing_left(), pytest.raises(KeyError):
        feed(["head", "-c", "10"], source())


def test_a_slow_reader_of_the_last_bytes_has_not_failed():
    with nothing_left():
        assert feed(sh("sleep 0.3; cat > /dev/null; sleep 0.2; echo done"), [b"x" * 500_000]) == b"done\n"


def test_a_program_may_close_its_output_before_it_has_read_all(tmp_path):
    path = tmp_path / "out"
    with nothing_left():
        feed(sh(f"exec 1>&-; cat > {path}"), [bytes(MIB)] * 4)
    assert path.stat().st_size == 4 * MIB


def test_secrets_are_in_no_message():
    argv = sh("echo \"fatal: $0 $1 rejected by $PGPASSWORD $AWS_SECRET_ACCESS_KEY\" >&2; exit 1")
    argv += ["--password=open sesame", "postgresql://app:geheim@db/shop"]
    env = {"PATH": os.environ["PATH"], "PGPASSWORD": "hunter2", "AWS_SECRET_ACCESS_KEY": "abc/def"}
    with pytest.raises(ToolFailed) as caught:
        list(read_from(argv, env=env, secrets=("rejected",)))
    told = f"{caught.value.message} {caught.value.hint} {caught.value.stderr}"
    for secret in ("sesame", "geheim", "hunter2", "abc/def", "rejected"):
        assert secret not in told
    assert "***" in told
    assert "postgresql://app:***@db/shop" in told


def orphan(code, tmp_path):
    """Run code in a process that is then killed by SIGKILL; it prints the id of a child to watch."""
    script = tmp_path / "orphan.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(CORE)!r})\n"
                      "from _restorable.stream.program import feed, read_from, through\n" + code)
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    return pid


needs_leash = pytest.mark.skipif(not child._leash(), reason="setpriv --pdeathsig (util-linux 2.33) is not here")


@needs_leash
def test_a_silent_program_dies_with_us(tmp_path):
    pid = orphan("chunks = read_from(['sh', '-c', 'echo $$; exec sleep 60'])\n"
                 "print(next(chunks).decode(), flush=True)\nnext(chunks)\n", tmp_path)
    assert is_gone(pid)


@needs_leash
def test_a_program_that_reads_from_us_dies_with_us(tmp_path):
    pid = orphan("def endless():\n    while True:\n        yield b'x' * 1000000\n"
                 "for chunk in through(['sh', '-c', 'echo $$; exec sleep 60'])(endless()):\n"
                 "    print(chunk.decode(), flush=True)\n", tmp_path)
    assert is_gone(pid)


def test_without_setpriv_a_program_that_writes_dies_at_its_next_write(tmp_path):
    pid = orphan("import time\nfrom _restorable.stream import child\nchild._leash = lambda: ()\n"
                 "chunks = read_from(['sh', '-c', 'echo $$; exec yes'])\n"
                 "print(next(chunks).split()[0].decode(), flush=True)\ntime.sleep(60)\n", tmp_path)
    assert is_gone(pid)


def test_a_setpriv_without_that_option_is_not_used(tmp_path, monkeypatch):
    busybox = tmp_path / "setpriv"
    busybox.write_text("#!/bin/sh\nexit 1\n")
    busybox.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    child._leash.cache_clear()
    try:
        assert child._leash() == ()
        assert b"".join(read_from(["printf", "works"])) == b"works"
    finally:
        monkeypatch.undo()
        child._leash.cache_clear()
    assert bool(child._leash()) == bool(shutil.which("setpriv"))


def test_a_program_that_picks_may_leave_early_and_the_rest_is_read_all_the_same():
    seen = []

    def chunks():
        for number in range(64):
            seen.append(number)
            yield bytes(MIB)

    with nothing_left():
        assert b"".join(picking(["head", "-c", "3"])(chunks())) == bytes(3)
    assert seen == list(range(64))


def test_what_is_wrong_with_the_rest_is_told_although_the_program_has_left_well():
    def chunks():
        yield from (bytes(MIB) for _number in range(8))
        raise ToolFailed("the rest is not what was stored")

    with nothing_left(), pytest.raises(ToolFailed, match="not what was stored"):
        list(picking(["head", "-c", "3"])(chunks()))


def test_a_program_that_picks_and_fails_has_failed():
    with nothing_left(), pytest.raises(ToolFailed) as caught:
        list(picking(sh("head -c 3; exit 4"))(bytes(MIB) for _number in range(8)))
    assert caught.value.status == 4
