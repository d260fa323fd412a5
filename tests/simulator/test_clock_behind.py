"""One clock is behind everything: windows, Reset, day caps, expiry, Date, latency. It is frozen here, and nothing moves but by hand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from chatproof import Simulator
from chatproof.spec import Clock, FrozenClock, ScaledClock
from chatproof.spec.clock import FROZEN_AT

TELL, ASK = "Remember this code: XK-42", "What code did I ask you to remember?"


def test_windows_reset_day_caps_and_date(desk: Any) -> None:
    said = [desk.chat("rest", "x", key="key-brief") for _ in range(6)]
    assert [one.status for one in said] == [200] * 5 + [429]
    assert int(said[-1].headers["x-ratelimit-reset"]) == FROZEN_AT + 2
    assert said[-1].headers["retry-after"] == "2"
    assert said[-1].headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    desk.clock.advance(2)
    after = desk.chat("rest", "x", key="key-brief")
    assert (after.status, after.headers["date"]) == (200, "Thu, 01 Jan 2026 00:00:02 GMT")
    daily = [desk.chat("rest", "x", key="key-daily").status for _ in range(26)]
    assert daily == [200] * 25 + [429]
    desk.clock.advance(86_399)
    assert desk.chat("rest", "x", key="key-daily").status == 429
    desk.clock.advance(1)
    assert desk.chat("rest", "x", key="key-daily").status == 200


def test_sessions_expire(desk: Any) -> None:
    desk.chat("guide", TELL, session="s")
    desk.clock.advance(86_400)
    assert "XK-42" in desk.text("guide", ASK, session="s")
    desk.clock.advance(86_401)
    assert "XK-42" not in desk.text("guide", ASK, session="s")


@pytest.mark.slow
def test_a_latency_of_an_hour_takes_no_time_and_stands_in_the_journal() -> None:
    with Simulator(["guide"], clock="frozen", latency="first=60m gap=1m") as sim:
        body = {"agent_id": "echo", "message": "Hi"}
        got = httpx.post(f"{sim.url('guide')}/chat", json=body, headers={"Authorization": f"Bearer {sim.key()}"})
        assert "done" in got.text
        entry = sim.journal.wait_for(agent="echo")[0]
        assert entry.due_s == [0, 3600, 3660, 3720, 3780]
        assert entry.plan is not None
        assert sim.clock.now() == FROZEN_AT


@pytest.mark.parametrize(("clock", "passes"), [(FrozenClock(), 0.0), (ScaledClock(10), 0.5), (ScaledClock(), 5.0)])
def test_an_advance_cuts_no_pause_short(clock: Clock, passes: float) -> None:
    assert clock.real_delay(5) == passes
    clock.advance(1_000)
    assert clock.real_delay(5) == passes
