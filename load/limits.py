"""What a key was granted beside what its headers said, and what those headers must keep under load.

Soundness over sharpness: a target counts requests of others too, its clock is not ours, and windows may slide (AMB-21). So only
what no correct server can do is a breach, and only while its window cannot have ended.
"""

from __future__ import annotations

import email.utils
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..conformance.advertised import is_epoch, number
from ..spec import Dialect, Limits

MARGIN_S = 2.0
"""A window that ends sooner than this may have lost requests already (whole seconds, and a clock beside ours)."""
STANDS_NS = 1_000_000_000
"""A window that slides may say a ``Reset`` that moves along with it. The same one, told so much later, is that of a window that stands."""
KEPT_WINDOWS, KEPT_RESETS, MOST_BREACHES = 8, 64, 20


@dataclass(frozen=True)
class Advertised:
    """The limit headers of one response; ``None`` where one is missing or no whole number. ``now``: the target's clock, epoch."""

    limit: int | None
    remaining: int | None
    reset: int | None
    now: float

    @classmethod
    def of(cls, headers: Mapping[str, str], dialect: Dialect, now: float) -> Advertised:
        limit_name, remaining_name, reset_name = _names(dialect.limits)
        limit, remaining = headers.get(limit_name), headers.get(remaining_name, "")
        reset, date = headers.get(reset_name), headers.get("date")
        return cls(
            None if limit is None else _number(limit),
            -int(remaining[1:]) if remaining[:1] == "-" and remaining[1:].isdecimal() else number(remaining),
            None if reset is None else _number(reset),
            max(now, _epoch(date)) if date else now,
        )


@lru_cache(64)
def _names(limits: Limits) -> tuple[str, str, str]:
    return limits.limit.lower(), limits.remaining.lower(), limits.reset.lower()


_number = lru_cache(256)(number)
"""Kept, since limit and reset are the same in many answers."""


@lru_cache(64)
def _epoch(date: str) -> float:
    """A ``Date`` header in epoch seconds, 0 if it is none. Kept, since a second's answers all bear the same."""
    parsed = email.utils.parsedate_tz(date)
    try:
        return float(email.utils.mktime_tz(parsed)) if parsed else 0.0
    except (ValueError, OverflowError):
        return 0.0


@dataclass
class _Window:
    """One window of a key: when our granted requests in it were over, and the least that remained by then."""

    ended: list[int] = field(default_factory=list)
    lows: list[tuple[int, int]] = field(default_factory=list)
    granted: int = 0


