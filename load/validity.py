"""Whether the generator can be believed: it says so itself, with the figure that was too high, before anybody reads a latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .ledger import Ledger
from .objective import time_text

BOUNDS_US = {
    ("send", 0.5): 5_000,
    ("send", 0.99): 50_000,
    ("greenlet", 0.5): 5_000,
    ("greenlet", 0.99): 50_000,
}
"""Lag and quantile -> microseconds that it may be: how late turns were begun, and how late this process woke when it slept."""
WORDS = {"send": "turns were begun late", "greenlet": "this process woke late"}
RATE_KEPT = 0.95
CPU_MOST = 0.9


@dataclass(frozen=True)
class Sign:
    """One sign of health. ``limit`` and ``got`` in words; ``good``: within its bound."""

    name: str
    limit: str
    got: str
    good: bool
    meaning: str


def signs(ledger: Ledger) -> list[Sign]:
    """Every sign that there is evidence for."""
    found = []
    for (lag, share), bound in BOUNDS_US.items():
        got = ledger.lags[lag].quantile(share)
        if got is not None:
            name = f"{lag} lag p{share * 100:g}"
            found.append(Sign(name, f"at most {time_text(bound)}", time_text(got), got <= bound, WORDS[lag]))
    due = ledger.counters["due"] - ledger.counters["held_back"]
    if due:
        kept = ledger.counters["sent"] / due
        why = "turns that were due were not sent: more were in flight than --max-in-flight allows"
        found.append(Sign("achieved rate", f"at least {RATE_KEPT:.0%}", f"{kept:.1%}", kept >= RATE_KEPT, why))
    for number, cpu in enumerate(ledger.cpu_s):
        if ledger.span_s >= 1:
            share = cpu / ledger.span_s
            name = f"CPU of process {number}" if len(ledger.cpu_s) > 1 else "CPU"
            why = "this process was too busy to keep time; try --processes"
            found.append(Sign(name, f"at most {CPU_MOST:.0%}", f"{share:.0%}", share <= CPU_MOST, why))
    return found


def to_data(found: list[Sign]) -> dict[str, Any]:
    """As it stands in a report."""
    return {
        "valid": all(sign.good for sign in found),
        "signs": [
            {"name": s.name, "limit": s.limit, "got": s.got, "good": s.good, "meaning": s.meaning} for s in found
        ],
    }
