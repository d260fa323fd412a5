"""A run of several processes: Locust's master here, its workers beside, one ledger in the end.

Each worker makes the same plan of the message it gets, walks the whole schedule and keeps every n-th turn of it. It sends all that it
has counted once a second, so that of a worker that is lost what it had measured by then is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc.protocol import Message

from .ledger import Ledger
from .plan import Plan
from .users import ChatUser

REPORT, STOP = "chatproof_ledger", "chatproof_stop"
JOIN_S, HEAD_START_S, GRACE_S = 30.0, 1.0, 15.0


class Crew:
    """The workers of one run, as processes of this machine; a context manager."""

    def __init__(self, plan: Plan, processes: int, stop: Event) -> None:
        self._stop = stop
        self.plan, self.processes = plan, processes
        self.reason = self.unwritten = ""
        self._latest: dict[str, dict[str, Any]] = {}
        self._final: set[str] = set()
        self._children: list[subprocess.Popen[bytes]] = []
        self._environment = Environment(user_classes=[ChatUser])

    def __enter__(self) -> Self:
        self._runner = self._environment.create_master_runner("127.0.0.1", 0)
        self._runner.register_message(REPORT, self._hear)
        told = ("127.0.0.1", str(self._runner.server.port), str(os.getpid()))
        command = [sys.executable, "-m", "chatproof.load.worker", *told]
        self._children = [  # out of the terminal's reach: it is for us to tell them of a Ctrl-C
            subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0) for _ in range(self.processes)
        ]
        joined = time.monotonic() + JOIN_S
        while self._runner.worker_count < self.processes and time.monotonic() < joined and not self._gone():
            if self._stop.wait(0.05):
                break
        if self._runner.worker_count < self.processes:
            came, gone = self._runner.worker_count, len(self._gone())
            self.__exit__(None, None, None)
            why = f"{gone} ended before the run began" if gone else f"within {JOIN_S:g} s"
            raise RuntimeError(
                "interrupted before the run began"
                if self._stop.is_set()
                else f"{came} of {self.processes} workers came, {why}"
            )
        self._start_at = time.time() + HEAD_START_S
        plan = replace(self.plan, start_at=self._start_at).to_json()
        self._environment.parsed_options = Namespace(
            chatproof_plan=plan, chatproof_workers=self.processes, headless=True, enable_rebalancing=False
        )
        users = self.plan.users if self.plan.schedule is None else self.processes
        gevent.spawn(self._runner.start, users, max(users, 1))
        return self

    def _hear(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._latest[msg.node_id] = msg.data["ledger"]
        if msg.data["final"]:
            self._final.add(msg.node_id)
            self.reason = self.reason or msg.data["reason"]
            self.unwritten = self.unwritten or msg.data["unwritten"]

    def _gone(self) -> list[int]:
        return [number for number, child in enumerate(self._children) if child.poll() is not None]

    def now(self) -> float:
        """Seconds of the run."""
        return time.time() - self._start_at

    @property
    def in_flight(self) -> int:
        return sum(int(data["in_flight"]) for data in self._latest.values())

    @property
    def over(self) -> bool:
        """Whether every worker has said its last, or nobody will any more."""
        gone = len(self._gone())
        if len(self._final) >= self.processes:
            return True
        if gone and "lost" not in self.reason:
            self.reason = f"{gone} of {self.processes} workers lost in mid-run; what they had counted is kept"
        if len(self._final) + gone >= self.processes:
            return True
        if self.now() <= self.plan.seconds + self.plan.drain + GRACE_S:
            return False
        silent = self.processes - len(self._final)
        self.reason = self.reason or f"{silent} of {self.processes} workers lost: they never said that they were done"
        return True

    def stop(self, reason: str) -> None:
        """Ask all workers to begin nothing more."""
        self.reason = self.reason or reason
        self._runner.send_message(STOP, {"reason": reason})

    def merged(self) -> Ledger:
        """What all have counted so far."""
        ledger = Ledger(self.plan.bin_s, self.plan.headline)
        for data in list(self._latest.values()):
            ledger.merge(data)
        ledger.seconds = max(ledger.span_s - self.plan.warmup, 0.0)
        return ledger

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        missing = self._runner.worker_count < self.processes
        self._runner.quit()
        for child in self._children if kind is not None or missing else ():
            child.terminate()  # it may not have come yet, and would not hear that it is over
        for child in self._children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
