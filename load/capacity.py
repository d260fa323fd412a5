"""How much a target holds: steps that double until an objective is missed, then halve the distance. Pure; somebody else runs the steps."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PRECISION = 1.15
"""The search ends when the load that is missed is at most so many times the load that is kept."""
MOST_STEPS = 16
LIMITED = ", where turns were refused with 429: a limit of the key, that --pacing probe finds, and no end of the target"


@dataclass(frozen=True)
class Step:
    """One load that was tried. ``kept``: the objectives were, and the generator kept time. ``note``: why not, if not the objective.

    ``limited``: turns refused with 429. ``got`` in words and, where there was anything to judge by, as a number (``value``). ``seconds``: how long it took.
    """

    load: float
    kept: bool
    got: str
    achieved_per_s: float
    errors: int
    valid: bool
    note: str = ""
    value: float | None = None
    seconds: float | None = None
    limited: int = 0


Search = Generator[float, bool, None]


def search(start: float, most: float, *, least: float = 0.01, whole: bool = False) -> Search:
    """Yields the next load to try and receives whether it was kept. ``least``: below it nothing is tried. ``whole``: loads are whole numbers (users)."""
    low, high, load = 0.0, 0.0, min(start, most)
    for _ in range(MOST_STEPS):
        if (yield load):
            low = load
        else:
            high = load
        if low >= most or (high and low and high <= low * PRECISION) or (whole and high and high - low <= 1):
            return
        if not high:
            load = min(low * 2, most)
        elif not low:
            load = high / 2
        else:
            load = (low * high) ** 0.5
        load = float(max(round(load), 1)) if whole else round(load, 3)
        if load in (low, high) or load < least:
            return


def untried(tries: Search, kept: Mapping[float, bool]) -> float | None:
    """The first load that a search asks for and that was not tried yet; ``None`` if it asks for no more. ``kept``: those that were."""
    load = next(tries, None)
    while load is not None and load in kept:
        try:
            load = tries.send(kept[load])
        except StopIteration:
            return None
    return load


def conclude(objective: str, unit: str, steps: Sequence[Step], aside: Sequence[str] = ()) -> dict[str, Any]:
    """What the steps say, as it stands in a report: the highest load kept, and the lowest above it that was not.

    ``aside``: objectives that even the least load misses, and by which no step was judged.
    """
    kept = max((step.load for step in steps if step.kept), default=None)
    above = [step for step in steps if not step.kept and (kept is None or step.load > kept)]
    missed = min(above, key=lambda step: step.load, default=None)
    told = missed is not None and missed.valid and (missed.value is not None or missed.errors > 0)
    return {
        "objective": objective,
        "unit": unit,
        "holds": kept,
        "breaks": missed.load if missed is not None and told else None,
        "found": kept is not None and told,
        "steps": [vars(step) for step in sorted(steps, key=lambda step: step.load)],
        "aside": list(aside),
        "words": _words(unit, kept, missed) + (f"; missed at the least load too: {', '.join(aside)}" if aside else ""),
    }


def _words(unit: str, kept: float | None, missed: Step | None) -> str:
    if missed is None:
        if kept is None:
            return "no step was run"
        return f"holds {kept:g} {unit}, the most that was tried; the end was not found"
    if not missed.valid:
        held = f"holds {kept:g} {unit}; at" if kept is not None else "at"
        return f"{held} {missed.load:g} this generator did not keep time, so the end was not found"
    if missed.value is None and not missed.errors:
        held = f"holds {kept:g} {unit}; at" if kept is not None else "at"
        return f"{held} {missed.load:g} there was nothing to judge it by, so the end was not found"
    if kept is None:
        return f"holds not even {missed.load:g} {unit}"
    why = LIMITED if missed.limited else ""
    return f"holds {kept:g} {unit}, breaks at {missed.load:g}{why}"
