"""Counts keep three significant digits, merge to the same as one, and survive being written."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.load.histogram import Histogram, bucket, middle

NUMBERS = st.lists(st.integers(0, 10**10), min_size=1, max_size=200)


def made(numbers: list[int]) -> Histogram:
    histogram = Histogram()
    for number in numbers:
        histogram.record(number)
    return histogram


@given(st.integers(0, 10**12))
def test_a_number_and_its_bucket_agree_in_three_digits(number: int) -> None:
    assert abs(middle(bucket(number)) - number) <= number / 1000


@given(st.integers(0, 10**9))
def test_buckets_are_in_order(number: int) -> None:
    assert bucket(number) <= bucket(number + 1) <= bucket(number) + 1


@given(NUMBERS, st.floats(0, 1))
def test_a_quantile_is_that_of_the_sorted_numbers(numbers: list[int], share: float) -> None:
    ordered = sorted(numbers)
    true = ordered[max(math.ceil(share * len(ordered) - 1e-9), 1) - 1]
    got = made(numbers).quantile(share)
    assert got is not None
    assert abs(got - true) <= true / 1000 + 1
    assert ordered[0] <= got <= ordered[-1]


@given(NUMBERS, NUMBERS)
def test_merged_is_the_same_as_recorded_in_one(first: list[int], second: list[int]) -> None:
    merged = made(first)
    merged.merge(Histogram.of(json.loads(json.dumps(made(second).to_data()))))
    assert merged.to_data() == made(first + second).to_data()


def test_nothing_recorded_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None
    assert Histogram().mean is None
    assert Histogram.of(Histogram().to_data()).to_data() == Histogram().to_data()


def test_the_last_percentile_is_the_largest_number() -> None:
    assert made([10, 123_457]).quantile(1.0) == 123_457
    assert made([-5]).quantile(1.0) == 0
    assert made([1, 2, 3]).mean == pytest.approx(2)
