"""For those who live in Locust: ``locust -f "$(python -m chatproof.load.locustfile)" --host URL --chatproof-dialect D …``.

The same users, outcomes and report as ``chatproof load``, with Locust's own page, master and workers. Each turn is one row of
Locust's statistics; more would make its totals a mixture. On its page there are three tabs of ours beside them.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import gevent
import locust
from locust.runners import WorkerRunner

from chatproof.load.led import Led
from chatproof.load.locust_options import OPTIONS
from chatproof.load.turn import Turn
from chatproof.load.users import ChatUser
from chatproof.load.worker import enlist

__all__ = ["ChatUser"]


@locust.events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust has no types
def options(parser: Any) -> None:
    """Our options beside Locust's own."""
    for name, how in OPTIONS:
        parser.add_argument(f"--chatproof-{name}", **how)


@locust.events.init.add_listener  # type: ignore[untyped-decorator]  # Locust has no types
def attach(environment: Any, **_: Any) -> None:
    """A worker waits for its plan; a master, or a single process, makes it when a run starts.

    Imports take seconds in which gevent's clock stands still, and ``--run-time`` would be shorter by so much: it is set right last.
    """
    _leave_turns_alone()
    if isinstance(environment.runner, WorkerRunner):
        enlist(environment, told)
        return
    _writable(environment.parsed_options.chatproof_json)
    led = Led(environment, told)
    if environment.web_ui is not None:
        from chatproof.load.web_tab import show

        show(environment, led)
    gevent.get_hub().loop.update_now()


def _leave_turns_alone() -> None:
    """Ctrl-C is for the main greenlet: Python would raise it in the turn that happens to run, and cut that off."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        gevent.signal_handler(signal.SIGINT, lambda: gevent.get_hub().handle_system_error(KeyboardInterrupt, None))


def _writable(file: str | None) -> None:
    """A file that cannot be written is said before the run, not after it."""
    if file:
        try:
            Path(file).open("a").close()
        except OSError as error:
            print(f"chatproof: --chatproof-json: {file}: cannot be written: {error.strerror or error}", file=sys.stderr)
            sys.exit(2)


def told(environment: Any, turn: Turn) -> None:
    """One turn as Locust's statistics have it: its headline duration, and a failure if it is not ``ok``."""
    times = turn.timeline
    end = times.terminal if times.terminal is not None else times.ended
    start = times.started if environment.chatproof.plan.schedule is None else times.intended
    environment.events.request.fire(
        request_type="chat",
        name="stream" if environment.chatproof.plan.stream else "json",
        response_time=(end - start) / 1e6,
        response_length=sum(len(read.data) for read in turn.heard.reads),
        exception=None if turn.outcome == "ok" else RuntimeError(f"{turn.outcome}: {turn.why}"),
        context={},
    )


if __name__ == "__main__":
    print(__file__)
