# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal at any line between a child's beginning and the first line of whoever ends it."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from _restorable.stream.held import HELD, HeldSignals
from kit.leftovers import nothing_left


class Told(BaseException):
    """What the handler of a signal raises."""


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT])
def number(request):
    """A signal whose handler raises Told, and none after it, like the command's own."""
    before = {each: signal.getsignal(each) for each in HELD}

    def tell(number, _frame):
        for each in HELD:
            signal.signal(each, signal.SIG_IGN)
        raise Told(number)

    for each in HELD:
        signal.signal(each, tell)
    yield request.param
    for each, handler in before.items():
        signal.signal(each, handler)


def begin_and_end(reached):
    with HeldSignals() as held:
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        try:
            held.let_through()
            reached()
        finally:
            child.kill()
            child.wait()


class Striking:
    """Sends a signal to this process at the nth line that runs in the function above, in Popen or in what is tested."""

    def __init__(self, at, number):
        self.left, self.number = at, number

    def __call__(self, frame, event, _argument):
        if os.path.basename(frame.f_code.co_filename) not in ("test_held.py", "held.py", "subprocess.py"):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                os.kill(os.getpid(), self.number)
        return self


def test_a_signal_at_any_line_leaves_no_child(number):
    at, told, tracer = 0, 0, sys.gettrace()
    with nothing_left():
        while True:
            at += 1
            handlers = [signal.getsignal(each) for each in HELD]
            strike = Striking(at, number)
            sys.settrace(strike)
            try:
                begin_and_end(lambda: sys.settrace(None))
            except Told:
                told += 1
            finally:
                sys.settrace(tracer)
            if strike.left > 0:
                break
            for each, handler in zip(HELD, handlers):
                signal.signal(each, handler)
    assert told == at - 1 > 50         # every one of them was told, and none was lost


def test_what_came_is_told_where_the_child_is_known_and_later_signals_are_told_at_once(number):
    with pytest.raises(Told), HeldSignals() as held:
        os.kill(os.getpid(), number)
        known = True
        held.let_through()
        known = False
    assert known


def test_a_child_that_cannot_begin_hides_no_signal(number):
    with pytest.raises(Told), HeldSignals():
        os.kill(os.getpid(), number)
        raise FileNotFoundError("no such program")


def test_handlers_are_the_same_afterwards_and_those_that_a_handler_chose_stay(number):
    before = [signal.getsignal(each) for each in HELD]
    with HeldSignals():
        assert [signal.getsignal(each) for each in HELD] != before
    assert [signal.getsignal(each) for each in HELD] == before
    with pytest.raises(Told), HeldSignals():
        os.kill(os.getpid(), number)
    assert [signal.getsignal(each) for each in HELD] == [signal.SIG_IGN] * len(HELD)


def test_in_another_thread_nothing_is_held(number):
    seen = []

    def look():
        with HeldSignals():
            seen.extend(signal.getsignal(each) for each in HELD)

    before = [signal.getsignal(each) for each in HELD]
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before
    assert number in HELD
