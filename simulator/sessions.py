"""Conversations in memory: created under any id, kept apart by key and agent, empty again after the idle time (AMB-09)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from .rules import Spot


@dataclass
class Session:
    """What the user has said so far, oldest first."""

    used_at: float
    said: list[str] = field(default_factory=list)


class Sessions:
    """The sessions of one dialect; ``expiry_s``: after how many idle seconds one is forgotten, ``None`` for never."""

    def __init__(self, expiry_s: float | None) -> None:
        self._expiry_s = expiry_s
        self._by_spot: OrderedDict[Spot, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_spot)

    def open(self, spot: Spot, now: float) -> Session:
        """The session there, used now; a new one if there is none or it has expired."""
        self._forget(now)
        session = self._by_spot.setdefault(spot, Session(now))
        session.used_at = now
        self._by_spot.move_to_end(spot)
        return session

    def taken(self, spot: Spot, now: float) -> bool:
        """Whether a living session stands there."""
        self._forget(now)
        return spot in self._by_spot

    def living(self, now: float) -> list[tuple[Spot, Session]]:
        """Those that have not expired, the longest unused first."""
        self._forget(now)
        return list(self._by_spot.items())

    def expire(self, which: Callable[[Spot], bool]) -> int:
        """Forget those as if their idle time were over; how many they were."""
        spots = [spot for spot in self._by_spot if which(spot)]
        for spot in spots:
            del self._by_spot[spot]
        return len(spots)

    def _forget(self, now: float) -> None:
        if self._expiry_s is None:
            return
        while self._by_spot:
            spot, session = next(iter(self._by_spot.items()))
            if now - session.used_at <= self._expiry_s:
                return
            del self._by_spot[spot]
