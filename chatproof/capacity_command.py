"""``chatproof load --find-capacity``: the same run again and again with more or less load, until the end is bracketed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from . import __version__
from .load import validity
from .load.capacity import Step, conclude, search
from .load.ledger import Ledger
from .load.objective import judge, measure, parse_objective, plain, shown
from .load.plan import Plan
from .load.result import as_json
from .load.run import Ran, run
from .load.schedule import Schedule, Segment
from .spec import Dialect

ERRORS_KEPT = "ok > 99%"
"""Asked of every step unless an objective says otherwise: refusals are fast, and would look like capacity."""
SETTLE = 0.2
"""Of each step's time this share settles the target and is not measured."""


def find_capacity(
    plan: Plan, dialect: Dialect, text: str, most: float, processes: int, tick: Callable[..., None]
) -> dict[str, Any]:
    """The steps, each told as it ends, and the result of the highest load that was kept, with all of them in it."""
    closed = plan.schedule is None
    wanted = (text, *plan.objectives)
    if not any(parse_objective(one, plan.headline).subject in ("ok", "errors") for one in wanted):
        wanted = (*wanted, ERRORS_KEPT)
    unit = "users" if closed else "turns a second"
    start = float(plan.users) if plan.schedule is None else plan.schedule.peak
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    steps: list[Step] = []
    best: tuple[Plan, Ran] | None = None
    last: tuple[Plan, Ran] | None = None
    tries = search(start, most, whole=closed)
    load = next(tries, None)
    reason = ""
    try:
        while load is not None:
            one = _at(plan, load, wanted)
            ran = run(one, tick, processes)
            step = _judged(one, ran.ledger, load, text)
            steps.append(step)
            last = (one, ran)
            best = last if step.kept else best
            click.echo(f"{'kept  ' if step.kept else 'missed'} {load:8g} {unit}: {step.got}{step.note}", err=True)
            if ran.reason.startswith("interrupted"):
                reason = ran.reason
                break
            try:
                load = tries.send(step.kept)
            except StopIteration:
                load = None
    except KeyboardInterrupt:
        reason = "interrupted between two steps"
        if last is None:
            raise
    shown = best or last
    assert shown is not None, "a search tries at least once"
    plan_shown, ran_shown = shown
    asked = parse_objective(text, plan.headline)
    capacity = {**conclude(text, unit, steps, most), "measure": measure(asked), "limit": plain(asked, asked.value)}
    return as_json(plan_shown, dialect, ran_shown.ledger, __version__, started, reason, {"capacity": capacity})


def _at(plan: Plan, load: float, wanted: tuple[str, ...]) -> Plan:
    held = replace(plan, objectives=wanted, warmup=plan.warmup or plan.seconds * SETTLE, end_when_lost=True)
    if plan.schedule is None:
        return replace(held, users=int(load))
    curve = Schedule(f"constant:{load:g}", (Segment(plan.seconds, load, load, plan.schedule.segments[0].poisson),))
    return replace(held, schedule=curve)


def _judged(plan: Plan, ledger: Ledger, load: float, text: str) -> Step:
    judged = judge(plan.judged_by(), ledger)
    signs = [sign for sign in validity.signs(ledger) if not sign.good]
    missed = next((one for one in judged if not one.kept), None)
    asked = judged[0]
    note = ""
    if signs and missed is None:
        note = f"  (generator: {signs[0].name} {signs[0].got})"
    elif missed is not None and missed.objective.text != text:
        note = f"  ({missed.objective.text}: got {shown(missed.objective, missed.got)})"
    rate = round(ledger.counters["sent"] / ledger.span_s, 2) if ledger.span_s else 0.0
    kept = missed is None and not signs
    valid = missed is not None or not signs
    return Step(
        load,
        kept,
        shown(asked.objective, asked.got),
        rate,
        ledger.number("errors"),
        valid,
        note,
        value=plain(asked.objective, asked.got),
        seconds=round(ledger.span_s, 3),
        limited=ledger.outcomes["refused_429"],
    )
