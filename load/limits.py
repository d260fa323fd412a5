"""What a key was granted beside what its headers said, and what those headers must keep under load.

Soundness over sharpness: a target counts requests of others too, its clock is not ours, and windows may slide (AMB-21). So only
what no correct server can do is a breach, and only while its window cannot have ended.
"""

from __future__ import annotations

import email.utils
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from ..conformance.advertised import is_epoch, number
from .compiled import Stated

MARGIN_S = 2.0
"""A window that ends sooner than this may have lost requests already (whole seconds, and a clock beside ours)."""
STANDS_NS = 1_000_000_000
"""A window that slides may say a ``Reset`` that moves along with it. The same one, told so much later, is that of a window that stands."""
ROUNDED = 1
"""What a count of parts of requests may hide."""
KEPT_WINDOWS, KEPT_RESETS, KEPT_GRANTS, MOST_BREACHES = 8, 64, 1000, 20
SHORT = 19


class Advertised(NamedTuple):
    """The limit headers of one response; ``None`` where one is missing or no whole number. ``now``: the target's clock, epoch."""

    limit: int | None
    remaining: int | None
    reset: int | None
    now: float

    @classmethod
    def of(cls, stated: Stated, now: float) -> Advertised:
        limit, remaining, reset, date = stated
        return cls(
            None if limit is None else _number(limit),
            None if remaining is None else _remaining(remaining),
            None if reset is None else _number(reset),
            max(now, _epoch(date)) if date else now,
        )


_number = lru_cache(256)(number)
"""Kept, since limit and reset are the same in many answers."""


def _remaining(text: str) -> int | None:
    """Another in each answer, and in a broken one below 0."""
    short = len(text) < SHORT
    if short and text.isdecimal():
        return int(text)
    return -int(text[1:]) if short and text[:1] == "-" and text[1:].isdecimal() else number(text)


@lru_cache(64)
def _epoch(date: str) -> float:
    """A ``Date`` header in epoch seconds, 0 if it is none. Kept, since a second's answers all bear the same."""
    parsed = email.utils.parsedate_tz(date)
    try:
        return float(email.utils.mktime_tz(parsed)) if parsed else 0.0
    except (ValueError, OverflowError):
        return 0.0


class _Low(NamedTuple):
    """By ``at_ns`` no less than ``remaining`` had been told: first by a request that was sent and over at the other two."""

    at_ns: int
    remaining: int
    sent_ns: int
    ended_ns: int


@dataclass
class _Window:
    """One window of a key: when our granted requests in it were ``sent`` and over, and the least that remained by then (``_Low``).

    ``seconds``: how long it is at least.
    """

    sent: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    lows: list[_Low] = field(default_factory=list)
    seconds: float = MARGIN_S


