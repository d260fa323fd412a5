"""How late this process was itself while it measured a target: what a busy machine reads late, nobody sent late."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

TICK_S = 0.01


class Witness:
    """A thread that wants to wake every ``TICK_S`` and remembers by how much it overslept. For a ``with`` block.

    The thread that reads needs the same processor and the same interpreter lock, so it is as late as this one.
    """

    def __init__(self) -> None:
        self.late_s = 0.0
        """The longest oversleep, in seconds."""
        self._slept = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="chatproof-witness", daemon=True)

    def __enter__(self) -> Self:
        self._slept = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        over = False
        while not over:
            over = self._over.wait(TICK_S)
            woke = time.monotonic()
            self.late_s = max(self.late_s, woke - self._slept - TICK_S)
            self._slept = woke
