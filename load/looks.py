"""How late reads may be: how long this process looked away from its sockets, told for each read.

A byte that came while the process was busy with turns waits until it looks again. When that was is known to nobody, so the bound is
told: from the moment at which the sockets were last looked at to the stamp of the read. A process that had nothing to do when the byte came
was looking, and only the reads before this one, in the same look, made it wait: that is so where the look itself took longer than the
absence before it, since a look that finds something there is over at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent import get_hub

from .histogram import Histogram

FIRST, LAST = 2, -2
"""Priorities in libev, highest and lowest."""


class Looks:
    """Watches the hub of this thread while it is open. ``lag``: microseconds by which reads may be late, at most."""

    def __init__(self, now: Callable[[], int] = time.monotonic_ns) -> None:
        self.lag = Histogram()
        self._now = now
        self._since_ns = self._away_from_ns = now()
        self._left_ns: int | None = None
        loop: Any = get_hub().loop
        self._before, self._after = loop.prepare(ref=False, priority=LAST), loop.check(ref=False, priority=FIRST)
        self._before.start(self.leave)
        self._after.start(self.come_back)

    def read(self, at_ns: int) -> None:
        """A read was stamped."""
        self.lag.record((at_ns - self._since_ns) // 1000)

    def close(self) -> None:
        """Watch no more."""
        for watcher in (self._before, self._after):
            watcher.stop()
            watcher.close()

    def leave(self) -> None:
        """The process goes to wait for its sockets."""
        self._left_ns = self._now()

    def come_back(self) -> None:
        """It knows which of them have something to read."""
        now, left = self._now(), self._left_ns
        waited = left is not None and now - left > left - self._away_from_ns
        self._since_ns = now if waited else self._away_from_ns
        self._away_from_ns, self._left_ns = now, None
