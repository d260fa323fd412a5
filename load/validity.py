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
READ_SHARE, READ_LEAST_US, READ_MOST_US = 0.05, 1_000, 50_000
"""How late what came may have been read (``looks``): half of all reads by this share of what was measured, or so many microseconds where
that is less, and one in a hundred by the last."""
MEASURED = ("service ttft", "service duration")
"""What the reads of a run make: the first of these that it has."""
WORDS = {
    "send": "turns were begun late",
    "greenlet": "this process woke late",
    "read": "this process read late what had come",
}
ACHIEVED, RATE_KEPT = "achieved rate", 0.95
SHARES = {
    "cpu_s": ("CPU", 0.9, "this process was too busy to keep time; try --processes"),
    "waited_s": ("CPU wait", 0.05, "other processes held the processor when this one had to read"),
}
"""Seconds in the ledger, by process -> what they are called, and the share of the run that they may be."""


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
    found += _read(ledger)
    due = ledger.counters["due"] - ledger.counters["held_back"]
    if due:
        kept = ledger.counters["sent"] / due
        why = "turns that were due were not sent: more were in flight than --max-in-flight allows"
        found.append(Sign(ACHIEVED, f"at least {RATE_KEPT:.0%}", f"{kept:.1%}", kept >= RATE_KEPT, why))
    if ledger.span_s >= 1:
        found += _shares("cpu_s", ledger.cpu_s, ledger.span_s)
        found += _shares("waited_s", ledger.waited_s, ledger.span_s)
    return found


def _shares(which: str, seconds: list[float], span_s: float) -> list[Sign]:
    """One sign for each process."""
    called, most, why = SHARES[which]
    names = [called] if len(seconds) == 1 else [f"{called} of process {number}" for number in range(len(seconds))]
    shares = [one / span_s for one in seconds]
    return [
        Sign(name, f"at most {most:.0%}", f"{share:.1%}", share <= most, why)
        for name, share in zip(names, shares, strict=True)
    ]


def _read(ledger: Ledger) -> list[Sign]:
    """Times are stamped when a read is made: what a read was late by is in all of them."""
    late = ledger.lags["read"]
    name = next((name for name in MEASURED if ledger.histograms[name].count), None)
    if name is None or not late.count:
        return []
    half, most = late.quantile(0.5) or 0, late.quantile(0.99) or 0
    bound = max((ledger.histograms[name].quantile(0.5) or 0) * READ_SHARE, READ_LEAST_US)
    limit = f"at most {time_text(bound)}, {READ_SHARE:.0%} of {name.rpartition(' ')[2]} p50"
    return [
        Sign("read lag p50", limit, time_text(half), half <= bound, WORDS["read"]),
        Sign(
            "read lag p99", f"at most {time_text(READ_MOST_US)}", time_text(most), most <= READ_MOST_US, WORDS["read"]
        ),
    ]


def to_data(found: list[Sign]) -> dict[str, Any]:
    """As it stands in a report."""
    return {
        "valid": all(sign.good for sign in found),
        "signs": [
            {"name": s.name, "limit": s.limit, "got": s.got, "good": s.good, "meaning": s.meaning} for s in found
        ],
    }
