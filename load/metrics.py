"""What is measured of a turn that was answered well: one row per metric, its formula beside it.

A *service* time counts from when the turn was begun, a *response* time from when it was due. Under an open schedule the second is
what a user would have seen: a target that stops makes those wait who come meanwhile, and a generator that counts from its own late
start hides that (coordinated omission). The plain name of a metric is the response time in an open run and the service time in a closed
one, where nobody comes before the last answer is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .timeline import Timeline

Formula = Callable[[Timeline], int | None]
Clock = Literal["service", "response"]
Unit = Literal["us", "per_s"]


@dataclass(frozen=True)
class Metric:
    """``formula`` gives microseconds, or (``per_s``) thousandths of something a second; ``None``: this turn has none.

    ``clocks``: it counts from a beginning, so there are two of it. ``streams``: JSON replies have none.
    """

    name: str
    help: str
    formula: Formula
    unit: Unit = "us"
    clocks: bool = False
    streams: bool = True


def _us(start: int, end: int | None) -> int | None:
    return None if end is None else (end - start) // 1000


def _stall(turn: Timeline) -> int | None:
    """The longest time without a text, the wait for the first not counted."""
    gaps = turn.gaps
    return max(gaps) // 1000 if gaps else None


def _unit_time(turn: Timeline) -> int | None:
    """(last text - first text) / (reported output units - 1)."""
    if not turn.streamed or len(turn.texts) < 2 or turn.units is None or turn.units < 2:
        return None
    return (turn.texts[-1] - turn.texts[0]) // 1000 // (turn.units - 1)


def _text_rate(turn: Timeline) -> int | None:
    """Characters a second over the time in which text came; in thousandths."""
    span = turn.texts[-1] - turn.texts[0] if turn.streamed and len(turn.texts) > 1 else 0
    return turn.characters * 10**12 // span if span > 0 else None


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("ttfb", "until the first byte of the response", lambda t: _us(t.started, t.first_byte), clocks=True, streams=False),
        Metric("ttft", "until the first non-empty piece of text", lambda t: _us(t.started, t.first_text), clocks=True),
        Metric("gap", "between one piece of text and the next, the first not counted", lambda t: None),
        Metric("stall", "the longest gap of a turn", _stall),
        Metric("unit-time", "text time per output unit that the target reports, the first not counted", _unit_time),
        Metric("text-rate", "characters a second while text comes", _text_rate, unit="per_s"),
        Metric("duration", "until the end of the reply", lambda t: _us(t.started, t.terminal), clocks=True, streams=False),
    )
}  # fmt: skip
CLOCKED_FORMULAS = tuple((f"service {m.name}", f"response {m.name}", m.formula) for m in METRICS.values() if m.clocks)
STREAM_FORMULAS = tuple((m.name, m.formula) for m in METRICS.values() if not m.clocks and m.name != "gap")
HISTOGRAMS = (
    *(name for *both, _ in CLOCKED_FORMULAS for name in both),
    "gap",
    *(name for name, _ in STREAM_FORMULAS),
)
"""The names of all histograms of a run."""


def histogram_of(name: str, headline: Clock) -> str:
    """Which histogram a metric's name means: a plain clocked name is that of the headline clock."""
    return f"{headline} {name}" if name in METRICS and METRICS[name].clocks else name


def measure(turn: Timeline) -> list[tuple[str, int]]:
    """Histogram and value for all that this turn gives, gaps excepted (there are many of those)."""
    late = (turn.started - turn.intended) // 1000
    found: list[tuple[str, int]] = []
    for service, response, formula in CLOCKED_FORMULAS:
        value = formula(turn)
        if value is not None:
            found += ((service, value), (response, value + late))
    if turn.streamed:
        for name, formula in STREAM_FORMULAS:
            value = formula(turn)
            if value is not None:
                found.append((name, value))
    return found
