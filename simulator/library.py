"""The fake backend inside a test: ``with Simulator() as sim``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from ..spec import Clock, Dialect, parse_clock
from . import own, pace_words
from .app import running
from .course import Logs
from .journal import KEPT_ENTRIES, Journal
from .pace_values import under
from .sim import Sim


class Simulator:
    """A fake backend in a thread of its own, on a free port: a context manager, ``with`` or ``async with``, that gives a ``Sim``.

    ``dialects``: names or folders, all by default. ``seed``: of ids, chances and keys. ``clock``: ``"real"``, ``"frozen"``, ``"xN"``
    or a clock of your own. ``variant`` and ``fault`` (one or several): by name, from the start. ``magic``: whether requests may ask for
    faults themselves. ``script``: a file of agents, keys and plans.
    ``rulings``: readings of open questions, as ``{"AMB-09": "404"}``. ``limits``: ``False`` holds nobody to a plan or a balance.
    ``latency``: how long agents take that have no latency of their own, as ``"first=300ms gap=20ms"``. ``journal``: how many requests
    are kept. ``decisions``: a file that is written anew with all that is decided; ``replay``: such a file, to answer as it has it (see
    ``Sim.replay``).
    ``log``: called with a line per request. ``ValueError`` or ``BadFile`` for a bad word, ``OSError`` or ``OverflowError`` for an address
    that cannot be had.
    """

    def __init__(
        self,
        dialects: Sequence[str | Path | Dialect] | None = None,
        *,
        seed: int = 0,
        clock: str | Clock = "real",
        host: str = "127.0.0.1",
        port: int = 0,
        variant: str | None = None,
        fault: str | Sequence[str] | None = None,
        magic: bool = True,
        script: str | Path | None = None,
        rulings: Mapping[str, str] | None = None,
        limits: bool = True,
        journal: int = KEPT_ENTRIES,
        log: Callable[[str], None] | None = None,
        latency: own.LatencyWords | None = None,
        decisions: str | Path | None = None,
        replay: str | Path | None = None,
    ) -> None:
        if isinstance(dialects, str):
            raise TypeError(f"dialects: expected a list of names, got the text {dialects!r}")
        chosen = parse_clock(clock) if isinstance(clock, str) else clock
        self._start = partial(
            running,
            dialects,
            seed=seed,
            clock=chosen,
            host=host,
            port=port,
            variant=variant,
            fault=fault,
            magic=magic,
            log=log,
            script=script,
            rulings=rulings,
            limits=limits,
            latency=None if latency is None else under("latency", pace_words.latency, latency),
        )
        self._logs, self._clock = Logs(decisions, replay), clock
        self._logs.check(latency)
        self._kept, self._log = journal, log or (lambda line: None)
        self._stack = ExitStack()

    def __enter__(self) -> Sim:
        try:
            logs = self._logs.opened(self._stack, self._clock, self._log)
            server = self._stack.enter_context(self._start(journal=Journal(self._kept), **logs))
        except BaseException:
            self._stack.close()
            raise
        return Sim(server, server.scopes.root)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    async def __aenter__(self) -> Sim:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stack.close)
