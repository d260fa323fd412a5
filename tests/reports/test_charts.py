"""Scales, ticks and paths: values come to stand where they belong, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.reports.charts import LEAST, Scale, fitted, log_ticks, number, plain, stairs, tick_time, ticks, time_text

SIZES = st.floats(1e-3, 1e9)


@given(low=st.floats(-1e6, 1e6), span=SIZES, most=st.integers(1, 20))
def test_ticks_are_few_and_within(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    assert len(found) <= most + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (99, 101, [99, 99.5, 100, 100.5, 101]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round(low: float, high: float, wanted: list[float]) -> None:
    assert ticks(low, high) == wanted


def test_ticks_of_a_logarithm_are_powers_of_ten_and_more_where_they_are_few() -> None:
    assert log_ticks(1, 100) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(0.01, 1000) == [0.01, 0.1, 1, 10, 100, 1000]
    assert log_ticks(2, 20) == [2, 5, 10, 20]


@given(low=SIZES, span=SIZES, value=st.floats(-1e10, 1e10), log=st.booleans())
def test_a_scale_draws_within_its_ends_and_rises(low: float, span: float, value: float, log: bool) -> None:
    scale = Scale(low, low + span, 10, 110, log)
    assert scale.at(low) == 10
    assert 10 <= scale.at(value) <= 110
    assert scale.at(value) <= scale.at(max(value, low) + span)


def test_a_scale_by_logarithm_gives_each_power_the_same_room() -> None:
    scale = Scale(1, 1000, 0, 300, log=True)
    assert [scale.at(value) for value in (1, 10, 100, 1000)] == [0, 100, 200, 300]


@given(st.lists(st.floats(0, 1e7), max_size=20), st.booleans())
def test_a_fitted_scale_holds_every_value(values: list[float], log: bool) -> None:
    scale = fitted(values, 0, 100, log=log)
    assert scale.high > scale.low
    assert all(value <= scale.high * (1 + 1e-9) for value in values)
    assert not scale.log or all(value >= scale.low * (1 - 1e-9) for value in values if value > LEAST)


def test_a_fitted_scale_is_by_logarithm_only_where_values_are_far_apart() -> None:
    assert not fitted([10, 100], 0, 1, log=True).log
    assert fitted([1, 100], 0, 1, log=True).log
    assert not fitted([1, 100], 0, 1).log


def test_a_path_is_broken_where_a_value_is_missing() -> None:
    x, y = Scale(0, 10, 0, 100), Scale(0, 10, 100, 0)
    assert plain(x, y, [(0, 0), (1, 5), (2, None), (3, 10)]) == "M0 100h0L10 50M30 0h0"
    assert stairs(x, y, [(0, 0), (1, 5), (2, None), (3, 10)], 1) == "M0 100H10V50H20M30 0H40"
    assert plain(x, y, []) == stairs(x, y, [(0, None)], 1) == ""


def test_numbers_and_times_are_as_people_say_them() -> None:
    assert [number(value) for value in (0, 0.25, 1200, 1.5, 0.00123)] == ["0", "0.25", "1,200", "1.5", "0.0012"]
    assert [time_text(ms) for ms in (None, 0, 0.4, 12.34, 850.4, 1240)] == [
        "none",
        "0 ms",
        "0.40 ms",
        "12.3 ms",
        "850 ms",
        "1.24 s",
    ]
    assert [tick_time(ms) for ms in (0, 50, 1500)] == ["0", "50 ms", "1.5 s"]