@dataclass
class Account:
    """One key's account. ``breaches``: what the headers must never do, in words, with how often. ``last_at``: epoch seconds."""

    sent: int = 0
    granted: int = 0
    limited: int = 0
    unpaid: int = 0
    limited_with_remaining: int = 0
    granted_beyond: int = 0
    units: int = 0
    waits: list[float] = field(default_factory=list)
    limits: Counter[int] = field(default_factory=Counter)
    least_remaining: int | None = None
    last_remaining: int | None = None
    last_at: float = 0.0
    breaches: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    _windows: dict[int, _Window] = field(default_factory=dict)
    _resets: list[tuple[int, int]] = field(default_factory=list)

    def hear(self, status: int, said: Advertised, sent_ns: int, ended_ns: int, units: int | None, turn: str) -> None:
        """One answer, in the order in which they ended."""
        self.sent += 1
        self.granted += 200 <= status < 300
        self.unpaid += status == 402
        self.units += units or 0
        if status == 429:
            self.limited += 1
            self.limited_with_remaining += bool(said.remaining and said.remaining > 0)
        if said.remaining is not None:
            self.last_remaining, self.last_at = said.remaining, said.now
        if said.limit is not None:
            self.limits[said.limit] += 1
            if len(self.limits) > 1 and said.limit != next(iter(self.limits)):
                self._breach("Limit changes", f"{next(iter(self.limits))}, then {said.limit}", turn)
        if said.remaining is not None and 200 <= status < 300:
            self._remaining(said, said.remaining, sent_ns, ended_ns, turn)

    def _remaining(self, said: Advertised, remaining: int, sent_ns: int, ended_ns: int, turn: str) -> None:
        least = self.least_remaining
        self.least_remaining = remaining if least is None else min(least, remaining)
        if remaining < 0:
            self._breach("Remaining is negative", f"{remaining}", turn)
        if said.limit is not None and remaining >= said.limit:
            self._breach("Remaining is not below Limit after a request", f"{remaining} of {said.limit}", turn)
        if said.reset is None or not is_epoch(said.reset):
            return
        self._reset(said.reset, sent_ns, ended_ns, turn)
        if said.reset - said.now < MARGIN_S:
            return
        window = self._windows.setdefault(said.reset, _Window())
        while len(self._windows) > KEPT_WINDOWS:
            del self._windows[next(iter(self._windows))]
        before = bisect_left(window.ended, sent_ns)
        if said.limit is not None and said.limit - remaining < before + 1:
            used = f"{said.limit - remaining} used by Remaining {remaining}, yet {before} granted before and this one"
            self._breach("Remaining counts fewer requests than were granted", used, turn)
        at = bisect_left(window.lows, (sent_ns - STANDS_NS, -(10**18)))
        if at and remaining >= window.lows[at - 1][1]:
            low = window.lows[at - 1][1]
            self._breach("Remaining does not fall inside a window", f"{remaining}, after {low} had been told", turn)
        insort(window.ended, ended_ns)
        low = min(remaining, window.lows[-1][1]) if window.lows else remaining
        window.lows.append((max(ended_ns, window.lows[-1][0]) if window.lows else ended_ns, low))
        window.granted += 1
        if said.limit is not None and window.granted > said.limit:
            self.granted_beyond += 1

    def _reset(self, reset: int, sent_ns: int, ended_ns: int, turn: str) -> None:
        """No window ends before one that had been told already; nodes of a target may differ by a little."""
        told = self._resets
        before = bisect_left(told, (sent_ns, 0))
        if before and reset < told[before - 1][1] - MARGIN_S:
            self._breach("Reset goes back", f"{reset}, after {told[before - 1][1]} had been told", turn)
        if not told or reset > told[-1][1]:
            told.append((max(ended_ns, told[-1][0]) if told else ended_ns, reset))
            del told[:-KEPT_RESETS]

    def _breach(self, what: str, how: str, turn: str) -> None:
        self.breaches[what] += 1
        self.first.setdefault(what, f"{how} ({turn})")

    def to_data(self) -> dict[str, Any]:
        """Plain data, that ``merge`` takes."""
        return {
            "sent": self.sent,
            "granted": self.granted,
            "limited": self.limited,
            "unpaid": self.unpaid,
            "limited_with_remaining": self.limited_with_remaining,
            "granted_beyond": self.granted_beyond,
            "units": self.units,
            "waits": self.waits[:1000],
            "limits": sorted(self.limits.items()),
            "least_remaining": self.least_remaining,
            "last_remaining": self.last_remaining,
            "last_at": self.last_at,
            "breaches": [[what, count, self.first[what]] for what, count in self.breaches.most_common(MOST_BREACHES)],
        }

    def merge(self, data: Mapping[str, Any]) -> None:
        """Take in what another process has counted for the same key."""
        for name in ("sent", "granted", "limited", "unpaid", "limited_with_remaining", "granted_beyond", "units"):
            setattr(self, name, getattr(self, name) + data[name])
        self.waits += data["waits"]
        for limit, count in data["limits"]:
            self.limits[int(limit)] += count
        lows = [low for low in (self.least_remaining, data["least_remaining"]) if low is not None]
        self.least_remaining = min(lows, default=None)
        if data["last_at"] >= self.last_at:
            self.last_remaining, self.last_at = data["last_remaining"], data["last_at"]
        for what, count, first in data["breaches"]:
            self.breaches[what] += count
            self.first.setdefault(what, first)
