"""Conversations in memory: created under any id, kept apart by key and agent, empty again after the idle time (AMB-09)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .rules import Spot


@dataclass
class Session:
    """What the user has said so far, oldest first.

    ``acted``: the scripted agent that this session began with and where it stands in its script. ``busy``: when each turn under
    way (by ticket) is planned to end.
    """

    used_at: float
    said: list[str] = field(default_factory=list)
    acted: tuple[Any, Any] | None = None
    busy: dict[int, float] = field(default_factory=dict)

    def free_in(self, now: float) -> float:
        """Seconds until the turns under way are planned to have ended."""
        return max(0.0, max(self.busy.values(), default=now) - now)


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
        return self.living(spot, now) is not None

    def living(self, spot: Spot, now: float) -> Session | None:
        """The session there, without using it; ``None`` if there is none or it has expired."""
        self._forget(now)
        return self._by_spot.get(spot)

    def all_living(self, now: float) -> list[tuple[Spot, Session]]:
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
