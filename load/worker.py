"""One worker of a run: ``python -m chatproof.load.worker HOST PORT MASTER``. Gets its plan from the master, and reports once a second."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc.protocol import Message

from .crew import GRACE_S, REPORT, STOP
from .engine import Engine
from .part import part
from .patch import calm
from .turn import Turn
from .users import ChatUser, quiet

TICK_S = 1.0


def enlist(environment: Any, hear: Callable[[Any, Turn], None] | None = None) -> None:
    """Let a Locust worker take part: when the master starts a run, its plan is in the options that it sends; they may be here already.

    ``hear`` is given the environment and every turn that is over.
    """
    runner = environment.runner

    def begin(**_: Any) -> None:
        environment.chatproof, environment.chatproof_users = None, 0
        plan, place, count = part(environment.parsed_options, runner.client_id, runner.worker_index)
        if place >= count and plan.schedule is not None:
            return
        calm()
        engine = environment.chatproof = Engine(plan, place, count)
        if hear is not None:
            engine.hear = partial(hear, environment)
        engine.start()
        environment.chatproof_report = gevent.spawn(supervise, engine, runner)

    def end(environment: Any, msg: Message, **_: Any) -> None:
        if environment.chatproof is not None:
            environment.chatproof.stop(msg.data["reason"])

    def stopped(**_: Any) -> None:
        """Whoever ends this worker waits until it has said its last."""
        engine: Engine | None = environment.chatproof
        if engine is not None:
            engine.stop()
            environment.chatproof_report.join(engine.plan.drain + GRACE_S)

    if getattr(environment.parsed_options, "chatproof_plan", None):
        begin()
    else:
        environment.chatproof = None
    environment.events.test_start.add_listener(begin)
    environment.events.test_stopping.add_listener(stopped)
    environment.events.quitting.add_listener(stopped)
    runner.register_message(STOP, end)


def supervise(engine: Engine, runner: Any) -> None:
    """Report once a second until the run ends, and once more when all is judged."""
    while engine.now() < engine.plan.seconds and not engine.stopping.wait(TICK_S):
        report(engine, runner, final=False)
    engine.finish()
    report(engine, runner, final=True)


def report(engine: Engine, runner: Any, *, final: bool) -> None:
    """All that this worker has counted so far."""
    if not engine.finished:
        engine.settle()
    data = {**engine.ledger.to_data(final=final), "in_flight": engine.in_flight}
    told = {"reason": engine.reason, "unwritten": engine.unwritten, "start_at": engine.plan.start_at}
    runner.send_message(REPORT, {"ledger": data, "final": final, **told})


def main() -> None:
    """See above, with the master's host, port and process; ends when the master says so, or its process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet()
    environment: Any = Environment(user_classes=[ChatUser])
    gevent.spawn(_outlive_nobody, int(sys.argv[3]), environment)
    runner = environment.create_worker_runner(sys.argv[1], int(sys.argv[2]))
    enlist(environment)
    runner.greenlet.join()


def _outlive_nobody(master: int, environment: Any) -> None:
    """A master that was killed could not say that it is over, and nobody is left to stop the load."""
    while os.getppid() == master:
        gevent.sleep(TICK_S)
    if environment.runner is None:
        os._exit(1)  # still waiting for that master, which Locust does for a minute
    environment.runner.quit()


if __name__ == "__main__":
    main()
