"""Counts of whole numbers by size, to three significant digits: small, mergeable, and plain data when written.

Log-linear: up to 2,047 each number has a bucket of its own, above that each power of two is cut in 1,024 buckets, so that no
value is told more than 0.05 % wrong. Kept sparse, since a run's times are close together. Why not the HDR library: its counts
are written in a packed form that only it can read, and a report has to be readable from its JSON alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

EXACT_BITS = 11
EXACT = 1 << EXACT_BITS
HALF = EXACT >> 1


def bucket(value: int) -> int:
    """The bucket of a number that is not negative."""
    if value < EXACT:
        return value
    shift = value.bit_length() - EXACT_BITS
    return shift * HALF + (value >> shift)


def middle(index: int) -> int:
    """The number in the middle of a bucket."""
    if index < EXACT:
        return index
    shift = index // HALF - 1
    return (index - shift * HALF << shift) + (1 << shift >> 1)


def coarse(value: int) -> int:
    """The bucket of a number among few: two to each power of two, ``b`` begins at 2 to the power of ``b // 2 - 1``, half as much again if odd."""
    bits = value.bit_length()
    return 2 * bits + (value >> bits - 2 & 1 if bits > 1 else 0)


class Histogram:
    """Whole numbers, counted. What is negative counts as 0."""

    __slots__ = ("count", "counts", "least", "most", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.count = self.total = self.most = 0
        self.least: int | None = None

    def record(self, value: int) -> None:
        """Count one number."""
        if value < EXACT:
            value = max(value, 0)
            index = value
        else:
            shift = value.bit_length() - EXACT_BITS
            index = shift * HALF + (value >> shift)
        self.counts[index] = self.counts.get(index, 0) + 1
        self.count += 1
        self.total += value
        self.most = max(self.most, value)
        if self.least is None or value < self.least:
            self.least = value

    def record_all(self, values: list[int]) -> None:
        """Count many at once, as a stream's gaps are."""
        if not values:
            return
        counts, get = self.counts, self.counts.get
        for value in values:
            index = value if value < EXACT else bucket(value)
            counts[index] = get(index, 0) + 1
        self.count += len(values)
        self.total += sum(values)
        least = min(values)
        self.most = max(self.most, max(values))
        self.least = least if self.least is None else min(self.least, least)

    def merge(self, other: Histogram) -> None:
        """Take in another's counts: the same as if every number had been recorded here."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count
        self.count += other.count
        self.total += other.total
        self.most = max(self.most, other.most)
        if other.least is not None:
            self.least = other.least if self.least is None else min(self.least, other.least)

    def quantiles(self, shares: Iterable[float]) -> Iterator[int | None]:
        """The smallest recorded size that this share of the numbers does not exceed, for each share (0 to 1, rising)."""
        walk = iter(sorted(self.counts.items()))
        reached, index = 0, 0
        for share in shares:
            if not self.count:
                yield None
                continue
            rank = max(math.ceil(share * self.count - 1e-9), 1)
            while reached < rank:
                index, count = next(walk)
                reached += count
            yield min(max(middle(index), self.least or 0), self.most)

    def quantile(self, share: float) -> int | None:
        """One quantile; ``None`` where nothing was recorded."""
        return next(self.quantiles((share,)))

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    def to_data(self) -> dict[str, Any]:
        """Plain data: ``counts`` are pairs of bucket and count, by bucket (see ``bucket``)."""
        return {
            "count": self.count,
            "sum": self.total,
            "min": self.least,
            "max": self.most if self.count else None,
            "counts": sorted(self.counts.items()),
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Histogram:
        """The histogram that ``to_data`` wrote."""
        made = cls()
        made.counts = {int(index): int(count) for index, count in data["counts"]}
        made.count, made.total, made.least = data["count"], data["sum"], data["min"]
        made.most = data["max"] or 0
        return made
