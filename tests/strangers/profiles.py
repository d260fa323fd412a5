"""What a judge may be told of each stranger: a profile for each dialect, as data of a profile file."""

from __future__ import annotations

from typing import Any

DIALECTS = ("guide", "reference", "rest", "slug")
IDLE_S = 6
"""How long both strangers keep a session, so that its expiry can be waited for, and a window's end does not outlast it."""
WINK = {"brief_requests": 4, "brief_window": "2s"}

ASGI: dict[str, Any] = {
    "credentials": {
        "valid": "sk-harbour-main-01",
        "limited": "sk-harbour-free-02",
        "brief": "sk-harbour-wink-09",
        "broke": "sk-harbour-poor-04",
        "revoked": "sk-harbour-gone-00",
        "other_customer": "sk-meadow-main-01",
    },
    "agents": {
        "default": "concierge",
        "unknown": "nobody-here",
        "other": "cafe",
        "tools": "toolsmith",
        "failing": "broken",
        "unavailable": "asleep",
        "paced": "walker",
    },
    "recall": {"tell": "My locker is number {nonce}", "ask": "Which locker is mine?"},
    "limits": {"requests_per_minute": 20, "concurrent": 2, "requests_per_day": 9, **WINK},
    "claims": ["tools", "balance", "concurrency", "deterministic", "paced"],
}
NODE: dict[str, Any] = {
    "credentials": {
        "valid": "tk.valley.1",
        "limited": "tk.valley.free",
        "brief": "tk.valley.blink",
        "broke": "tk.valley.poor",
        "revoked": "tk.valley.gone",
        "other_customer": "tk.ridge.1",
    },
    "agents": {
        "default": "guidepost",
        "unknown": "stranger",
        "other": "narrow",
        "tools": "juggler",
        "failing": "faulty",
        "unavailable": "away",
        "paced": "slowpoke",
    },
    "recall": {"tell": "Remember this code: {nonce}", "ask": "What code did I ask you to remember?"},
    "limits": {"requests_per_minute": 20, "concurrent": 2, "requests_per_day": 7, **WINK},
    "claims": ["tools", "balance", "concurrency", "paced"],
}
REST_ONLY = {
    "asgi": {"daily": "sk-harbour-day-03", "other_agent": "sk-harbour-cafe-05", "account": "sk-harbour-admin-06"},
    "node": {"daily": "tk.valley.day", "other_agent": "tk.valley.narrow", "account": "tk.valley.account"},
}
"""Credentials of what only the agent REST API documents: limits per day, keys of one agent, keys that make keys."""

SECOND_PLAN = {
    "asgi": {"guide": "sk-harbour-pro-07", "rest": "sk-harbour-tier-08"},
    "node": {"guide": "tk.valley.pro", "rest": "tk.valley.tier"},
}


def profile_of(stranger: str, dialect: str, port: int) -> dict[str, Any]:
    """The data of a profile of ``asgi`` or ``node`` listening at ``port`` of the loopback address."""
    data = dict({"asgi": ASGI, "node": NODE}[stranger])
    credentials = dict(data["credentials"])
    agents = dict(data["agents"])
    if dialect == "rest":
        credentials |= REST_ONLY[stranger]
    if dialect in SECOND_PLAN[stranger]:
        credentials["pro"] = SECOND_PLAN[stranger][dialect]
    if dialect == "reference":
        agents = {role: f"ag_{name}" for role, name in agents.items()}
    if dialect == "guide":
        data["session_expiry"] = f"{IDLE_S}s"
    return {
        **data,
        "base_url": f"http://127.0.0.1:{port}/{dialect}",
        "dialect": dialect,
        "credentials": credentials,
        "agents": agents,
    }
