"""What a load run looked like over time: rates, times, outcomes, and what the target's own limit left. From the JSON alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Box,
    Chart,
    Key,
    Line,
    Scale,
    Table,
    Tick,
    axis,
    fitted,
    number,
    plain,
    stairs,
    tick_time,
    ticks,
    time_text,
)
from .text import counted

Result = Mapping[str, Any]
Point = Mapping[str, Any]

QUANTILES = ("p50", "p95", "p99")
TONES = {
    "ok": "o-ok",
    "refused_429": "o-limit",
    "refused_402": "o-limit",
    "http_error": "o-status",
    "error_event": "o-stream",
    "truncated": "o-stream",
    "malformed": "o-stream",
    "no_terminal": "o-stream",
    "wrong_answer": "o-wrong",
    "mixup": "o-wrong",
    "timeout": "o-time",
    "connect_failed": "o-time",
    "unfinished": "o-cut",
}
"""Outcome -> its tone; those of one kind share one, and the table tells them apart."""
MOST_FILLED = 10_000
MINUTES = 600
LEAST_BOX = 1.5
EMPTY: Point = {
    "intended_per_s": 0.0, "achieved_per_s": 0.0, "missed": 0, "held_back": 0, "in_flight": 0,
    "ttft_ms": [None] * 3, "duration_ms": [None] * 3, "outcomes": {}, "remaining": None,
}  # fmt: skip
"""A point in which nothing happened; the JSON leaves it out."""


@dataclass(frozen=True)
class Series:
    """The time series of a run, with the points put in that the JSON leaves out."""

    result: Result

    @cached_property
    def bin_s(self) -> float:
        """Seconds of one point; of an older result, which does not say it, by the points that there are."""
        times = sorted(point["at_s"] for point in self.result["series"])
        nearest = min((two - one for one, two in itertools.pairwise(times) if two > one), default=1.0)
        return float(self.result.get("bin_s", nearest))

    @cached_property
    def points(self) -> list[tuple[float, Point]]:
        told = {round(point["at_s"] / self.bin_s): point for point in self.result["series"]}
        places = range(min(max(told, default=-1), MOST_FILLED) + 1)
        return [(place * self.bin_s, told.get(place, EMPTY)) for place in places]

    @property
    def end_s(self) -> float:
        return max(len(self.points) * self.bin_s, self.bin_s)

    @property
    def x(self) -> Scale:
        return Scale(0.0, self.end_s, LEFT, WIDTH - RIGHT)

    @property
    def axis(self) -> Axis:
        unit, name = (60, "minutes of the run") if self.end_s > MINUTES else (1, "seconds of the run")
        return Axis(
            name, tuple(Tick(self.x.at(value * unit), number(value)) for value in ticks(0, self.end_s / unit, 10))
        )

    @property
    def frame(self) -> tuple[Box, ...]:
        """The warm-up, and what came after the last turn had been begun."""
        plan, x = self.result["plan"], self.x
        spans = [(0.0, plan["warmup_s"], "warm-up: sent, not measured"), (plan["seconds"], self.end_s, "after the end")]
        return tuple(
            Box(x.at(start), TOP, round(x.at(end) - x.at(start), 1), HEIGHT - TOP - BOTTOM, "aside", label)
            for start, end, label in spans
            if end > start
        )

    def at(self, seconds: float) -> str:
        return f"{seconds:g}"


UP, DOWN = HEIGHT - BOTTOM, TOP
"""Where the lowest and the highest value of a chart of ordinary height stand."""


def rate(series: Series) -> Chart:
    """What was intended, what was begun, and what was answered well, in turns a second."""
    chart_id, title = "rate", "Intended and achieved rate"
    if not series.points:
        return Chart(chart_id, title, absent="no turn was due, so there is no rate")
    open_run = series.result["plan"]["model"] == "open"
    rows = [
        (at, p["intended_per_s"], p["achieved_per_s"], p["outcomes"].get("ok", 0) / series.bin_s)
        for at, p in series.points
    ]
    y = fitted([value for _, *values in rows for value in values], UP, DOWN)
    columns = [("wide", "due", 1), ("first", "begun", 2), ("good", "answered well, when the answer ended", 3)]
    shown = columns if open_run else columns[1:]
    summary = series.result["summary"]
    asked = f"{number(summary['intended_per_s'])} turns a second were due, " if summary["intended_per_s"] else ""
    says = f"{asked}{number(summary['achieved_per_s'])} begun, {number(summary['goodput_per_s'])} good, over the whole run."
    missed = (
        f" {counted(summary['missed'], 'turn was', 'turns were')} due and never begun." if summary["missed"] else ""
    )
    return Chart(
        chart_id,
        title,
        says + missed,
        series.axis,
        axis(y, "turns a second"),
        lines=tuple(
            Line(tone, stairs(series.x, y, [(row[0], row[place]) for row in rows], series.bin_s))
            for tone, _, place in shown
        ),
        boxes=series.frame,
        keys=tuple(Key(tone, text) for tone, text, _ in shown),
        table=Table(
            ("second", "due a second", "begun a second", "answered well a second", "missed", "in flight at most"),
            tuple(
                (series.at(at), number(due), number(sent), number(good), str(p["missed"]), str(p["in_flight"]))
                for (at, due, sent, good), (_, p) in zip(rows, series.points, strict=True)
            ),
        ),
    )


def times(series: Series) -> Chart:
    """TTFT by p50, p95 and p99 over time; of JSON replies, which have no first text, the duration."""
    name = (
        "ttft"
        if any(p["ttft_ms"][0] is not None for _, p in series.points) or series.result["plan"]["stream"]
        else "duration"
    )
    title = "Time to the first text (TTFT) over time" if name == "ttft" else "Duration over time"
    rows = [(at, p[f"{name}_ms"]) for at, p in series.points]
    values = [value for _, three in rows for value in three if value is not None]
    if not values:
        return Chart("times", title, absent="no turn was answered well, and only such turns have times")
    y = fitted(values, UP, DOWN, log=True)
    worst_at, worst = max(((at, three[1]) for at, three in rows if three[1] is not None), key=lambda row: row[1])
    whole = series.result["metrics"].get(name)
    overall = "" if whole is None else ", ".join(f"{one} {time_text(whole[one])}" for one in QUANTILES)
    tones = ("first", "second", "third")
    middle = series.bin_s / 2
    return Chart(
        "times",
        title,
        f"Over the whole run {overall}. The p95 is highest at {worst_at:g} s, with {time_text(worst)}. Each point tells of the turns that ended then{_few(series)}.",
        series.axis,
        axis(y, "ms" if y.log else "", tick_time),
        lines=tuple(
            Line(tone, plain(series.x, y, [(at + middle, three[place]) for at, three in rows]))
            for place, tone in enumerate(tones)
        ),
        boxes=series.frame,
        keys=tuple(Key(tone, quantile) for tone, quantile in zip(tones, QUANTILES, strict=True)),
        table=Table(
            ("second", *QUANTILES),
            tuple(
                (series.at(at), *("none" if value is None else time_text(value) for value in three))
                for at, three in rows
            ),
        ),
    )


def _few(series: Series) -> str:
    """What a point of few turns can tell of its p99."""
    counts = sorted(p["outcomes"]["ok"] for _, p in series.points if "ok" in p["outcomes"])
    usual = counts[len(counts) // 2]
    return f", {counted(usual, 'turn')} or so: the p99 of so few is the slowest of them" if usual < 100 else ""


def strip(series: Series) -> Chart:
    """What became of the turns that ended in each point, one above the other."""
    occurring = [name for name in series.result["outcomes"] if any(name in p["outcomes"] for _, p in series.points)]
    title = "Outcomes over time"
    if not occurring:
        return Chart("outcomes", title, absent="no turn ended")
    order = sorted(occurring, key=list(TONES).index)
    y = fitted([sum(p["outcomes"].values()) for _, p in series.points], UP, DOWN)
    totals = {name: series.result["outcomes"][name] for name in order}
    told = ", ".join(f"{counted(row['count'], 'turn')} {name}" for name, row in totals.items())
    return Chart(
        "outcomes",
        title,
        f"{told}.",
        series.axis,
        axis(y, "turns that ended"),
        boxes=(*series.frame, *(box for at, p in series.points for box in _stack(series, y, order, at, p))),
        keys=tuple(Key(TONES[name], f"{name} {row['count']:,}", line=False) for name, row in totals.items()),
        table=Table(
            ("second", *order),
            tuple((series.at(at), *(str(p["outcomes"].get(name, 0)) for name in order)) for at, p in series.points),
        ),
    )


def _stack(series: Series, y: Scale, order: list[str], at: float, point: Point) -> Iterator[Box]:
    left, right = series.x.at(at), series.x.at(at + series.bin_s)
    gap = 1.0 if right - left > 4 else 0.0
    foot = 0
    for name in order:
        count = point["outcomes"].get(name, 0)
        if count:
            top, bottom = y.at(foot + count), y.at(foot)
            height = max(round(bottom - top, 1), LEAST_BOX)
            label = f"{at:g} s: {count} {name}"
            yield Box(left, round(bottom - height, 1), round(right - left - gap, 1), height, TONES[name], label)
            foot += count


def _close(low: float, high: float) -> Scale:
    """A scale from 0, or near the values where they are far above it."""
    if low < high / 2:
        return fitted([high], UP, DOWN)
    values = ticks(low, high, 5)
    step = values[1] - values[0] if len(values) > 1 else 1.0
    return Scale(math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step + step, UP, DOWN)


def remaining(series: Series) -> Chart:
    """The least that the limit headers said was left, and where requests were refused."""
    title = "The target's limit: what it said was left"
    rows = [(at, p["remaining"], p["outcomes"].get("refused_429", 0)) for at, p in series.points]
    told = [left for _, left, _ in rows if left is not None]
    if not told:
        return Chart("remaining", title, absent="the target sent no header that says how many requests are left")
    y = _close(min(told), max(told))
    refused = sum(count for _, _, count in rows)
    limits = sorted({limit for key in series.result["limits"]["keys"].values() for limit in key["advertised_limits"]})
    advertised = f" of {' or '.join(f'{limit:,}' for limit in limits)}" if limits else ""
    marks = tuple(
        Box(
            series.x.at(at),
            UP - 5,
            max(round(series.x.at(at + series.bin_s) - series.x.at(at), 1), LEAST_BOX),
            5,
            "o-limit",
            f"{at:g} s: {count} refused with 429",
        )
        for at, _, count in rows
        if count
    )
    keys = (
        Key("first", "left, the least of each point"),
        *([Key("o-limit", "refused with 429", False)] if marks else []),
    )
    return Chart(
        "remaining",
        title,
        f"From {max(told):,} down to {min(told):,} left{advertised}; {counted(refused, 'request was', 'requests were')} refused with 429.",
        series.axis,
        axis(y, "requests left"),
        lines=(Line("first", stairs(series.x, y, [(at, left) for at, left, _ in rows], series.bin_s)),),
        boxes=(*series.frame, *marks),
        keys=keys,
        table=Table(
            ("second", "least left", "refused with 429"),
            tuple((series.at(at), "none" if left is None else str(left), str(count)) for at, left, count in rows),
        ),
    )
