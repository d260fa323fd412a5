"""Latencies as pure functions: what each spread gives, how they add up, what chance they take, and what a crowd does."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import mean, quantiles

import pytest

from chatproof.simulator.beats import Tempo
from chatproof.simulator.crowd import EVERYBODY, Crowd
from chatproof.simulator.ids import Ids
from chatproof.simulator.latency import Latency, Load, Rate, Spread, Stall, drawn, waits
from chatproof.spec import Delta, Done, Event, ToolCall, Usage

EVENTS: list[Event] = [Delta("Hello"), Delta(" my world"), ToolCall("f", {}), Delta(" again"), Done("s", Usage())]
SAME = (0.0, 1.0)


def seconds(value: float) -> Spread:
    return Spread("fixed", (value,))


def middle(_: str) -> Callable[[], float]:
    return lambda: 0.5


def tempo(session: str = "s", turn: int = 0, seed: int = 7) -> Tempo:
    return Tempo(Ids(seed, "d"), ("key", "agent", session), turn)


def test_first_then_gaps_then_what_the_text_takes() -> None:
    latency = Latency(seconds(0.3), seconds(0.02), Rate(10, "words"))
    assert waits(latency, EVENTS, 0, middle) == [0.3, 0.22, 0.02, 0.12, 0.02]
    assert waits(Latency(rate=Rate(10, "characters")), EVENTS, 0, middle) == [0, 0.9, 0, 0.6, 0]
    assert waits(Latency(), EVENTS, 0, middle) == [0] * 5


def test_a_stall_comes_once_so_many_events_have_come() -> None:
    stalls = [Latency(gap=seconds(1), stall=Stall(after, seconds(5))) for after in (0, 2, 4, 5)]
    assert [waits(one, EVENTS, 0, middle) for one in stalls] == [
        [5, 1, 1, 1, 1], [0, 1, 6, 1, 1], [0, 1, 1, 1, 6], [0, 1, 1, 1, 1],
    ]  # fmt: skip
    rare = Latency(stall=Stall(1, seconds(5), 0.25))
    stalled = [sum(waits(rare, EVENTS, turn, tempo(turn=turn).chance)) > 0 for turn in range(400)]
    assert 60 < sum(stalled) < 140


def test_a_factor_makes_everything_longer() -> None:
    latency = Latency(seconds(0.5), seconds(0.1), stall=Stall(1, seconds(1)))
    assert waits(latency, EVENTS[:2], 0, middle, factor=2) == [1.0, 2.2]


@pytest.mark.parametrize(
    ("spread", "low", "middle", "high"),
    [
        (seconds(2), 2, 2, 2),
        (Spread("uniform", (1, 3)), 1, 2, 3),
        (Spread("normal", (2, 0.5)), 0, 2, 2 + 0.5 * 2.326),
        (Spread("lognormal", (0.3, 1.2)), 0, 0.3, 1.2),
        (Spread("lognormal", (0.3, 0.3)), 0.3, 0.3, 0.3),
    ],
)
def test_spreads_by_their_quantiles(spread: Spread, low: float, middle: float, high: float) -> None:
    assert drawn(spread, 0.0, 0) == pytest.approx(low, abs=0.01)
    assert drawn(spread, 0.5, 0) == pytest.approx(middle)
    assert drawn(spread, 0.99 if spread.kind != "uniform" else 1.0, 0) == pytest.approx(high, rel=0.001)


def test_recorded_times_come_in_turn() -> None:
    latency = Latency(Spread("recorded", (1, 2)), Spread("recorded", (0.1, 0.2, 0.3)))
    assert waits(latency, EVENTS, 0, middle) == [1, 0.1, 0.2, 0.3, 0.1]
    assert [waits(latency, EVENTS, turn, middle)[0] for turn in (1, 2)] == [2, 1]


def test_what_is_drawn_has_the_spread_that_was_asked_for() -> None:
    many: list[Event] = [Delta("x")] * 4001
    found = waits(Latency(gap=Spread("lognormal", (0.1, 0.4))), many, 0, tempo().chance)[1:]
    cuts = quantiles(found, n=100)
    assert cuts[49] == pytest.approx(0.1, rel=0.1)
    assert cuts[98] == pytest.approx(0.4, rel=0.2)
    normal = waits(Latency(gap=Spread("normal", (0.1, 0.1))), many, 0, tempo().chance)[1:]
    assert min(normal) == 0
    assert mean(normal) == pytest.approx(0.1 + 0.1 * 0.0833, rel=0.05)


def test_chance_is_of_the_seed_the_session_and_the_turn() -> None:
    latency = Latency(Spread("uniform", SAME), Spread("uniform", SAME))

    def times(one: Tempo) -> tuple[float, ...]:
        return tuple(one.waits(latency, EVENTS, 1.0))

    assert times(tempo()) == times(tempo())
    assert len({times(tempo()), times(tempo("other")), times(tempo(turn=1)), times(tempo(seed=8))}) == 4
    gaps_alone = tempo().waits(Latency(gap=Spread("uniform", SAME)), EVENTS, 1.0)
    assert tuple(gaps_alone[1:]) == times(tempo())[1:]


def test_beyond_its_slots_a_server_is_slower() -> None:
    assert [Load(4).factor(turns) for turns in (1, 4, 8)] == [1, 1, 2]
    assert Load(4, 3.0).factor(8) == 4
    assert Load(4, queue=True).factor(100) == 1


def test_beyond_its_slots_turns_wait_for_the_next_that_ends() -> None:
    load = Load(2, queue=True)
    assert [load.wait(ends, 10) for ends in ((), (12,), (15, 12), (15, 12, 18))] == [0, 0, 2, 5]
    assert load.wait((8, 9), 10) == 0
    assert Load(2).wait((15, 12), 10) == 0


def test_a_crowd_is_counted_apart_for_each_group() -> None:
    crowd = Crowd()
    crowd.join(EVERYBODY, 1, 5.0)
    crowd.join(("d", "a"), 2, 6.0)
    crowd.join(EVERYBODY, 3, 7.0)
    assert (crowd.ends(EVERYBODY), crowd.ends(("d", "a"))) == ((5.0, 7.0), (6.0,))
    for ticket in (1, 1, 3, 99):
        crowd.leave(ticket)
    assert crowd.ends(EVERYBODY) == ()
    assert not math.isnan(sum(crowd.ends(("d", "a"))))
