"""What stands between the socket and a backend: nothing, or a decision log that is written (``decisions.py``) or replayed (``replay.py``)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..spec import Clock
from .backend import Backend
from .plan import Plan
from .request import HttpRequest


class Course(Protocol):
    """Answers for a backend, and hears when a response is over. ``scope``: the name of its world."""

    def reply(self, scope: str, backend: Backend, asked: HttpRequest, now: float) -> Plan:
        """The plan of the response."""
        ...

    def finished(self, scope: str, backend: Backend, plan: Plan) -> None:
        """The response is over."""
        ...


class Plain:
    """Leaves everything to the backend."""

    def reply(self, scope: str, backend: Backend, asked: HttpRequest, now: float) -> Plan:
        return backend.reply(asked, now)

    def finished(self, scope: str, backend: Backend, plan: Plan) -> None:
        backend.finished(plan)


PLAIN = Plain()


@dataclass(frozen=True)
class Logs:
    """``decisions``: the file to write; ``replay``: the file to play. One of them, or none."""

    decisions: str | Path | None = None
    replay: str | Path | None = None

    def check(self, latency: object, sign: str = "") -> None:
        """``ValueError`` where the flags do not go together; ``sign``: what stands before their names."""
        if self.replay is None or (self.decisions is None and latency is None):
            return
        other = "latency" if self.decisions is None else "decisions"
        why = "it has that of the log" if other == "latency" else "a log that is replayed is not written again"
        raise ValueError(f"{sign}replay stands beside {sign}{other}: {why}")

    def opened(self, stack: ExitStack, clock: str | Clock, complain: Callable[[str], None]) -> dict[str, Any]:
        """What the logs add to the start of a server: ``latency``, and ``course``, a function of its backend. ``BadFile``, ``OSError``.

        ``stack``: closes the file; ``complain`` hears of a disk that fails, and how a replay went.
        """
        if self.replay is not None:
            from .replay import Replay

            play = Replay(self.replay)
            stack.callback(lambda: complain(play.summary))
            return {"latency": play.latency, "course": lambda _: play}
        path = self.decisions
        if path is None:
            return {}
        from .decisions import Recorder, settings_of

        told = clock if isinstance(clock, str) else type(clock).__name__
        return {"course": lambda backend: stack.enter_context(Recorder(path, settings_of(backend, told), complain))}
