"""What is under way when a run ends: a turn that hangs gets its timeout, and whoever interrupts is not kept waiting."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest

from chatproof import Simulator
from chatproof.conformance.profile import profile
from chatproof.load import engine as engine_module
from chatproof.load.engine import Engine
from chatproof.load.ledger import Ledger
from chatproof.load.limits import Advertised
from chatproof.load.objective import judge, parse_objective
from chatproof.load.plan import DRAIN_S, Plan
from chatproof.load.result import conclude
from chatproof.load.schedule import parse_schedule
from chatproof.load.validity import ACHIEVED, signs
from chatproof.load_command import _seen
from chatproof.reports.load_text import live_line

from .loads import load

PROFILE = profile(
    {"base_url": "http://127.0.0.1:9", "dialect": "guide", "credentials": {"valid": "k"}, "agents": {"default": "a"}}
)
PLAN = Plan(PROFILE, None, 1, 1.0, drain=1000.0, sample=0)


def ending(engine: Engine) -> Any:
    """The end of a run in which one turn is under way that never ends."""
    engine.start()
    engine._under_way.add(gevent.spawn(gevent.sleep, 1000))
    engine._in_flight = 1
    end = gevent.spawn(engine.finish)
    gevent.sleep(0)
    return end


def test_a_second_reason_cuts_off_what_is_under_way() -> None:
    engine = Engine(PLAN)
    end = ending(engine)
    assert not end.ready()
    engine.stop("interrupted")
    end.get(timeout=DRAIN_S)
    assert engine.ledger.outcomes["unfinished"] == 1
    assert engine.reason == "interrupted"


@pytest.mark.parametrize(
    ("reason", "hurried", "patience"),
    [("", True, 1000.0), ("interrupted", True, DRAIN_S), ("the 5 requests were sent", False, 1000.0)],
)
def test_who_ends_a_run_early_waits_less_for_the_rest(reason: str, hurried: bool, patience: float) -> None:
    engine = Engine(replace(PLAN, drain=1000.0))
    engine.stop(reason, hurried=hurried)
    assert engine._patience == patience


def test_while_the_end_is_waited_for_the_rate_stays_that_of_the_run() -> None:
    plan = replace(PLAN, schedule=parse_schedule("constant:20", 1.0))
    ledger = Ledger(1.0, "response")
    ledger.counters["sent"] = 20
    assert live_line(_seen(plan, ledger, 0.5, 1)).startswith("0 s  20.0/s asked")
    assert live_line(_seen(plan, ledger, 10.0, 3)) == "10 s  20.0/s sent  3 in flight"


@pytest.mark.slow
def test_turns_that_hang_are_timeouts_and_not_cut_off(tmp_path: Path) -> None:
    """They would count neither for nor against, and a target that answers every second turn would look perfect."""
    (tmp_path / "patient.yaml").write_text(f"deadlines: {{first_byte: {DRAIN_S + 1:g}s, idle: {DRAIN_S + 1:g}s}}\n")
    number = itertools.count()
    with Simulator(["guide"]) as sim:
        sim.agent("fickle", lambda turn: [1000 * ("reference" in turn.message and next(number) % 2), "at last"])
        words = ["--profile", "patient.yaml", "--rate", "10", "--for", "1s", "--objective", "ok > 99%"]
        done = load(sim, tmp_path, *words, agent="fickle")
    assert done.code in (1, 3), done.out + done.err
    assert done.result["outcomes"]["timeout"]["count"] == 5, done.out
    assert "unfinished" not in done.result["outcomes"]


def behind(monkeypatch: pytest.MonkeyPatch, seconds: float) -> tuple[Engine, list[int]]:
    """A run of a hundred turns a second, a second of which is over while nothing was begun; and what it begins, by when it was due."""
    schedule = parse_schedule("constant:100", seconds)
    engine = Engine(replace(PLAN, schedule=schedule, seconds=seconds, start_at=time.time() - 1.0, first=1))
    begun: list[int] = []
    monkeypatch.setattr(engine, "_spawn", begun.append)
    return engine, begun


def test_what_was_due_and_never_begun_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is behind would otherwise have been asked only for what it could do."""
    engine, begun = behind(monkeypatch, 2.0)
    engine.stop("interrupted")
    engine.arrive()
    assert begun == []
    assert engine.ledger.counters["missed"] == engine.ledger.counters["due"] >= 100
    assert engine.ledger.bins[0].counts["missed"] == 100
    rate = next(sign for sign in signs(engine.ledger) if sign.name == ACHIEVED)
    assert (rate.got, rate.good) == ("0.0%", False)


