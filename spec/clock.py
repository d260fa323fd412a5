"""One clock behind windows, ``Reset``, session expiry and pauses: real, scaled or frozen. Seconds since the epoch."""

from __future__ import annotations

import re
import time
from typing import Protocol

FROZEN_AT = 1_767_225_600.0
"""Where a frozen clock starts unless told otherwise: 2026-01-01T00:00:00Z."""
FURTHEST_S = 1e9
"""How far a clock may be moved at once, in seconds: some thirty years."""
LATEST = 221_845_392_000.0
"""How far it may be moved at all: the year 9000. No date has more than four digits of a year, and waits are told as dates too."""
FASTEST = 1_000_000.0
"""How fast a clock may run: twelve days in a second."""


class Clock(Protocol):
    """What the simulator may know of time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def real_delay(self, seconds: float) -> float:
        """How many real seconds pass while this clock moves by ``seconds``."""
        ...

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds``; raises ``ValueError`` for a negative number, since windows only open.

        A pause that is under way is not cut short by it.
        """
        ...


class ScaledClock:
    """Runs ``factor`` times as fast as the machine's clock; ``ScaledClock(1)`` is real time. ``at``: where it starts, now by default."""

    def __init__(self, factor: float = 1.0, at: float | None = None) -> None:
        self._factor = factor
        self._epoch = time.time() if at is None else at
        self._start = time.monotonic()

    def now(self) -> float:
        return self._epoch + (time.monotonic() - self._start) * self._factor

    def real_delay(self, seconds: float) -> float:
        return seconds / self._factor

    @property
    def mode(self) -> str:
        return "real" if self._factor == 1.0 else f"x{self._factor:g}"

    def advance(self, seconds: float) -> None:
        self._epoch += forward(seconds, self.now())


class FrozenClock:
    """Moves only when told to. Pauses take no real time, so a frozen backend never makes its client wait."""

    def __init__(self, at: float = FROZEN_AT) -> None:
        self._now = at

    def now(self) -> float:
        return self._now

    def real_delay(self, seconds: float) -> float:
        return 0.0

    @property
    def mode(self) -> str:
        return "frozen"

    def advance(self, seconds: float) -> None:
        self._now += forward(seconds, self._now)


def forward(seconds: float, now: float = 0.0) -> float:
    """``seconds``, if a clock that is at ``now`` may move so far: ``ValueError`` for what is no number, negative, or beyond any date."""
    if seconds < 0:
        raise ValueError(f"a clock moves forward only, not by {seconds} s")
    if not seconds <= FURTHEST_S:
        raise ValueError(f"a clock moves by {FURTHEST_S:.0f} s at most, not by {seconds} s")
    if now + seconds > LATEST:
        raise ValueError(f"a clock moves to the year 9000 at most, not by {seconds:g} s from where it is")
    return seconds


def parse_clock(text: str, at: float | None = None) -> Clock:
    """``real``, ``frozen`` or ``xN`` (N times as fast, above 0 and up to ``FASTEST``) as given on the command line; ``ValueError`` says what is allowed.

    ``at``: where it starts, in seconds since the epoch.
    """
    if text == "real":
        return ScaledClock(at=at)
    if text == "frozen":
        return FrozenClock() if at is None else FrozenClock(at)
    factor = re.fullmatch(r"x([0-9]+(?:\.[0-9]+)?)", text)
    if factor is None or float(factor[1]) == 0:
        raise ValueError(f"expected real, frozen or xN (as in x60), got {text!r}")
    if float(factor[1]) > FASTEST:
        raise ValueError(f"a clock runs x{FASTEST:.0f} at most, got {text!r}")
    return ScaledClock(float(factor[1]), at)
