"""For those who live in Locust: ``locust -f "$(python -m chatproof.load.locustfile)" --host URL --chatproof-dialect D …``.

The same users, outcomes and report as ``chatproof load``, with Locust's own page, master and workers. Each turn is one row of
Locust's statistics; more would make its totals a mixture.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import locust
from locust.runners import MasterRunner, WorkerRunner

from chatproof.conformance.target import target
from chatproof.load.crew import REPORT
from chatproof.load.engine import Engine
from chatproof.load.ledger import Ledger
from chatproof.load.patch import calm
from chatproof.load.plan import Plan
from chatproof.load.preflight import NotReady, preflight
from chatproof.load.prompts import RECALLS
from chatproof.load.result import EXIT_CODES, as_json
from chatproof.load.schedule import parse_schedule
from chatproof.load.turn import Turn
from chatproof.load.users import ChatUser
from chatproof.load.worker import enlist
from chatproof.spec import dialect, names

__all__ = ["ChatUser"]

LONGEST_S = 4 * 3600
HEAD_START_S = 1.0
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dialect", {"help": "which API: a name or a folder"}),
    ("api-key", {"help": "a valid key", "env_var": "CHATPROOF_API_KEY", "is_secret": True}),
    ("agent", {"help": "the agent to talk to"}),
    ("rate", {"type": float, "help": "open: turns a second; without it Locust's users hold conversations"}),
    ("schedule", {"help": "open: as for `chatproof load --schedule`"}),
    ("think", {"type": float, "default": 1.0, "help": "mean pause between two turns, in seconds"}),
    ("json-replies", {"action": "store_true", "help": "ask for JSON replies, not for streams"}),
    ("objective", {"action": "append", "help": "as for `chatproof load --objective`; may be given again"}),
    ("json", {"help": "write the result there"}),
    ("seed", {"type": int, "default": 0, "help": "of due times, messages and pauses"}),
)


@locust.events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust has no types
def options(parser: Any) -> None:
    """Our options beside Locust's own."""
    for name, how in OPTIONS:
        parser.add_argument(f"--chatproof-{name}", **how)


@locust.events.init.add_listener  # type: ignore[untyped-decorator]  # Locust has no types
def attach(environment: Any, **_: Any) -> None:
    """A worker waits for its plan; a master, or a single process, makes it when a run starts."""
    if isinstance(environment.runner, WorkerRunner):
        enlist(environment, told)
    else:
        Led(environment)


def told(environment: Any, turn: Turn) -> None:
    """One turn as Locust's statistics have it: its headline duration, and a failure if it is not ``ok``."""
    times = turn.timeline
    end = times.terminal if times.terminal is not None else times.ended
    start = times.started if environment.chatproof.plan.schedule is None else times.intended
    environment.events.request.fire(
        request_type="chat",
        name="stream" if environment.chatproof.plan.stream else "json",
        response_time=(end - start) / 1e6,
        response_length=sum(len(read.data) for read in turn.exchange.reads),
        exception=None if turn.outcome == "ok" else RuntimeError(f"{turn.outcome}: {turn.why}"),
        context={},
    )


class Led:
    """A run that is started here: alone, or for workers."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._latest: dict[str, dict[str, Any]] = {}
        self._engine: Engine | None = None
        self._plan: Plan | None = None
        self._started = ""
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stop.add_listener(self._end)
        environment.events.quitting.add_listener(self._tell)
        if isinstance(environment.runner, MasterRunner):
            environment.runner.register_message(REPORT, self._hear)

    def _begin(self, **_: Any) -> None:
        environment = self._environment
        try:
            self._plan = plan = planned(environment.parsed_options, environment.host)
        except (ValueError, NotReady) as problem:
            print(f"chatproof: {problem}", file=sys.stderr)
            environment.process_exit_code = 3 if isinstance(problem, NotReady) else 2
            environment.runner.quit()
            return
        self._latest.clear()
        self._started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if isinstance(environment.runner, MasterRunner):
            plan = replace(plan, start_at=time.time() + HEAD_START_S)
            environment.parsed_options.chatproof_plan = plan.to_json()
            environment.parsed_options.chatproof_workers = environment.runner.worker_count
            return
        calm()
        self._engine = environment.chatproof = Engine(plan)
        environment.chatproof_users = 0
        self._engine.hear = lambda turn: told(environment, turn)
        self._engine.start()

    def _hear(self, environment: Any, msg: Any, **_: Any) -> None:
        self._latest[msg.node_id] = msg.data["ledger"]

    def _end(self, **_: Any) -> None:
        if self._engine is not None:
            self._engine.stop()
            self._engine.finish()

    def _tell(self, **_: Any) -> None:
        """The report, and Locust's exit code by our verdict."""
        plan = self._plan
        if plan is None:
            return
        ledger = self._engine.ledger if self._engine is not None else self._merged(plan)
        result = as_json(plan, dialect(plan.profile.dialect), ledger, version("chatproof"), self._started)
        self._environment.process_exit_code = EXIT_CODES[result["verdict"]]
        file = self._environment.parsed_options.chatproof_json
        if file:
            Path(file).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        print(f"chatproof: {result['verdict']}" + (f": {result['reason']}" if result["reason"] else ""))

    def _merged(self, plan: Plan) -> Ledger:
        ledger = Ledger(plan.bin_s, plan.headline)
        for data in self._latest.values():
            ledger.merge(data)
        ledger.seconds = ledger.span_s
        return ledger


def planned(options: Namespace, host: str | None) -> Plan:
    """The plan that Locust's and our own options ask for; ``ValueError`` or ``NotReady``."""
    given = {
        "url": host,
        "dialect": options.chatproof_dialect,
        "api-key": options.chatproof_api_key,
        "agent": options.chatproof_agent,
    }
    profile, found = target({}, given, "--chatproof-")
    known = found.name if found.name in names() else str(found.folder)
    seconds = float(options.run_time or LONGEST_S)
    text = options.chatproof_schedule or (f"constant:{options.chatproof_rate:g}" if options.chatproof_rate else None)
    schedule = parse_schedule(text, seconds) if text else None
    stream = not options.chatproof_json_replies
    ready = preflight(profile, found, stream=stream, seed=options.chatproof_seed)
    plan = Plan(
        profile=type(profile)(**{**vars(profile), "dialect": known}),
        schedule=schedule,
        users=0,
        seconds=seconds,
        stream=stream,
        via=ready.via,
        seed=options.chatproof_seed,
        think=options.chatproof_think,
        turns=3 if ready.proof in RECALLS and ready.continues else 1,
        proof=ready.proof,
        objectives=tuple(options.chatproof_objective or ()),
        own_sessions=ready.own_sessions,
    )
    plan.judged_by()
    return plan


if __name__ == "__main__":
    print(__file__)
