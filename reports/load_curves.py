"""What a load run's numbers look like: percentile curves, the slowest turns, and how much the target held. From the JSON alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
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
    Word,
    axis,
    fitted,
    number,
    plain,
    tick_time,
    time_text,
)
from .load_counts import Counts
from .text import counted

Result = Mapping[str, Any]

NINES = ((0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (0.99999, "99.999"))
"""The shares that the percentile axis names."""
DRAWN = 160
"""Points of a percentile curve."""
TITLES = {"ttft": "Time to the first text (TTFT) by percentile", "duration": "Duration by percentile"}
CLOCKS = (
    ("response", "third", "response: from when the turn was due"),
    ("service", "first", "service: from when it was begun"),
)
APART = 0.05
"""The clocks tell the same where they differ by less than this share."""
ROW = 26
WATERFALL_LEFT = 150
SPANS = (
    ("due", "started_ms", "w-due", "due, not yet begun"),
    ("started_ms", "sent_ms", "w-connect", "connection, sending"),
    ("sent_ms", "first_byte_ms", "w-wait", "until the first byte"),
    ("first_byte_ms", "text", "w-head", "first byte, no text yet"),
    ("text", "terminal_ms", "w-text", "text"),
    ("terminal_ms", "ended_ms", "w-rest", "after the end of the reply"),
)
"""The parts of a turn: from, to, tone, and what it is."""
QUANTITY = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*(us|ms|s|%|/s)?$")
IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
UP, DOWN = HEIGHT - BOTTOM, TOP


def percentiles(result: Result, metric: str) -> Chart:
    """One metric by both clocks, up to five nines, as far as the number of turns reaches."""
    chart_id, title = f"curve-{metric}", TITLES[metric]
    found = {clock: Counts.of(result["histograms"].get(f"{clock} {metric}")) for clock, _, _ in CLOCKS}
    count = found["response"].count
    if not count or not found["service"].count:
        return Chart(chart_id, title, absent=_no_curve(result, metric))
    last = min(max(1 - 1 / count, 0.9), 0.99999)
    named = [row for n, row in enumerate(NINES) if n < 4 or NINES[n - 1][0] < last]
    x = Scale(0.0, _nines(named[-1][0]), LEFT, WIDTH - RIGHT)
    shares = [1 - 10 ** (-_nines(last) * n / DRAWN) for n in range(DRAWN + 1)]
    curves = {clock: [(_nines(share), one.quantile(share)) for share in shares] for clock, one in found.items()}
    y = fitted([value for curve in curves.values() for _, value in curve if value is not None], UP, DOWN, log=True)
    return Chart(
        chart_id,
        title,
        f"{_apart(found)} {_reach(count)}",
        Axis("percentile", tuple(Tick(x.at(_nines(share)), text) for share, text in named)),
        axis(y, "", tick_time),
        lines=tuple(Line(tone, plain(x, y, curves[clock])) for clock, tone, _ in CLOCKS),
        keys=tuple(Key(tone, text) for _, tone, text in CLOCKS),
        table=Table(
            ("percentile", "service", "response", "turns above"),
            tuple(
                (text, *(time_text(found[clock].quantile(share)) for clock in ("service", "response")), str(int(count * (1 - share) + 1e-6)))
                for share, text in (*named[1:], (1.0, "100"))
            ),
        ),
    )  # fmt: skip


def _nines(share: float) -> float:
    """How far to the right a percentile stands: 0.9 at 1, 0.99 at 2."""
    return -math.log10(max(1 - share, 1e-12))


def _no_curve(result: Result, metric: str) -> str:
    if metric == "ttft" and not result["plan"]["stream"]:
        return "JSON replies come whole, so there is no first text"
    return "no turn was answered well, and only such turns have times"


def _apart(found: Mapping[str, Counts]) -> str:
    """Whether counting from the beginning instead of from when it was due would have hidden something."""
    service, response = (found[clock].quantile(0.99) or 0.0 for clock in ("service", "response"))
    if response - service <= max(APART * service, 1.0):
        return f"Both clocks say the same (p99 {time_text(response)}): turns were begun when they were due."
    return (
        f"At p99 the service clock says {time_text(service)} and the response clock {time_text(response)}: turns waited before they "
        "were begun, which who counts from the beginning does not see (coordinated omission)."
    )


def _reach(count: int) -> str:
    return (
        f"{counted(count, 'turn')}: above p{_shown(100 * (1 - 1 / count))} stands the slowest turn alone."
        if count > 1
        else "One turn."
    )


def _shown(percent: float) -> str:
    """A percentile with as many nines as it has, and no more digits."""
    return f"{percent:.{max(2 - math.floor(math.log10(100 - percent)), 0)}f}".rstrip("0").rstrip(".")


def waterfalls(result: Result) -> Chart:
    """The slowest turns, the slowest first: what each waited for, and when each piece of its text came."""
    title = "The slowest turns"
    turns = sorted(result["slowest"], key=lambda turn: -(turn["ended_ms"] or 0))[:10]
    if not turns:
        return Chart("slowest", title, absent="no turn was answered well, and only such turns have times")
    height = TOP + ROW * len(turns) + BOTTOM
    x = fitted([turn["ended_ms"] or 0 for turn in turns], WATERFALL_LEFT, WIDTH - RIGHT)
    rows = [_parts(turn) for turn in turns]
    tones = {tone for parts in rows for tone, *_ in parts}
    first = turns[0]
    return Chart(
        "slowest",
        title,
        f"The slowest ended {time_text(first['ended_ms'])} after it was due, at {first['at_s']:.1f} s of the run. A stroke is a piece of text.",
        axis(x, "from when the turn was due", tick_time, most=8),
        height=height,
        left=WATERFALL_LEFT,
        boxes=tuple(
            box for n, (turn, parts) in enumerate(zip(turns, rows, strict=True)) for box in _bar(x, n, turn, parts)
        ),
        words=tuple(
            Word(WATERFALL_LEFT - 10, TOP + ROW * n + 17, f"turn {turn['turn']}, at {turn['at_s']:.1f} s", "end")
            for n, turn in enumerate(turns)
        ),
        keys=tuple(Key(tone, text, line=False) for _, _, tone, text in SPANS if tone in tones),
        table=Table(
            ("turn", "ended at", "begun", "first byte", "first text", "end of the reply", "pieces"),
            tuple(
                (
                    str(turn["turn"]),
                    f"{turn['at_s']:.1f} s",
                    *(time_text(turn[name]) for name in ("started_ms", "first_byte_ms")),
                    time_text(turn["texts_ms"][0] if turn["texts_ms"] else None),
                    time_text(turn["terminal_ms"]),
                    str(turn["texts"]),
                )
                for turn in turns
            ),
        ),
    )


def _parts(turn: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """The parts that a turn had: tone, what it is, from and to, in ms."""
    told = {**turn, "due": 0.0, "text": turn["texts_ms"][0] if turn["texts_ms"] else turn["terminal_ms"]}
    parts, start = [], 0.0
    for _, end, tone, text in SPANS:
        if told[end] is not None and told[end] > start:
            parts.append((tone, text, start, told[end]))
            start = told[end]
    return parts


def _bar(x: Scale, n: int, turn: Mapping[str, Any], parts: list[tuple[str, str, float, float]]) -> Iterator[Box]:
    top = TOP + ROW * n + 4
    for tone, text, start, end in parts:
        label = f"turn {turn['turn']}, {text}: {time_text(end - start)}"
        yield Box(x.at(start), top, max(round(x.at(end) - x.at(start), 1), 0.5), ROW - 8, tone, label)
    seen = sorted({x.at(at) for at in turn["texts_ms"]})
    yield from (Box(place, top, 1, ROW - 8, "w-piece") for place in seen)


def capacity(result: Result) -> Chart:
    """What was got at each load that was tried, and between which two loads the target gave way; absent where no search was made."""
    found, title = result["capacity"], "Capacity"
    if not found or not found["steps"]:
        return Chart("capacity", title, absent="no capacity was looked for; --find-capacity does")
    steps = sorted(found["steps"], key=lambda step: step["load"])
    got = [quantity(step["got"]) for step in steps]
    units = {unit for _, unit in filter(None, got)}
    told = len(units) == 1
    unit = units.pop() if told else ""
    words = tick_time if unit == "ms" else number
    subject = re.split("[<>=]", found["objective"])[0].strip()
    name = (f"{subject}, %" if unit == "%" else subject) if told else "begun a second"
    values = [pair[0] if pair else None for pair in got] if told else [step["achieved_per_s"] for step in steps]
    bound = quantity(found["objective"].partition(" abort")[0]) if told else None
    limit = bound[0] if bound and bound[1] == unit else None
    x = fitted([step["load"] for step in steps], LEFT, WIDTH - RIGHT)
    room = None if limit is None else limit * 1.1
    y = fitted([value for value in (*values, room) if value is not None], UP, DOWN, log=unit == "ms")
    lines = [Line("first", plain(x, y, [(step["load"], value) for step, value in zip(steps, values, strict=True)]))]
    lines += [] if limit is None else [Line("rule", f"M{LEFT} {y.at(limit):g}H{WIDTH - RIGHT}")]
    return Chart(
        "capacity",
        title,
        f"For {found['objective']}: {found['words']}.",
        axis(x, f"load, {found['unit']}", most=10),
        axis(y, name, words),
        lines=tuple(lines),
        boxes=_bracket(found, x),
        words=tuple(
            Word(x.at(step["load"]), y.at(value) + 5, "✓" if step["kept"] else "✕", "middle", "good" if step["kept"] else "bad")
            for step, value in zip(steps, values, strict=True)
            if value is not None
        ),
        keys=(Key("first", "got; ✓ kept, ✕ not"), *([] if limit is None else [Key("rule", "asked")])),
        table=Table(
            (f"load, {found['unit']}", "kept", "got", "begun a second", "errors", "note"),
            tuple(
                (number(step["load"]), "yes" if step["kept"] else "no", step["got"], number(step["achieved_per_s"]), str(step["errors"]),
                 step["note"].strip() or ("" if step["valid"] else "the generator did not keep time"))
                for step in steps
            ),
        ),
    )  # fmt: skip


def _bracket(found: Mapping[str, Any], x: Scale) -> tuple[Box, ...]:
    if found["holds"] is None or found["breaks"] is None:
        return ()
    left, right = x.at(found["holds"]), x.at(found["breaks"])
    label = f"between {found['holds']:g} and {found['breaks']:g} {found['unit']}"
    return (Box(left, TOP, round(right - left, 1), UP - TOP, "aside", label),)


def quantity(text: str) -> tuple[float, str] | None:
    """The number at the end of a text, times in ms: ``1.2 s`` is ``(1200.0, "ms")``; ``None`` where there is none."""
    match = QUANTITY.search(text)
    if match is None:
        return None
    value, unit = float(match[1].replace(",", "")), match[2] or ""
    return (value * IN_MS[unit], "ms") if unit in IN_MS else (value, unit)
