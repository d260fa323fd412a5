"""What Locust's command line and its page ask of us: our options beside Locust's own, and the plan that both make together."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..conformance.endpoint import Endpoint
from ..conformance.profile import Profile
from ..conformance.target import target
from ..spec import Dialect, known_as
from .ceiling import above
from .plan import Plan
from .preflight import preflight
from .prompts import RECALLS, provable
from .schedule import Schedule, parse_schedule
from .turn import Turn

Made = TypeVar("Made")

LONGEST_S = 4 * 3600
DRAIN_S = 10.0
PREFIX = "chatproof_"
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dialect", {"help": "which API: a name or a folder"}),
    ("api-key", {"help": "a valid key; never shown on the page", "env_var": "CHATPROOF_API_KEY", "include_in_web_ui": False}),
    ("agent", {"help": "the agent to talk to"}),
    ("rate", {"type": float, "help": "open: turns a second; without it Locust's users hold conversations"}),
    ("schedule", {"help": "open: constant:50, poisson:50, ramp:1-50, step:10,20, spike:10,200, soak:20"}),
    ("think", {"type": float, "default": 1.0, "help": "mean pause between two turns, in seconds"}),
    ("json-replies", {"action": "store_true", "help": "ask for JSON replies, not for streams"}),
    ("objective", {"action": "append", "help": "what has to hold, as 'ttft p95 < 800ms'; several: given again, or with commas"}),
    ("own-target", {"action": "store_true", "help": "the host is yours to load with more than 10 turns a second or 10 users"}),
    ("json", {"help": "write the result there when Locust ends", "include_in_web_ui": False}),
    ("seed", {"type": int, "default": 0, "help": "of due times, messages and pauses"}),
)  # fmt: skip
"""Option -> what Locust's parser is told of it. What is not included in the page cannot be read or set there."""
KINDS = {float: "a number", int: "a whole number"}
OURS = re.compile("--(objective|schedule|rate)")
BOUNDS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "rate": (" above 0", lambda value: value > 0),
    "think": (", 0 or more", lambda value: value >= 0),
}


def planned(options: Namespace, host: str | None) -> tuple[Plan, tuple[Turn, ...]]:
    """The plan that Locust's and our own options ask for, and the turns of its preflight; ``ValueError`` or ``NotReady``."""
    told = read(options)
    given = {"url": host, **{name: told[name] for name in ("dialect", "api-key", "agent")}}
    try:
        profile, found = target({}, given, "--chatproof-")
    except ValueError as problem:
        raise ValueError(str(problem).replace("--chatproof-url", "--host")) from None
    seconds = float(options.run_time or LONGEST_S)
    schedule = _schedule(told, seconds)
    plan = Plan(
        profile=profile,
        schedule=schedule,
        users=int(options.num_users or 1),
        seconds=seconds if schedule is None else min(seconds, schedule.seconds),
        stream=not told["json-replies"],
        seed=told["seed"],
        think=told["think"],
        drain=float(getattr(options, "stop_timeout", None) or DRAIN_S),
        objectives=tuple(told["objective"]),
    )
    _as_here(plan.judged_by)
    if refusal := too_much(options, host):
        raise ValueError(refusal)
    return _looked_at(plan, profile, found)


def too_much(options: Namespace, host: str | None) -> str:
    """Why a host that is not this machine is not sent so much; nothing if it may be."""
    told = read(options)
    schedule = _schedule(told, float(options.run_time or LONGEST_S))
    if told["own-target"] or not host:
        return ""
    load = schedule.peak if schedule is not None else float(options.num_users or 1)
    return above(Endpoint.parse(host).host, load, is_rate=schedule is not None, flag="--chatproof-own-target")


def _schedule(told: dict[str, Any], seconds: float) -> Schedule | None:
    if told["schedule"] and told["rate"] is not None:
        raise ValueError("--chatproof-rate and --chatproof-schedule say two different things; give one of them")
    text = told["schedule"] or (None if told["rate"] is None else f"constant:{told['rate']:g}")
    return _as_here(lambda: parse_schedule(text, seconds)) if text else None


def _as_here(make: Callable[[], Made]) -> Made:
    """What ``make`` gives; its ``ValueError`` by the names that the options have here."""
    try:
        return make()
    except ValueError as problem:
        raise ValueError(OURS.sub(r"--chatproof-\1", str(problem))) from None


def _looked_at(plan: Plan, profile: Profile, found: Dialect) -> tuple[Plan, tuple[Turn, ...]]:
    ready = preflight(profile, found, stream=plan.stream, seed=plan.seed)
    turns = 3 if ready.proof in RECALLS and ready.continues else 1
    made = replace(
        plan,
        profile=replace(profile, dialect=known_as(found)),
        via=ready.via,
        turns=turns,
        proof=provable(ready.proof, turns),
        own_sessions=ready.own_sessions,
    )
    return made, ready.turns


def read(options: Namespace) -> dict[str, Any]:
    """Our options by name, each of its kind. Locust's page gives text for what had no value, and an empty one for what was left empty."""
    return {name: _value(name, how, getattr(options, PREFIX + name.replace("-", "_"))) for name, how in OPTIONS}


def _value(name: str, how: dict[str, Any], value: Any) -> Any:
    if how.get("action") == "append":
        texts = value.split(",") if isinstance(value, str) else value or ()
        return [text.strip() for text in texts if text.strip()]
    if how.get("action") == "store_true":
        return value is True or value == "true"
    if isinstance(value, str):
        value = value.strip()
    if value in ("", None):
        return how.get("default")
    kind = how.get("type", str)
    try:
        made = kind(value)
    except ValueError:
        raise ValueError(f"--chatproof-{name}: expected {KINDS[kind]}, got {value!r}") from None
    words, fits = BOUNDS.get(name, ("", lambda _: True))
    if not fits(made):
        raise ValueError(f"--chatproof-{name}: expected {KINDS[kind]}{words}, got {value!r}")
    return made