@pytest.mark.parametrize(("late_s", "missed"), [(0.0, 100), (1000.0, 0)])
def test_what_was_due_just_before_the_end_is_still_begun(
    monkeypatch: pytest.MonkeyPatch, late_s: float, missed: int
) -> None:
    engine, begun = behind(monkeypatch, 1.0)
    monkeypatch.setattr(engine_module, "LATE_S", late_s)
    engine.stop()
    engine.arrive()
    assert (engine.ledger.counters["missed"], len(begun)) == (missed, 100 - missed)


def test_the_end_waits_for_those_that_are_begun_last(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, begun = behind(monkeypatch, 1.0)
    monkeypatch.setattr(engine_module, "LATE_S", 1000.0)
    engine.start()
    engine.finish()
    assert len(begun) == 100


def test_a_schedule_is_walked_in_each_process_even_where_locust_has_no_user_for_it() -> None:
    """Locust makes one user unless told otherwise, and gives it to one worker."""
    plan = replace(PLAN, schedule=parse_schedule("constant:1000", 0.01), seconds=0.01)
    due = []
    for index in range(2):
        engine = Engine(replace(plan, max_in_flight=0), index, 2)
        engine.start()
        engine.drive(0)
        engine.finish()
        due.append(engine.ledger.counters["due"])
    assert due == [5, 5]


def test_a_closed_client_that_waits_as_told_is_not_late() -> None:
    engine = Engine(replace(PLAN, pacing="respect", seconds=0.02))
    assert engine._gate is not None
    engine._gate.hear(engine._gate.pass_(), 429, Advertised(None, None, None, 0.0), 60.0, time.time())
    engine.start()
    gevent.spawn(engine.drive, 0).get(timeout=10)
    engine.finish()
    counted = engine.ledger.counters
    assert counted["held_back"] == counted["due"] == 1
    assert ACHIEVED not in [sign.name for sign in signs(engine.ledger)]


def test_a_user_thinks_after_a_turn_that_failed_too() -> None:
    """Nobody listens there: without a thought in between a target that is down would be flooded."""
    engine = Engine(replace(PLAN, think=1000.0, seconds=0.2))
    engine.start()
    conversing = gevent.spawn(engine.drive, 0)
    gevent.sleep(0.2)
    engine.stop()
    conversing.get(timeout=10)
    engine.finish()
    assert engine.ledger.outcomes["connect_failed"] == engine.ledger.counters["sent"] == 1


def test_what_is_done_after_the_last_turn_was_begun_is_no_load_of_the_run() -> None:
    engine = Engine(PLAN)
    engine.start()
    engine.finish()
    used = engine.ledger.cpu_s
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    engine.settle()
    assert engine.ledger.cpu_s == used


def test_turns_that_take_long_are_in_flight_in_every_second() -> None:
    engine = Engine(PLAN)
    engine._in_flight = 3
    engine.settle()
    assert [point.in_flight for point in engine.ledger.bins.values()] == [3]


def test_an_objective_that_ended_the_run_is_missed_whatever_came_after() -> None:
    ledger = Ledger(1.0, "service")
    ledger.outcomes.update(ok=100, http_error=1)
    judged = judge([parse_objective("ok > 90% abort after 2s", "service")], ledger)
    assert judged[0].kept
    why = "ended after 3 s: ok > 90% abort after 2s is missed"
    assert conclude(judged, [], ledger, why) == ("broken", why)
