"""Finds a key's real limit and window by using it up once: how many requests are granted, and whether the wait that it is told is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    """``granted`` before the first 429 (``limited``), ``began_at`` the first of them; ``after``: whether one was granted again after
    ``waited`` seconds, ``None`` if that was not tried. ``limits``: what headers advertised. Times in seconds."""

    granted: int
    limited: bool
    took_s: float
    limits: tuple[int, ...]
    told_s: float | None
    waited_s: float | None
    after: bool | None
    other: str = ""

    def problems(self, dialect: Dialect) -> list[str]:
        """What does not fit together."""
        found = []
        if self.limited and self.limits and self.granted != self.limits[0]:
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


def probe(
    line: Line, maker: Maker, before: Sequence[Turn], most: int, pause: Callable[[float], None] = time.sleep
) -> Probed:
    """One request after another until one is refused, then one more after the told wait. ``before``: what was sent in this window."""
    began, granted, limits = time.monotonic(), 0, list[int]()
    for turn in before:
        granted += _heard(turn, maker, limits)
    while granted < most:
        turn = _one(line, maker)
        if _heard(turn, maker, limits):
            granted += 1
            continue
        took = time.monotonic() - began
        if turn.seen.status != 429:
            return Probed(granted, False, took, tuple(limits), None, None, None, turn.why)
        told = stated_wait(Seen(turn.heard.exchange(maker.base), maker.dialect, maker.profile))
        if told is None or told > LONGEST_WAIT_S:
            return Probed(granted, True, took, tuple(limits), told, None, None)
        pause(told + MARGIN_S)
        return Probed(granted, True, took, tuple(limits), told, told, _heard(_one(line, maker), maker, limits))
    return Probed(granted, False, time.monotonic() - began, tuple(limits), None, None, None)


def _one(line: Line, maker: Maker) -> Turn:
    return take(line, maker, -1, 0, 0, "Hello", None, time.monotonic_ns(), 0, False)


def _heard(turn: Turn, maker: Maker, limits: list[int]) -> bool:
    said = Advertised.of(turn.seen.stated, time.time())
    if said.limit is not None and said.limit not in limits:
        limits.append(said.limit)
    return turn.seen.status is not None and 200 <= turn.seen.status < 300
