"""How long an answer takes: the time to its first event, the gaps between events, stalls, and what a crowd does to them.

Pure: chance and the crowd are arguments. All times are seconds of the backend's clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..spec import Delta, Event

Kind = Literal["fixed", "uniform", "normal", "lognormal", "recorded"]
Unit = Literal["words", "characters"]
Chance = Callable[[str], Callable[[], float]]
"""For the name of a sub-stream, what draws its next number in [0, 1)."""

LEAST = 2.0**-53
"""In place of a chance of 0, which has no quantile."""
Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""
DIGITS = 6
"""Times are whole microseconds."""


@dataclass(frozen=True)
class Spread:
    """A time, or how it varies. ``values`` in seconds: ``fixed`` (it), ``uniform`` (least, most), ``normal`` (mean, deviation; cut off at
    0), ``lognormal`` (median, 99th percentile), ``recorded`` (times that come in turn, again and again).
    """

    kind: Kind
    values: tuple[float, ...]


@dataclass(frozen=True)
class Rate:
    """How much text comes in a second. A word is what the usage counts as a unit."""

    per_s: float
    unit: Unit = "words"


@dataclass(frozen=True)
class Stall:
    """Once ``after`` events have come, in ``chance`` of the answers, nothing comes for ``lasts``."""

    after: int
    lasts: Spread
    chance: float = 1.0


@dataclass(frozen=True)
class Load:
    """What happens beyond ``slots`` turns at a time: they wait for a place (``queue``), or all that begin then are slower.

    ``slowdown``: 1 for a server that goes on doing as much as ``slots`` turns' work; more for one that breaks down.
    """

    slots: int
    slowdown: float = 1.0
    queue: bool = False

    def factor(self, turns: int) -> float:
        """How many times as long a turn takes that is one of ``turns``."""
        return 1.0 if self.queue else 1.0 + self.slowdown * max(0, turns - self.slots) / self.slots

    def wait(self, ends: Sequence[float], now: float) -> float:
        """Seconds until a turn finds a place, where others are planned to end at ``ends``."""
        if not self.queue or len(ends) < self.slots:
            return 0.0
        return max(0.0, sorted(ends)[len(ends) - self.slots] - now)


@dataclass(frozen=True)
class Latency:
    """How long an agent takes: before its first event, between events, and by how much text they have; what is ``None`` takes no time."""

    first: Spread | None = None
    gap: Spread | None = None
    rate: Rate | None = None
    stall: Stall | None = None
    load: Load | None = None


def waits(latency: Latency, events: Sequence[Event], turn: int, chance: Chance, factor: float = 1.0) -> list[float]:
    """The seconds before each of ``events`` (the end of the answer is one of them). ``turn``: which one of its session, from 0.

    ``first`` is all that comes before the first one. The same latency, turn and chance give the same times.
    """
    gap = chance("gap") if latency.gap else _never
    found: list[float] = []
    for at, event in enumerate(events):
        if at == 0:
            wait = drawn(latency.first, chance("first")(), turn) if latency.first else 0.0
        else:
            wait = drawn(latency.gap, gap(), at - 1) if latency.gap else 0.0
            wait += _written(latency.rate, event)
        found.append(wait)
    stall = latency.stall
    if stall is not None and stall.after < len(found):
        draw = chance("stall")
        if draw() < stall.chance:
            found[stall.after] += drawn(stall.lasts, draw(), turn)
    return [round(wait * factor, DIGITS) for wait in found]


def drawn(spread: Spread, chance: float, at: int) -> float:
    """One time of a spread; ``at``: which one, for those that come in turn."""
    values = spread.values
    match spread.kind:
        case "uniform":
            return values[0] + (values[1] - values[0]) * chance
        case "normal":
            return max(0.0, values[0] + values[1] * _quantile(chance))
        case "lognormal":
            return values[0] * math.exp(math.log(values[1] / values[0]) * _quantile(chance) / Z99)
        case _:
            return values[at % len(values)]


def _written(rate: Rate | None, event: Event) -> float:
    if rate is None or not isinstance(event, Delta):
        return 0.0
    return (len(event.text.split()) if rate.unit == "words" else len(event.text)) / rate.per_s


def _quantile(chance: float) -> float:
    """Of the standard normal distribution."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(max(chance, LEAST))


def _never() -> float:
    return math.nan