@dataclass
class Account:
    """One key's account. ``grants``: how many requests, by the ``Reset`` of their window. ``breaches``: what the headers must never do, in words, with how often. ``last_at``: epoch seconds."""

    sent: int = 0
    granted: int = 0
    limited: int = 0
    unpaid: int = 0
    limited_with_remaining: int = 0
    units: int = 0
    waits: list[float] = field(default_factory=list)
    limits: Counter[int] = field(default_factory=Counter)
    grants: Counter[int] = field(default_factory=Counter)
    least_remaining: int | None = None
    last_remaining: int | None = None
    last_at: float = 0.0
    breaches: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    _windows: dict[int, _Window] = field(default_factory=dict)
    _resets: list[tuple[int, int]] = field(default_factory=list)

    def hear(self, status: int, said: Advertised, sent_ns: int, ended_ns: int, units: int | None, turn: int) -> None:
        """One answer, in the order in which they ended. ``turn``: its number, as an example; below 0 before the run."""
        self.sent += 1
        granted = 200 <= status < 300
        if granted:
            self.granted += 1
        elif status == 402:
            self.unpaid += 1
        elif status == 429:
            self.limited += 1
            self.limited_with_remaining += bool(said.remaining and said.remaining > 0)
        if units:
            self.units += units
        if said.limit is not None:
            limits = self.limits
            limits[said.limit] += 1
            if len(limits) > 1 and said.limit != (usual := next(iter(limits))):
                self._breach("Limit changes", turn, lambda: f"{usual}, then {said.limit}")
        if said.remaining is not None:
            self.last_remaining, self.last_at = said.remaining, said.now
            if granted:
                self._remaining(said, said.remaining, sent_ns, ended_ns, turn)

    def _remaining(self, said: Advertised, remaining: int, sent_ns: int, ended_ns: int, turn: int) -> None:
        least, limit, reset = self.least_remaining, said.limit, said.reset
        if least is None or remaining < least:
            self.least_remaining = remaining
        if remaining < 0:
            self._breach("Remaining is negative", turn, lambda: f"{remaining}")
        if limit is not None and remaining >= limit:
            self._breach("Remaining is not below Limit after a request", turn, lambda: f"{remaining} of {limit}")
        if reset is None or not is_epoch(reset):
            return
        self._reset(reset, sent_ns, ended_ns, turn)
        if reset - said.now < MARGIN_S:
            return
        window = self._windows.get(reset)
        if window is None:
            window = self._windows[reset] = _Window()
            while len(self._windows) > KEPT_WINDOWS:
                del self._windows[next(iter(self._windows))]
            while len(self.grants) > KEPT_GRANTS:
                del self.grants[next(iter(self.grants))]
        self.grants[reset] += 1
        ended, lows = window.ended, window.lows
        before = bisect_left(ended, sent_ns)
        if limit is not None and limit - remaining < before + 1:
            used = limit - remaining
            self._breach(
                "Remaining counts fewer requests than were granted",
                turn,
                lambda: f"{used} used by Remaining {remaining}, yet {before} granted before and this one",
            )
        window.seconds = max(window.seconds, reset - said.now)
        at = bisect_left(lows, (sent_ns - STANDS_NS, -(10**18)))
        if at and limit is not None:
            self._fall(window, lows[at - 1], limit, remaining, before, ended_ns, turn)
        last = lows[-1] if lows else _Low(ended_ns, remaining, sent_ns, ended_ns)
        at_ns = max(ended_ns, last.at_ns)
        lows.append(
            _Low(at_ns, remaining, sent_ns, ended_ns) if remaining < last.remaining else last._replace(at_ns=at_ns)
        )
        insort(ended, ended_ns)
        insort(window.sent, sent_ns)

    def _fall(
        self, window: _Window, low: _Low, limit: int, remaining: int, before: int, ended_ns: int, turn: int
    ) -> None:
        """What remains falls with every request, but that the weight of the window before may go meanwhile: no more of it than is used, evenly."""
        granted = max(before - bisect_left(window.sent, low.ended_ns), 0) + 1
        gone = limit * (ended_ns - low.sent_ns) / 1e9 / window.seconds
        if remaining > low.remaining - granted + gone + ROUNDED:
            self._breach(
                "Remaining does not fall inside a window",
                turn,
                lambda: f"{remaining}, after {low.remaining} had been told and {granted} more were granted",
            )

    def _reset(self, reset: int, sent_ns: int, ended_ns: int, turn: int) -> None:
        """No window ends before one that had been told already; nodes of a target may differ by a little."""
        told = self._resets
        before = bisect_left(told, (sent_ns, 0))
        if before and reset < told[before - 1][1] - MARGIN_S:
            latest = told[before - 1][1]
            self._breach("Reset goes back", turn, lambda: f"{reset}, after {latest} had been told")
        if not told or reset > told[-1][1]:
            told.append((max(ended_ns, told[-1][0]) if told else ended_ns, reset))
            del told[:-KEPT_RESETS]

    def _breach(self, what: str, turn: int, how: Callable[[], str]) -> None:
        self.breaches[what] += 1
        if what not in self.first:
            self.first[what] = f"{how()} ({f'turn {turn}' if turn >= 0 else 'before the run'})"

    @property
    def granted_beyond(self) -> int:
        """Requests granted in a window, by whichever process, beyond the limit that was told."""
        limit = max(self.limits, default=None)
        return 0 if limit is None else sum(max(granted - limit, 0) for granted in self.grants.values())

    def to_data(self) -> dict[str, Any]:
        """Plain data, that ``merge`` takes."""
        return {
            "sent": self.sent,
            "granted": self.granted,
            "limited": self.limited,
            "unpaid": self.unpaid,
            "limited_with_remaining": self.limited_with_remaining,
            "grants": sorted(self.grants.items()),
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
        for name in ("sent", "granted", "limited", "unpaid", "limited_with_remaining", "units"):
            setattr(self, name, getattr(self, name) + data[name])
        self.waits += data["waits"]
        for limit, count in data["limits"]:
            self.limits[int(limit)] += count
        for reset, count in data["grants"]:
            self.grants[int(reset)] += count
        lows = [low for low in (self.least_remaining, data["least_remaining"]) if low is not None]
        self.least_remaining = min(lows, default=None)
        if data["last_at"] >= self.last_at:
            self.last_remaining, self.last_at = data["last_remaining"], data["last_at"]
        for what, count, first in data["breaches"]:
            self.breaches[what] += count
            self.first.setdefault(what, first)
