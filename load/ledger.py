"""What a run has counted so far: outcomes, histograms, a time series, accounts, exhibits. Adds up over processes.

Only turns whose outcome is ``ok`` enter histograms; those due in the warm-up are counted apart, well or badly answered, and measured
nowhere. A mix-up among them is one all the same.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal

from .bins import Bin
from .histogram import Histogram
from .limits import Account
from .metrics import HISTOGRAMS, Clock, measure
from .objective import OPERATORS, PERCENTILE, Objective
from .outcome import OUTCOMES
from .processor import Kept
from .sessions import Sessions
from .turn import Turn
from .waterfall import waterfall

SLOWEST, WHYS = 10, 100
OTHER_WHYS = "other reasons, each in words of its own"


class Ledger:
    """``bin_s``: seconds of a point in the series. ``headline``: the clock of series and slowest turns. ``single``: what one turn can keep."""

    def __init__(self, bin_s: float, headline: Clock, single: tuple[Objective, ...] = ()) -> None:
        self.bin_s, self.headline, self.single = bin_s, headline, single
        self._first, self._whole = f"{headline} ttft", f"{headline} duration"
        self.counters: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.whys: dict[str, Counter[str]] = {}
        self.seen_at: dict[str, tuple[float, float]] = {}
        self.histograms = {name: Histogram() for name in HISTOGRAMS}
        self.lags = {"send": Histogram(), "greenlet": Histogram(), "read": Histogram()}
        self._late = self.lags["send"]
        self.bins: dict[int, Bin] = {}
        self._latest: tuple[int, Bin] = -1, Bin()
        self.accounts: dict[str, Account] = {}
        self.exhibits: list[dict[str, Any]] = []
        self.slowest: list[tuple[int, int, dict[str, Any]]] = []
        self.findings: dict[str, dict[str, Any]] = {}
        self.sampled = 0
        self.sessions = Sessions()
        self.duplicates: Counter[str] = Counter()
        self.seconds = 0.0
        self.cpu_s: list[float] = []
        self.kept_waiting: list[Kept] = []
        self.span_s = 0.0
        self.begins_s, self.ends_s = 0.0, float("inf")
        self._order = count()

    def bin(self, at_s: float) -> Bin:
        """The point of the series that a moment of the run belongs to."""
        index = int(at_s / self.bin_s) if at_s > 0 else 0
        if index == self._latest[0]:
            return self._latest[1]
        found = self.bins.get(index)
        if found is None:
            found = self.bins[index] = Bin()
        self._latest = index, found
        return found

    def due(self, at_s: float) -> Bin:
        """A turn was due, whatever becomes of it."""
        self.counters["due"] += 1
        point = self.bin(at_s)
        point.counts["due"] += 1
        return point

    def unsent(self, at_s: float, why: Literal["held_back", "missed"]) -> None:
        """A turn was due and is never sent."""
        point = self.due(at_s)
        point.counts[why] += 1
        self.counters[why] += 1

    def begin(self, at_s: float, in_flight: int) -> None:
        """A turn was begun."""
        self.counters["sent"] += 1
        if at_s < self.begins_s:
            self.counters["sent warm"] += 1
        self.under_way(at_s, in_flight).counts["sent"] += 1

    def under_way(self, at_s: float, in_flight: int) -> Bin:
        """So many turns were in flight then."""
        point = self.bin(at_s)
        point.in_flight = max(point.in_flight, in_flight)
        return point

    def add(self, turn: Turn, at_s: float, *, warm: bool = False) -> None:
        """A turn is over, at that moment of the run."""
        times, result = turn.timeline, turn.outcome
        counters = self.counters
        counters["finished"] += 1
        counters["bytes"] += len(turn.heard.raw)
        counters["events"] += turn.seen.events
        if turn.reconnected:
            counters["reconnects"] += 1
        self._late.record((times.started - times.intended) // 1000)
        if turn.seen.status is not None:
            self.statuses[str(turn.seen.status)] += 1
        point = self.bin(at_s)
        point.counts[result] += 1
        if warm:
            counters["warmup"] += 1
            counters["warm mixup"] += result == "mixup"
            if result == "ok":
                self._judge(measure(turn.timeline)[0], at_s)
            return
        first = self.seen_at.get(result)
        self.seen_at[result] = (at_s if first is None else first[0], at_s)
        if turn.why:
            self._why(result, turn.why[:200])
        self.outcomes[result] += 1
        if result == "ok":
            self._measure(turn, point, at_s)

    def _why(self, result: str, why: str) -> None:
        """A target whose every error has words of its own would fill the ledger with them."""
        whys = self.whys.setdefault(result, Counter())
        whys[why if len(whys) < WHYS or why in whys else OTHER_WHYS] += 1

    def _measure(self, turn: Turn, point: Bin, at_s: float) -> None:
        values, gaps = measure(turn.timeline)
        histograms = self.histograms
        for name, value in values.items():
            histograms[name].record(value)
        if gaps:
            self.histograms["gap"].record_all(gaps)
            point.add_gaps(gaps)
        first, whole = values.get(self._first), values.get(self._whole)
        if first is not None:
            point.ttft.record(first)
        if whole is not None:
            point.duration.record(whole)
            self._slow(turn, whole, at_s)
        self._judge(values, at_s)

    def _judge(self, values: Mapping[str, int], at_s: float) -> None:
        """Whether a turn is good, and was while the target bore the load: also one that was begun before, but none that was answered later."""
        if self.begins_s <= at_s <= self.ends_s and (
            not self.single
            or all(
                one.subject not in values or OPERATORS[one.op](values[one.subject], one.value) for one in self.single
            )
        ):
            self.counters["good"] += 1
            self.bin(at_s).counts["good"] += 1

    def _slow(self, turn: Turn, whole: int, at_s: float) -> None:
        if len(self.slowest) < SLOWEST:
            heapq.heappush(self.slowest, (whole, next(self._order), waterfall(turn, at_s)))
        elif whole > self.slowest[0][0]:
            heapq.heapreplace(self.slowest, (whole, next(self._order), waterfall(turn, at_s)))

    def session(self, session: str, conversation: int) -> None:
        """A session that the target made for one conversation may not be given to another."""
        known = self.sessions.hear(session, conversation)
        if known is not None:
            self.duplicate(known, conversation)

    def duplicate(self, known: int, conversation: int) -> None:
        """One session id was given to two conversations. Only the first is kept in words, or a target that has but one id would fill the ledger."""
        told = self.duplicates
        told[next(iter(told)) if told else f"one session id for conversations {known} and {conversation}"] += 1

    def lost(self, number: int) -> None:
        """So many turns were under way when the run was cut off."""
        self.outcomes["unfinished"] += number

    @property
    def concluded(self) -> int:
        """Measured turns that count for or against."""
        return sum(self.outcomes.values()) - self.outcomes["unfinished"]

    def statistic(self, histogram: str, statistic: str) -> float | None:
        """A statistic of a histogram, in its own unit; ``None`` where nothing was recorded."""
        found = self.histograms[histogram]
        match = PERCENTILE.fullmatch(statistic)
        if match is not None:
            return found.quantile(float(match[1]) / 100)
        value = {"mean": found.mean, "min": found.least, "max": found.most if found.count else None}[statistic]
        return value

    def share(self, outcome: str) -> float | None:
        """The share of an outcome, or of ``errors``, of all that counts."""
        return self.number(outcome) / self.concluded if self.concluded else None

    def number(self, name: str) -> int:
        """A count by name: an outcome, ``errors``, or one of the counts that objectives know."""
        if name in OUTCOMES:
            return self.outcomes[name]
        return {
            "errors": self.concluded - self.outcomes["ok"],
            "mixups": self.outcomes["mixup"] + self.counters["warm mixup"],
            "invariants": self.breaches,
            "findings": sum(1 for found in self.findings.values() if found["level"] == "MUST"),
            "missed": self.counters["missed"],
            "reconnects": self.counters["reconnects"],
            "requests": self.counters["sent"],
        }[name]

    @property
    def breaches(self) -> int:
        """How often headers or session ids broke what they must keep."""
        told = (sum(account.breaches.values()) + account.granted_beyond for account in self.accounts.values())
        return sum(told) + sum(self.duplicates.values())

    def looked_for(self, name: str) -> bool:
        """Whether there was anything by which one of the counts could have been other than 0."""
        if name == "mixups":
            return self.counters["words"] > 0
        return self.sampled > 0 if name == "findings" else any(account.sent for account in self.accounts.values())

    def rate(self, name: str) -> float | None:
        """Turns a second, begun or good; the warm-up left out. Good ones are those that were answered while the run was measured."""
        counted = self.counters["sent"] - self.counters["sent warm"] if name == "rate" else self.counters["good"]
        return counted / self.seconds if self.seconds else None

    def to_data(self, *, final: bool = False) -> dict[str, Any]:
        """All of it as plain data, for ``merge`` in another process; what was seen of sessions is much, and told at the end."""
        return {
            "counters": dict(self.counters),
            "outcomes": dict(self.outcomes),
            "statuses": dict(self.statuses),
            "whys": {result: dict(whys.most_common(20)) for result, whys in self.whys.items()},
            "seen_at": self.seen_at,
            "histograms": {name: found.to_data() for name, found in self.histograms.items() if found.count},
            "lags": {name: found.to_data() for name, found in self.lags.items()},
            "bins": [[index, point.to_data()] for index, point in self.bins.items()],
            "accounts": {key: account.to_data() for key, account in self.accounts.items()},
            "exhibits": self.exhibits,
            "slowest": [[whole, row] for whole, _, row in self.slowest],
            "findings": self.findings,
            "sampled": self.sampled,
            "sessions": self.sessions.to_data() if final else [],
            "duplicates": dict(self.duplicates),
            "cpu_s": self.cpu_s,
            "kept_waiting": self.kept_waiting,
            "span_s": self.span_s,
        }

    def merge(self, data: Mapping[str, Any]) -> None:
        """Take in what another process has counted."""
        for name in ("counters", "outcomes", "statuses", "duplicates"):
            getattr(self, name).update(data[name])
        for result, whys in data["whys"].items():
            self.whys.setdefault(result, Counter()).update(whys)
        for result, (first, last) in data["seen_at"].items():
            known_first, known_last = self.seen_at.get(result, (first, last))
            self.seen_at[result] = (min(first, known_first), max(last, known_last))
        for name, found in data["histograms"].items():
            self.histograms[name].merge(Histogram.of(found))
        for name, found in data["lags"].items():
            self.lags[name].merge(Histogram.of(found))
        for index, point in data["bins"]:
            self.bins.setdefault(int(index), Bin()).merge(point)
        for key, account in data["accounts"].items():
            self.accounts.setdefault(key, Account()).merge(account)
        self.exhibits += data["exhibits"]
        for whole, row in data["slowest"]:
            self.slowest.append((whole, next(self._order), row))
        self.slowest = sorted(self.slowest, reverse=True)[:SLOWEST]
        for name, finding in data["findings"].items():
            known = self.findings.get(name)
            self.findings[name] = finding if known is None else {**known, "count": known["count"] + finding["count"]}
        for pair in self.sessions.merge(data["sessions"]):
            self.duplicate(*pair)
        self.sampled += data["sampled"]
        self.cpu_s += data["cpu_s"]
        self.kept_waiting += [Kept(*one) for one in data["kept_waiting"]]
        self.span_s = max(self.span_s, data["span_s"])
