"""Documented plans spent whole: neither one request less than the table says nor one more."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.conformance.advertised import stated_wait
from chatproof.conformance.channel import WireChannel
from chatproof.conformance.check import Finding, Note, Unclear, Unverified
from chatproof.conformance.paper import PaperChannel, cost
from chatproof.conformance.run import Options, _too_dear
from chatproof.conformance.scenario import SCENARIOS, Scene, drive
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect, requirements

from .recorded import DATE, SENT_AT, exchange, known, of, response

AT = int(SENT_AT)
PRO: dict[str, Any] = {
    "credentials": {"valid": "k1", "pro": "k2"},
    "agents": {"default": "a", "paced": "p"},
    "claims": ["concurrency"],
}


def spent(name: str, admitted: int, limit: int | None, *, last: int = 429, left: int = 0) -> list[Seen]:
    """The steps of a spent plan: so many answers, then ``last``; ``left`` remain at its end."""
    daily = {"limits": {"requests_per_day": 1000}}
    found = []
    for number in range(1, admitted + 2):
        status = 200 if number <= admitted else last
        remaining = max(left + admitted - number, left)
        lines = [("X-RateLimit-Limit", limit), ("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", AT + 60)]
        headers = [(name, str(value)) for name, value in lines if limit is not None]
        raw = response(status, {"response": "x"}, headers=headers)
        found.append(Seen(exchange(raw, step=f"spend-{number:03}", key="pro"), dialect(name), known(name, **daily)))
    return found


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (spent("rest", 60, 60), []),
        (spent("guide", 120, 120), []),
        (spent("guide", 109, 120), []),
        (spent("rest", 61, 61), [Finding]),
        (spent("rest", 57, 60, left=3), [Finding]),
        (spent("rest", 120, 60, last=200, left=5), [Finding]),
        (spent("rest", 120, None, last=200), [Finding]),
        (spent("rest", 61, None, last=200), [Unclear]),
        (spent("rest", 57, None), [Unclear]),
        (spent("rest", 5, 60, last=500), [Unclear]),
        ([], [Unverified]),
    ],
)
def test_the_second_plan(seen: list[Seen], kinds: list[type[Note]]) -> None:
    """Without headers nobody knows what had been spent before, and at the edge of two windows twice as many may pass."""
    assert [type(note) for note in of("quota.second_plan", *seen)] == kinds


def test_a_fresh_key_that_is_refused_one_too_early() -> None:
    seen = spent("rest", 59, 60)
    first = exchange(
        response(headers=[("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "59"), ("X-RateLimit-Reset", "1")]),
        step="spend-001",
        key="pro",
    )
    (note,) = of("quota.second_plan", Seen(first, dialect("rest"), known("rest")), *seen[1:])
    assert isinstance(note, Finding)
    assert note.got == "429 to number 60"


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (spent("rest", 1000, 1000), []),
        (spent("rest", 1000, 1000, last=200), [Finding]),
        (spent("rest", 999, 1001), [Finding]),
        (spent("rest", 990, 1000, left=10), [Finding]),
        ([], [Unverified]),
    ],
)
def test_the_first_plans_day(seen: list[Seen], kinds: list[type[Note]]) -> None:
    assert [type(note) for note in of("quota.first_plan_daily", *seen)] == kinds


def test_a_day_that_is_not_the_documented_one_shows_nothing() -> None:
    seen = Seen(exchange(response(), step="spend-001"), dialect("rest"), known("rest", limits={"requests_per_day": 25}))
    (note,) = of("quota.first_plan_daily", seen)
    assert isinstance(note, Unverified)
    assert note.reason == "limits.requests_per_day is 25: only a key with all 1000 would show it"


@pytest.mark.parametrize(
    ("scenario", "name", "more", "sent"),
    [
        ("exhaust-pro", "guide", PRO, 121),
        ("exhaust-pro", "rest", PRO, 61),
        ("exhaust-pro", "slug", PRO, 0),
        ("concurrent-pro", "guide", PRO, 11),
        ("concurrent-pro", "rest", PRO, 0),
        ("exhaust-day", "rest", {"credentials": {"daily": "k3"}, "limits": {"requests_per_day": 1000}}, 1001),
        ("exhaust-day", "rest", {"credentials": {"daily": "k3"}, "limits": {"requests_per_day": 999}}, 0),
        ("exhaust-day", "guide", {"credentials": {"daily": "k3"}, "limits": {"requests_per_day": 1000}}, 0),
    ],
)
def test_what_is_spent(scenario: str, name: str, more: dict[str, Any], sent: int) -> None:
    of_dialect, profile = dialect(name), known(name, **more)
    channel = PaperChannel(of_dialect, profile)
    drive(SCENARIOS[scenario].play(Scene(of_dialect, profile, 1, scenario)), scenario, channel)
    assert len(channel.asks) == sent


@pytest.mark.parametrize(("most", "played"), [(None, True), (125, True), (124, False)])
def test_a_budget_leaves_out_what_it_does_not_allow_for(most: int | None, played: bool) -> None:
    guide = dialect("guide")
    channel = WireChannel(guide, known(**PRO, budget={"requests": most} if most else {}), count=4)
    absent = _too_dear(SCENARIOS["exhaust-pro"], channel)
    assert (absent is None) == played
    if absent is not None:
        assert (absent.outcome, absent.reason) == ("not_verified", "needs 121 requests, and budget.requests leaves 120")


def test_the_cost_counts_the_waiting() -> None:
    guide = dialect("guide")
    limited: dict[str, Any] = {"credentials": {"valid": "k1", "limited": "k2"}, "limits": {"requests_per_minute": 20}}
    rows = [row for row in requirements(guide) if row.id == "limits/recovers"]
    assert cost(known(), guide, rows, Options()).waiting_s == 0
    assert cost(known(**limited), guide, rows, Options()).waiting_s == 61
    brief: dict[str, Any] = {
        "credentials": {"valid": "k1", "brief": "k2"},
        "limits": {"brief_requests": 3, "brief_window": "2s"},
    }
    assert cost(known(**brief), guide, rows, Options()).waiting_s == 3
    off = {**limited, "deadlines": {"window": "0s"}}
    assert cost(known(**off), guide, rows, Options()).waiting_s == 0


RESET, HEADER, DATED = ("X-RateLimit-Reset", str(AT + 30)), ("Retry-After", "7"), ("Retry-After", DATE)


@pytest.mark.parametrize(
    ("name", "headers", "body", "wait"),
    [
        ("guide", [RESET, HEADER], {"detail": "x", "retry_after": 12}, 12),
        ("guide", [RESET, HEADER], {"detail": "x", "retry_after": "12"}, 30),
        ("guide", [RESET, HEADER], {"detail": "x", "retry_after": True}, 30),
        ("rest", [RESET, HEADER], {"error": "rate_limited"}, 30),
        ("rest", [HEADER], {"error": "rate_limited"}, 7),
        ("slug", [RESET, HEADER], {"error": {"name": "X"}}, 7),
        ("slug", [RESET], {"error": {"name": "X"}}, 30),
        ("slug", [DATED], {}, 0),
        ("slug", [("Retry-After", "soon")], {}, None),
        ("slug", [("X-RateLimit-Reset", "30")], {}, None),
        ("slug", [], {}, None),
    ],
)
def test_the_wait_is_read_where_it_is_documented(name: str, headers: Any, body: Any, wait: float | None) -> None:
    seen = Seen(exchange(response(429, body, headers=headers)), dialect(name), known(name))
    assert stated_wait(seen) == wait
