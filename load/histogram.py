"""Counts of whole numbers by size, to three significant digits: small, mergeable, and plain data when written.

Log-linear: up to 2,047 each number has a bucket of its own, above that each power of two is cut in 1,024 buckets, so that no
value is told more than 0.05 % wrong. Kept sparse, since a run's times are close together. Why not the HDR library: its counts
are written in a packed form that only it can read, and a report has to be readable from its JSON alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

EXACT_BITS = 11
EXACT = 1 << EXACT_BITS
HALF = EXACT >> 1
HEAP = 256
"""So many numbers are counted at a time: enough to pay, and too few to hold anything up."""


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


COARSE, COARSE_BITS = [coarse(value) for value in range(EXACT)], EXACT_BITS - 2


def all_coarse(values: Iterable[int]) -> Counter[int]:
    """How many of these numbers are in each coarse bucket. A power of two more is two buckets more, so a table of the small ones will do."""
    small, large = COARSE, EXACT << COARSE_BITS
    return Counter(
        [
            small[value]
            if value < EXACT
            else 2 * COARSE_BITS + small[value >> COARSE_BITS]
            if value < large
            else coarse(value)
            for value in values
        ]
    )


class Histogram:
    """Whole numbers, counted. What is negative counts as 0.

    What is new is put on a heap and counted when that is large, or when somebody asks: a run records several numbers with every turn,
    and a loop over hundreds costs a fraction of what hundreds of calls do.
    """

    __slots__ = ("_count", "_counts", "_fresh", "_least", "_most", "_total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._count = self._total = self._most = 0
        self._least: int | None = None
        self._fresh: list[int] = []

    def record(self, value: int) -> None:
        """Count one number."""
        fresh = self._fresh
        fresh.append(value)
        if len(fresh) >= HEAP:
            self._settle()

    def record_all(self, values: list[int]) -> None:
        """Count many at once, as a stream's gaps are."""
        self._fresh += values
        if len(self._fresh) >= HEAP:
            self._settle()

    def _settle(self) -> None:
        """Count what is on the heap."""
        fresh = self._fresh
        if not fresh:
            return
        self._fresh = []
        least, most = min(fresh), max(fresh)
        if least < 0:
            fresh, least, most = [max(value, 0) for value in fresh], 0, max(most, 0)
        counts, get = self._counts, self._counts.get
        for value in fresh:
            if value >= EXACT:
                shift = value.bit_length() - EXACT_BITS
                value = shift * HALF + (value >> shift)
            counts[value] = get(value, 0) + 1
        self._count += len(fresh)
        self._total += sum(fresh)
        self._most = max(self._most, most)
        self._least = least if self._least is None else min(self._least, least)

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return self._count + len(self._fresh)

    @property
    def least(self) -> int | None:
        """The smallest of them."""
        self._settle()
        return self._least

    @property
    def most(self) -> int:
        """The largest of them; 0 where there are none."""
        self._settle()
        return self._most

    def merge(self, other: Histogram) -> None:
        """Take in another's counts: the same as if every number had been recorded here."""
        self._settle()
        other._settle()
        for index, count in other._counts.items():
            self._counts[index] = self._counts.get(index, 0) + count
        self._count += other._count
        self._total += other._total
        self._most = max(self._most, other._most)
        if other._least is not None:
            self._least = other._least if self._least is None else min(self._least, other._least)

    def beyond(self, value: int) -> int:
        """How many numbers are larger, as far as buckets tell them apart."""
        self._settle()
        return sum(count for index, count in self._counts.items() if index > bucket(value))

    def quantiles(self, shares: Iterable[float]) -> Iterator[int | None]:
        """The smallest recorded size that this share of the numbers does not exceed, for each share (0 to 1, rising)."""
        self._settle()
        walk = iter(sorted(self._counts.items()))
        reached, index = 0, 0
        for share in shares:
            if not self._count:
                yield None
                continue
            rank = max(math.ceil(share * self._count - 1e-9), 1)
            while reached < rank:
                index, count = next(walk)
                reached += count
            yield min(max(middle(index), self._least or 0), self._most)

    def quantile(self, share: float) -> int | None:
        """One quantile; ``None`` where nothing was recorded."""
        return next(self.quantiles((share,)))

    @property
    def mean(self) -> float | None:
        self._settle()
        return self._total / self._count if self._count else None

    def to_data(self) -> dict[str, Any]:
        """Plain data: ``counts`` are pairs of bucket and count, by bucket (see ``bucket``)."""
        self._settle()
        return {
            "count": self._count,
            "sum": self._total,
            "min": self._least,
            "max": self._most if self._count else None,
            "counts": sorted(self._counts.items()),
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Histogram:
        """The histogram that ``to_data`` wrote."""
        made = cls()
        made._counts = {int(index): int(count) for index, count in data["counts"]}
        made._count, made._total, made._least = data["count"], data["sum"], data["min"]
        made._most = data["max"] or 0
        return made
