"""Who takes part in a run of Locust's master, and what they have told: each worker sends all that it has counted once a second.

Locust counts its workers for as long as the master lives. A run has places of its own, from 0 without a gap, so that a worker that was
replaced since leaves no hole in the schedule. Who comes when the run is under way begins far away in the numbers of conversations.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import gevent
from locust.runners import STATE_MISSING

from .crew import GRACE_S, HEAD_START_S, REPORT, STOP
from .ledger import Ledger
from .plan import Plan

LOOK_S = 0.05


class Muster:
    """The workers of one run after another. Hears the master's messages from when it is made."""

    def __init__(self, environment: Any) -> None:
        self._environment, self._runner = environment, environment.runner
        self._latest: dict[str, dict[str, Any]] = {}
        self._final: set[str] = set()
        self._places: dict[str, int] = {}
        self._start_at = 0.0
        self._told = False
        self._runner.register_message(REPORT, self._hear)

    def begin(self, plan: Plan) -> Plan:
        """Put the plan where Locust sends it along with the order to start; who is there by now takes part."""
        self._latest.clear()
        self._final.clear()
        self._told = False
        clients = self._runner.clients
        present = clients.ready + clients.spawning + clients.running
        self._places = {client.id: place for place, client in enumerate(present)}
        self._start_at = time.time() + HEAD_START_S
        made = replace(plan, start_at=self._start_at)
        options = self._environment.parsed_options
        options.chatproof_plan, options.chatproof_places = made.to_json(), dict(self._places)
        return made

    def now(self) -> float:
        """Seconds of the run."""
        return max(time.time() - self._start_at, 0.0)

    def _hear(self, environment: Any, msg: Any, **_: Any) -> None:
        if msg.data["start_at"] != self._start_at:
            return
        self._latest[msg.node_id] = msg.data["ledger"]
        if msg.data["final"]:
            self._final.add(msg.node_id)

    def gather(self, plan: Plan, reason: str) -> None:
        """Ask all workers to begin nothing more, and wait until each has said its last or is gone."""
        if not self._told:
            self._told = True
            self._runner.send_message(STOP, {"reason": reason})
        until = time.monotonic() + plan.drain + GRACE_S
        while self._open() and time.monotonic() < until:
            gevent.sleep(LOOK_S)

    def _open(self) -> list[str]:
        """Those who have not said their last and still can."""
        return [node for node in (*self._places, *self._latest) if node not in self._final and not self._gone(node)]

    def _gone(self, node: str) -> bool:
        client = self._runner.clients.get(node)
        return client is None or client.state == STATE_MISSING

    @property
    def lost(self) -> str:
        """How many went without a last word, in words; nothing if none did."""
        lost = [node for node in self._places if node not in self._final and self._gone(node)]
        if not lost:
            return ""
        return f"{len(lost)} of {len(self._places)} workers lost in mid-run; what they had counted is kept"

    def merged(self, plan: Plan) -> Ledger:
        """What all have counted so far."""
        ledger = Ledger(plan.bin_s, plan.headline)
        for data in list(self._latest.values()):
            ledger.merge(data)
        ledger.seconds = ledger.span_s
        return ledger
