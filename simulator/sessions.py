"""Conversations in memory: created under any id, kept apart by key and agent, empty again after the idle time (AMB-09)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .rules import Spot
from .said import Said

KEPT_SESSIONS = 50_000
"""How many sessions one dialect keeps; beyond that the longest unused is forgotten, as if it had expired."""
KEPT_CHARACTERS = 64 << 20
"""How many characters the messages of all of them may have together."""


@dataclass
class Session:
    """What the user has said so far, oldest first.

    ``acted``: the scripted agent that this session began with and where it stands in its script. ``busy``: when each turn under
    way (by ticket) is planned to end. ``weighed``: the characters of ``said`` that its dialect has counted.
    """

    used_at: float
    said: Said = field(default_factory=Said)
    acted: tuple[Any, Any] | None = None
    busy: dict[int, float] = field(default_factory=dict)
    weighed: int = 0

    def free_in(self, now: float) -> float:
        """Seconds until the turns under way are planned to have ended."""
        return max(0.0, max(self.busy.values(), default=now) - now)


class Sessions:
    """The sessions of one dialect; ``expiry_s``: after how many idle seconds one is forgotten, ``None`` for never.

    ``dropped``: how many were forgotten because there were too many.
    """

    def __init__(self, expiry_s: float | None, limit: int = KEPT_SESSIONS, room: int = KEPT_CHARACTERS) -> None:
        self._expiry_s = expiry_s
        self._limit, self._room = limit, room
        self._weight = 0
        self.dropped = 0
        self._by_spot: OrderedDict[Spot, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_spot)

    def open(self, spot: Spot, now: float) -> Session:
        """The session there, used now; a new one if there is none or it has expired."""
        self._forget(now)
        session = self._by_spot.get(spot)
        if session is None:
            session = self._by_spot[spot] = Session(now)
            self._weigh(session)
        else:
            session.used_at = now
            self._by_spot.move_to_end(spot)
        return session

    def heard(self, session: Session, message: str) -> None:
        """Let a session remember what was said in it."""
        session.said.append(message)
        self._weigh(session)

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
            self._remove(spot)
        return len(spots)

    def _forget(self, now: float) -> None:
        if self._expiry_s is None:
            return
        while self._by_spot:
            spot, session = next(iter(self._by_spot.items()))
            if now - session.used_at <= self._expiry_s:
                return
            self._remove(spot)

    def _weigh(self, session: Session) -> None:
        """Forget the longest unused while there are too many, or they are too large; the one used last stays."""
        self._weight += session.said.characters - session.weighed
        session.weighed = session.said.characters
        while len(self._by_spot) > 1 and (len(self._by_spot) > self._limit or self._weight > self._room):
            self._remove(next(iter(self._by_spot)))
            self.dropped += 1

    def _remove(self, spot: Spot) -> None:
        self._weight -= self._by_spot.pop(spot).weighed


def forgotten(before: int, now: int) -> tuple[str, ...]:
    """The warning that sessions had to be forgotten, where ``before`` were and ``now`` are; not each time."""
    if now.bit_length() <= before.bit_length():
        return ()
    return (f"more sessions than are kept: {now} forgotten so far, the longest unused first",)
