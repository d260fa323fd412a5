"""Charts as plain geometry: scales, ticks, paths and boxes, in the units of an SVG ``WIDTH`` wide. Pure; ``templates/charts.html`` writes them.

Every chart says in words what it shows, and carries its numbers as a table: a picture alone tells nothing to who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 960, 266
LEFT, RIGHT, TOP, BOTTOM = 76, 30, 28, 44
"""The margins around what is drawn: numbers stand on the left and below, what they measure above."""
STEPS = (1, 2, 5, 10)
SPREAD = 60
"""Values further apart than so many times are drawn by their logarithm."""
LEAST = 1e-6
"""Whatever is smaller is drawn as 0."""

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Scale:
    """From values to places: ``low`` is drawn at ``start``, ``high`` at ``end``; what lies outside, at the nearer end.

    ``log``: by logarithm, so that both are above 0.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        low, high = self._of(self.low), self._of(self.high)
        share = (self._of(max(value, self.low)) - low) / (high - low) if high > low else 0.0
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """``name``: what is measured, with its unit."""

    name: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Line:
    """``tone`` and ``dash`` are classes of the style, so that lines differ in more than colour."""

    tone: str
    path: str


@dataclass(frozen=True)
class Box:
    """A rectangle; ``label`` appears where a pointer rests on it. ``strength``: from 0, not there, to 1."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    label: str = ""
    strength: float = 1.0


@dataclass(frozen=True)
class Word:
    """Text inside a drawing. ``anchor``: ``start``, ``middle`` or ``end``."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    tone: str = ""


@dataclass(frozen=True)
class Key:
    """A row of the legend."""

    tone: str
    text: str
    line: bool = True


@dataclass(frozen=True)
class Table:
    """The numbers behind a drawing; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """``says``: in words what can be seen. ``absent``: why there is nothing to draw, and then nothing is drawn."""

    id: str
    title: str
    says: str = ""
    x: Axis = Axis("", ())
    y: Axis = Axis("", ())
    height: int = HEIGHT
    left: int = LEFT
    lines: tuple[Line, ...] = ()
    boxes: tuple[Box, ...] = ()
    words: tuple[Word, ...] = ()
    keys: tuple[Key, ...] = ()
    table: Table = field(default_factory=lambda: Table((), ()))
    absent: str = ""


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most so many and one: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in STEPS if one * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from ``low`` to ``high``, with 2 and 5 times them where there are few. Both are above 0."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    kinds = (1, 2, 5) if last - first <= 3 else (1,)
    found = [kind * 10.0**power for power in range(first, last + 1) for kind in kinds]
    return [round(value, 12) for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def fitted(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """A scale that holds all values with a little room: from 0, or by logarithm where that is asked for and they are above 0 and far apart."""
    told = [value for value in values if value is not None]
    top = max(max(told, default=1.0) or 1.0, LEAST)
    least = min((value for value in told if value > LEAST), default=top)
    if log and top / least > SPREAD:
        return Scale(_round_down(least), _round_up(top), start, end, log=True)
    step = ticks(0, top, 5)
    gap = step[1] - step[0] if len(step) > 1 else top
    return Scale(0.0, gap * math.ceil(top / gap - 1e-9), start, end)


def axis(scale: Scale, name: str, words: object = None, most: int = 6) -> Axis:
    """The axis of a scale; ``words`` makes a label of a value."""
    label = words if callable(words) else number
    values = log_ticks(scale.low, scale.high) if scale.log else ticks(scale.low, scale.high, most)
    return Axis(name + (" (log)" if scale.log else ""), tuple(Tick(scale.at(value), label(value)) for value in values))


def plain(x: Scale, y: Scale, points: Sequence[Point]) -> str:
    """A path through the points; it is broken where a value is missing, and a value by itself is a dot."""
    parts, pen = [], False
    for at, value in points:
        if value is None:
            pen = False
            continue
        spot = f"{x.at(at):g} {y.at(value):g}"
        parts.append(f"L{spot}" if pen else f"M{spot}h0")
        pen = True
    return "".join(parts)


def stairs(x: Scale, y: Scale, points: Sequence[Point], width: float) -> str:
    """A path that keeps each value for ``width``, and is broken where one is missing."""
    parts, pen = [], False
    for at, value in points:
        if value is None:
            pen = False
            continue
        left, right, height = x.at(at), x.at(at + width), y.at(value)
        parts.append(f"{'V' + format(height, 'g') if pen else f'M{left:g} {height:g}'}H{right:g}")
        pen = True
    return "".join(parts)


def number(value: float) -> str:
    """``0``, ``0.25``, ``1,200``: as many digits as it takes, and no more."""
    if value and abs(value) < 0.01:
        return f"{value:.2g}"
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def time_text(ms: float | None) -> str:
    """Milliseconds as people say them: ``0.4 ms``, ``12.3 ms``, ``850 ms``, ``1.24 s``."""
    if ms is None:
        return "none"
    if ms == 0:
        return "0 ms"
    if ms >= 1000:
        return f"{ms / 1000:,.2f} s"
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.1f} ms" if ms >= 10 else f"{ms:.2f} ms"


def tick_time(ms: float) -> str:
    """A time on an axis: ``0``, ``50 ms``, ``1.5 s``."""
    return "0" if ms == 0 else f"{number(ms / 1000)} s" if ms >= 1000 else f"{number(ms)} ms"


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return max(kind * power for kind in (1, 2, 5) if kind * power <= value * (1 + 1e-9))


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return min(kind * power for kind in (1, 2, 5, 10) if kind * power >= value * (1 - 1e-9))
