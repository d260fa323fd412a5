"""Pacing by what the target says: how many requests it still grants, and when to come back. The whole client waits, not one turn."""

from __future__ import annotations

from ..conformance.advertised import is_epoch
from .limits import Advertised

LONGEST_S, UNTOLD_S = 3600.0, 1.0
"""The longest wait that is kept to, and the one where a 429 tells none."""
BLIND_S, PAUSE_S = 1.0, 0.2
"""How long a window that has begun is taken to grant no more than the limit before an answer has told of it, and how often it is looked at."""


class Gate:
    """Times are epoch seconds. ``pass_`` asks for leave to send one request; ``hear`` takes in what an answer said.

    What an answer said remains was true when its request was counted: what has been sent since is taken off it.
    """

    def __init__(self) -> None:
        self.sent = 0
        self._waits: list[float] = []
        self._limit: int | None = None
        self._left: int | None = None
        self._reset = self._until = self._blind_until = self._stood_at = 0.0

    def wait(self, now: float) -> float:
        """How long nothing may be sent, from now; 0 if one may."""
        if now < self._until:
            return self._until - now
        if self._until or 0 < self._reset <= now:
            self._left, self._reset, self._until = self._limit, 0.0, 0.0
            self._blind_until = now + BLIND_S
        if self._left is None or self._left > 0:
            return 0.0
        if self._reset > now:
            self._close(self._reset, now)
            return self._until - now
        return PAUSE_S if now < self._blind_until else 0.0

    def pass_(self) -> int:
        """One request is sent; its place in the row, for ``hear``."""
        self.sent += 1
        if self._left is not None:
            self._left -= 1
        return self.sent

    def hear(self, place: int, status: int, said: Advertised, told_s: float | None, now: float) -> None:
        """An answer to the request at that place. ``told_s``: how long it says to wait, where it does."""
        if said.limit is not None and said.remaining is not None:
            self._limit = said.limit
        if status == 429:
            self._close(now + (told_s if told_s is not None else UNTOLD_S), now)
        elif said.remaining is not None and said.reset is not None and is_epoch(said.reset) and said.reset > now:
            self._left, self._reset = said.remaining - (self.sent - place), float(said.reset)
            if self._left <= 0:
                self._close(self._reset, now)

    def stood(self, now: float) -> list[float]:
        """How long each standstill was; the last one may go on, and counts as far as it has come."""
        return [*self._waits[:-1], *(min(one, round(now - self._stood_at, 3)) for one in self._waits[-1:])]

    def _close(self, until: float, now: float) -> None:
        """Stand still, or stand longer."""
        until = min(until, now + LONGEST_S)
        if until <= self._until:
            return
        if now >= self._until:
            self._stood_at = now
            self._waits.append(0.0)
        self._until = until
        self._waits[-1] = round(until - self._stood_at, 3)
