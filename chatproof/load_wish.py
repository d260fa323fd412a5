"""What the flags of ``chatproof load`` ask for, read before anything is sent or started."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from .inputs import good_file
from .load.metrics import Clock
from .load.objective import Objective, parse_objective
from .load.prompts import load_prompts, load_times
from .load.schedule import Schedule, duration_of, parse_schedule, replayed
from .load_clashes import clashes, unmeasured

DEFAULT_USERS, MOST_RATE, USUAL = 10, 1e6, "30s"
SEEDS = 10**9


@dataclass(frozen=True)
class Wish:
    """What the flags ask for, checked; the plan but for its target and what the preflight finds out."""

    schedule: Schedule | None
    users: int
    seconds: float
    think: float
    warmup: float
    objectives: tuple[str, ...]
    conversations: tuple[tuple[str, ...], ...]
    seed: int

    @property
    def rate(self) -> float:
        return self.schedule.peak if self.schedule is not None else 0.0


def wish_of(options: dict[str, Any]) -> Wish:
    """Every flag that can be read without a target; ``ValueError`` for the first that cannot."""
    rate, users, text = options["rate"], options["users"], options["schedule"]
    if sum(value is not None for value in (rate, users, text)) > 1:
        raise ValueError("--rate, --users and --schedule say three different things; give one of them")
    if rate is not None and not rate < MOST_RATE:
        raise ValueError(f"--rate: expected turns a second, below {MOST_RATE:g}, got {rate:g}")
    seconds = duration_of(options["duration"] or USUAL, "--for")
    schedule = None
    if text is not None and text.startswith("replay:"):
        schedule = replayed(text, good_file(load_times, Path(text.removeprefix("replay:"))))
    elif text is not None or rate is not None:
        schedule = parse_schedule(text or f"constant:{rate:g}", seconds)
    if schedule is not None and text is not None:
        if options["duration"] and not isclose(schedule.lasts, seconds):
            raise ValueError(
                f"--for {options['duration']}: {text} takes {schedule.lasts:g} s by itself; leave one of them out"
            )
        seconds = schedule.lasts
    headline: Clock = "service" if schedule is None else "response"
    if options["find_capacity"]:
        _as_asked(options["find_capacity"], "--find-capacity", headline, options)
        if schedule is not None and (len(schedule.segments) != 1 or schedule.rate(0) != schedule.peak):
            raise ValueError("--find-capacity begins at one rate: give --rate, --users, constant:R or poisson:R")
    objectives = [_as_asked(one, "--objective", headline, options) for one in options["objective"]]
    for one in (parse_objective(options["find_capacity"], headline), *objectives) if options["find_capacity"] else ():
        if one.kind == "rate" and one.op in (">", ">="):
            raise ValueError(
                f"{one.text}: more load keeps it and less does not, so no search can end by it; look for 'ttft p95 < 800ms' or the like"
            )
    start = schedule.peak if schedule is not None else float(users or DEFAULT_USERS)
    for clash in clashes(options, start):
        raise ValueError(clash)
    conversations = good_file(load_prompts, options["prompts"]) if options["prompts"] else ()
    seed = secrets.randbelow(SEEDS) if options["seed"] is None else options["seed"]
    think, warmup = (_or_none(options[name], f"--{name}") for name in ("think", "warmup"))
    if schedule is not None and not next(schedule.due(seed), seconds) < seconds:
        raise ValueError(f"{schedule.text}: no turn is due in {seconds:g} s")
    if warmup >= seconds:
        raise ValueError(f"--warmup: {warmup:g} s of a run of {seconds:g} s leave nothing to measure")
    texts = tuple(one.text for one in objectives)
    return Wish(schedule, users or DEFAULT_USERS, seconds, think, warmup, texts, conversations, seed)


def _as_asked(text: str, flag: str, headline: Clock, options: dict[str, Any]) -> Objective:
    """An objective that this run can be judged by; ``ValueError`` by the name of its flag."""
    try:
        made = parse_objective(text, headline)
    except ValueError as problem:
        raise ValueError(str(problem).replace("--objective", flag, 1)) from None
    if why := unmeasured(made, json_replies=options["json_replies"]):
        raise ValueError(f"{flag}: {why}")
    return made


def _or_none(text: str, flag: str) -> float:
    """A duration that may be 0."""
    return 0.0 if text in ("0", "0s") else duration_of(text, flag)
