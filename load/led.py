"""A run that Locust's command leads, alone or for workers: made when Locust starts one, ended with it, told when Locust quits."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gevent
from locust.runners import MasterRunner

from ..spec import dialect
from .engine import Engine
from .ledger import Ledger
from .locust_options import planned
from .lost import aborts
from .muster import Muster
from .patch import calm
from .plan import Plan
from .preflight import NotReady
from .result import EXIT_CODES, as_json, outline
from .run import TICK_S
from .tables import Row, empty, tables
from .turn import Turn

EARLY_S = 2.0
"""A run that ends so long before its time was ended by somebody."""
FIRST = "start a run first: there is nothing to show yet"


class Led:
    """One run at a time; the last stays to be looked at until the next begins."""

    def __init__(self, environment: Any, hear: Any) -> None:
        self._environment, self._hear = environment, hear
        self._file: str | None = environment.parsed_options.chatproof_json
        self._muster = Muster(environment) if isinstance(environment.runner, MasterRunner) else None
        self._engine: Engine | None = None
        self._made: tuple[Plan, tuple[Turn, ...]] | None = None
        self._started, self._begun = "", 0.0
        self._reason = ""
        self.plan: Plan | None = None
        self.over = True
        events = environment.events
        events.test_start.add_listener(self._begin)
        events.test_stopping.add_listener(self._end)
        events.quitting.add_listener(self._tell)

    # -- while it goes on

    def check(self, options: Namespace, host: str | None) -> str:
        """Why a run with these options cannot begin; nothing if it can, and then the next one is made of them."""
        try:
            self._made = planned(options, host)
        except (ValueError, NotReady) as problem:
            return str(problem)
        # Locust keeps the run time of the run before where a form has none.
        self._environment.parsed_options.run_time = options.run_time
        return ""

    def _begin(self, **_: Any) -> None:
        environment = self._environment
        self._begun, self._reason = time.monotonic(), ""
        try:
            plan, turns = self._made or planned(environment.parsed_options, environment.host)
        except (ValueError, NotReady) as problem:
            self._refuse(problem)
            return
        finally:
            self._made = None
        self._started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.over = False
        if self._muster is not None:
            plan = self._muster.begin(plan)
        else:
            calm()
            self._engine = environment.chatproof = Engine(plan)
            environment.chatproof_users = 0
            self._engine.hear = lambda turn: self._hear(environment, turn)
            self._engine.remember(turns)
            self._engine.start()
        self.plan = plan
        gevent.spawn(self._watch, plan)

    def _refuse(self, problem: Exception) -> None:
        """Say why there is no run, and leave the greenlet in which Locust would start one. With a page it stays there for the next try."""
        environment = self._environment
        print(f"chatproof: {problem}", file=sys.stderr)
        environment.process_exit_code = 3 if isinstance(problem, NotReady) else 2
        if environment.web_ui is None:
            gevent.spawn(environment.runner.quit)
        raise gevent.GreenletExit

    def _watch(self, plan: Plan) -> None:
        """End the run where one of its objectives or its schedule does; nothing is looked at that cannot end it."""
        aborting = any(one.abort_after is not None for one in plan.judged_by())
        endless = not self._environment.parsed_options.run_time
        while (aborting or endless) and self.plan is plan and not self.over:
            gevent.sleep(TICK_S)
            reason = aborts(plan, self.ledger(), self.now()) if aborting else ""
            if reason or (endless and self.now() > plan.seconds):
                self._reason = self._reason or reason
                runner = self._environment.runner
                gevent.spawn(runner.quit if self._environment.web_ui is None else runner.stop)
                return

    def now(self) -> float:
        """Seconds of the run."""
        if self._muster is not None:
            return self._muster.now()
        return self._engine.now() if self._engine is not None else 0.0

    def _end(self, **_: Any) -> None:
        """Let what is under way end, and have the samples judged, before Locust stops its users."""
        plan = self.plan
        if plan is None or self.over:
            return
        self._reason = self._reason or self._early("stopped")
        try:
            if self._muster is not None:
                self._muster.gather(plan, self._reason)
                self._reason = self._muster.lost or self._reason
            elif self._engine is not None:
                self._engine.stop(self._reason)
                self._engine.finish()
        except KeyboardInterrupt:
            self._reason = self._reason or "interrupted while turns under way were waited for"
        finally:
            self.over = True

    def _early(self, word: str) -> str:
        """That it was ended before its time, if it has one and that is so."""
        asked, went = self._environment.parsed_options.run_time, time.monotonic() - self._begun
        return f"{word} after {went:.0f} of {asked:g} s" if asked and went < asked - EARLY_S else ""

    # -- what it has counted

    def ledger(self) -> Ledger:
        """What has been counted so far, here or by all workers."""
        assert self.plan is not None
        if self._muster is not None:
            return self._muster.merged(self.plan)
        assert self._engine is not None
        if not self.over:
            self._engine.settle()
        return self._engine.ledger

    def tables(self) -> dict[str, list[Row]]:
        """The tables of the run so far, made without holding up those turns that are under way."""
        plan = self.plan
        if plan is None:
            return empty()
        over, ledger = self.over, self.ledger()
        told = outline(plan, dialect(plan.profile.dialect), ledger, self._why())
        return tables(told, ledger, over, lambda: gevent.sleep(0))

    def result(self) -> dict[str, Any]:
        """The document of the run so far; ``LookupError`` before the first."""
        if self.plan is None:
            raise LookupError(FIRST)
        found = dialect(self.plan.profile.dialect)
        why = self._why() or ("" if self.over else f"still under way after {self.now():.0f} s")
        return as_json(self.plan, found, self.ledger(), version("chatproof"), self._started, why)

    def _why(self) -> str:
        lost = self._muster.lost if self._muster is not None else ""
        return lost or self._reason or (self._engine.reason if self._engine is not None else "")

    def _tell(self, **_: Any) -> None:
        """The report, and Locust's exit code by our verdict. Ctrl-C comes here first."""
        environment = self._environment
        if self.plan is None:
            if environment.web_ui is None and environment.process_exit_code is None:
                print("chatproof: incomplete: ended before the run began", file=sys.stderr)
                environment.process_exit_code = EXIT_CODES["incomplete"]
            return
        if not self.over:
            self._reason = self._reason or self._early("interrupted")
            self._end()
        result = self.result()
        code = EXIT_CODES[result["verdict"]]
        if self._file:
            try:
                Path(self._file).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
            except OSError as error:
                print(f"chatproof: {self._file}: cannot be written: {error.strerror or error}", file=sys.stderr)
                code = code or 2
        environment.process_exit_code = code
        print(f"chatproof: {result['verdict']}" + (f": {result['reason']}" if result["reason"] else ""))
