"""Pacing by what the target says: how many requests it still grants, and when to come back. The whole client waits, not one turn."""

from __future__ import annotations

from ..conformance.advertised import is_epoch
from .limits import Advertised

LONGEST_S = 3600.0


class Gate:
    """Times are epoch seconds. ``pass_`` asks for leave to send one request; ``hear`` takes in what an answer said.

    What an answer said remains was true when its request was counted: what has been sent since is taken off it.
    """

    def __init__(self) -> None:
        self.sent = 0
        self._left: int | None = None
        self._until = 0.0
        self.waits: list[float] = []

    def wait(self, now: float) -> float:
        """How long nothing may be sent, from now; 0 if one may."""
        if now < self._until:
            return self._until - now
        if self._until:
            self._until, self._left = 0.0, None
        return 0.0

    def pass_(self) -> int:
        """One request is sent; its place in the row, for ``hear``."""
        self.sent += 1
        if self._left is not None:
            self._left -= 1
        return self.sent

    def hear(self, place: int, status: int, said: Advertised, told_s: float | None, now: float) -> None:
        """An answer to the request at that place. ``told_s``: how long it says to wait, where it does."""
        if status == 429:
            self._close(now + min(told_s if told_s is not None else 1.0, LONGEST_S), now)
        elif said.remaining is not None and said.reset is not None and is_epoch(said.reset):
            left = said.remaining - (self.sent - place)
            if left <= 0 and said.reset > now:
                self._close(min(float(said.reset), now + LONGEST_S), now)

    def _close(self, until: float, now: float) -> None:
        if until > self._until:
            self._until = until
            self.waits.append(round(until - now, 3))
