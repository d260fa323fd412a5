"""One point of a run's time series. Adds up over processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .histogram import HEAP, Histogram, all_coarse


@dataclass
class Bin:
    """One point of the time series. ``remaining``: the least that a key was told to have left, by key."""

    counts: Counter[str] = field(default_factory=Counter)
    ttft: Histogram = field(default_factory=Histogram)
    duration: Histogram = field(default_factory=Histogram)
    remaining: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    _gaps: Counter[int] = field(default_factory=Counter)
    _fresh: list[int] = field(default_factory=list)

    @property
    def gaps(self) -> Counter[int]:
        """How many gaps there were, by coarse bucket."""
        self._settle()
        return self._gaps

    def add_gaps(self, gaps: list[int]) -> None:
        """Those of one turn, in microseconds; counted when there are many, or when somebody asks."""
        self._fresh += gaps
        if len(self._fresh) >= HEAP:
            self._settle()

    def _settle(self) -> None:
        if self._fresh:
            self._gaps.update(all_coarse(self._fresh))
            self._fresh = []

    def left(self, key: str, remaining: int) -> None:
        """An answer said that so many requests remain."""
        known = self.remaining.get(key)
        self.remaining[key] = remaining if known is None else min(known, remaining)

    def to_data(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "ttft": self.ttft.to_data(),
            "duration": self.duration.to_data(),
            "gaps": sorted(self.gaps.items()),
            "remaining": self.remaining,
            "in_flight": self.in_flight,
        }

    def merge(self, data: Mapping[str, Any]) -> None:
        self.counts.update(data["counts"])
        self.ttft.merge(Histogram.of(data["ttft"]))
        self.duration.merge(Histogram.of(data["duration"]))
        for bucket, number in data["gaps"]:
            self._gaps[bucket] += number
        for key, remaining in data["remaining"].items():
            self.left(key, remaining)
        self.in_flight += data["in_flight"]
