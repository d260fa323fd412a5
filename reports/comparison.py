"""Two verifications held against each other, requirement by requirement, and a trend over many. By id, dialect by dialect.

What failed before and was not decided now is not fixed, and a requirement that one of the two does not have is no change of
the target's: it is listed apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .result import DECIDED, Result, Row, Run, anchors, decided, kept, overall, reading, rows, runs, tally

BAD = ("fail", "warn")
GOOD = ("pass", "observed")

TITLES = {
    "broken": "Newly broken",
    "failing": "Still failing",
    "fixed": "Fixed",
    "undecided": "No longer decided",
    "decided": "Newly decided",
    "changed": "Reads otherwise",
    "new": "New requirements",
    "gone": "Gone requirements",
}
"""Every kind of change, what needs attention first."""


@dataclass(frozen=True)
class Change:
    """One requirement in one dialect: its outcome in both, ``None`` where it is not, and in a line why it is what it is now."""

    name: str
    row: Row
    before: str | None
    after: str | None
    why: str

    @property
    def id(self) -> str:
        return str(self.row["id"])


@dataclass(frozen=True)
class Comparison:
    """The changes from one report to another, by kind (``TITLES``), and how many requirements are as they were."""

    changes: Mapping[str, Sequence[Change]]
    same: int

    def breaks(self, strict: bool = False) -> bool:
        """Whether something fails that did not: a MUST, with ``strict`` a SHOULD too."""
        worse = BAD if strict else ("fail",)
        return any(change.after in worse for change in self.changes["broken"])


@dataclass(frozen=True)
class Step:
    """One report of a trend: its label, when it began, its verdict and its numbers."""

    label: str
    started: str
    verdict: str
    kept: tuple[int, int]
    decided: tuple[int, int]
    failed: int
    warned: int


def incomparable(results: Mapping[str, Result]) -> str | None:
    """Why these reports, by label, cannot be compared; ``None`` if they can."""
    for label, result in results.items():
        for run in runs(result):
            if run["verdict"] == "incomplete":
                return f"{label}: {run['dialect']} is incomplete ({run['reason']}), so what it lacks would pass for a change"
    shared = set.intersection(*(set(anchors(result)) for result in results.values()))
    return None if shared else "no dialect is in all of them"


def compare(before: Result, after: Result) -> Comparison:
    """Every requirement of either report, and what became of it."""
    old, new = _by_name(before), _by_name(after)
    changes: dict[str, list[Change]] = {kind: [] for kind in TITLES}
    same = 0
    for key in dict.fromkeys([*new, *old]):
        was, now = old.get(key), new.get(key)
        kind = _kind(was, now)
        if kind is None:
            same += 1
            continue
        row = now or was
        assert row is not None
        outcomes = (was["outcome"] if was else None, now["outcome"] if now else None)
        changes[kind].append(Change(key[0], row, *outcomes, _why(row)))
    return Comparison(changes, same)


def trend(results: Mapping[str, Result]) -> list[Step]:
    """The numbers of each report, in the order given."""
    return [_step(label, result) for label, result in results.items()]


def histories(results: Iterable[Result]) -> Iterator[tuple[str, str, list[str | None]]]:
    """Every requirement whose outcome is not the same in all reports: its dialect, its id, and its outcome in each."""
    each = [_by_name(result) for result in results]
    for key in dict.fromkeys(key for one in each for key in one):
        outcomes = [one[key]["outcome"] if key in one else None for one in each]
        if len(set(outcomes)) > 1:
            yield *key, outcomes


def _by_name(result: Result) -> dict[tuple[str, str], Row]:
    named: Iterable[tuple[str, Run]] = zip(anchors(result), runs(result), strict=True)
    return {(name, row["id"]): row for name, run in named for row in run["requirements"]}


def _kind(was: Row | None, now: Row | None) -> str | None:
    """Which kind of change that is; ``None`` for none."""
    if was is None or now is None:
        return "new" if was is None else "gone"
    before, after = was["outcome"], now["outcome"]
    if after in BAD:
        worse = before not in BAD or (before == "warn" and after == "fail")
        return "broken" if worse else "failing"
    if after not in GOOD:
        return "undecided" if before in (*DECIDED, *GOOD) else None
    if before in BAD:
        return "fixed"
    if before not in GOOD:
        return "decided"
    told = before != after or (after == "observed" and reading(was) != reading(now))
    return "changed" if told else None


def _why(row: Row) -> str:
    """In a line: what came instead of what, or the reason."""
    if row["findings"]:
        first = row["findings"][0]
        return f"expected {first['expected']}, got {first['got']}"
    return str(row["reason"] or row["statement"])


def _step(label: str, result: Result) -> Step:
    every = [row for _, row in rows(result)]
    counts = tally(every)
    return Step(
        label,
        min(run["started"] for run in runs(result)),
        overall(result),
        kept(every),
        (decided(counts), len(every)),
        counts["fail"],
        counts["warn"],
    )
