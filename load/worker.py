"""One worker of a run: ``python -m chatproof.load.worker HOST PORT``. Gets its plan from the master, and reports once a second."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc.protocol import Message

from .crew import REPORT, STOP
from .engine import Engine
from .patch import calm
from .plan import Plan
from .turn import Turn
from .users import ChatUser, quiet

TICK_S = 1.0


def enlist(environment: Any, hear: Callable[[Any, Turn], None] | None = None) -> None:
    """Let a Locust worker take part: when the master starts a run, its plan is in the options that it sends.

    ``hear`` is given the environment and every turn that is over.
    """
    runner = environment.runner

    def begin(**_: Any) -> None:
        options = environment.parsed_options
        plan = Plan.of_json(options.chatproof_plan)
        calm()
        engine = Engine(plan, runner.worker_index, options.chatproof_workers)
        environment.chatproof, environment.chatproof_users = engine, 0
        if hear is not None:
            engine.hear = partial(hear, environment)
        engine.start()
        gevent.spawn(supervise, engine, runner)

    def end(environment: Environment, msg: Message, **_: Any) -> None:
        engine: Engine | None = getattr(environment, "chatproof", None)
        if engine is not None:
            engine.stop(msg.data["reason"])

    def stopped(**_: Any) -> None:
        engine: Engine | None = getattr(environment, "chatproof", None)
        if engine is not None and not engine.finished:
            engine.stop()
            engine.finish()
            report(engine, runner, final=True)

    environment.events.test_start.add_listener(begin)
    environment.events.test_stop.add_listener(stopped)
    runner.register_message(STOP, end)


def supervise(engine: Engine, runner: Any) -> None:
    """Report once a second until the run ends, and once more when all is judged."""
    while engine.now() < engine.plan.seconds and not engine.stopping.wait(TICK_S):
        report(engine, runner, final=False)
    engine.finish()
    report(engine, runner, final=True)


def report(engine: Engine, runner: Any, *, final: bool) -> None:
    """All that this worker has counted so far."""
    engine.settle()
    data = {**engine.ledger.to_data(), "in_flight": engine.in_flight}
    runner.send_message(REPORT, {"ledger": data, "final": final, "reason": engine.reason})


def main() -> None:
    """See above; ends when the master says so or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet()
    environment: Any = Environment(user_classes=[ChatUser])
    runner = environment.create_worker_runner(sys.argv[1], int(sys.argv[2]))
    enlist(environment)
    runner.greenlet.join()


if __name__ == "__main__":
    main()
