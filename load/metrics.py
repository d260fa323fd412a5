"""What is measured of a turn that was answered well: one row per metric, its formula beside it.

A *service* time counts from when the turn was begun, a *response* time from when it was due. Under an open schedule the second is
what a user would have seen: a target that stops makes those wait who come meanwhile, and a generator that counts from its own late
start hides that (coordinated omission). The plain name of a metric is the response time in an open run and the service time in a closed
one, where nobody comes before the last answer is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from .timeline import Timeline

Mark = Callable[[Timeline], int | None]
Formula = Callable[[Timeline, list[int]], int | None]
Clock = Literal["service", "response"]
Unit = Literal["us", "per_s"]


@dataclass(frozen=True)
class Metric:
    """``formula``, given a turn and its gaps, gives microseconds, or (``per_s``) thousandths of something a second; ``None``: this turn has none.

    ``until``: where it counts from a beginning instead, so that there are two of it, the moment at which it ends. ``streams``: JSON replies
    have none.
    """

    name: str
    help: str
    formula: Formula | None = None
    unit: Unit = "us"
    until: Mark | None = None
    streams: bool = True

    @property
    def clocks(self) -> bool:
        """Whether there is a service time and a response time of it."""
        return self.until is not None


def _stall(_: Timeline, gaps: list[int]) -> int | None:
    """The longest time without a text, the wait for the first not counted."""
    return max(gaps) if gaps else None


def _unit_time(turn: Timeline, _: list[int]) -> int | None:
    """(last text - first text) / (reported output units - 1)."""
    if not turn.streamed or len(turn.texts) < 2 or turn.units is None or turn.units < 2:
        return None
    return (turn.texts[-1] - turn.texts[0]) // 1000 // (turn.units - 1)


def _text_rate(turn: Timeline, _: list[int]) -> int | None:
    """All characters over the time in which text came, so that a text of few pieces looks faster than it is; in thousandths."""
    span = turn.texts[-1] - turn.texts[0] if turn.streamed and len(turn.texts) > 1 else 0
    return turn.characters * 10**12 // span if span > 0 else None


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("ttfb", "until the first byte of the response", until=attrgetter("first_byte"), streams=False),
        Metric("ttft", "until the first non-empty piece of text", until=attrgetter("first_text")),
        Metric("gap", "between one piece of text and the next, the first not counted"),
        Metric("stall", "the longest gap of a turn", _stall),
        Metric("unit-time", "text time per output unit that the target reports, the first not counted", _unit_time),
        Metric("text-rate", "characters of the text a second, from its first piece to its last", _text_rate, unit="per_s"),
        Metric("duration", "until the end of the reply", until=attrgetter("terminal"), streams=False),
    )
}  # fmt: skip
CLOCKED = tuple((f"service {m.name}", f"response {m.name}", m.until) for m in METRICS.values() if m.until is not None)
OF_STREAMS = tuple((m.name, m.formula) for m in METRICS.values() if m.formula is not None)
HISTOGRAMS = (*(name for *both, _ in CLOCKED for name in both), "gap", *(name for name, _ in OF_STREAMS))
"""The names of all histograms of a run."""


def histogram_of(name: str, headline: Clock) -> str:
    """Which histogram a metric's name means: a plain clocked name is that of the headline clock."""
    return f"{headline} {name}" if name in METRICS and METRICS[name].clocks else name


def measure(turn: Timeline) -> tuple[dict[str, int], list[int]]:
    """Histogram -> value for all that this turn gives, and its gaps, of which there are many, in microseconds."""
    started = turn.started
    late = (started - turn.intended) // 1000
    found: dict[str, int] = {}
    for service, response, until in CLOCKED:
        ended = until(turn)
        if ended is not None:
            found[service] = value = (ended - started) // 1000
            found[response] = value + late
    if not turn.streamed:
        return found, []
    gaps = [gap // 1000 for gap in turn.gaps]
    for name, formula in OF_STREAMS:
        of_stream = formula(turn, gaps)
        if of_stream is not None:
            found[name] = of_stream
    return found, gaps
