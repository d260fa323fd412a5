"""Clocks: what they show, how they move, how they are asked for."""

from __future__ import annotations

import math
import time

import pytest

from chatproof.spec.clock import FROZEN_AT, LATEST, Clock, FrozenClock, ScaledClock, parse_clock


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock()
    assert (clock.now(), clock.real_delay(3600)) == (FROZEN_AT, 0.0)
    clock.advance(1.5)
    assert clock.now() == FROZEN_AT + 1.5


@pytest.mark.parametrize("clock", [FrozenClock(), ScaledClock(), ScaledClock(60)])
def test_no_clock_moves_back_or_beyond_any_date(clock: Clock) -> None:
    before = clock.now()
    with pytest.raises(ValueError, match="forward only, not by -1 s"):
        clock.advance(-1)
    for far in (1e30, math.inf, math.nan):
        with pytest.raises(ValueError, match="by 1000000000 s at most, not by"):
            clock.advance(far)
    assert clock.now() - before < 3600


@pytest.mark.parametrize("clock", [FrozenClock(LATEST - 1e6), ScaledClock(1, LATEST - 1e6)])
def test_no_clock_goes_where_dates_end(clock: Clock) -> None:
    clock.advance(1)
    with pytest.raises(ValueError, match=r"to the year 9000 at most, not by 2e\+06 s from where it is"):
        clock.advance(2e6)
    assert clock.now() < LATEST


def test_a_clock_has_a_greatest_speed() -> None:
    assert parse_clock("x1000000").real_delay(1e6) == 1.0
    with pytest.raises(ValueError, match="a clock runs x1000000 at most, got 'x999999999999'"):
        parse_clock("x999999999999")


@pytest.mark.parametrize("factor", [1, 60])
def test_a_clock_that_runs_can_be_moved_on(factor: float) -> None:
    clock = ScaledClock(factor)
    before = clock.now()
    clock.advance(7200)
    assert 7200 <= clock.now() - before < 7200 + 3600


def test_frozen_at_is_the_first_second_of_2026() -> None:
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(FROZEN_AT)) == "2026-01-01T00:00:00Z"


def test_a_scaled_clock_runs_that_many_times_as_fast() -> None:
    clock = ScaledClock(1_000_000.0)
    first = clock.now()
    while clock.now() == first:
        pass
    assert clock.now() > first
    assert clock.real_delay(1_000_000.0) == 1.0


def test_real_time_is_the_machines() -> None:
    before, now, after = time.time(), ScaledClock().now(), time.time()
    assert before - 1 <= now <= after + 1


@pytest.mark.parametrize(("text", "delay"), [("real", 60.0), ("x60", 1.0), ("x0.5", 120.0), ("frozen", 0.0)])
def test_a_clock_by_its_name(text: str, delay: float) -> None:
    assert parse_clock(text).real_delay(60.0) == delay


@pytest.mark.parametrize("text", ["", "x", "x0", "x0.0", "x-1", "X60", "60", "frozen ", "x1e3", "x٣"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="expected real, frozen or xN"):
        parse_clock(text)
