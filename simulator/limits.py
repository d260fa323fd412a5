"""Rate limits of one key: fixed windows of a minute and a day, opened by the first request in them, and a gauge (AMB-21).

Only admitted requests count. The headers tell of the window that will refuse first.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..spec import Plan

DAY_S = 86_400
BUSY_RETRY_S = 1
"""What to wait when too many requests are in flight; nobody knows when one of them ends."""


class Standing(NamedTuple):
    """What limit headers say: the limit, what is left of it, and the epoch second when it is whole again (AMB-16)."""

    limit: int
    remaining: int
    reset: int


class Window:
    """``allowance`` requests in ``size_s`` seconds."""

    def __init__(self, size_s: int, allowance: int) -> None:
        self.size_s = size_s
        self.allowance = allowance
        self._opened = -math.inf
        self._used = 0

    def left(self, now: float) -> int:
        return self.allowance - (self._used if now < self._opened + self.size_s else 0)

    def ends(self, now: float) -> float:
        """When the open window ends; if none is open, when one opened now would."""
        end = self._opened + self.size_s
        return end if now < end else now + self.size_s

    def take(self, now: float) -> None:
        if now >= self._opened + self.size_s:
            self._opened, self._used = now, 0
        self._used += 1

    def standing(self, now: float) -> Standing:
        return Standing(self.allowance, max(0, self.left(now)), math.ceil(self.ends(now)))


class Limiter:
    """What one key has used of its plan."""

    def __init__(self, plan: Plan) -> None:
        sizes = ((plan.window_s, plan.requests_per_minute), (DAY_S, plan.requests_per_day))
        self._windows = tuple(Window(size, allowance) for size, allowance in sizes if allowance is not None)
        self._concurrent = plan.concurrent
        self.in_flight = 0

    def retry_after(self, now: float, early: int = 0) -> int | None:
        """Whole seconds to wait before the next request, at least 1; ``None`` if it may be sent now."""
        closed = [window.ends(now) - now for window in self._windows if window.left(now) <= early]
        if closed:
            return max(1, math.ceil(max(closed)))
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
            return self._windows[0].standing(now) if self._windows else None
        return min((w.standing(now) for w in self._windows), key=lambda s: (s.remaining, -s.reset))
