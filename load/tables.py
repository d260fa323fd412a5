"""A run as three small tables, made of its ledger and its outline (``result.outline``): how streams came, what the limits said, what was wrong.

Rows are plain data with one value per column. None has a ``name``: Locust's page would sort by it, and the order here means something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .ledger import Ledger
from .metrics import METRICS
from .outcome import OUTCOMES

Row = dict[str, Any]
Outline = Mapping[str, Any]
Rest = Callable[[], None]

COLUMNS: dict[str, dict[str, str]] = {
    "streaming": {
        "metric": "Metric",
        "clock": "Clock",
        "count": "Count",
        "p50": "p50 (ms)",
        "p95": "p95 (ms)",
        "p99": "p99 (ms)",
        "max": "Max (ms)",
    },
    "limits": {
        "key": "Key",
        "sent": "Sent",
        "granted": "Granted",
        "limited": "429",
        "unpaid": "402",
        "remaining": "Remaining, last seen",
        "advertised": "Limit, advertised",
        "plan": "Plan, documented",
        "unfair": "429 while some remained",
        "beyond": "Granted beyond Limit",
    },
    "correctness": {"part": "Part", "what": "What", "figure": "Figure", "good": "Good", "detail": "Detail"},
}
"""Table -> column -> its title."""
TIMES = {
    "ttfb": "TTFB",
    "ttft": "TTFT",
    "gap": "Inter-chunk latency",
    "stall": "Longest stall",
    "duration": "Duration",
}
"""Metric -> what it is called here; all of them in milliseconds."""
STATISTICS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
PROOFS = {
    "both": "each word is echoed and recalled",
    "echo": "each word is echoed",
    "recall": "each word is recalled",
    "watch": "no word has to come back; foreign ones are watched for",
    "off": "no canary words",
}
"""What the canary words prove of an answer."""
YES, NO, SILENT = "✓", "✕", ""


def tables(outline: Outline, ledger: Ledger, over: bool, rest: Rest = lambda: None) -> dict[str, list[Row]]:
    """The rows of each table in ``COLUMNS``. ``over``: the run has ended, and its samples are judged.

    ``rest`` is called between what takes milliseconds, for a generator has to keep time meanwhile.
    """
    return {
        "streaming": list(streaming(ledger, rest)),
        "limits": list(limits(outline)),
        "correctness": list(correctness(outline, over)),
    }


def empty() -> dict[str, list[Row]]:
    """The tables where nothing has run yet."""
    return {name: [] for name in COLUMNS}


def streaming(ledger: Ledger, rest: Rest) -> Iterator[Row]:
    """A row for each metric and clock, also for one that has not been measured yet."""
    for name, title in TIMES.items():
        for clock in ("service", "response") if METRICS[name].clocks else ("",):
            found = ledger.histograms[f"{clock} {name}".strip()]
            values = [*found.quantiles(STATISTICS.values()), found.most if found.count else None]
            times = dict(zip((*STATISTICS, "max"), map(_tenth, values), strict=True))
            yield {"metric": title, "clock": clock, "count": found.count, **times}
            rest()


def _tenth(microseconds: int | None) -> float | str:
    """Milliseconds with one digit behind the point; nothing is shown where nothing was measured."""
    return "" if microseconds is None else round(microseconds / 1000, 1)


def limits(outline: Outline) -> Iterator[Row]:
    """A row for each key."""
    told = outline["limits"]
    for key, account in told["keys"].items():
        last = account["last_remaining"]
        yield {
            "key": key,
            "sent": account["sent"],
            "granted": account["granted"],
            "limited": account["limited"],
            "unpaid": account["unpaid"],
            "remaining": "none told" if last is None else last,
            "advertised": ", ".join(map(str, account["advertised_limits"])) or "none told",
            "plan": _plan(account, told["documented"]),
            "unfair": account["limited_with_remaining"],
            "beyond": account["granted_beyond"],
        }


def _plan(account: Mapping[str, Any], documented: Mapping[str, Mapping[str, Any]]) -> str:
    """The advertised limit beside the documented plans."""
    known = ", ".join(
        f"{name} {plan['requests_per_minute']}/min"
        for name, plan in documented.items()
        if plan["requests_per_minute"] is not None
    )
    if not account["advertised_limits"]:
        return f"nothing to compare with {known}" if known else "none"
    if account["as_documented"]:
        return f"{', '.join(account['as_documented'])}: as documented"
    return f"not a documented one ({known})" if known else "none"


def correctness(outline: Outline, over: bool) -> Iterator[Row]:
    """The verdict (so far), objectives, outcomes, what was wrong with answers and headers, samples, validity."""
    good = outline["verdict"] == "kept"
    yield _row(
        "verdict" if over else "so far",
        outline["verdict"],
        f"{outline['duration_s']:.0f} s",
        good,
        outline["reason"] or "",
    )
    for one in outline["objectives"]:
        yield _row("objective", one["objective"], one["got"], one["kept"], "in every run" if one["implied"] else "")
    yield from _outcomes(outline["outcomes"])
    yield from _wrong(outline["correctness"], over)
    for sign in outline["validity"]["signs"]:
        detail = sign["limit"] if sign["good"] else f"{sign['limit']}: {sign['meaning']}"
        yield _row("validity", sign["name"], sign["got"], sign["good"], detail)
    summary = outline["summary"]
    if summary["intended_per_s"] is not None:
        figure = f"{summary['achieved_per_s']:.1f} of {summary['intended_per_s']:.1f}/s"
        yield _row("validity", "rate achieved of intended", figure, None, f"{summary['missed']} missed")


def _outcomes(outcomes: Mapping[str, Any]) -> Iterator[Row]:
    """Every outcome that occurred, with its share; for a failure the reason that came most often."""
    for name, row in outcomes.items():
        share = "" if row["share"] is None else f" ({row['share'] * 100:.2f} %)"
        why = next(iter(row["why"]), OUTCOMES[name])
        good = None if name == "unfinished" else name == "ok"
        yield _row("outcome", name, f"{row['count']}{share}", good, OUTCOMES[name] if name == "ok" else why)


def _wrong(row: Mapping[str, Any], over: bool) -> Iterator[Row]:
    yield _row("answers", "mix-ups", row["mixups"], not row["mixups"], PROOFS[row["proof"]])
    yield _row(
        "headers", "invariants broken", row["invariants"], not row["invariants"], "limit headers and session ids"
    )
    for one in row["breaches"]:
        yield _row("headers", one["what"], one["count"], False, one["first"])
    broken = len(row["findings"])
    told = f"judged: {broken} requirement{'' if broken == 1 else 's'} broken" if over else "judged when the run ends"
    yield _row("samples", "exchanges sampled", row["sampled"], None, told)
    for one in row["findings"]:
        good = None if one["level"] != "MUST" else False
        yield _row(
            "samples",
            f"{one['level']} {one['id']}",
            one["count"],
            good,
            f"expected {one['expected']}, got {one['got']}",
        )


def _row(part: str, what: str, figure: Any, good: bool | None, detail: str) -> Row:
    return {
        "part": part,
        "what": what,
        "figure": figure,
        "good": SILENT if good is None else YES if good else NO,
        "detail": detail,
    }
