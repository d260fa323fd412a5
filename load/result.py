"""A run as one document (``reports/schema/load.schema.json``): all that the faces show, and the histograms to compare by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..spec import Dialect
from . import validity
from .bins import Bin
from .histogram import Histogram
from .ledger import Ledger
from .limits import Account
from .metrics import HISTOGRAMS, METRICS, histogram_of
from .objective import MISSED, Judged, judge, shown
from .outcome import OUTCOMES
from .plan import Plan
from .unfinished import overturned

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
CURVE = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 1.0)
"""The shares of the percentile curve, to five nines."""
CORRECT = ("mixups", "invariants", "findings")


def as_json(
    plan: Plan,
    dialect: Dialect,
    ledger: Ledger,
    version: str,
    started: str,
    reason: str = "",
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The document of a run. ``reason``: why it ended before its time, if it did. ``extra``: capacity steps, calibration."""
    return {
        "chatproof": version,
        "kind": "load",
        "target": plan.profile.base_url,
        "dialect": dialect.name,
        "seed": plan.seed,
        "started": started,
        **outline(plan, dialect, ledger, reason),
        "metrics": _metrics(plan, ledger),
        "histograms": {name: ledger.histograms[name].to_data() for name in HISTOGRAMS if ledger.histograms[name].count},
        "bin_s": ledger.bin_s,
        "series": [_point(index, point, ledger.bin_s, ledger.span_s) for index, point in sorted(ledger.bins.items())],
        "slowest": [row for _, _, row in sorted(ledger.slowest, key=lambda each: -each[0])],
        "exhibits": ledger.exhibits,
        "capacity": None,
        "calibration": None,
        **(extra or {}),
    }


def outline(plan: Plan, dialect: Dialect, ledger: Ledger, reason: str = "") -> dict[str, Any]:
    """The part of the document that is quickly made, also while the run goes on: counts without times, series and exhibits."""
    judged = judge(plan.judged_by(), ledger)
    signs = validity.signs(ledger)
    health = validity.to_data(signs)
    verdict, why = conclude(judged, signs, ledger, reason)
    return {
        "duration_s": round(ledger.span_s, 3),
        "requests": ledger.counters["sent"],
        "verdict": verdict,
        "reason": why,
        "plan": plan.shown(),
        "summary": _summary(plan, ledger),
        "outcomes": _outcomes(ledger),
        "statuses": dict(sorted(ledger.statuses.items())),
        "limits": _limits(ledger, dialect),
        "correctness": _correctness(plan, ledger),
        "objectives": [_objective(one) for one in judged],
        "validity": {**health, "cpu_s": ledger.cpu_s, "processes": len(ledger.cpu_s)},
    }


def conclude(
    judged: Sequence[Judged], signs: Sequence[validity.Sign], ledger: Ledger, reason: str
) -> tuple[str, str | None]:
    """The verdict and why. What is wrong with an answer is wrong however late it came; times need a generator that kept time.

    Turns that were never sent, since a slow target had too many in flight, prove nothing good, but mend no objective that is missed without them.
    """
    bad = [sign for sign in signs if not sign.good]
    missed = [one for one in judged if one.kept is False]
    wrong = [
        one for one in missed if one.objective.subject in CORRECT or one.objective.subject in ("mixup", "wrong_answer")
    ]
    if wrong:
        return "broken", f"missed: {wrong[0].objective.text} (got {shown(wrong[0].objective, wrong[0].got)})"
    if cut_short(reason):
        return "incomplete", reason
    if not ledger.outcomes["ok"] and not missed:
        return "incomplete", reason or "no turn was answered well, so nothing was measured"
    if bad and not (missed and all(sign.name == validity.ACHIEVED for sign in bad)):
        why = f"this generator did not keep time: {bad[0].name} is {bad[0].got}, {bad[0].limit}"
        return "invalid", _joined(why, reason)
    if missed:
        got = shown(missed[0].objective, missed[0].got)
        return "broken", _joined(f"missed: {missed[0].objective.text} (got {got})", reason)
    if reason.endswith(MISSED):
        return "broken", reason
    if late := overturned(judged, ledger):
        number = ledger.outcomes["unfinished"]
        return (
            "incomplete",
            f"{late.text} is kept only without the {number} turns that had not ended when the run was cut off",
        )
    undecided = [one for one in judged if one.kept is None]
    if undecided:
        return "incomplete", f"nothing to judge by: {undecided[0].objective.text}"
    return "kept", reason or None


def cut_short(reason: str) -> bool:
    """Whether a run ended for a reason that has nothing to do with what it measured: somebody ended it, or lost a part of it."""
    return reason.startswith("interrupted") or "lost" in reason


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


EXIT_CODES = {"kept": 0, "broken": 1, "invalid": 3, "incomplete": 3}
"""Verdict -> exit code (DESIGN 4)."""


def _summary(plan: Plan, ledger: Ledger) -> dict[str, Any]:
    counters, seconds = ledger.counters, ledger.span_s
    intended = None if plan.schedule is None or not seconds else counters["due"] / seconds
    return {
        "due": counters["due"],
        "sent": counters["sent"],
        "missed": counters["missed"],
        "held_back": counters["held_back"],
        "finished": counters["finished"],
        "ok": ledger.outcomes["ok"],
        "warmup": counters["warmup"],
        "errors": ledger.number("errors"),
        "unfinished": ledger.outcomes["unfinished"],
        "intended_per_s": None if intended is None else round(intended, 3),
        "achieved_per_s": round(counters["sent"] / seconds, 3) if seconds else 0.0,
        "goodput_per_s": round(ledger.rate("goodput") or 0.0, 3),
        "reconnects": counters["reconnects"],
        "connections": counters["connections"],
        "bytes": counters["bytes"],
        "events": counters["events"],
        "most_in_flight": max((point.in_flight for point in ledger.bins.values()), default=0),
    }


