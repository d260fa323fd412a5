"""A step of a search ends when its objective cannot be kept whatever still comes, and not before."""

from __future__ import annotations

import pytest

from chatproof.conformance.profile import Profile
from chatproof.load.ledger import Ledger
from chatproof.load.lost import aborts, lost, most_turns
from chatproof.load.objective import parse_objective
from chatproof.load.plan import Plan
from chatproof.load.schedule import parse_schedule

MOST = 100


def ledger_of(slow: int, quick: int = 0, refused: int = 0) -> Ledger:
    ledger = Ledger(1.0, "response")
    for ms, turns in ((900, slow), (10, quick)):
        for _ in range(turns):
            ledger.histograms["response ttft"].record(ms * 1000)
    ledger.outcomes.update(ok=slow + quick, refused_429=refused)
    return ledger


@pytest.mark.parametrize(
    ("text", "slow", "refused", "is_lost"),
    [
        ("ttft p95 < 800ms", 5, 0, False),
        ("ttft p95 < 800ms", 6, 0, True),
        ("ttft p95 < 1s", 60, 0, False),
        ("ttft p50 < 800ms", 50, 0, False),
        ("ttft p50 < 800ms", 51, 0, True),
        ("ttft p95 > 800ms", 0, 0, False),
        ("ttft max < 800ms", 1, 0, False),
        ("ok > 99%", 0, 1, False),
        ("ok > 99%", 0, 2, True),
        ("goodput > 20/s", 0, 90, False),
        ("mixups = 0", 0, 0, False),
    ],
)
def test_lost_is_what_no_turn_that_still_comes_can_mend(text: str, slow: int, refused: int, is_lost: bool) -> None:
    one = parse_objective(text, "response")
    assert (lost([one], ledger_of(slow, 0, refused), MOST) is one) is is_lost


def test_how_many_may_come() -> None:
    assert most_turns(400, 7, 1.0, 10.0) == 400 + 4 * 20
    assert most_turns(None, 30, 2.0, 10.0) == 300, "five times as long, and as many again"
    assert most_turns(None, 0, 0.0, 10.0) == float("inf")


def test_only_a_step_of_a_search_ends_there() -> None:
    schedule = parse_schedule("constant:10", 10)
    profile = Profile("http://127.0.0.1:9", "guide", {"valid": "k"}, {"default": "a"})
    plan = Plan(profile, schedule, 0, 10.0, objectives=("ttft p50 < 800ms",))
    step = Plan(profile, schedule, 0, 10.0, objectives=("ttft p50 < 800ms",), end_when_lost=True)
    assert aborts(step, ledger_of(60), 7.2) == "", (
        "a hundred turns are due, and four deviations of chance are allowed for"
    )
    assert aborts(step, ledger_of(71), 7.2) == "ended after 7 s: ttft p50 < 800ms is missed"
    assert aborts(plan, ledger_of(71), 7.2) == ""
