"""Who lives in a backend before the first request: keys by role, agents by role, and what the documents' examples name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..spec import Dialect, Plan
from . import agents
from .agents import Agent, Answer, Turn
from .examples import Examples

GENEROUS = Plan("Custom", requests_per_minute=600_000)
DAILY = Plan("Daily", requests_per_minute=600_000, requests_per_day=25)
BRIEF = Plan("Brief", requests_per_minute=5, window_s=2)
SMALL = Plan("Small", requests_per_minute=20, concurrent=2)
DOCUMENTED = Plan("Documented", requests_per_minute=120)
METERED_BALANCE = 200

AGENTS: dict[str, Agent] = {
    "default": agents.default,
    "other": agents.default,
    "echo": agents.echo,
    "memory": agents.memory,
    "tools": agents.tools,
    "slow": agents.slow,
    "paced": agents.paced,
    "long": agents.long,
    "unicode": agents.unicode,
    "failing": agents.failing,
    "unavailable": agents.unavailable,
}
UNKNOWN_AGENT = "agent-missing"
OTHER_AGENT_KEY = "ak_other_agent"
KEY_ROLES = {
    "valid": "key-valid",
    "limited": "key-limited",
    "daily": "key-daily",
    "brief": "key-brief",
    "pro": "key-pro",
    "broke": "key-broke",
    "revoked": "key-revoked",
    "other_customer": "key-other-customer",
    "other_agent": OTHER_AGENT_KEY,
    "account": "key-account",
}
KEY_CREATION_ROLES = ("other_agent", "account")
"""Roles that mean something only where a dialect can create an agent's keys."""
SECOND_PLAN_ROLES = ("pro",)
"""Roles that mean something only where a dialect documents more than one plan."""
METERED_KEY = "key-metered"
RECALL = {"tell": "Remember this code: {nonce}", "ask": "What code did I ask you to remember?"}
"""What to say to ``default`` to learn whether it remembers."""


@dataclass(frozen=True)
class Key:
    """A credential and what it may do. ``agent``: the only one it opens. ``balance``: units at the start, ``None`` for no end."""

    name: str
    plan: Plan
    agent: str | None = None
    balance: int | None = None
    revoked: bool = False


def roles(dialect: Dialect) -> dict[str, dict[str, str]]:
    """The population by role, in the words of a profile: ``{"credentials": {role: key}, "agents": {role: name}}``."""
    left_out: set[str] = set()
    if dialect.operation("keys") is None:
        left_out.update(KEY_CREATION_ROLES)
    if len(dialect.plans) < 2:
        left_out.update(SECOND_PLAN_ROLES)
    credentials = {role: key for role, key in KEY_ROLES.items() if role not in left_out}
    prefix = dialect.agent_prefix or ""
    named = {role: prefix + role for role in AGENTS}
    return {"credentials": credentials, "agents": {**named, "unknown": prefix + UNKNOWN_AGENT}}


def first_plan(dialect: Dialect) -> Plan:
    """The smallest documented plan, which callers without a key are held to in the limit headers (AMB-11)."""
    return next(iter(dialect.plans.values()), SMALL)


def documented_plan(dialect: Dialect) -> Plan:
    """The plan of the keys printed in the documents: the second one listed."""
    return next(iter(list(dialect.plans.values())[1:2]), DOCUMENTED)


def keys(dialect: Dialect, examples: Examples) -> dict[str, Key]:
    """All keys that exist at the start, by their literal text."""
    plan, printed = first_plan(dialect), documented_plan(dialect)
    everyone = [
        Key(KEY_ROLES["valid"], GENEROUS),
        Key(KEY_ROLES["limited"], plan),
        Key(KEY_ROLES["daily"], DAILY),
        Key(KEY_ROLES["brief"], BRIEF),
        Key(KEY_ROLES["broke"], GENEROUS, balance=0),
        Key(METERED_KEY, GENEROUS, balance=METERED_BALANCE),
        Key(KEY_ROLES["revoked"], GENEROUS, revoked=True),
        Key(KEY_ROLES["other_customer"], GENEROUS),
        *(Key(name, printed) for name in examples.keys),
    ]
    if len(dialect.plans) > 1:
        everyone.append(Key(KEY_ROLES["pro"], printed))
    if dialect.operation("keys") is not None:
        everyone += [
            Key(KEY_ROLES["account"], GENEROUS),
            Key(OTHER_AGENT_KEY, GENEROUS, agent="other"),
            *(Key(name, printed, agent=agent) for name, agent in examples.agent_keys.items()),
        ]
    return {key.name: key for key in everyone}


def agent_name(dialect: Dialect, examples: Examples, asked: str) -> str | None:
    """The name under which an agent lives, for the name a request gave; ``None`` if there is no such agent."""
    name = examples.aliases.get(asked, asked)
    if name in examples.agents:
        return name
    bare = name.removeprefix(dialect.agent_prefix or "")
    return bare if bare in AGENTS else None


def answer(examples: Examples, name: str, turn: Turn) -> Answer:
    """What the agent of that name says. An agent of the documents knows their conversations, and else is like ``memory``."""
    if name in AGENTS:
        return AGENTS[name](turn)
    known = examples.conversations.get(turn.message)
    return known.answer if known else agents.memory(turn)


def profile(dialect: Dialect) -> dict[str, Any]:
    """What a profile of this backend says, but for its address: ``roles``, the small keys' limits, what it claims to support."""
    plan = first_plan(dialect)
    limits = {
        "requests_per_minute": plan.requests_per_minute,
        "concurrent": plan.concurrent,
        "requests_per_day": DAILY.requests_per_day,
        "brief_requests": BRIEF.requests_per_minute,
        "brief_window": BRIEF.window_s,
    }
    claims = {
        "tools": any(row.event == "tool_call" for row in dialect.stream),
        "balance": True,
        "concurrency": plan.concurrent is not None,
        "deterministic": True,
        "paced": True,
    }
    return {
        **roles(dialect),
        "recall": RECALL,
        "limits": {name: limit for name, limit in limits.items() if limit is not None},
        "claims": [claim for claim, true in claims.items() if true],
    }
