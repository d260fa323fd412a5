"""Over what requests are counted: four kinds of window, three that the documents allow and a token bucket (AMB-21).

A window says how many requests are ``left``, when it ``ends`` (for whoever is refused: when the next request is taken), and
counts one that is ``take``n. Times are seconds of the backend's clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

PARTS = 600
"""A sliding window is counted in so many parts, so that what it keeps is bounded, however many requests it allows."""


class Window(Protocol):
    """``allowance`` requests in ``size_s`` seconds."""

    allowance: int

    def left(self, now: float) -> int:
        """How many more are taken; below 0 where more were counted."""

    def ends(self, now: float) -> float:
        """When the open window ends; if none is open, when one opened now would."""

    def take(self, now: float) -> None:
        """Count one."""


class Fixed:
    """Opened by the first request in it; nothing of it is left when it ends."""

    def __init__(self, size_s: int, allowance: int) -> None:
        self.size_s = size_s
        self.allowance = allowance
        self._opened = -math.inf
        self._used = 0

    def left(self, now: float) -> int:
        return self.allowance - (self._used if now < self._opened + self.size_s else 0)

    def ends(self, now: float) -> float:
        end = self._opened + self.size_s
        return end if now < end else self._opens(now) + self.size_s

    def take(self, now: float) -> None:
        if now >= self._opened + self.size_s:
            self._opened, self._used = self._opens(now), 0
        self._used += 1

    def _opens(self, now: float) -> float:
        return now


class Aligned(Fixed):
    """Opened by the clock: a minute begins with the minute, a day with the day in UTC."""

    def _opens(self, now: float) -> float:
        return now - now % self.size_s


class Sliding:
    """The last ``size_s`` seconds at any moment. Requests close together leave together, the newest of them deciding when."""

    def __init__(self, size_s: int, allowance: int) -> None:
        self.size_s = size_s
        self.allowance = allowance
        self._used = 0
        self._parts: deque[tuple[float, float, int]] = deque()

    def left(self, now: float) -> int:
        self._forget(now)
        return self.allowance - self._used

    def ends(self, now: float) -> float:
        self._forget(now)
        return (self._parts[0][1] if self._parts else now) + self.size_s

    def take(self, now: float) -> None:
        self._forget(now)
        first, _, count = self._parts.pop() if self._parts else (now, now, 0)
        if now - first > self.size_s / PARTS:
            self._parts.append((first, _, count))
            first, count = now, 0
        self._parts.append((first, now, count + 1))
        self._used += 1

    def _forget(self, now: float) -> None:
        while self._parts and now >= self._parts[0][1] + self.size_s:
            self._used -= self._parts.popleft()[2]


class Bucket:
    """Holds ``allowance`` requests and is refilled evenly, all of them in ``size_s`` seconds."""

    def __init__(self, size_s: int, allowance: int) -> None:
        self.size_s = size_s
        self.allowance = allowance
        self._level, self._at = float(allowance), -math.inf

    def left(self, now: float) -> int:
        return math.floor(self._filled(now) + 1e-9)

    def ends(self, now: float) -> float:
        """When it holds one more than now; a whole window ahead if it is full."""
        level = self._filled(now)
        if level >= self.allowance:
            return now + self.size_s
        return now + (math.floor(level + 1e-9) + 1 - level) * self.size_s / self.allowance

    def take(self, now: float) -> None:
        self._level, self._at = self._filled(now) - 1, now

    def _filled(self, now: float) -> float:
        if now == self._at:
            return self._level
        return min(float(self.allowance), self._level + (now - self._at) * self.allowance / self.size_s)


KINDS: dict[str, Callable[[int, int], Window]] = {
    "fixed": Fixed,
    "aligned": Aligned,
    "sliding": Sliding,
    "bucket": Bucket,
}
"""By the names of AMB-21's readings and quirks."""
