"""A search for capacity whose runs are made up: what it says of a generator that did not keep time. In a process that Locust may patch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .loads import PATIENCE_S

pytestmark = pytest.mark.slow
PROGRAM = """
import json, sys
from chatproof.load.patch import patch
patch()
from chatproof import capacity_command
from chatproof.conformance.profile import profile
from chatproof.load.ledger import Ledger
from chatproof.load.limits import Account
from chatproof.load.plan import Plan
from chatproof.load.run import Ran
from chatproof.spec import dialect

runs = iter(json.loads(sys.argv[1]))

def run(plan, tick, processes):
    ms, late_ms, ok, bad, mixups, how = [*next(runs), 0, ""][:6]
    ledger = Ledger(1.0, "service")
    ledger.span_s = ledger.seconds = plan.seconds
    ledger.counters["sent"] = ledger.counters["due"] = ok + bad
    ledger.outcomes.update({"ok": ok, "refused_429" if how in ("full", "used up") else "timeout": bad, "mixup": mixups})
    ledger.accounts["valid"] = Account(limited=bad, limited_with_remaining=bad if how == "full" else 0)
    ledger.exhibits += [{"outcome": "mixup"}] * mixups
    for _ in range(ok):
        for name in ("service ttft", "service duration"):
            ledger.histograms[name].record(int(ms * 1000))
    ledger.lags["send"].record(int(late_ms * 1000))
    return Ran(ledger, how if how == "interrupted" else "")

capacity_command.run = run
plan = Plan(profile({"base_url": "http://127.0.0.1:9", "dialect": "guide"}), None, int(sys.argv[2]), 5.0)
found = capacity_command.find_capacity(plan, dialect("guide"), "ttft p95 < 100ms", 4, 1, None)
print(json.dumps([found, list(runs)]))
"""


@dataclass(frozen=True)
class Searched:
    found: dict[str, Any]
    err: str

    @property
    def capacity(self) -> dict[str, Any]:
        told: dict[str, Any] = self.found["capacity"]
        return told

    @property
    def steps(self) -> list[tuple[float, bool, bool]]:
        return [(step["load"], step["kept"], step["valid"]) for step in self.capacity["steps"]]


def searched(*runs: tuple[Any, ...], start: int = 1) -> Searched:
    """With these runs, each of a latency and a lag in milliseconds, so many turns that are ok, so many that are not, then mix-ups, and how it went;
    none is left over.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(runs), str(start)],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S, cwd=Path(__file__).parent,
    )  # fmt: skip
    found, left = json.loads(done.stdout)
    assert left == []
    return Searched(found, done.stderr)


GOOD, SLOW, LATE, SLOW_LATE, FAILING_LATE = (
    (10.0, 0.1, 100, 0),
    (500.0, 0.1, 100, 0),
    (10.0, 90.0, 100, 0),
    (500.0, 90.0, 100, 0),
    (10.0, 90.0, 10, 90),
)


def test_a_step_that_kept_no_time_is_run_once_more() -> None:
    found = searched(GOOD, LATE, GOOD, SLOW, SLOW)
    assert found.steps == [(1, True, True), (2, True, True), (3, False, True), (4, False, True)]
    assert found.capacity["found"]
    assert "unsure        2 users: 10.0 ms  (generator: send lag p50 90.0 ms)" in found.err
    assert found.err.count("unsure") == 1


@pytest.mark.parametrize("late", [LATE, SLOW_LATE, FAILING_LATE])
def test_what_a_late_generator_missed_is_no_end_of_the_target(late: tuple[float, float, int, int]) -> None:
    """Its times are its own, and an objective that they miss proves nothing."""
    found = searched(GOOD, late, late)
    assert found.steps == [(1, True, True), (2, False, False)]
    assert not found.capacity["found"]
    assert found.capacity["words"] == "holds 1 users; at 2 this generator did not keep time, so the end was not found"
    assert "missed" not in found.err


def test_a_target_that_was_slow_is_one_that_was_missed() -> None:
    found = searched(GOOD, SLOW)
    assert found.capacity["words"] == "holds 1 users, breaks at 2"
    assert "missed        2 users: 500.0 ms" in found.err


def test_what_is_set_aside_leaves_a_generator_that_was_late() -> None:
    """What is wrong is wrong however late it came; a step that is to be judged by its times after all is run again."""
    good, slow, late = (*GOOD, 1), (*SLOW, 1), (*LATE, 1)
    found = searched(late, late, good, good, slow, slow, start=2)
    assert found.steps == [(1, True, True), (2, True, True), (3, False, True), (4, False, True)]
    assert found.capacity["aside"] == ["mixups = 0"]
    told = [line.split()[:2] for line in found.err.splitlines() if "users:" in line]
    assert told == [["missed", "2"], ["missed", "1"], ["kept", "2"], ["kept", "1"], ["missed", "4"], ["missed", "3"]]


def test_a_mix_up_in_any_step_fails_the_search() -> None:
    """However few there are, and whatever load holds."""
    found = searched(GOOD, (*GOOD, 2))
    why = "mixups = 0 (got 2 in the step of 2 users)"
    assert (found.found["verdict"], found.found["reason"]) == ("broken", f"missed: {why}")
    assert [one["outcome"] for one in found.found["exhibits"]] == ["mixup", "mixup"]
    row = next(row for row in found.found["objectives"] if row["objective"] == "mixups = 0")
    assert (row["kept"], row["got"]) == (False, "2 in the step of 2 users")
    assert found.capacity["holds"] == 1


def test_a_step_that_was_interrupted_says_nothing() -> None:
    found = searched(GOOD, (*GOOD, 0, "interrupted"))
    assert found.steps == [(1, True, True)]
    assert (found.found["verdict"], found.found["reason"]) == ("incomplete", "interrupted")
    first = searched((*GOOD, 0, "interrupted"))
    assert first.steps == [(1, False, False)]
    assert first.found["verdict"] == "incomplete"


@pytest.mark.parametrize(("how", "limited"), [("full", False), ("used up", True)])
def test_a_target_that_is_full_is_no_limit_of_the_key(how: str, limited: bool) -> None:
    """It says itself that some requests remain."""
    found = searched(GOOD, (10.0, 0.1, 50, 50, 0, how))
    assert found.capacity["words"].startswith("holds 1 users, breaks at 2")
    assert ("a limit of the key" in found.capacity["words"]) is limited
