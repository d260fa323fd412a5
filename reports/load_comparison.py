"""Two load runs held against each other: per metric a difference, its interval, and a word. Better, worse, or no evidence.

A difference is told as one where its interval leaves out 0 and it is worth telling (``MARGIN``, ``LEAST_MS``, ``LEAST_SHARE``): with turns
enough every difference is real, and few of them matter. An answer of somebody else's is worse however seldom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import load_bootstrap as bootstrap
from .load_bootstrap import Interval
from .load_charts import Series
from .load_counts import Counts

Result = Mapping[str, Any]
Word = Literal["better", "worse", "no evidence"]
Unit = Literal["ms", "%", "/s", ""]
Pair = tuple[float | None, float | None]

METRICS = ("ttft", "gap", "duration")
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
MARGIN = 0.05
"""Smaller changes of a time or a rate are not told: a run that calls itself valid is as near as that."""
LEAST_MS, LEAST_SHARE = 1.0, 0.001
FEW = f"fewer than {bootstrap.FEWEST_ABOVE} independent turns beyond it; a longer run decides"
SAME = {
    "stream": "streams or JSON replies",
    "model": "model",
    "schedule": "schedule",
    "users": "users",
    "think_s": "think time",
    "turns_per_conversation": "turns of a conversation",
    "pacing": "pacing",
}
"""What two runs have to share in their plan, and what it is called."""
OF_A_TURN = re.compile(r" (p[0-9.]+|mean|min|max) ?[<>]")
LOADS = ("schedule", "users")
"""Of these a capacity search tries many."""


@dataclass(frozen=True)
class Row:
    """One metric in both runs. ``interval`` of the difference, ``None`` where there is none to give; ``why``: then in words."""

    name: str
    unit: Unit
    before: float | None
    after: float | None
    word: Word
    interval: Interval | None = None
    why: str = ""


def incomparable(results: Mapping[str, Result], anyway: bool = False) -> str | None:
    """Why these runs, by label, cannot be compared; ``None`` if they can. ``anyway``: only what leaves nothing to compare."""
    first, *_ = results.items()
    for label, result in results.items():
        if not anyway and (why := doubtful(result)):
            return f"{label}: {why}"
        if result["dialect"] != first[1]["dialect"] and not anyway:
            return f"{label}: dialect {result['dialect']}, {first[0]}: {first[1]['dialect']}"
        if bool(result["capacity"]) != bool(first[1]["capacity"]):
            return f"{label} and {first[0]}: one looked for a capacity, and the other did not"
        if why := _other_load(first, (label, result), anyway):
            return why
    return None


def doubtful(result: Result) -> str:
    """Why a run proves nothing about its target, with a verb; nothing if it does."""
    if result["verdict"] == "incomplete":
        return f"is incomplete ({result['reason']})"
    if not result["validity"]["valid"]:
        bad = next(sign for sign in result["validity"]["signs"] if not sign["good"])
        return f"is not valid: its generator did not keep time ({bad['name']} {bad['got']}, {bad['limit']})"
    return ""


def _other_load(one: tuple[str, Result], two: tuple[str, Result], anyway: bool) -> str:
    searched = one[1]["capacity"]
    if searched and two[1]["capacity"]["objective"] != searched["objective"]:
        return f"{two[0]}: capacity for {two[1]['capacity']['objective']}, {one[0]}: for {searched['objective']}"
    for name, what in SAME.items():
        before, after = one[1]["plan"][name], two[1]["plan"][name]
        if before != after and not anyway and not (searched and name in LOADS):
            return f"{two[0]}: {what} {_said(name, after)}, {one[0]}: {_said(name, before)}"
    return ""


def _said(name: str, value: object) -> str:
    return (
        {True: "streams", False: "JSON replies"}[bool(value)]
        if name == "stream"
        else "none"
        if value is None
        else str(value)
    )


def compare(before: Result, after: Result) -> list[Row]:
    """A row for each metric that both runs have, what is counted last."""
    return [
        *_capacity(before, after),
        *([] if before["capacity"] else _measured(before, after)),
        *_counted(before, after),
    ]


def _measured(before: Result, after: Result) -> Iterator[Row]:
    for metric in METRICS:
        for name in SHARES if metric in before["metrics"] and metric in after["metrics"] else ():
            yield _quantile(before, after, metric, name)
    yield _share(before, after)
    yield _rate(before, after)


def _quantile(before: Result, after: Result, metric: str, name: str) -> Row:
    values: Pair = (before["metrics"][metric][name], after["metrics"][metric][name])
    counts = [Counts.of(result["histograms"].get(_histogram(result, metric))) for result in (before, after)]
    sizes = (_worth(before, counts[0], metric, name), _worth(after, counts[1], metric, name))
    interval = bootstrap.quantiles(counts[0], counts[1], SHARES[name], sizes, f"{metric} {name}")
    if interval is None:
        points = min(len(_points(result, _told(metric), name)) for result in (before, after))
        interval = bootstrap.apart(counts[0], counts[1], points)
    why = "" if interval else FEW
    worth = max(MARGIN * (values[0] or 0.0), LEAST_MS)
    return Row(f"{metric} {name}", "ms", *values, _word(values, interval, worth, rising_is="worse"), interval, why)


def _histogram(result: Result, metric: str) -> str:
    clock = result["metrics"][metric].get("clock")
    return f"{clock} {metric}" if clock else metric


def _worth(result: Result, counts: Counts, metric: str, name: str) -> float:
    """How many independent turns a quantile rests on. Gaps of one turn belong together, so that turns are counted and not gaps."""
    told = _told(metric)
    whole = Counts.of(result["histograms"].get(_histogram(result, told))) if told in result["metrics"] else counts
    scores = bootstrap.quantile_scores(_points(result, told, name), whole, SHARES[name])
    return min(counts.count, whole.count) / bootstrap.clumping(scores)


def _told(metric: str) -> str:
    """The metric of which the time series tells in its place."""
    return metric if metric in ("ttft", "duration") else "duration"


def _points(result: Result, told: str, name: str) -> list[tuple[int, float]]:
    """The turns of each point of time, and their quantile."""
    place = list(SHARES).index(name)
    return [
        (point["outcomes"].get("ok", 0), point[f"{told}_ms"][place])
        for _, point in Series(result).points
        if point["outcomes"].get("ok") and point[f"{told}_ms"][place] is not None
    ]


def _share(before: Result, after: Result) -> Row:
    told = []
    for result in (before, after):
        decided = result["summary"]["ok"] + result["summary"]["errors"]
        points = [_decided(point) for _, point in Series(result).points]
        size = decided / bootstrap.clumping(bootstrap.share_scores([point for point in points if point[0]]))
        told.append((result["summary"]["ok"] / decided if decided else 0.0, size))
    interval = bootstrap.shares(told[0], told[1])
    values: Pair = (told[0][0] * 100, told[1][0] * 100)
    percent = interval and Interval(interval.low * 100, interval.high * 100)
    return Row("ok", "%", *values, _word(values, percent, LEAST_SHARE * 100, rising_is="better"), percent)


def _decided(point: Mapping[str, Any]) -> tuple[int, int]:
    """Turns of a point that count for or against, and those that were answered well."""
    size = sum(count for name, count in point["outcomes"].items() if name != "unfinished")
    return size, point["outcomes"].get("ok", 0)


def _rate(before: Result, after: Result) -> Row:
    values: Pair = (before["summary"]["goodput_per_s"], after["summary"]["goodput_per_s"])
    series = [_answered(result) for result in (before, after)]
    interval = bootstrap.rates(series[0], series[1], "goodput")
    why = "" if interval else f"fewer than {bootstrap.FEWEST_POINTS} points of time in which good turns are counted"
    if _good_is(before) != _good_is(after):
        interval, why = None, "the objectives differ, and so does what is good"
    return Row(
        "goodput",
        "/s",
        *values,
        _word(values, interval, MARGIN * (values[0] or 0.0), rising_is="better"),
        interval,
        why,
    )


def _answered(result: Result) -> list[float]:
    """Good turns a second, over the time that is measured; none where an older result does not count them."""
    if not any("good" in point for point in result["series"]):
        return []
    series, plan = Series(result), result["plan"]
    return [
        point.get("good", 0) / series.bin_s
        for at, point in series.points
        if plan["warmup_s"] <= at and at + series.bin_s <= plan["seconds"]
    ]


def _good_is(result: Result) -> set[str]:
    """The objectives that a single turn can keep: those on a statistic of many."""
    return {row["objective"] for row in result["objectives"] if OF_A_TURN.search(row["objective"])}


def _word(values: Pair, interval: Interval | None, worth: float, *, rising_is: Word) -> Word:
    if interval is None or abs((values[1] or 0.0) - (values[0] or 0.0)) < worth or interval.low <= 0 <= interval.high:
        return "no evidence"
    other: Word = "worse" if rising_is == "better" else "better"
    return rising_is if interval.low > 0 else other


def _counted(before: Result, after: Result) -> Iterator[Row]:
    """What should never be, where it came: one is worse than none."""
    for name, count in COUNTED.items():
        one, two = count(before), count(after)
        if not one and not two:
            continue
        word: Word = "worse" if two and not one else "better" if one and not two else "no evidence"
        yield Row(name, "", float(one), float(two), word)


COUNTED: dict[str, Callable[[Result], int]] = {
    "mix-ups": lambda result: result["correctness"]["mixups"],
    "wrong answers": lambda result: result["correctness"]["wrong_answers"],
    "invariants": lambda result: result["correctness"]["invariants"],
    "broken MUSTs": lambda result: sum(one["level"] == "MUST" for one in result["correctness"]["findings"]),
}


def _capacity(before: Result, after: Result) -> Iterator[Row]:
    """Better or worse where the brackets of the two searches do not meet."""
    one, two = before["capacity"], after["capacity"]
    if not one or not two:
        return
    word: Word = "no evidence"
    if two["holds"] is not None and one["breaks"] is not None and two["holds"] >= one["breaks"]:
        word = "better"
    elif one["holds"] is not None and two["breaks"] is not None and two["breaks"] <= one["holds"]:
        word = "worse"
    why = f"breaks at {_bound(one['breaks'])}, then at {_bound(two['breaks'])}"
    yield Row(f"capacity, {one['unit']}", "", one["holds"], two["holds"], word, None, why)


def _bound(value: float | None) -> str:
    return "no load that was tried" if value is None else f"{value:g}"
