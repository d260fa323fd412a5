"""A comparison of load runs as text, as Markdown and as a page; a trend of three and more with its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import charts, page
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
from .comparison_faces import spark
from .load_bootstrap import LEVEL, Interval
from .load_comparison import Row, compare, doubtful
from .load_html import STYLES, VERDICTS, share
from .text import one_line

Result = Mapping[str, Any]

MARKS = {"worse": "✕", "better": "✓", "no evidence": "·"}
TONES = {"worse": "no", "better": "yes", "no evidence": "soft"}
NAMES, LABEL = 79, 30
ROW, NAMED = 28, 130
WIDEST = 100.0
"""Percent of change that the drawing shows on either side; what goes beyond ends at its edge."""
METHOD = (
    f"Intervals hold {LEVEL:.0%}: quantiles by bootstrap of the runs' histograms, the turns counted down by how much those of one "
    "time resemble each other; shares by score intervals; rates by bootstrap of blocks of time. A word is said where 0 lies "
    "outside and the change is worth telling: 5 % and 1 ms, or 0.1 points of a share."
)


@dataclass(frozen=True)
class Compared:
    """Load runs by label, in the order given; the last is held against the one before it."""

    results: Mapping[str, Result]

    @property
    def labels(self) -> list[str]:
        return list(self.results)

    @cached_property
    def rows(self) -> list[Row]:
        """What changed from the last but one to the last."""
        *_, before, after = self.results.values()
        return compare(before, after)

    @property
    def worse(self) -> bool:
        return any(row.word == "worse" for row in self.rows)

    @property
    def notes(self) -> list[str]:
        """What the reader has to know of these two runs: doubts that were passed over, and what else is not the same."""
        pair = list(self.results.items())[-2:]
        doubts = [f"{label} {why}; it is compared anyway" for label, one in pair if (why := doubtful(one))]
        agents = [str(one["plan"]["agent"]) for _, one in pair]
        other = [f"agents differ: {agents[0]}, then {agents[1]}"] if agents[0] != agents[1] else []
        return [*doubts, *other]


def text(compared: Compared) -> str:
    """For a terminal or a log, 80 columns wide."""
    before, after = compared.labels[-2:]
    lines = [*_trend(compared)] if len(compared.results) > 2 else []
    lines += [f"from {one_line(before)}", f"  to {one_line(after)}", ""]
    lines += [f"  {'':<15}{'before':>10}{'after':>10}   {f'difference, {LEVEL:.0%}':<24}"]
    for row in compared.rows:
        line = f"{MARKS[row.word]} {row.name[:24]:<15}{shown(row, row.before):>10}{shown(row, row.after):>10}   {between(row):<24}  {row.word}"
        lines.append(line.rstrip())
    for why in dict.fromkeys(row.why for row in compared.rows if row.why):
        lines += ["", *_wrapped(f"{', '.join(row.name for row in compared.rows if row.why == why)}: {why}")]
    lines += (
        ["", *(piece for note in compared.notes for piece in _wrapped(f"- {one_line(note)}"))] if compared.notes else []
    )
    return "\n".join([*lines, "", *_wrapped(conclusion(compared))]) + "\n"


def markdown(compared: Compared) -> str:
    """For the page of a CI job."""
    before, after = (_cell(label) for label in compared.labels[-2:])
    lines = [f"# chatproof load: `{before}` to `{after}`", "", conclusion(compared), ""]
    lines += [f"| | metric | before | after | difference, {LEVEL:.0%} | |", "|---|---|---:|---:|---|---|"]
    lines += [
        f"| {MARKS[row.word]} | {row.name} | {shown(row, row.before)} | {shown(row, row.after)} | {between(row) or row.why} | {row.word} |"
        for row in compared.rows
    ]
    lines += ["", *(f"- {_cell(note)}" for note in compared.notes)] if compared.notes else []
    return "\n".join([*lines, "", METHOD]) + "\n"


def html(compared: Compared) -> str:
    """A page, as self-contained as that of a run."""
    return page.render(
        "load_comparison.html",
        styles=STYLES,
        compared=compared,
        conclusion=conclusion(compared),
        charts=[changes(compared.rows), *([trend(compared)] if len(compared.results) > 2 else [])],
        steps=[(label, one, _three(one)) for label, one in compared.results.items()],
        shown=shown,
        between=between,
        time_text=time_text,
        share=share,
        MARKS=MARKS,
        TONES=TONES,
        VERDICTS=VERDICTS,
        METHOD=METHOD,
        LEVEL=f"{LEVEL:.0%}",
        WIDTH=WIDTH,
        RIGHT=RIGHT,
        TOP=TOP,
        BOTTOM=BOTTOM,
    )


FACES: dict[str, Callable[[Compared], str]] = {".html": html, ".md": markdown, ".txt": text}
"""Which file name gets which face."""


def shown(row: Row, value: float | None) -> str:
    """A value of a row, with its unit."""
    if value is None:
        return "none"
    if row.unit == "ms":
        return time_text(value)
    return share(value / 100) if row.unit == "%" else f"{number(round(value, 2))}{row.unit}"


def between(row: Row) -> str:
    """``+58.9 to +69.2 ms``; nothing where there is no interval."""
    if row.interval is None:
        return ""
    low, high = row.interval.low, row.interval.high
    if row.unit != "ms":
        unit = " points" if row.unit == "%" else row.unit
        return f"{low:+.2f} to {high:+.2f}{unit}"
    big = max(abs(low), abs(high)) >= 1000
    scale = 1000 if big else 1
    digits = 2 if big or (low * high > 0 and min(abs(low), abs(high)) < 0.05) else 1
    return f"{low / scale:+.{digits}f} to {high / scale:+.{digits}f} {'s' if big else 'ms'}"


def conclusion(compared: Compared) -> str:
    """What is worse, what is better, and of how much nothing can be said: ``2 worse: ttft p50, ok. 9 without evidence of a change.``"""
    named = {word: [row.name for row in compared.rows if row.word == word] for word in MARKS}
    told = [f"{len(named[word])} {word}: {', '.join(named[word])}." for word in ("worse", "better") if named[word]]
    return " ".join([*told, f"{len(named['no evidence'])} without evidence of a change."])


def changes(rows: Sequence[Row]) -> Chart:
    """The change of each time and rate, relative to before, with its interval."""
    told = [row for row in rows if row.interval is not None and row.before and row.unit in ("ms", "/s")]
    title = "Changes and their intervals"
    if not told:
        return Chart("changes", title, absent="no metric has an interval")
    parts = [(row, _relative(row, row.interval)) for row in told if row.interval]
    reach = min(max(max(abs(one), abs(two)) for _, (one, two, _) in parts) * 1.1, WIDEST)
    height = TOP + ROW * len(parts) + BOTTOM
    x = Scale(-reach, reach, NAMED, WIDTH - RIGHT)
    words = {-reach: "", reach: ""}
    values = [value for value in charts.ticks(-reach, reach, 8) if value not in words]
    middles = [TOP + ROW * n + ROW // 2 for n in range(len(parts))]
    return Chart(
        "changes",
        title,
        "In percent of before. A bar is where the change lies, a mark what was measured; a bar that touches 0 is no evidence.",
        Axis("change, % of before", tuple(Tick(x.at(value), f"{value:+g}" if value else "0") for value in values)),
        height=height,
        left=NAMED,
        lines=(Line("rule", f"M{x.at(0):g} {TOP}V{height - BOTTOM}"),),
        boxes=tuple(
            Box(x.at(low), middle - 5, max(round(x.at(high) - x.at(low), 1), 2), 10, f"c-{TONES[row.word]}", f"{row.name}: {between(row)}")
            for (row, (low, high, _)), middle in zip(parts, middles, strict=True)
        ),
        words=tuple(
            word
            for (row, (_, _, at)), middle in zip(parts, middles, strict=True)
            for word in (Word(NAMED - 10, middle + 4, row.name, "end"), Word(x.at(at), middle + 4.5, "◆", "middle", "mark"))
        ),
        table=Table(
            ("metric", "from, %", "measured, %", "to, %"),
            tuple((row.name, f"{low:+.1f}", f"{at:+.1f}", f"{high:+.1f}") for row, (low, high, at) in parts),
        ),
    )  # fmt: skip


def _relative(row: Row, interval: Interval) -> tuple[float, float, float]:
    before = row.before or 1.0
    low, high, gap = (100 * value / before for value in (interval.low, interval.high, (row.after or 0.0) - before))
    return low, high, gap


def trend(compared: Compared) -> Chart:
    """TTFT (of JSON replies the duration) in each run, the oldest first."""
    rows = [(label, _three(one)) for label, one in compared.results.items()]
    values = [value for _, three in rows for value in three if value is not None]
    if not values:
        return Chart("trend", "Trend", absent="nothing was measured in any of them")
    x = Scale(0, max(len(rows) - 1, 1), LEFT + 40, WIDTH - RIGHT - 60)
    y = fitted(values, HEIGHT - BOTTOM, TOP)
    tones, names = ("first", "second", "third"), ("p50", "p95", "p99")
    every = max(len(rows) // 8, 1)
    labels = [(n, one_line(label)) for n, (label, _) in enumerate(rows) if n % every == 0]
    name = _metric(next(iter(compared.results.values())))
    return Chart(
        "trend",
        f"Trend: {'TTFT' if name == 'ttft' else 'duration'} of each run",
        "; ".join(f"{quantile} {', '.join(time_text(three[n]) for _, three in rows)}" for n, quantile in enumerate(names)) + ".",
        Axis("the runs, oldest first", tuple(Tick(x.at(n), label if len(label) <= 18 else f"{label[:17]}…") for n, label in labels)),
        axis(y, "", tick_time),
        lines=tuple(
            Line(tone, plain(x, y, [(at, three[n]) for at, (_, three) in enumerate(rows)])) for n, tone in enumerate(tones)
        ),
        keys=tuple(Key(tone, quantile) for tone, quantile in zip(tones, names, strict=True)),
        table=Table(("run", *names), tuple((label, *(time_text(value) for value in three)) for label, three in rows)),
    )  # fmt: skip


def _metric(result: Result) -> str:
    return "ttft" if "ttft" in result["metrics"] else "duration"


def _three(result: Result) -> tuple[float | None, ...]:
    row = result["metrics"].get(_metric(result))
    return tuple(row[name] if row else None for name in ("p50", "p95", "p99"))


def _trend(compared: Compared) -> Iterator[str]:
    """A line per run, and a curve of the p95."""
    width = min(max(len(one_line(label)) for label in compared.results), LABEL)
    yield f"  {'':<{width}}  {'begun':<10}{'p50':>9}{'p95':>9}{'p99':>9}{'ok':>9}"
    for label, one in compared.results.items():
        decided = one["summary"]["ok"] + one["summary"]["errors"]
        good = share(one["summary"]["ok"] / decided) if decided else "none"
        times = "".join(f"{time_text(value):>9}" for value in _three(one))
        yield f"{VERDICTS[one['verdict']][0]} {one_line(label)[:width]:<{width}}  {one['started'][:10]}{times}{good:>9}"
    yield f"p95: {spark([round(_three(one)[1] or 0) for one in compared.results.values()])}"
    yield ""


def _wrapped(note: str) -> Iterator[str]:
    line = ""
    for word in note.split(" "):
        if line and len(line) + 1 + len(word) > NAMES:
            yield line
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    yield line


def _cell(label: str) -> str:
    return one_line(label).replace("`", "'").replace("|", "\\|")
