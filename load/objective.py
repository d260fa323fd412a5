"""What a run is held to: ``ttft p95 < 800ms``, ``ok > 99%``, ``mixups = 0``. Read with hints, judged from the ledger, never guessed.

An objective with nothing to judge it by is not kept: a run in which no stream was answered proves nothing about streams.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from ..spec import did_you_mean
from .metrics import HISTOGRAMS, METRICS, Clock, histogram_of
from .outcome import OUTCOMES
from .schedule import UNITS, duration_of

Kind = Literal["quantity", "share", "count", "rate"]

SHARES = {**OUTCOMES, "errors": "whatever is neither ok nor unfinished"}
COUNTS = {
    "mixups": "answers that bear a word of another conversation",
    "invariants": "breaches of what the limit headers and session ids must keep",
    "findings": "MUST requirements that sampled exchanges broke",
    "missed": "turns that were due and never sent, since too many were in flight or this process was behind",
    "reconnects": "kept connections that had ended when they were used again",
    "requests": "requests sent",
}
RATES = {
    "goodput": "good turns a second: ok, and within every objective that a single turn can keep",
    "rate": "turns begun a second",
}
STATISTICS = ("mean", "min", "max")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "=": operator.eq,
}
FORM = re.compile(
    r"(?P<left>[A-Za-z0-9_. -]+?)\s*(?P<op><=|>=|==|<|>|=)\s*(?P<value>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>us|ms|s|m|%|/s)?"
    r"(?:\s+abort(?:\s+after\s+(?P<after>\S+))?)?"
)
PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?|100)")
EXAMPLES = "'ttft p95 < 800ms', 'ok > 99%', 'mixups = 0'"
ABORT_AFTER_S = 10.0
MISSED = " is missed"
"""How the reason of a run ends that was ended for an objective."""


@dataclass(frozen=True)
class Objective:
    """``subject``: a histogram, an outcome, a count or a rate. ``value`` in microseconds, a share of 1, a number, or turns a second.

    ``statistic``: ``p95``, ``mean``…; of a quantity alone. ``abort_after``: seconds after which a missed one ends the run;
    ``None``: never. ``implied``: nobody asked for it, and nobody may break it.
    """

    text: str
    kind: Kind
    subject: str
    op: str
    value: float
    statistic: str = ""
    abort_after: float | None = None
    implied: bool = False

    def holds(self, got: float) -> bool:
        return OPERATORS[self.op](got, self.value)


IMPLIED = ("mixups", "invariants", "findings")
"""What has to be 0 in every run that does not say otherwise."""


@dataclass(frozen=True)
class Judged:
    """``kept`` is ``None`` where there was nothing to judge by."""

    objective: Objective
    got: float | None

    @property
    def kept(self) -> bool | None:
        return None if self.got is None else self.objective.holds(self.got)


class Measured(Protocol):
    """What objectives are judged from."""

    def statistic(self, histogram: str, statistic: str) -> float | None: ...
    def share(self, outcome: str) -> float | None: ...
    def number(self, name: str) -> int: ...
    def rate(self, name: str) -> float | None: ...
    def looked_for(self, name: str) -> bool: ...


def parse_objective(text: str, headline: Clock) -> Objective:
    """One objective from its words; ``ValueError`` says in one line what was expected, with the nearest known word."""
    match = FORM.fullmatch(" ".join(text.split()))
    if match is None:
        raise ValueError(f"--objective: expected NAME [STATISTIC] OPERATOR VALUE, as {EXAMPLES}; got {text!r}")
    *words, last = match["left"].split()
    statistic = last if words and (PERCENTILE.fullmatch(last) or last in STATISTICS) else ""
    name = " ".join(words) if statistic else match["left"]
    abort = None
    if "abort" in text.split():
        abort = duration_of(match["after"], "--objective") if match["after"] else ABORT_AFTER_S
    made = Objective(text, "count", name, match["op"], float(match["value"]), statistic, abort)
    return _of_kind(made, match["unit"] or "", headline)


def _of_kind(made: Objective, unit: str, headline: Clock) -> Objective:
    name, text = made.subject, made.text
    if name in METRICS or name in HISTOGRAMS:
        if not made.statistic:
            raise ValueError(f"--objective: {text!r} needs a statistic: {name} p95, {name} mean, {name} max")
        return _quantity(replace(made, kind="quantity", subject=histogram_of(name, headline)), unit)
    if made.statistic:
        raise ValueError(f"--objective: {_unknown(name, (*METRICS, *HISTOGRAMS), text, 'metric')}")
    if name in SHARES:
        if unit == "%":
            if made.value > 100:
                raise ValueError(f"--objective: {text!r}: no share is above 100%")
            return replace(made, kind="share", value=made.value / 100)
        return _bare(replace(made, kind="count"), unit, "a number or a share such as 1%")
    if name in COUNTS:
        return _bare(replace(made, kind="count"), unit, "a number")
    if name in RATES:
        if unit != "/s":
            raise ValueError(f"--objective: {text!r}: write {name} as turns a second, such as 20/s")
        return replace(made, kind="rate")
    raise ValueError(f"--objective: {_unknown(name, (*METRICS, *SHARES, *COUNTS, *RATES), text, 'metric or count')}")


def _quantity(made: Objective, unit: str) -> Objective:
    metric = METRICS[made.subject.rpartition(" ")[2]]
    if metric.unit == "us":
        if unit not in UNITS or not unit:
            raise ValueError(f"--objective: {made.text!r}: expected a time with its unit, such as 800ms or 2s")
        return replace(made, value=made.value * UNITS[unit] * 1e6)
    if unit != "/s":
        raise ValueError(f"--objective: {made.text!r}: expected so many a second, such as 40/s")
    return replace(made, value=made.value * 1e3)


def _bare(made: Objective, unit: str, expected: str) -> Objective:
    if unit:
        raise ValueError(f"--objective: {made.text!r}: expected {expected}")
    return made


def _unknown(name: str, known: Iterable[str], text: str, what: str) -> str:
    words = list(known)
    return f"no {what} {name!r} in {text!r}{did_you_mean(name, words)}; known: {', '.join(words)}"


def with_implied(given: Iterable[Objective]) -> tuple[Objective, ...]:
    """The objectives with those put behind them that every run has to keep, unless one of the same name is given."""
    told = tuple(given)
    names = {objective.subject for objective in told}
    return (
        *told,
        *(Objective(f"{name} = 0", "count", name, "=", 0.0, implied=True) for name in IMPLIED if name not in names),
    )


def judge(objectives: Iterable[Objective], measured: Measured) -> list[Judged]:
    """Each objective with what was got."""
    return [Judged(objective, _got(objective, measured)) for objective in objectives]


def _got(objective: Objective, measured: Measured) -> float | None:
    if objective.kind == "quantity":
        return measured.statistic(objective.subject, objective.statistic)
    if objective.kind == "share":
        return measured.share(objective.subject)
    if objective.kind == "rate":
        return measured.rate(objective.subject)
    asked = objective.subject in IMPLIED and not objective.implied
    return None if asked and not measured.looked_for(objective.subject) else float(measured.number(objective.subject))


def shown(objective: Objective, value: float | None) -> str:
    """A value in the words of its objective."""
    if value is None:
        return "nothing to judge it by"
    if objective.kind == "share":
        return f"{value * 100:.2f} %"
    if objective.kind == "rate":
        return f"{value:.1f}/s"
    if objective.kind == "count":
        return f"{value:.0f}"
    return f"{value / 1e3:.1f}/s" if objective.subject == "text-rate" else time_text(value)


def measure(objective: Objective) -> str:
    """What ``plain`` counts in: ``ms``, ``1/s``, ``share`` (of 1) or ``count``."""
    if objective.kind == "quantity":
        return "1/s" if objective.subject == "text-rate" else "ms"
    return "1/s" if objective.kind == "rate" else objective.kind


def plain(objective: Objective, value: float | None) -> float | None:
    """A value as a number in ``measure``."""
    return None if value is None else round(value / 1e3 if objective.kind == "quantity" else value, 6)


def time_text(microseconds: float) -> str:
    """A time as people say it: ``850 us``, ``12.3 ms``, ``1.24 s``."""
    if microseconds < 1000:
        return f"{microseconds:.0f} us"
    return f"{microseconds / 1e3:.1f} ms" if microseconds < 1e6 else f"{microseconds / 1e6:.2f} s"
