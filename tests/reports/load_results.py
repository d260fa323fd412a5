"""Results of load runs to show and to compare: valid under the schema, made from lists of times."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from chatproof.load.histogram import Histogram, coarse

Json = dict[str, Any]
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
SHARES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.99999, 1.0)
HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' {{ 7 * 7 }} \x1b[2J \u202e"


def counted(ms: Sequence[float]) -> Histogram:
    made = Histogram()
    for value in ms:
        made.record(round(value * 1000))
    return made


def a_metric(found: Histogram) -> Json:
    def value(share: float) -> float | None:
        got = found.quantile(share)
        return None if got is None else got / 1000

    return {
        "count": found.count,
        "min": (found.least or 0) / 1000,
        "mean": (found.mean or 0) / 1000,
        **{name: value(share) for name, share in QUANTILES.items()},
        "max": found.most / 1000,
        "curve": [[share, value(share)] for share in SHARES],
    }


def a_turn(number: int, at_s: float, ttft: float) -> Json:
    texts = [ttft, ttft + 20, ttft + 45]
    return {
        "turn": number,
        "conversation": number,
        "in_conversation": 0,
        "outcome": "ok",
        "why": "",
        "status": 200,
        "at_s": at_s,
        "started_ms": 1.0,
        "sent_ms": 2.0,
        "first_byte_ms": ttft - 5,
        "texts_ms": texts,
        "texts": 3,
        "terminal_ms": texts[-1] + 3,
        "ended_ms": texts[-1] + 3,
        "characters": 30,
        "units": 3,
    }


def an_exhibit(**changed: Any) -> Json:
    exhibit = {
        "outcome": "refused_429",
        "why": "status 429",
        "turn": 7,
        "conversation": 7,
        "at_s": 1.5,
        "request": '{"message": "hi"}',
        "curl": "curl http://127.0.0.1:8080/chat",
        "response": "HTTP/1.1 429 Too Many Requests\r\n\r\n",
        "response_bytes": 34,
        "reads": [[1.25, 34]],
        "end": "complete",
        "detail": "",
    }
    return {**exhibit, **changed}


def a_load(
    seconds: int = 20, rate: int = 20, times: float = 200.0, seed: int = 1, late: float = 1.0, **changed: Any
) -> Json:
    """An open run of streams: ``rate`` turns a second, TTFT about ``times`` ms with a tail, begun ``late`` ms after they were due."""
    random = Random(seed)
    ttft = [[times * random.lognormvariate(0, 0.15) for _ in range(rate)] for _ in range(seconds)]
    every = [value for row in ttft for value in row]
    gaps = [random.uniform(10, 30) for _ in every for _ in range(2)]
    named = {
        "service ttft": counted(every),
        "response ttft": counted([value + late for value in every]),
        "service duration": counted([value + 50 for value in every]),
        "response duration": counted([value + 50 + late for value in every]),
        "gap": counted(gaps),
    }
    clocks = {
        name: {clock: a_metric(named[f"{clock} {name}"]) for clock in ("service", "response")}
        for name in ("ttft", "duration")
    }
    metrics: Json = {
        name: {"unit": "ms", "help": f"what {name} is", **two["response"], "clock": "response", "clocks": two}
        for name, two in clocks.items()
    }
    metrics["gap"] = {"unit": "ms", "help": "what gap is", **a_metric(named["gap"])}
    count = len(every)
    result: Json = {
        "chatproof": "0.1.0",
        "kind": "load",
        "target": "http://127.0.0.1:8080",
        "dialect": "guide",
        "seed": seed,
        "started": "2026-01-01T00:00:00Z",
        "duration_s": float(seconds),
        "requests": count,
        "verdict": "kept",
        "reason": None,
        "plan": {
            "model": "open",
            "schedule": f"constant:{rate}",
            "users": None,
            "seconds": float(seconds),
            "warmup_s": 0.0,
            "think_s": None,
            "turns_per_conversation": 1,
            "stream": True,
            "pacing": "ignore",
            "proof": "echo",
            "max_in_flight": 1000,
            "max_requests": 1_000_000,
            "agent": "echo",
            "sampled_every": 50,
            "keep_alive": True,
            "headline_clock": "response",
        },
        "summary": {
            **dict.fromkeys(("missed", "held_back", "warmup", "errors", "unfinished", "reconnects"), 0),
            **dict.fromkeys(("due", "sent", "finished", "ok"), count),
            "intended_per_s": float(rate),
            "achieved_per_s": float(rate),
            "goodput_per_s": float(rate),
            "connections": 5,
            "bytes": 12345,
            "events": 99,
            "most_in_flight": 5,
        },
        "outcomes": {"ok": {"count": count, "share": 1.0, "first_s": 0.2, "last_s": 19.9, "why": {}}},
        "statuses": {"200": count},
        "metrics": metrics,
        "histograms": {name: found.to_data() for name, found in named.items()},
        "bin_s": 1.0,
        "series": [a_point(at, row, gaps[:10], rate) for at, row in enumerate(ttft)],
        "slowest": [a_turn(n, n + 0.5, times + 100 - n) for n in range(10)],
        "exhibits": [],
        "limits": {"documented": {}, "keys": {"valid": an_account(count)}},
        "correctness": {
            "proof": "echo",
            **dict.fromkeys(("mixups", "wrong_answers", "invariants", "sampled"), 0),
            "breaches": [],
            "findings": [],
        },
        "objectives": [{"objective": "mixups = 0", "kept": True, "wanted": "= 0", "got": "0", "implied": True}],
        "validity": {"valid": True, "signs": [a_sign()], "cpu_s": [1.0], "processes": 1},
        "capacity": None,
        "calibration": None,
    }
    return {**result, **changed}


def a_point(at: int, ttft: Sequence[float], gaps: Sequence[float], rate: int) -> Json:
    found, whole = counted(ttft), counted([value + 50 for value in ttft])
    shares = (0.5, 0.95, 0.99)
    buckets = [coarse(round(gap * 1000)) for gap in gaps]
    return {
        "at_s": float(at),
        "intended_per_s": float(rate),
        "achieved_per_s": float(rate),
        "missed": 0,
        "held_back": 0,
        "in_flight": 3,
        "good": len(ttft),
        "ttft_ms": [(value or 0) / 1000 for value in found.quantiles(shares)],
        "duration_ms": [(value or 0) / 1000 for value in whole.quantiles(shares)],
        "outcomes": {"ok": len(ttft)},
        "gaps": [[bucket, buckets.count(bucket)] for bucket in sorted(set(buckets))],
        "remaining": 100 - at,
    }


def a_sign(good: bool = True) -> Json:
    got = "1.0 ms" if good else "99.0 ms"
    return {
        "name": "send lag p99",
        "limit": "at most 50.0 ms",
        "got": got,
        "good": good,
        "meaning": "turns were begun late",
    }


def an_account(sent: int) -> Json:
    return {
        **dict.fromkeys(("limited", "unpaid", "limited_with_remaining", "granted_beyond", "units"), 0),
        "sent": sent,
        "granted": sent,
        "waits": [],
        "least_remaining": 81,
        "advertised_limits": [100],
        "as_documented": [],
        "breaches": [],
    }


def nothing_good(**changed: Any) -> Json:
    """A run in which no turn was answered well, so that there is nothing to draw times of."""
    bad = a_load()
    for point in bad["series"]:
        point.update(ttft_ms=[None] * 3, duration_ms=[None] * 3, outcomes={"malformed": 20}, remaining=None, gaps=[])
    row = {"count": 400, "share": 1.0, "first_s": 0.0, "last_s": 19.0, "why": {"the framing is broken": 400}}
    told = {"verdict": "incomplete", "reason": "nothing was measured", "metrics": {}, "histograms": {}, "slowest": []}
    return {
        **bad,
        **told,
        "outcomes": {"malformed": row},
        "summary": {**bad["summary"], "ok": 0, "errors": 400},
        **changed,
    }
