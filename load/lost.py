"""Why a run need not go on: an objective that says so is missed, or one is lost whatever still comes, and the run is a step of a search.

Plain arithmetic, no statistics: a percentile is lost when more turns have missed it than may miss it of all that the step can have, and a
share when more have gone another way. What is no percentile with an upper bound and no share with a lower one is never lost early.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from .ledger import Ledger
from .objective import MISSED, PERCENTILE, Objective, judge
from .plan import Plan

SPARE = 2.0
"""In a closed run nobody knows how many turns will come: at most so many times as many a second as came so far."""


def aborts(plan: Plan, ledger: Ledger, at: float) -> str:
    """Why the run need not go on: an objective that says `abort` and is missed by now. Nothing if it may."""
    watched = [one for one in plan.judged_by() if one.abort_after is not None and at >= one.abort_after]
    missed = [one.objective.text for one in judge(watched, ledger) if one.kept is False]
    if plan.end_when_lost and not missed:
        turns = None if plan.schedule is None else plan.schedule.turns
        most = most_turns(turns, ledger.concluded, ledger.seconds, plan.seconds - plan.warmup)
        gone = lost(plan.judged_by(), ledger, most)
        missed = [gone.text] if gone else []
    return f"ended after {at:.0f} s: {missed[0]}{MISSED}" if missed else ""


def lost(objectives: Iterable[Objective], ledger: Ledger, most: float) -> Objective | None:
    """The first objective that cannot be kept any more, if ``most`` turns are measured in all."""
    return next((one for one in objectives if _missing(one, ledger) > _allowed(one) * most), None)


def most_turns(turns: int | None, concluded: int, measured_s: float, whole_s: float) -> float:
    """How many turns can be measured. ``turns``: those that a schedule has, whose arrivals may be random (four deviations are added);
    otherwise by what ``concluded`` in the seconds measured so far, of all that there are.
    """
    if turns is not None:
        return turns + 4 * math.sqrt(turns)
    return concluded * (whole_s / measured_s) * SPARE if measured_s > 0 else float("inf")


def _allowed(objective: Objective) -> float:
    """The share of turns that may miss it; more than all, where that is not how it is missed."""
    percentile = PERCENTILE.fullmatch(objective.statistic)
    if objective.kind == "quantity" and percentile and objective.op in ("<", "<=") and objective.subject != "gap":
        return 1 - float(percentile[1]) / 100
    if objective.kind == "share" and objective.op in (">", ">="):
        return 1 - objective.value
    return float("inf")


def _missing(objective: Objective, ledger: Ledger) -> int:
    if objective.kind == "quantity":
        return ledger.histograms[objective.subject].beyond(round(objective.value))
    return ledger.concluded - ledger.number(objective.subject) if objective.kind == "share" else 0
