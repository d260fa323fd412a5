"""Whether two load runs differ by more than chance: intervals of differences, from histograms and time series. Pure, and the same for the same name.

*Quantiles*: the bootstrap, without its labour. Drawing a histogram's counts anew and taking a quantile gives the value at a share
that is beta distributed (the law of an order statistic), so that share is drawn and looked up; both runs are, apart from each
other. *Shares* have the score interval of Wilson and Newcombe, since drawing anew from nothing but successes gives no interval at
all. *Rates* are drawn in blocks of time, which keep what belongs together.

Turns of one second share its queue: they are no independent witnesses. How much less a run knows than its number of turns says is
read from its time series (``clumping``), and the number is divided by that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random
from statistics import NormalDist

from .load_counts import Counts, rank

LEVEL = 0.99
"""Of an interval: several metrics are looked at, and each may cry wolf."""
DRAWS = 2000
FEWEST_ABOVE = 5
"""Turns that have to lie beyond a percentile for it to be judged."""
FEWEST_POINTS = 8
MOST_LAGS = 10
BATCHES = 8
STUDENT = 1.845
"""The square of the 99.5th percentile of Student's distribution with 7 degrees of freedom over that of the normal one."""


@dataclass(frozen=True)
class Interval:
    """Where the difference, after less before, lies."""

    low: float
    high: float


def quantiles(before: Counts, after: Counts, share: float, sizes: tuple[float, float], name: str) -> Interval | None:
    """The difference of a quantile. ``sizes``: how many independent turns each run is worth; ``None`` where they are too few."""
    if min(sizes) * min(share, 1 - share) < FEWEST_ABOVE:
        return None
    random = Random(f"compare/{name}")
    drawn = []
    for _ in range(DRAWS):
        one, two = (
            counts.quantile(random.betavariate(share * (size + 1), (1 - share) * (size + 1))) or 0.0
            for counts, size in zip((before, after), sizes, strict=True)
        )
        drawn.append(two - one)
    return _middle(drawn)


def apart(before: Counts, after: Counts, points: int) -> Interval | None:
    """The difference of any quantile of two runs of which one was slower in every turn; ``None`` where some are alike. ``points``: of time, in the
    shorter run.

    What drifts within a run makes its turns few witnesses; a drift that both have does not part them, and chance parts so many points of time once in
    thousands of comparisons.
    """
    if points < FEWEST_POINTS or not (before.count and after.count):
        return None
    found = Interval(after.sizes[0] - before.sizes[-1], after.sizes[-1] - before.sizes[0])
    return None if found.low <= 0 <= found.high else found


def shares(before: tuple[float, float], after: tuple[float, float]) -> Interval | None:
    """The difference of two shares, each given with how many independent turns it rests on (Newcombe 1998, method 10)."""
    if min(before[1], after[1]) < 1:
        return None
    one, two = wilson(*before), wilson(*after)
    gap = after[0] - before[0]
    return Interval(
        gap - math.hypot(after[0] - two.low, one.high - before[0]),
        gap + math.hypot(two.high - after[0], before[0] - one.low),
    )


def wilson(share: float, size: float) -> Interval:
    """The score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    middle, around = share + z * z / (2 * size), z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    whole = 1 + z * z / size
    return Interval(max((middle - around) / whole, 0.0), min((middle + around) / whole, 1.0))


def rates(before: Sequence[float], after: Sequence[float], name: str) -> Interval | None:
    """The difference of two means over time, each of values that follow each other; ``None`` where there are too few."""
    if min(len(before), len(after)) < FEWEST_POINTS:
        return None
    random = Random(f"compare/{name}")
    one, two = _blocks(before, random), _blocks(after, random)
    return _middle([b - a for a, b in zip(one, two, strict=True)])


def clumping(scores: Sequence[float]) -> float:
    """How many turns count as one: the long-run variance of standard scores of a time series, about 1 if its points are independent.

    The larger of two estimates, since each is too small where the memory is long: neighbouring points under Bartlett's weights (Newey
    and West 1987), and the means of a few long batches (Law and Kelton); then what Student's distribution adds for batches so few.
    1 where the points are too few to tell. What changes more slowly than the run lasts no run can know of.
    """
    if len(scores) < FEWEST_POINTS:
        return 1.0
    return max(_neighbours(scores), _batches(scores), 1.0) * STUDENT


def _neighbours(scores: Sequence[float]) -> float:
    size, most = len(scores), min(MOST_LAGS, len(scores) // 4)
    whole = sum(score * score for score in scores) / size
    for lag in range(1, most + 1):
        shared = sum(scores[n] * scores[n - lag] for n in range(lag, size)) / size
        whole += 2 * (1 - lag / (most + 1)) * shared
    return whole


def _batches(scores: Sequence[float]) -> float:
    edges = [round(n * len(scores) / BATCHES) for n in range(BATCHES + 1)]
    sums = [sum(scores[start:end]) ** 2 / (end - start) for start, end in pairwise(edges)]
    return sum(sums) / (BATCHES - 1)


def quantile_scores(points: Sequence[tuple[int, float]], whole: Counts, share: float) -> list[float]:
    """How far each point's quantile lies from the whole run's, in its own standard deviations. ``points``: turns, and their quantile.

    By the whole run's distribution a point's quantile is an order statistic of so many uniform numbers.
    """
    scores = []
    for size, value in points:
        place = rank(share, size)
        mean = place / (size + 1)
        deviation = math.sqrt(place * (size - place + 1) / ((size + 1) ** 2 * (size + 2)))
        scores.append((whole.share_upto(value) - mean) / deviation)
    return scores


def share_scores(points: Sequence[tuple[int, int]]) -> list[float]:
    """The same of a share. ``points``: turns, and how many of them count."""
    size, hits = sum(size for size, _ in points), sum(hits for _, hits in points)
    share = hits / size if size else 0.0
    if share in (0.0, 1.0):
        return []
    return [(hits - size * share) / math.sqrt(size * share * (1 - share)) for size, hits in points if size]


def _blocks(values: Sequence[float], random: Random) -> list[float]:
    """Means of series drawn anew in blocks, round the end."""
    size = len(values)
    block = max(round(math.sqrt(size)), 1)
    sums = [0.0, *accumulate([*values, *values[:block]])]
    heads = [sums[n + block] - sums[n] for n in range(size)]
    count = math.ceil(size / block)
    return [sum(random.choices(heads, k=count)) / (count * block) for _ in range(DRAWS)]


def _middle(drawn: list[float]) -> Interval:
    drawn.sort()
    beyond = (1 - LEVEL) / 2
    return Interval(drawn[int(beyond * len(drawn))], drawn[math.ceil((1 - beyond) * len(drawn)) - 1])
