"""A run in this process, or led from it: starts Locust, watches once a second, ends in time, and gives what was counted."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from .book import KEY, told
from .crew import Crew
from .engine import Engine
from .ledger import Ledger
from .limits import Account
from .lost import aborts
from .patch import calm
from .plan import Plan
from .turn import Turn
from .turn_file import forget, join
from .users import ChatUser, quiet

TICK_S = 1.0
HEAD_START_S = 0.2

Tick = Callable[[Ledger, float, int], None]
"""Hears once a second: what was counted, seconds of the run, turns in flight."""


@dataclass(frozen=True)
class Ran:
    """What a run counted. ``reason``: why it ended before its time; nothing if it did not. ``unwritten``: why turns are missing in their file."""

    ledger: Ledger
    reason: str
    unwritten: str = ""


def run(
    plan: Plan,
    tick: Tick = lambda ledger, at, in_flight: None,
    processes: int = 1,
    before: Iterable[Turn] = (),
    hear: Callable[[Turn], None] | None = None,
) -> Ran:
    """Carry out the plan. Ctrl-C and SIGTERM end it early, and what was measured is kept.

    ``before``: turns that were sent already with the same key. ``hear``: is given each turn that is over, of one process.
    """
    quiet()
    stop = Event()
    interrupted: list[str] = []

    def interrupt() -> None:
        interrupted.append("interrupted")
        stop.set()

    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = [gevent.signal_handler(number, interrupt) for number in usual]
    try:
        if processes > 1:
            return _led(plan, tick, processes, stop, interrupted, before)
        return _alone(plan, tick, stop, interrupted, before, hear)
    finally:
        for handler in handlers:
            handler.cancel()
        for number, known in usual.items():
            signal.signal(number, known)


def _alone(
    plan: Plan,
    tick: Tick,
    stop: Event,
    interrupted: list[str],
    before: Iterable[Turn],
    hear: Callable[[Turn], None] | None,
) -> Ran:
    environment: Any = Environment(user_classes=[ChatUser])
    runner = environment.create_local_runner()
    users = plan.users if plan.schedule is None else 1
    calm()
    engine = Engine(replace(plan, start_at=time.time() + HEAD_START_S))
    environment.chatproof, environment.chatproof_users = engine, 0
    engine.hear = hear
    engine.remember(before)
    engine.start()
    runner.start(users, spawn_rate=max(users, 1))
    while engine.now() < plan.seconds and not engine.stopping.is_set():
        if stop.wait(min(TICK_S, max(plan.seconds - engine.now(), 0.0))):
            break
        engine.settle()
        tick(engine.ledger, engine.now(), engine.in_flight)
        if reason := aborts(plan, engine.ledger, engine.now()):
            engine.stop(reason)
    engine.stop(interrupted[0] if interrupted else "")
    seen, ending = len(interrupted), gevent.spawn(engine.finish)
    while not ending.ready():
        ending.join(TICK_S)
        engine.settle()
        tick(engine.ledger, engine.now(), engine.in_flight)
        if len(interrupted) > seen:
            engine.stop(interrupted[0])
    ending.get()
    runner.quit()
    return Ran(engine.ledger, engine.reason, engine.unwritten)


def _led(plan: Plan, tick: Tick, processes: int, stop: Event, interrupted: list[str], before: Iterable[Turn]) -> Ran:
    if plan.turn_file:
        forget(plan.turn_file, processes)
    heard, aborted = 0, False
    with Crew(plan, processes, stop) as crew:
        while not crew.over:
            stop.wait(TICK_S)
            tick(crew.merged(), crew.now(), crew.in_flight)
            if len(interrupted) > heard:
                heard = len(interrupted)
                stop.clear()
                crew.stop(interrupted[0])
            elif not aborted and (reason := aborts(plan, crew.merged(), crew.now())):
                aborted = True
                crew.stop(reason)
    problem = join(plan.turn_file, processes) if plan.turn_file else ""
    ledger = crew.merged()
    ledger.accounts.setdefault(KEY, Account()).merge(account_of(before).to_data())
    return Ran(ledger, crew.reason, crew.unwritten or problem)


def account_of(turns: Iterable[Turn]) -> Account:
    """What was sent before the run over the same key, which no worker knows of."""
    account = Account()
    for turn in turns:
        told(account, turn, 0.0)
    return account
