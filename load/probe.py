"""Finds a key's real limit and window by using it up once: how many requests are granted, and whether the wait that it is told is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..conformance.advertised import stated_wait
from ..conformance.seen import Seen
from ..spec import Dialect
from .limits import Advertised
from .line import Line
from .maker import Maker
from .turn import Turn, take

MOST, LONGEST_WAIT_S = 2000, 130.0
MARGIN_S = 0.5
"""What is waited beyond the told time: whole seconds are told."""


@dataclass(frozen=True)
class Probed:
    """``granted`` in the window in which the first 429 came (``limited``); ``after``: whether one was granted again after ``waited_s``,
    ``None`` if that was not tried. ``limits``: what headers advertised. Times in seconds.

    ``before``: how many requests more than our first one had been used by then, as its answer said; ``before_again``: the same after the wait,
    where nobody else can have used as many, unless the numbers do not fit together.
    """

    granted: int
    limited: bool
    took_s: float
    limits: tuple[int, ...]
    told_s: float | None = None
    waited_s: float | None = None
    after: bool | None = None
    other: str = ""
    before: int = 0
    before_again: int = 0

    def problems(self, dialect: Dialect) -> list[str]:
        """What does not fit together."""
        found = []
        if self.limited and self.limits and self.granted != self.limits[0] and not self._shared:
            found.append(f"{self.granted} requests were granted, and the headers said {self.limits[0]}")
        if len(self.limits) > 1:
            found.append(f"the headers said several limits: {', '.join(map(str, self.limits))}")
        if self.limited and dialect.limits.promised and not self.limits:
            found.append("no header said the limit")
        if self.limited and self.told_s is None:
            found.append("the 429 did not say how long to wait")
        if self.after is False:
            found.append(f"after {self.waited_s:.1f} s, which the 429 told, the key was still refused")
        return found

    @property
    def _shared(self) -> bool:
        """Whether somebody else had used what is missing of the window."""
        return self.before != self.before_again and self.granted + self.before == self.limits[0]


def probe(
    line: Line, maker: Maker, before: Sequence[Turn], most: int, pause: Callable[[float], None] = time.sleep
) -> Probed:
    """One request after another until one is refused, then one more after the told wait. ``before``: what was sent in this window."""
    began, tally = time.monotonic(), _Tally()
    for turn in before:
        tally.hear(turn)

    def so_far(limited: bool) -> Probed:
        return Probed(tally.granted, limited, time.monotonic() - began, tuple(tally.limits), before=tally.before)

    while tally.asked < most:
        turn = _one(line, maker)
        if tally.hear(turn):
            continue
        if turn.seen.status != 429:
            return replace(so_far(False), other=turn.why)
        told = stated_wait(Seen(turn.heard.exchange(maker.base), maker.dialect, maker.profile))
        found = replace(so_far(True), told_s=told)
        if told is None or told > LONGEST_WAIT_S:
            return found
        pause(told + MARGIN_S)
        fresh = _Tally(limits=tally.limits)
        again = fresh.hear(_one(line, maker))
        return replace(found, limits=tuple(tally.limits), waited_s=told, after=again, before_again=fresh.before)
    return so_far(False)


def _one(line: Line, maker: Maker) -> Turn:
    return take(line, maker, -1, 0, 0, "Hello", None, time.monotonic_ns(), 0, False)


@dataclass
class _Tally:
    """What was ``granted`` in the window that goes on: where ``Remaining`` rises another one has begun, or one that slides has let go of some.

    ``before``: how many more than our first request were used by then, as its answer says.
    """

    granted: int = 0
    before: int = 0
    asked: int = 0
    limits: list[int] = field(default_factory=list)
    _left: int | None = None

    def hear(self, turn: Turn) -> bool:
        """Whether the request was granted."""
        said = Advertised.of(turn.seen.stated, time.time())
        self.asked += 1
        if said.limit is not None and said.limit not in self.limits:
            self.limits.append(said.limit)
        if turn.seen.status is None or not 200 <= turn.seen.status < 300:
            return False
        self.granted += 1
        if said.remaining is not None:
            if said.limit is not None and (self._left is None or said.remaining > self._left):
                used = max(said.limit - said.remaining, 1)
                self.granted, self.before = (1, used - 1) if self._left is None else (used, 0)
            self._left = said.remaining
        return True
