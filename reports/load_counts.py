"""The histograms of a load run's JSON, read: quantiles by rank, and the share below a value.

A bucket is a number below 2,048; above, each power of two is cut in 1,024 (``schema/load.schema.json``, ``histogram``).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

EXACT_BITS, HALF = 11, 1024
PER_UNIT = 1000
"""Histograms count thousandths: microseconds of a millisecond, or thousandths of something a second."""


@dataclass(frozen=True)
class Counts:
    """``sizes`` rise, in ms or so many a second; ``upto`` says of each how many values are no larger."""

    sizes: tuple[float, ...]
    upto: tuple[int, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Counts:
        """What a histogram of the JSON holds; nothing for ``None``."""
        rows = sorted((int(bucket), int(count)) for bucket, count in data["counts"] if count > 0) if data else []
        least, most = (data["min"] or 0, data["max"] or 0) if data else (0, 0)
        sizes = tuple(min(max(middle(bucket), least), most) / PER_UNIT for bucket, _ in rows)
        return cls(sizes, tuple(accumulate(count for _, count in rows)))

    @property
    def count(self) -> int:
        return self.upto[-1] if self.upto else 0

    def ranked(self, rank: int) -> float:
        """The value of that rank, counted from 1."""
        return self.sizes[bisect_left(self.upto, min(max(rank, 1), self.count))]

    def quantile(self, share: float) -> float | None:
        """The smallest value that this share of all does not exceed; ``None`` of nothing."""
        return self.ranked(rank(share, self.count)) if self.count else None

    def share_upto(self, value: float) -> float:
        """The share of values that are no larger."""
        place = bisect_right(self.sizes, value)
        return self.upto[place - 1] / self.count if place else 0.0


def rank(share: float, count: int) -> int:
    """Which of so many values, in rising order, is the quantile."""
    return max(math.ceil(share * count - 1e-9), 1)


def middle(bucket: int) -> int:
    """The number in the middle of a bucket."""
    if bucket < 1 << EXACT_BITS:
        return bucket
    shift = bucket // HALF - 1
    return (bucket - shift * HALF << shift) + (1 << shift >> 1)
