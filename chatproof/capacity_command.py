"""``chatproof load --find-capacity``: the same run again and again with more or less load, until the end is bracketed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from . import __version__
from .load import validity
from .load.capacity import Step, conclude, search, untried
from .load.ledger import Ledger
from .load.objective import Judged, judge, measure, parse_objective, plain, shown
from .load.plan import Plan
from .load.preflight import unanswered
from .load.result import as_json, cut_short
from .load.result import conclude as verdict_of
from .load.run import Ran, run
from .load.schedule import Schedule, Segment
from .spec import Dialect

ERRORS_KEPT = "ok > 99%"
"""Asked of every step unless an objective says otherwise: refusals are fast, and would look like capacity."""
TRIES = 2
"""How often a step is run in which the generator does not keep time."""
FEWEST = 5
"""Turns that a step has to measure, so that there is something to judge it by."""
Tried = tuple[Plan, Ran]
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
    least = 1.0 if closed else min(start, round(FEWEST / (plan.seconds - _warmup(plan)), 3))
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tried: dict[float, Tried] = {}
    steps: list[Step] = []
    aside: tuple[str, ...] = ()
    compared = False
    reason = ""
    try:
        while (load := _next(start, most, least, closed, steps)) is not None and not reason:
            reason = _try(tried, load, _at(plan, load, wanted), aside, unit, dialect, processes, tick)
            steps = _steps(tried, text, aside)
            if reason or compared or not _wrong(tried[load]):
                continue
            compared = True
            if least not in tried:
                reason = _try(tried, least, _at(plan, least, wanted), (), unit, dialect, processes, tick)
            aside = tuple(one for one in _wrong(tried[load]) if least in tried and one in _wrong(tried[least]))
            steps = _steps(tried, text, aside)
            if aside:
                click.echo(
                    f"{', '.join(aside)}: missed at {least:g} {unit} as well, so no step is judged by it", err=True
                )
            for step in steps:
                if not step.valid and not reason:
                    reason = _try(tried, step.load, _at(plan, step.load, wanted), aside, unit, dialect, processes, tick)
            steps = _steps(tried, text, aside)
    except KeyboardInterrupt:
        reason = "interrupted between two steps"
        if not tried:
            raise
    steps = _steps(tried, text, aside)
    best = max((step.load for step in steps if step.kept), default=next(reversed(tried)))
    plan_shown, ran_shown = tried[best]
    asked = parse_objective(text, plan.headline)
    said = conclude(text, unit, steps, aside)
    capacity = {**said, "measure": measure(asked), "limit": plain(asked, asked.value)}
    result = as_json(plan_shown, dialect, ran_shown.ledger, __version__, started, reason, {"capacity": capacity})
    mixed = [(load, one) for load in tried for one in _missed(*tried[load]) if _is_mixed(one)]
    if mixed and not any(map(_is_mixed, _missed(plan_shown, ran_shown))):
        load, one = mixed[0]
        _mixed_up(result, one, f"in the step of {load:g} {unit}", tried[load][1])
    return result


def _is_mixed(one: Judged) -> bool:
    return one.objective.subject == "mixups"


def _mixed_up(result: dict[str, Any], missed: Judged, where: str, ran: Ran) -> None:
    """An answer of somebody else's is no matter of load: a search with one in any of its steps is broken, and shows it."""
    got = f"{shown(missed.objective, missed.got)} {where}"
    result["verdict"], result["reason"] = "broken", f"missed: {missed.objective.text} (got {got})"
    result["exhibits"] = [*result["exhibits"], *ran.ledger.exhibits]
    for row in result["objectives"]:
        if row["objective"] == missed.objective.text:
            row.update(kept=False, got=got)


def _missed(plan: Plan, ran: Ran) -> list[Judged]:
    return [one for one in judge(plan.judged_by(), ran.ledger) if one.kept is False]


def _next(start: float, most: float, least: float, whole: bool, steps: Sequence[Step]) -> float | None:
    return untried(search(start, most, least=least, whole=whole), {step.load: step.kept for step in steps})


