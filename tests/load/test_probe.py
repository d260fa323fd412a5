"""A key is used up once: its limit, its window, and what does not fit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from chatproof import Simulator
from chatproof.conformance.profile import Profile
from chatproof.load.line import Line
from chatproof.load.maker import Maker
from chatproof.load.probe import Probed, probe
from chatproof.simulator.agents import Turn
from chatproof.simulator.sim import Sim
from chatproof.spec import FrozenClock, dialect

from .test_refusals import ran

START = 1_800_000_000.0


@pytest.fixture
def sim() -> Iterator[Sim]:
    with Simulator(["guide"], clock=FrozenClock(START)) as made:
        yield made


def probed(sim: Sim, key: str, most: int = 100) -> Probed:
    one = Profile(sim.url("guide"), "guide", {"valid": sim.key(key)}, {"default": "default"})
    line = Line(one)
    try:
        return probe(line, Maker(dialect("guide"), one, False), (), most, sim.clock.advance)
    finally:
        line.close()


def test_the_limit_and_the_wait_are_found(sim: Sim) -> None:
    found = probed(sim, "limited")
    assert (found.granted, found.limits, found.limited, found.after) == (20, (20,), True, True)
    assert found.told_s == pytest.approx(60, abs=1)
    assert found.problems(dialect("guide")) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("early-429", "and the headers said 20"),
        ("wrong-limit", "20 requests were granted, and the headers said 21"),
        ("retry-after-too-short", "the key was still refused"),
    ],
)
def test_what_does_not_fit_is_said(sim: Sim, fault: str, said: str) -> None:
    with sim.fault(fault):
        found = probed(sim, "limited")
    assert any(said in problem for problem in found.problems(dialect("guide"))), found


def test_a_window_that_turns_over_meanwhile_is_counted_from_its_beginning(sim: Sim) -> None:
    """Its clock need not begin with us."""
    asked = itertools.count(1)

    def answer(turn: Turn) -> str:
        if next(asked) == 8:
            sim.clock.advance(61)
        return "here"

    sim.agent("default", answer)
    found = probed(sim, "limited")
    assert next(asked) > 25
    assert (found.granted, found.after) == (20, True)
    assert found.problems(dialect("guide")) == []


def test_no_limit_is_no_answer(sim: Sim) -> None:
    found = probed(sim, "valid", most=10)
    assert (found.granted, found.limited, found.after) == (10, False, None)


@pytest.mark.slow
def test_as_a_user_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(["guide"]) as sim:
        target = [sim.url("guide"), "--dialect", "guide", "--agent", "default", "--api-key", sim.key("brief")]
        assert ran(*target, "--pacing", "probe") == 0
        out = capsys.readouterr().out
        assert "5 requests were granted before the first 429" in out
        assert "and then it was granted again" in out
        assert ran(*target[:-1], sim.key("valid"), "--pacing", "probe", "--max-requests", "5") == 3
        assert "the limit was not found" in capsys.readouterr().out


def test_what_others_had_used_of_the_window_is_not_held_against_the_target(sim: Sim) -> None:
    probed(sim, "limited", most=5)
    found = probed(sim, "limited")
    assert (found.granted, found.before, found.before_again) == (15, 5, 0)
    assert found.problems(dialect("guide")) == []