def _outcomes(ledger: Ledger) -> dict[str, Any]:
    rows = {}
    for name in OUTCOMES:
        count = ledger.outcomes[name]
        if not count:
            continue
        first, last = ledger.seen_at.get(name, (None, None))
        rows[name] = {
            "count": count,
            "share": None if name == "unfinished" else ledger.share(name),
            "first_s": None if first is None else round(first, 3),
            "last_s": None if last is None else round(last, 3),
            "why": dict(sorted(ledger.whys.get(name, {}).items(), key=lambda row: -row[1])[:5]),
        }
    return rows


def _scaled(value: float | None) -> float | None:
    """Milliseconds out of microseconds, or so many a second out of thousandths."""
    return None if value is None else round(value / 1000, 3)


def _row(name: str, found: Histogram) -> dict[str, Any]:
    values = dict(zip(QUANTILES, found.quantiles(QUANTILES.values()), strict=True))
    return {
        "count": found.count,
        "min": _scaled(found.least),
        "mean": _scaled(found.mean),
        **{quantile: _scaled(value) for quantile, value in values.items()},
        "max": _scaled(found.most if found.count else None),
        "curve": [[share, _scaled(value)] for share, value in zip(CURVE, found.quantiles(CURVE), strict=True)],
    }


def _metrics(plan: Plan, ledger: Ledger) -> dict[str, Any]:
    """By metric; one with two clocks has its headline on top, and both beside each other below."""
    rows: dict[str, Any] = {}
    for metric in METRICS.values():
        name = histogram_of(metric.name, plan.headline)
        found = ledger.histograms[name]
        if not found.count:
            continue
        row = {"unit": "ms" if metric.unit == "us" else "1/s", "help": metric.help, **_row(name, found)}
        if metric.clocks:
            row["clock"] = plan.headline
            row["clocks"] = {
                clock: _row(name, ledger.histograms[f"{clock} {metric.name}"]) for clock in ("service", "response")
            }
        rows[metric.name] = row
    return rows


def _point(index: int, point: Bin, bin_s: float, span_s: float) -> dict[str, Any]:
    """One point of the series; that in which turns cease to be begun may be shorter than the others."""
    counts, left_s = point.counts, span_s - index * bin_s
    seconds = left_s if 0 < left_s < bin_s else bin_s
    quantiles = (0.5, 0.95, 0.99)

    def three(found: Histogram) -> list[float | None]:
        return [_scaled(value) for value in found.quantiles(quantiles)]

    return {
        "at_s": index * bin_s,
        "intended_per_s": counts["due"] / seconds,
        "achieved_per_s": counts["sent"] / seconds,
        "missed": counts["missed"],
        "held_back": counts["held_back"],
        "in_flight": point.in_flight,
        "good": counts["good"],
        "ttft_ms": three(point.ttft),
        "duration_ms": three(point.duration),
        "outcomes": {name: counts[name] for name in OUTCOMES if counts[name]},
        "gaps": [list(row) for row in sorted(point.gaps.items())],
        "remaining": min(point.remaining.values(), default=None),
    }


def _limits(ledger: Ledger, dialect: Dialect) -> dict[str, Any]:
    plans = {
        name: {
            "requests_per_minute": plan.requests_per_minute,
            "requests_per_day": plan.requests_per_day,
            "concurrent": plan.concurrent,
        }
        for name, plan in dialect.plans.items()
    }
    return {
        "documented": plans,
        "keys": {
            key: {**_account(account, dialect), "remaining": _left(key, ledger)}
            for key, account in ledger.accounts.items()
        },
    }


def _left(key: str, ledger: Ledger) -> list[list[float]]:
    points = sorted(ledger.bins.items())
    return [[index * ledger.bin_s, point.remaining[key]] for index, point in points if key in point.remaining]


def _account(account: Account, dialect: Dialect) -> dict[str, Any]:
    data = account.to_data()
    del data["last_at"], data["grants"]
    limits = [limit for limit, _ in data.pop("limits")]
    named = [name for name, plan in dialect.plans.items() if plan.requests_per_minute in limits and limits]
    breaches = [{"what": what, "count": count, "first": first} for what, count, first in data.pop("breaches")]
    beyond = account.granted_beyond
    return {**data, "granted_beyond": beyond, "advertised_limits": limits, "as_documented": named, "breaches": breaches}


def _correctness(plan: Plan, ledger: Ledger) -> dict[str, Any]:
    return {
        "proof": plan.proof,
        "mixups": ledger.number("mixups"),
        "wrong_answers": ledger.outcomes["wrong_answer"],
        "invariants": ledger.breaches,
        "breaches": [
            *(
                {"what": what, "count": count, "first": account.first[what]}
                for account in ledger.accounts.values()
                for what, count in account.breaches.items()
            ),
            *(
                {
                    "what": "More requests are granted in a window than its Limit",
                    "count": account.granted_beyond,
                    "first": f"{max(account.grants.values())} granted of {max(account.limits)}",
                }
                for account in ledger.accounts.values()
                if account.granted_beyond
            ),
            *(
                {"what": "A session id is given again", "count": sum(ledger.duplicates.values()), "first": text}
                for text in list(ledger.duplicates)[:1]
            ),
        ],
        "sampled": ledger.sampled,
        "findings": [{"id": name, **finding} for name, finding in sorted(ledger.findings.items())],
    }


def _objective(one: Judged) -> dict[str, Any]:
    objective = one.objective
    return {
        "objective": objective.text,
        "kept": one.kept,
        "wanted": f"{objective.op} {shown(objective, objective.value)}",
        "got": shown(objective, one.got),
        "implied": objective.implied,
    }
