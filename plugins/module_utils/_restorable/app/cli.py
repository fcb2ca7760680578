# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The host command's entry: arguments in, text or one JSON object out, an exit status of at most 125 back.

Exit status: 0 done, drill passed, status green or yellow · 1 drill failed, status red, or another error ·
2 settings or usage · 3 unavailable · 4 refused · 5 not found · 6 a tool failed · 7 damaged ·
8 drill incomplete · 70 a defect of this program · 124 stopped by a signal (128 + 15 would pass the 125 that
shells and PostgreSQL leave to programs), or because nobody reads the output any more. A signal is the good end of a
verb that has no other one: 0.
"""
from __future__ import annotations

from ..version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:    # the module typing is not loaded: --version must cost next to nothing
    from typing import Any, Mapping, Sequence, TextIO

    from .console import Console

STOPPED = 124
ENDLESS = ("wal-ship", "wal-stream")


class Stopped(BaseException):
    """A signal asked for an end; raised in the main thread so that every context manager cleans up."""


def main(argv: Sequence[str], out: TextIO, err: TextIO, environment: Mapping[str, str]) -> int:
    """Run one command line and return its exit status; never raises and never exits."""
    if list(argv) in (["--version"], ["-V"]):
        out.write(f"restorable {VERSION}\n")
        return 0
    from .wal_exit import restore_status
    before: dict[int, Any] = {}
    try:
        before = _catch_signals()      # most of a start is the loading of what follows
        from .console import Console
        console = Console(out, err, environment, as_json="--json" in argv)
        return restore_status(argv, _guarded(argv, console))
    except BrokenPipeError:
        console.give_up_output()
        return restore_status(argv, STOPPED)
    except (Stopped, KeyboardInterrupt):   # while there was no console yet, or a failure was told
        return restore_status(argv, 0 if _is_endless(None, argv) else STOPPED)
    finally:
        _give_back_signals(before)


def _guarded(argv: Sequence[str], console: Console) -> int:
    from ..errors import RestorableError
    from .arguments import Help, parse
    options = None
    try:
        options = parse(argv)
        console.name_config(options.config)
        if options.verb == "health":       # asked every half minute: it must cost next to nothing
            from .verbs import health
            return health.run(options, console)
        from .dispatch import dispatch
        return dispatch(options, console)
    except Help as text:
        console.text(str(text))
        return 0
    except RestorableError as error:
        console.fail(error)
        return error.exit_status
    except (Stopped, KeyboardInterrupt) as signal:
        if _is_endless(options, argv):
            name = str(signal) or "SIGINT"
            console.object({"stopped": name}) if console.as_json else console.closing(f"stopped by {name}")
            return 0
        console.fail(RestorableError(f"stopped by {str(signal) or 'SIGINT'}", code="stopped",
                                     hint="What was unfinished was removed; run the command again when it suits."))
        return STOPPED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the top: a defect is told like any error
        defect = console.defect(error)
        console.fail(defect)
        return defect.exit_status


def _is_endless(options: Any, argv: Sequence[str]) -> bool:
    """Say whether only a signal ends this command line; options are None as long as it is not read."""
    if options is None:
        return any(verb in argv for verb in ENDLESS) and "--once" not in argv
    return options.verb in ENDLESS and not options.once


def _catch_signals() -> dict[int, Any]:
    """Turn SIGTERM and SIGHUP into Stopped; only the first one counts, so that cleaning up is not cut short."""
    import signal
    import threading
    if threading.current_thread() is not threading.main_thread():
        return {}
    caught = (signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, _frame: object) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    # a signal that nohup or the caller chose to ignore stays ignored
    return {each: signal.signal(each, stop) for each in caught if signal.getsignal(each) is not signal.SIG_IGN}


def _give_back_signals(before: dict[int, Any]) -> None:
    import signal
    for number, handler in before.items():
        signal.signal(number, handler)
