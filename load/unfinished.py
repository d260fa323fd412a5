"""What turns could still have said that were under way when a run was cut off: no objective is kept by leaving them out."""

from __future__ import annotations

from collections.abc import Iterable

from .ledger import Ledger
from .objective import PERCENTILE, SHARES, Judged, Objective

RISES = (">", ">=")
"""Operators of objectives that more can only help."""


def overturned(judged: Iterable[Judged], ledger: Ledger) -> Objective | None:
    """The first objective that is kept, and would not be if each of those turns had gone as badly as it can."""
    more = ledger.outcomes["unfinished"]
    if not more:
        return None
    for one in judged:
        if one.kept and not one.objective.holds(_worst(one.objective, one.got or 0.0, ledger, more)):
            return one.objective
    return None


def _worst(objective: Objective, got: float, ledger: Ledger, more: int) -> float:
    """What an objective would have got."""
    if objective.kind == "quantity":
        return _worst_quantity(objective, got, ledger, more)
    if objective.subject not in SHARES or objective.subject == "unfinished":
        return got
    found = ledger.number(objective.subject)
    if objective.subject != "ok" and objective.op not in RISES:
        found += more
    return found / (ledger.concluded + more) if objective.kind == "share" else float(found)


def _worst_quantity(objective: Objective, got: float, ledger: Ledger, more: int) -> float:
    """They may all be slower than any that ended; or, where more is better, as good as nothing."""
    found = ledger.histograms[objective.subject]
    helped = objective.op in RISES
    percentile = PERCENTILE.fullmatch(objective.statistic)
    if percentile is None:
        spared = objective.statistic == ("max" if helped else "min")
        return got if spared else 0.0 if helped else float("inf")
    place = float(percentile[1]) / 100 * (found.count + more) - (more if helped else 0)
    if place > found.count:
        return float("inf")
    return (found.quantile(place / found.count) or 0.0) if place > 0 else 0.0
