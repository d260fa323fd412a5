"""The statistics of a comparison: intervals that hold what they say, and turns that are worth less where they clump."""

from __future__ import annotations

import math
from random import Random

import pytest

from chatproof.reports import load_bootstrap as bootstrap
from chatproof.reports.load_counts import Counts

from .load_results import counted


def counts(values: list[float]) -> Counts:
    return Counts.of(counted(values).to_data())


@pytest.mark.slow
def test_an_interval_of_a_quantile_holds_what_it_says() -> None:
    """Of twenty pairs of runs from one distribution, and of twenty whose median differs by ten, the 99 % interval misses few."""
    for shift in (0.0, 10.0):
        missed = 0
        for seed in range(20):
            random = Random(f"{shift}/{seed}")
            one, two = ([random.gauss(100 + by, 10) for _ in range(300)] for by in (0.0, shift))
            found = bootstrap.quantiles(counts(one), counts(two), 0.5, (300, 300), f"{seed}")
            assert found is not None
            missed += not found.low <= shift <= found.high
        assert missed <= 1


def test_an_interval_shrinks_with_the_number_of_turns() -> None:
    random = Random(1)
    told = counts([random.gauss(100, 10) for _ in range(1000)])
    few, many = (bootstrap.quantiles(told, told, 0.5, (size, size), "x") for size in (20, 1000))
    assert few is not None
    assert many is not None
    assert few.high - few.low > 4 * (many.high - many.low)


def test_a_score_interval_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newcombe's first example: 56 of 70 and 48 of 80, at 95 %."""
    monkeypatch.setattr(bootstrap, "LEVEL", 0.95)
    found = bootstrap.shares((48 / 80, 80), (56 / 70, 70))
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_shares_of_nothing_but_successes_have_an_interval_too() -> None:
    found = bootstrap.shares((1.0, 100), (1.0, 100))
    assert found is not None
    assert -0.07 < found.low < 0 < found.high < 0.07
    assert bootstrap.shares((1.0, 0), (1.0, 100)) is None


def test_clumping_is_one_for_independent_points_and_grows_with_memory() -> None:
    random = Random(4)
    free = [random.gauss(0, 1) for _ in range(400)]
    slow = [random.gauss(0, 1)]
    for _ in range(399):
        slow.append(0.8 * slow[-1] + math.sqrt(1 - 0.64) * random.gauss(0, 1))
    assert 1.8 < bootstrap.clumping(free) < 3.5
    assert bootstrap.clumping(slow) > 8
    assert bootstrap.clumping(free[:5]) == 1.0


def test_scores_of_points_are_standard_where_turns_are_independent() -> None:
    random = Random(5)
    points = [[random.gauss(100, 10) for _ in range(30)] for _ in range(300)]
    whole = counts([value for point in points for value in point])
    for share in (0.5, 0.95):
        found = [(30, counts(point).quantile(share) or 0.0) for point in points]
        scores = bootstrap.quantile_scores(found, whole, share)
        assert abs(sum(scores) / 300) < 0.25
        assert 0.7 < sum(score * score for score in scores) / 300 < 1.3


def test_a_rate_of_few_points_has_no_interval() -> None:
    assert bootstrap.rates([1.0] * 7, [2.0] * 30, "x") is None
    found = bootstrap.rates([5.0, 6.0] * 10, [8.0, 9.0] * 10, "x")
    assert found is not None
    assert 2.5 < found.low <= 3.0 <= found.high < 3.5


@pytest.mark.parametrize(
    ("before", "after", "points", "found"),
    [
        ([100, 112], [203, 212], 8, (91, 112)),
        ([203, 212], [100, 112], 8, (-112, -91)),
        ([100, 112], [111, 212], 8, None),
        ([100, 112], [203, 212], 7, None),
        ([], [203, 212], 8, None),
    ],
)
def test_runs_that_are_apart_in_every_turn_differ_however_few_witnesses_there_are(
    before: list[float], after: list[float], points: int, found: tuple[float, float] | None
) -> None:
    """Both drift, so that a second's turns are one witness; none of one run is as slow as any of the other."""
    interval = bootstrap.apart(counts(before), counts(after), points)
    told = None if interval is None else (interval.low, interval.high)
    assert told == (found and pytest.approx(found, rel=0.01))
