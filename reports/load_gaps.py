"""The time between pieces of a load run's text: how often which gap came, and when. From the JSON alone."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .charts import (
    LEFT,
    RIGHT,
    WIDTH,
    Axis,
    Box,
    Chart,
    Scale,
    Table,
    Tick,
    axis,
    fitted,
    log_ticks,
    tick_time,
    time_text,
)
from .load_charts import DOWN, UP, Series
from .load_counts import Counts
from .text import counted

BARS = 60
COLUMNS = 120
LEAST_MS = 0.01
"""Below that nothing is told apart: pieces that came in one read are as near as that."""
PALEST = 0.12


def heat(series: Series) -> Chart:
    """Which gaps came when: the stronger a cell, the larger its share of the gaps of that time."""
    title = "Gaps between pieces of text over time"
    columns = list(_columns(series))
    total = sum((gaps for _, _, gaps in columns), Counter[int]())
    if not total:
        return Chart(
            "heat",
            title,
            absent=_none(series.result) if not _lacks(series) else "this result was written without gaps over time",
        )
    low = max(edge(min(total)), LEAST_MS)
    y = Scale(low, max(edge(max(total) + 1), low * 10), UP, DOWN, log=True)
    most = max(count / gaps.total() for _, _, gaps in columns if gaps for count in gaps.values())
    usual = max(total, key=total.__getitem__)
    longest = [(start, max(gaps)) for start, _, gaps in columns if gaps]
    when, worst = max(longest, key=lambda row: row[1])
    return Chart(
        "heat",
        title,
        f"Most gaps last {_span(usual)}; the longest are of {_span(worst)}, first at {when:g} s. The stronger the colour, the larger the share of that time's gaps.",
        series.axis,
        Axis("gap (log)", tuple(Tick(y.at(value), tick_time(value)) for value in log_ticks(y.low, y.high))),
        boxes=(*series.frame, *(box for start, end, gaps in columns for box in _cells(series.x, y, start, end, gaps, most))),
        table=Table(
            ("second", *(f"from {time_text(edge(bucket))}" for bucket in sorted(total))),
            tuple((f"{start:g}", *(str(gaps[bucket]) for bucket in sorted(total))) for start, _, gaps in columns),
        ),
    )  # fmt: skip


def edge(bucket: int) -> float:
    """Where a bucket of a point's ``gaps`` begins, in ms."""
    return 2.0 ** (bucket // 2 - 1) * (1.5 if bucket % 2 else 1.0) / 1000 if bucket > 1 else 0.0


def _span(bucket: int) -> str:
    return f"{time_text(edge(bucket))} to {time_text(edge(bucket + 1))}"


def _lacks(series: Series) -> bool:
    return bool(series.result["series"]) and not any("gaps" in point for point in series.result["series"])


def _columns(series: Series) -> Iterator[tuple[float, float, Counter[int]]]:
    """Points put together so that there are not too many: from, to, and their gaps by bucket."""
    wide = max(math.ceil(len(series.points) / COLUMNS), 1)
    for n in range(0, len(series.points), wide):
        part = series.points[n : n + wide]
        gaps: Counter[int] = Counter()
        for _, point in part:
            for bucket, count in point.get("gaps", ()):
                gaps[bucket] += count
        yield part[0][0], part[-1][0] + series.bin_s, gaps


def _cells(x: Scale, y: Scale, start: float, end: float, gaps: Counter[int], most: float) -> Iterator[Box]:
    left, right = x.at(start), x.at(end)
    for bucket, count in sorted(gaps.items()):
        top, bottom = y.at(max(edge(bucket + 1), y.low * 1.2)), y.at(edge(bucket))
        part = count / gaps.total()
        strength = round(PALEST + (1 - PALEST) * math.sqrt(part / most), 2)
        label = f"{start:g} s, {_span(bucket)}: {counted(count, 'gap')}, {part:.1%}"
        yield Box(left, top, round(right - left, 1), max(round(bottom - top, 1), 2), "fill-first", label, strength)


def spread(result: Mapping[str, Any]) -> Chart:
    """How often which gap came in the whole run."""
    title = "Gaps between pieces of text"
    counts = Counts.of(result["histograms"].get("gap"))
    if not counts.count:
        return Chart("gaps", title, absent=_none(result))
    low, high = _decades(counts)
    x = Scale(low, high, LEFT, WIDTH - RIGHT, log=True)
    edges = [low * (high / low) ** (n / BARS) for n in range(BARS + 1)]
    below = [0.0, *(counts.share_upto(value) for value in edges[1:])]
    shares = [two - one for one, two in itertools.pairwise(below)]
    y = fitted([part * 100 for part in shares], UP, DOWN)
    shown = [(edges[n], edges[n + 1], part) for n, part in enumerate(shares) if part > 0]
    told = ", ".join(f"{name} {time_text(result['metrics']['gap'][name])}" for name in ("p50", "p95", "p99", "max"))
    return Chart(
        "gaps",
        title,
        f"{counted(counts.count, 'gap')}: {told}.",
        Axis("gap (log)", tuple(Tick(x.at(value), tick_time(value)) for value in log_ticks(low, high))),
        axis(y, "% of all gaps"),
        boxes=tuple(_bars(x, y, shown)),
        table=Table(
            ("gap from", "to", "share"),
            tuple((time_text(one), time_text(two), f"{part:.2%}") for one, two, part in shown),
        ),
    )


def _bars(x: Scale, y: Scale, shown: list[tuple[float, float, float]]) -> Iterator[Box]:
    for one, two, part in shown:
        top, label = y.at(part * 100), f"{time_text(one)} to {time_text(two)}: {part:.2%}"
        yield Box(x.at(one), top, max(round(x.at(two) - x.at(one) - 1, 1), 1), round(UP - top, 1), "fill-first", label)


def _none(result: Mapping[str, Any]) -> str:
    if not result["plan"]["stream"]:
        return "JSON replies come whole, without gaps"
    return (
        "no stream had two pieces of text"
        if result["outcomes"].get("ok")
        else "no turn was answered well, and only such turns are measured"
    )


def _decades(counts: Counts) -> tuple[float, float]:
    """Powers of ten that hold all sizes, in ms."""
    low = 10.0 ** math.floor(math.log10(max(counts.sizes[0], LEAST_MS)))
    return low, max(10.0 ** math.ceil(math.log10(max(counts.sizes[-1], LEAST_MS))), low * 10)
