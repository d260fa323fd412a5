"""Each way to fail lands in its outcome, and only what is ok enters latency: real bytes of a simulator with that fault."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chatproof import Simulator
from chatproof.conformance.connection import Deadlines
from chatproof.conformance.profile import Profile
from chatproof.load.canary import word
from chatproof.load.ledger import Ledger
from chatproof.load.line import Line
from chatproof.load.maker import Maker
from chatproof.load.outcome import OUTCOMES
from chatproof.load.turn import Turn, take
from chatproof.simulator.sim import Sim
from chatproof.spec import dialect

SEED = 5
TELLS_FAILURES = "reference"
"""A dialect whose streams have an event for a failure."""


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with Simulator(["guide", TELLS_FAILURES]) as made:
        made.agent("silent", lambda turn: "")
        made.agent("late", lambda turn: [3.0, "too late"])
        made.agent("stranger", lambda turn: f"I know {word(SEED, 77)}")
        yield made


def turn(
    sim: Sim,
    agent: str = "default",
    key: str = "valid",
    *,
    stream: bool = True,
    expects: bool = False,
    name: str = "guide",
) -> Turn:
    deadlines = Deadlines(connect=2, first_byte=0.2, idle=0.2, total=5)
    one = Profile(sim.url(name), name, {"valid": sim.key(key)}, {"default": agent}, deadlines=deadlines)
    line = Line(one)
    try:
        message = f"hello {word(SEED, 3)}"
        return take(line, Maker(dialect(name), one, stream), 0, 3, 0, message, None, time.monotonic_ns(), SEED, expects)
    finally:
        line.close()


FAULTS = {
    "closed-mid-stream": "truncated",
    "reset-mid-stream": "truncated",
    "no-terminal": "no_terminal",
    "truncated-json": "malformed",
    "not-quite-json": "malformed",
    "no-blank-line": "malformed",
    "wrong-event-type": "malformed",
    "bad-chunk-size": "malformed",
    "text-after-terminal": "malformed",
    "two-terminals": "malformed",
    "wrong-stream-default": "ok",
    "no-text": "wrong_answer",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_lands_in_its_outcome(sim: Sim, fault: str) -> None:
    with sim.fault(fault):
        assert turn(sim).outcome == FAULTS[fault]


def outcomes(sim: Sim) -> Iterator[tuple[str, Turn]]:
    yield "ok", turn(sim, expects=True)
    yield "ok", turn(sim, stream=False, expects=True)
    yield "refused_402", turn(sim, key="broke")
    yield "http_error", turn(sim, key="revoked")
    yield "http_error", turn(sim, agent="unavailable")
    yield "error_event", turn(sim, agent="ag_failing", name=TELLS_FAILURES)
    yield "wrong_answer", turn(sim, agent="silent")
    yield "wrong_answer", turn(sim, agent="tools", expects=True)
    yield "mixup", turn(sim, agent="stranger")
    yield "timeout", turn(sim, agent="late")
    for _ in range(6):
        spent = turn(sim, key="brief")
    yield "refused_429", spent


@pytest.mark.slow
def test_the_others_land_in_theirs_and_only_ok_is_measured(sim: Sim) -> None:
    ledger = Ledger(1.0, "service")
    for expected, one in outcomes(sim):
        assert one.outcome == expected, one.why
        assert one.why or expected == "ok"
        ledger.add(one, 0.5)
    assert ledger.outcomes["ok"] == 2
    assert ledger.histograms["service duration"].count == 2
    assert ledger.histograms["service ttft"].count == 1
    assert ledger.number("errors") == 9


def test_nobody_listening_is_no_connection() -> None:
    line = Line(Profile("http://127.0.0.1:9", "guide", {"valid": "k"}, {"default": "a"}))
    maker = Maker(dialect("guide"), Profile("http://127.0.0.1:9", "guide", {"valid": "k"}, {"default": "a"}), True)
    one = take(line, maker, 0, 0, 0, "hello", None, time.monotonic_ns(), SEED, False)
    assert one.outcome == "connect_failed"
    assert one.timeline.first_byte is None


def test_every_outcome_but_the_run_s_own_end_is_provoked_here() -> None:
    here = {
        *FAULTS.values(),
        "connect_failed",
        "refused_402",
        "refused_429",
        "http_error",
        "error_event",
        "mixup",
        "timeout",
    }
    assert here | {"unfinished"} == set(OUTCOMES)


def test_times_of_a_stream_are_those_of_its_events(sim: Sim) -> None:
    sim.agent("paced", lambda turn: [0.05, "one", 0.03, " two", 0.03, " three"])
    one = turn(sim, agent="paced")
    times = one.timeline
    assert len(times.texts) == 3
    assert times.first_text is not None
    assert times.terminal is not None
    assert times.started <= times.sent < times.first_text < times.texts[-1] <= times.terminal
    assert times.characters == len("one two three")