def _try(
    tried: dict[float, Tried],
    load: float,
    plan: Plan,
    aside: Sequence[str],
    unit: str,
    dialect: Dialect,
    processes: int,
    tick: Callable[..., None],
) -> str:
    """Run one step and tell it, and say why the search has to end with it, if so.

    A step of which nothing was answered, by a target that answers nothing now either, says nothing of its load, and neither does one that was
    interrupted. One in which the generator did not keep time is run once more: somebody else may have had the processor for a moment.
    """
    for _ in range(TRIES):
        ran = run(plan, tick, processes)
        if tried and (why := _gone(plan, dialect, ran.ledger)):
            step_before = f"{next(reversed(tried)):g} {unit}"
            said = (
                f"the target was lost in or after the step at {step_before}: no turn is answered well any more ({why})"
            )
            click.echo(said, err=True)
            return said
        cut = ran.reason if ran.reason.startswith("interrupted") else ""
        if cut and tried.keys() - {load}:
            tried.pop(load, None)
            return cut
        tried[load] = plan, ran
        step = _judged(plan, ran, load, plan.objectives[0], aside)
        word = "kept  " if step.kept else "missed" if step.valid else "unsure"
        click.echo(f"{word} {load:8g} {unit}: {step.got}{step.note}", err=True)
        if cut or step.valid:
            return cut
    return ""


def _gone(plan: Plan, dialect: Dialect, ledger: Ledger) -> str:
    """Why nothing is answered any more, whatever the load; nothing if something is. A key's limit is told apart elsewhere."""
    if ledger.outcomes["ok"] or ledger.outcomes["refused_429"] or not ledger.concluded:
        return ""
    return unanswered(plan.profile, dialect, stream=plan.stream, via=plan.via, insecure=plan.insecure)


def _limited(ledger: Ledger) -> int:
    """Turns refused by a limit of the key. One that says that some remain is by a target that is full."""
    full = sum(account.limited_with_remaining for account in ledger.accounts.values())
    return max(ledger.outcomes["refused_429"] - full, 0)


def _steps(tried: Mapping[float, Tried], text: str, aside: Sequence[str]) -> list[Step]:
    return [_judged(plan, ran, load, text, aside) for load, (plan, ran) in tried.items()]


def _wrong(tried: Tried) -> list[str]:
    """What nobody has asked for and every run has to keep, and this one did not."""
    return [one.objective.text for one in _missed(*tried) if one.objective.implied]


def _warmup(plan: Plan) -> float:
    return plan.warmup or plan.seconds * SETTLE


def _at(plan: Plan, load: float, wanted: tuple[str, ...]) -> Plan:
    held = replace(plan, objectives=wanted, warmup=_warmup(plan), end_when_lost=True)
    if plan.schedule is None:
        return replace(held, users=int(load))
    curve = Schedule(f"constant:{load:g}", (Segment(plan.seconds, load, load, plan.schedule.segments[0].poisson),))
    return replace(held, schedule=curve)


def _judged(plan: Plan, ran: Ran, load: float, text: str, aside: Sequence[str]) -> Step:
    ledger = ran.ledger
    judged = [one for one in judge(plan.judged_by(), ledger) if one.objective.text not in aside]
    signs = validity.signs(ledger)
    cut = ran.reason if cut_short(ran.reason) else ""
    verdict, why = verdict_of(judged, signs, ledger, cut)
    missed = next((one for one in judged if not one.kept), None)
    asked = judged[0]
    note = ""
    if verdict == "invalid":
        late = next(sign for sign in signs if not sign.good)
        note = f"  (generator: {late.name} {late.got})"
    elif verdict == "incomplete" and (cut or missed is None):
        note = f"  ({why})"
    elif missed is not None and missed.objective.text != text:
        note = f"  ({missed.objective.text}: got {shown(missed.objective, missed.got)})"
    rate = round(ledger.counters["sent"] / ledger.span_s, 2) if ledger.span_s else 0.0
    return Step(
        load,
        verdict == "kept",
        shown(asked.objective, asked.got),
        rate,
        ledger.number("errors"),
        verdict != "invalid" and not cut,
        note,
        value=plain(asked.objective, asked.got),
        seconds=round(ledger.span_s, 3),
        limited=_limited(ledger),
    )
