"""A run that is led from one process and carried out by others: what is said to them, and of them. In a process that Locust may patch."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from .loads import PATIENCE_S

pytestmark = pytest.mark.slow
BEFORE = """
import json, time
from chatproof.load.patch import patch
patch()
from gevent.event import Event
from chatproof.conformance.profile import profile
from chatproof.load import run as module
from chatproof.load.crew import Crew
from chatproof.load.ledger import Ledger
from chatproof.load.plan import Plan
plan = Plan(profile({"base_url": "http://127.0.0.1:9", "dialect": "guide"}), None, 1, 5.0)
"""


def said(program: str) -> Any:
    """What a program that goes on after ``BEFORE`` prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + textwrap.dedent(program)],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S, cwd=Path(__file__).parent,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_workers_hear_of_each_reason_to_stop_once() -> None:
    """A second one would cut off what is under way."""
    told = said(
        """
        class Fake:
            reason, unwritten, in_flight = "", "", 0
            told, ticks = [], 0
            def __init__(self, plan, processes, stop): self.wake = stop
            def __enter__(self): return self
            def __exit__(self, *_): return None
            def now(self): return 1.0
            def merged(self): return Ledger(1.0, "service")
            def stop(self, reason): self.told.append(reason)
            @property
            def over(self):
                Fake.ticks += 1
                if Fake.ticks == 4: interrupted.append("interrupted"); self.wake.set()
                return Fake.ticks > 8

        interrupted = []
        module.Crew, module.TICK_S = Fake, 0.01
        module.aborts = lambda *_: "ended for that"
        module._led(plan, lambda *_: None, 2, Event(), interrupted, ())
        print(json.dumps(Fake.told))
        """
    )
    assert told == ["ended for that", "interrupted"]


@pytest.mark.parametrize(("final", "late_s", "over"), [(1, 0, False), (1, 1e6, True), (2, 1e6, True)])
def test_a_worker_that_never_says_that_it_is_done_is_lost(final: int, late_s: float, over: bool) -> None:
    told = said(
        f"""
        crew = Crew(plan, 2, Event())
        crew._start_at = time.time() - {late_s}
        crew._final = set(range({final}))
        print(json.dumps([crew.over, crew.reason]))
        """
    )
    lost = "1 of 2 workers lost: they never said that they were done" if over and final < 2 else ""
    assert told == [over, lost]
