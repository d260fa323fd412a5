"""Whether the generator can be believed: it says so itself, with the figure that was too high, before anybody reads a latency."""

from __future__ import annotations

from collections.abc import Sequence
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
LATE_SHARE, LATE_LEAST_US, READ_MOST_US = 0.05, 1_000, 50_000
"""How late what came may have been read: half of all reads (``looks``), and on average whenever a process got a processor, by this share of
what was measured, or so many microseconds where that is less; one read in a hundred by the last."""
MEASURED = ("service ttft", "service duration")
"""What the reads of a run make: the first of these that it has."""
WORDS = {
    "send": "turns were begun late",
    "greenlet": "this process woke late",
    "read": "this process read late what had come",
}
ACHIEVED, RATE_KEPT = "achieved rate", 0.95
CPU_SHARE = 0.9
CPU, CPU_WAIT = "CPU", "CPU wait"
BUSY = "this process was too busy to keep time; try --processes"
HELD = "other processes held the processor when this one had to read"


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
        why = "turns that were due were not sent: more were in flight than --max-in-flight allows, or this process was behind"
        found.append(Sign(ACHIEVED, f"at least {RATE_KEPT:.0%}", f"{kept:.1%}", kept >= RATE_KEPT, why))
    if ledger.span_s >= 1:
        found += _busy(ledger) + _kept_waiting(ledger)
    return found


def _busy(ledger: Ledger) -> list[Sign]:
    """The share of the run for which each process had a processor."""
    shares = [one / ledger.span_s for one in ledger.cpu_s]
    return [
        Sign(name, f"at most {CPU_SHARE:.0%}", f"{share:.1%}", share <= CPU_SHARE, BUSY)
        for name, share in zip(_each(CPU, shares), shares, strict=True)
    ]


def _kept_waiting(ledger: Ledger) -> list[Sign]:
    """How long each process waited for a processor on average: what came meanwhile was stamped so much later."""
    bound, limit = _bound(ledger)
    found = []
    for name, (seconds, times) in zip(_each(CPU_WAIT, ledger.kept_waiting), ledger.kept_waiting, strict=True):
        each = seconds / max(times, 1) * 1e6
        got = f"{time_text(each)} on average"
        found.append(Sign(name, limit, got, each <= bound, HELD))
    return found


def _each(name: str, processes: Sequence[object]) -> list[str]:
    """The sign's name for each of the processes."""
    return [name] if len(processes) == 1 else [f"{name} of process {number}" for number in range(len(processes))]


def _bound(ledger: Ledger) -> tuple[float, str]:
    """Microseconds by which what was read may be late, and the words for it."""
    name = next((name for name in MEASURED if ledger.histograms[name].count), None)
    half = 0 if name is None else ledger.histograms[name].quantile(0.5) or 0
    bound = max(half * LATE_SHARE, LATE_LEAST_US)
    of = "" if name is None else f", {LATE_SHARE:.0%} of {name.rpartition(' ')[2]} p50"
    return bound, f"at most {time_text(bound)}" + of


def _read(ledger: Ledger) -> list[Sign]:
    """Times are stamped when a read is made: what a read was late by is in all of them."""
    late = ledger.lags["read"]
    if not late.count or not any(ledger.histograms[name].count for name in MEASURED):
        return []
    half, most = late.quantile(0.5) or 0, late.quantile(0.99) or 0
    bound, limit = _bound(ledger)
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
