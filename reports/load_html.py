"""A load run as one page that loads nothing: whether it can be believed first, then the verdict, the charts, the evidence.

Everything is there without its script; each drawing has its numbers as a table. The templates are ``load.html`` and ``charts.html``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import charts, load_charts, load_curves, load_gaps, page
from .charts import Chart, Table, number, time_text
from .load_text import PROOFS
from .text import counted

Result = Mapping[str, Any]

VERDICTS = {"kept": ("✓", "good"), "broken": ("✕", "bad"), "invalid": ("!", "caution"), "incomplete": ("≈", "caution")}
"""Verdict -> its sign and its tone."""
STATISTICS = ("p50", "p90", "p95", "p99", "p99.9", "max")
STYLES = ("page.css", "charts.css")


def render(result: Result) -> str:
    """The page of a run."""
    return page.render(
        "load.html",
        styles=STYLES,
        result=result,
        sign=VERDICTS[result["verdict"]][0],
        tone=VERDICTS[result["verdict"]][1],
        head=_head(result),
        numbers=list(_numbers(result)),
        calibrated=_calibrated(result),
        asked_nothing=all(row["implied"] for row in result["objectives"]),
        metrics=_metrics(result),
        apart=any("clocks" in row for row in result["metrics"].values()),
        charts=list(drawn(result)),
        correct=_correct(result),
        broken=_broken(result),
        keys=_keys(result),
        exhibits=sorted(result["exhibits"], key=lambda one: one["outcome"] != "mixup"),
        facts=list(_facts(result)),
        share=share,
        ended=_ended,
        cut=_cut,
        WIDTH=charts.WIDTH,
        RIGHT=charts.RIGHT,
        TOP=charts.TOP,
        BOTTOM=charts.BOTTOM,
    )


def drawn(result: Result) -> Iterator[Chart]:
    """Every chart, in the order of the page; one that cannot be drawn says why."""
    series = load_charts.Series(result)
    if result["capacity"]:
        yield load_curves.capacity(result)
    yield load_charts.rate(series)
    yield load_charts.times(series)
    streams = result["plan"]["stream"]
    if streams:
        yield load_curves.percentiles(result, "ttft")
    yield load_curves.percentiles(result, "duration")
    if streams:
        yield load_gaps.heat(series)
        yield load_gaps.spread(result)
    yield load_charts.strip(series)
    yield load_charts.remaining(series)
    yield load_curves.waterfalls(result)


def share(value: float) -> str:
    """``99.98 %``: never 100 where one is missing, never 0 where one is there."""
    if value in (0.0, 1.0):
        return f"{value * 100:.0f} %"
    return f"{min(max(value * 100, 0.01), 99.99):.2f} %"


def _head(result: Result) -> str:
    plan = result["plan"]
    model = f"{plan['users']} users at a time" if plan["model"] == "closed" else f"schedule {plan['schedule']}"
    kind = "streams" if plan["stream"] else "JSON replies"
    begun = result["started"].replace("T", " ").replace("Z", " UTC")
    return f"{result['dialect']}, {kind}, {model}, {result['duration_s']:.0f} s, begun {begun}"


def _numbers(result: Result) -> Iterator[tuple[str, str, str]]:
    summary, metrics = result["summary"], result["metrics"]
    decided = summary["ok"] + summary["errors"]
    if capacity := result["capacity"]:
        holds = "less than was tried" if capacity["holds"] is None else f"{capacity['holds']:g}"
        yield f"Holds, in {capacity['unit']}", holds, capacity["words"]
    yield (
        "Answered well",
        share(summary["ok"] / decided) if decided else "none",
        f"{summary['ok']:,} of {counted(decided, 'turn')}",
    )
    asked = summary["intended_per_s"]
    yield (
        "Rate",
        f"{number(round(summary['achieved_per_s'] or 0.0, 1))}/s",
        "begun" if asked is None else f"begun, of {number(round(asked, 1))}/s due",
    )
    name = "ttft" if "ttft" in metrics else "duration"
    if name in metrics:
        row = metrics[name]
        yield (
            f"{'TTFT' if name == 'ttft' else 'Duration'} p95",
            time_text(row["p95"]),
            f"p50 {time_text(row['p50'])}, p99 {time_text(row['p99'])}",
        )
    wrong = result["correctness"]["mixups"]
    yield (
        "Mix-ups",
        str(wrong),
        "answers of somebody else" if wrong else "no answer was somebody else's, as far as seen",
    )


def _calibrated(result: Result) -> str:
    told = result["calibration"]
    if not told:
        return ""
    return f"This machine was calibrated on {told['started'][:10]}: good to {told['good_to']} streams at a time."


def _metrics(result: Result) -> Table:
    """A row per metric, and per clock where it has two."""
    rows = []
    for name, row in result["metrics"].items():
        each = (
            [(f"{name} {clock}", values) for clock, values in row["clocks"].items()]
            if "clocks" in row
            else [(name, row)]
        )
        words = time_text if row["unit"] == "ms" else _a_second
        rows += [
            (label, *(words(values[one]) for one in STATISTICS), f"{row['count']:,}", row["help"])
            for label, values in each
        ]
    return Table(("metric", *STATISTICS, "count", "what it is"), tuple(rows))


def _a_second(value: float | None) -> str:
    return "none" if value is None else f"{value:,.1f}/s"


def _correct(result: Result) -> str:
    row = result["correctness"]
    broken = f"{counted(len(row['findings']), 'requirement')} broken" if row["findings"] else "no requirement broken"
    return (
        f"{counted(row['mixups'], 'mix-up')}, {counted(row['wrong_answers'], 'wrong answer')} ({PROOFS[row['proof']]}). "
        f"{counted(row['invariants'], 'breach', 'breaches')} of what limit headers and session ids must keep. "
        f"{counted(row['sampled'], 'exchange')} judged whole: {broken}."
    )


def _broken(result: Result) -> Table:
    row = result["correctness"]
    breaches = [(one["what"], str(one["count"]), one["first"]) for one in row["breaches"]]
    findings = [
        (f"{one['level']} {one['id']}", str(one["count"]), f"expected {one['expected']}, got {one['got']}")
        for one in row["findings"]
    ]
    return Table(("what", "times", "first"), (*breaches, *findings))


def _keys(result: Result) -> Table:
    head = (
        "key",
        "sent",
        "granted",
        "429",
        "402",
        "advertised limit",
        "least left",
        "refused with some left",
        "granted beyond",
        "units",
        "longest wait",
    )
    rows = []
    for name, row in result["limits"]["keys"].items():
        limits = ", ".join(f"{limit:,}" for limit in row["advertised_limits"]) or "none"
        plans = f" ({', '.join(row['as_documented'])})" if row["as_documented"] else ""
        wait = f"{max(row['waits']):.1f} s" if row["waits"] else "none"
        left = "none told" if row["least_remaining"] is None else f"{row['least_remaining']:,}"
        counts = [row[one] for one in ("sent", "granted", "limited", "unpaid")]
        more = [row[one] for one in ("limited_with_remaining", "granted_beyond", "units")]
        rows.append((name, *(f"{n:,}" for n in counts), limits + plans, left, *(f"{n:,}" for n in more), wait))
    return Table(head, tuple(rows))


def _ended(exhibit: Mapping[str, Any]) -> str:
    reads = exhibit["reads"]
    came = (
        f"{counted(len(reads), 'read')}, the first {time_text(reads[0][0])} after sending, the last {time_text(reads[-1][0])}"
        if reads
        else "no byte came"
    )
    return f"{came}; the connection ended: {exhibit['end']}{', ' + exhibit['detail'] if exhibit.get('detail') else ''}."


def _cut(exhibit: Mapping[str, Any]) -> str:
    """What to say of a response that is not shown whole."""
    size = exhibit.get("response_bytes", 0)
    shown = len(exhibit["response"].encode("utf-8", "surrogatepass"))
    return f" (the beginning of {size:,} bytes)" if size > shown else ""


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    plan, summary = result["plan"], result["summary"]
    yield "Seed", str(result["seed"])
    yield "Agent", plan["agent"] or "the dialect's own"
    yield "Turns of a conversation", str(plan["turns_per_conversation"])
    if plan["think_s"] is not None:
        yield "Think time", f"{plan['think_s']:g} s"
    if plan["warmup_s"]:
        yield "Warm-up", f"{plan['warmup_s']:g} s, {counted(summary['warmup'], 'turn')} not measured"
    yield "Pacing", f"{plan['pacing']} the target's limits"
    yield "Most in flight", f"{summary['most_in_flight']:,} (at most {plan['max_in_flight']:,})"
    yield "Connections", f"{summary['connections']:,}, {summary['reconnects']:,} made again"
    yield "Received", f"{summary['bytes']:,} bytes, {counted(summary['events'], 'event')}"
    yield (
        "Generator",
        f"{counted(result['validity']['processes'], 'process', 'processes')}, {sum(result['validity']['cpu_s']):.1f} s of CPU",
    )
