"""Due times follow the curve that was asked for, the same for the same seed; what cannot be read is refused with a hint."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.load.schedule import KINDS, Schedule, Segment, duration_of, parse_schedule, replayed

ANY = ["constant:20", "poisson:20", "ramp:1-30", "step:5,10,20", "spike:5,60", "soak:20", "ramp:1-20/5s+constant:20"]


def times(text: str, seconds: float = 20, seed: int = 1) -> list[float]:
    return list(parse_schedule(text, seconds).due(seed))


def test_every_kind_has_an_example_here() -> None:
    assert {text.partition(":")[0] for text in ANY} == set(KINDS)


@pytest.mark.parametrize("text", ANY)
def test_due_times_rise_fill_the_curve_and_are_the_same_for_the_same_seed(text: str) -> None:
    schedule = parse_schedule(text, 20)
    due = list(schedule.due(3))
    assert due == sorted(due)
    assert due == list(schedule.due(3))
    assert all(0 <= at <= schedule.seconds for at in due)
    assert abs(len(due) - schedule.turns) <= (1 if "poisson" not in text else 4 * schedule.turns**0.5)


def test_constant_is_evenly_spaced_from_the_start() -> None:
    assert times("constant:4", 1) == [0, 0.25, 0.5, 0.75]


def test_a_ramp_has_half_of_its_turns_in_its_last_part() -> None:
    due = times("ramp:0-40", 10)
    assert len(due) == 200
    assert sum(at > 10 / 2**0.5 for at in due) == pytest.approx(100, abs=1)


def test_a_spike_is_in_the_middle_fifth() -> None:
    due = times("spike:10,100", 10)
    assert sum(4 <= at < 6 for at in due) == 200
    assert sum(at < 4 for at in due) == 40


def test_poisson_arrivals_differ_by_seed_and_are_not_even() -> None:
    one, other = times("poisson:50"), times("poisson:50", seed=2)
    assert one != other
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(one))
    assert gaps[-1] > 3 / 50
    assert gaps[len(gaps) // 10] < 0.2 / 50


def test_workers_shares_are_the_whole() -> None:
    whole = times("poisson:30")
    shares = [whole[index::3] for index in range(3)]
    assert sorted(at for share in shares for at in share) == whole


@given(st.lists(st.tuples(st.floats(0.5, 5), st.floats(0, 40), st.floats(0, 40)), min_size=1, max_size=4))
def test_any_curve_has_as_many_turns_before_a_moment_as_area(rows: list[tuple[float, float, float]]) -> None:
    schedule = Schedule("any", tuple(Segment(*row) for row in rows))
    due = list(schedule.due())
    area = 0.0
    base = 0.0
    for segment in schedule.segments:
        area += segment.turns
        base += segment.seconds
        assert abs(sum(at < base + 1e-9 for at in due) - area) <= 1 + 1e-6


def test_a_replay_begins_at_its_first_time() -> None:
    schedule = replayed("replay:x", [12.0, 10.0, 10.5])
    assert list(schedule.due()) == [0, 0.5, 2.0]
    assert schedule.peak == 2


def test_the_curve_can_be_drawn() -> None:
    drawn = parse_schedule("step:0,10", 10).curve(10)
    assert drawn[0] == " "
    assert drawn[-1] == "█"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("constnt:5", "did you mean 'constant'"),
        ("constant", "constant:50"),
        ("constant:x", "expected turns a second, got 'x'"),
        ("constant:-3", "expected turns a second"),
        ("ramp:5", "has 1 rates; write ramp:1-50"),
        ("constant:5/xs", "expected a duration such as"),
        ("constant:5/40s+constant:5", "nothing of the run's 20 s is left"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="--schedule") as refused:
        parse_schedule(text, 20)
    assert said in str(refused.value)


def test_durations() -> None:
    assert [duration_of(text, "--for") for text in ("90", "90s", "1.5m", "500ms")] == [90, 90, 90, 0.5]
    with pytest.raises(ValueError, match="--for: expected a duration above 0"):
        duration_of("0s", "--for")


def test_a_replay_lasts_as_long_as_its_turns_are_apart() -> None:
    assert replayed("replay:x", [5.0, 6.0, 7.0]).lasts == 3
    assert replayed("replay:x", [5.0, 5.0]).lasts == 1
    assert parse_schedule("constant:5", 4).lasts == 4
