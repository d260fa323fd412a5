"""Rate limits of one key: windows of a minute and a day, as a rule fixed and opened by the first request in them, and a gauge (AMB-21).

Only admitted requests count. The headers tell of the window that will refuse first.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from ..spec import Plan
from .windows import KINDS, Window

DAY_S = 86_400
BUSY_RETRY_S = 1
"""What to wait when too many requests are in flight; nobody knows when one of them ends."""

CLOCK_ERROR_S = 1e-6
"""What the difference of two epoch times may be wrong by."""
UNLIMITED = Plan("Unlimited", requests_per_minute=1_000_000_000)
"""Where nobody is held to a plan. The headers still count, so that who checks them under load finds nothing wrong."""


class Standing(NamedTuple):
    """What limit headers say: the limit, what is left of it, and when there is more again, as an epoch second or in so many seconds
    (AMB-16)."""

    limit: int
    remaining: int
    reset: int
    reset_in: int


class Limiter:
    """What one key has used of its plan.

    ``kind``: of its windows, one of ``windows.KINDS``. ``held_to``: without, it is counted by ``UNLIMITED`` and nobody has to wait.
    """

    def __init__(self, plan: Plan, kind: str = "fixed", held_to: bool = True) -> None:
        plan = plan if held_to else UNLIMITED
        sizes = ((plan.window_s, plan.requests_per_minute), (DAY_S, plan.requests_per_day))
        self._windows = tuple(KINDS[kind](size, allowance) for size, allowance in sizes if allowance is not None)
        self._concurrent = plan.concurrent
        self._held_to = held_to
        self.in_flight = 0

    def retry_after(self, now: float, early: int = 0) -> int | None:
        """Whole seconds to wait before the next request, at least 1; ``None`` if it may be sent now."""
        if not self._held_to:
            return None
        wait = 0.0
        for window in self._windows:
            if window.left(now) <= early:
                wait = max(wait, CLOCK_ERROR_S, window.ends(now) - now)
        if wait:
            return ceil(wait)
        if self._concurrent is not None and self.in_flight >= self._concurrent:
            return BUSY_RETRY_S
        return None

    def take(self, now: float) -> None:
        """Count one admitted request, and hold its place until ``release``."""
        for window in self._windows:
            window.take(now)
        self.in_flight += 1

    def release(self) -> None:
        self.in_flight -= 1

    def standing(self, now: float) -> Standing | None:
        """The window with the least left, the longer one of equals; ``None`` for a plan without windows."""
        if len(self._windows) < 2:
            return _standing(self._windows[0], now) if self._windows else None
        return min((_standing(window, now) for window in self._windows), key=lambda s: (s.remaining, -s.reset))


def _standing(window: Window, now: float) -> Standing:
    left, ends = window.left(now), window.ends(now)
    return Standing(window.allowance, max(0, left), ceil(ends), ceil(ends - now - CLOCK_ERROR_S))
