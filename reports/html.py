"""One self-contained HTML page of verifications: verdict, numbers, filters, every requirement with its source and its proof.

It loads nothing from anywhere, and works without its script: everything is there, nothing filters. The templates are in
``templates/``; only exchanges that findings cite are in the page, each once, so that its size follows from what broke.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import evidence, page
from .result import (
    COUNTED,
    LEVELS,
    OUTCOMES,
    VERDICTS,
    Result,
    Row,
    Run,
    anchors,
    by_family,
    by_reason,
    citation,
    decided,
    folded,
    kept,
    of_outcome,
    overall,
    place,
    rows,
    runs,
    tally,
)
from .text import counted

OPEN = ("fail", "error")
"""The outcomes whose requirements are unfolded from the start."""
BROKEN = ("fail", "error", "warn")
"""The outcomes that the top of the page lists."""

SHOWN = 10
"""Groups of what broke that are shown at once."""

Named = list[tuple[Run, str]]


@dataclass(frozen=True)
class Group:
    """Requirements that most likely one mistake breaks, each with the anchor of its run."""

    rows: list[tuple[Row, str]]


@dataclass(frozen=True)
class Matrix:
    """Every requirement, and its outcome and anchor in each run. ``same``: the runs are of one dialect, so worth comparing."""

    rows: list[tuple[str, list[tuple[str, str] | None]]]
    same: bool


def render(result: Result) -> str:
    """The report as a page."""
    every = [row for _, row in rows(result)]
    named = list(zip(runs(result), anchors(result), strict=True))
    counts = tally(every)
    groups = list(_broken(named))
    return page.render(
        "verification.html",
        result=result,
        verdict=overall(result),
        named=named,
        target=_target(result),
        kept_musts=kept(every),
        coverage=(decided(counts), len(every)),
        requests=sum(run["requests"] for run in runs(result)),
        seconds=sum(run["duration_s"] for run in runs(result)),
        broken=groups,
        total_broken=sum(len(group.rows) for group in groups),
        matrix=_matrix(named),
        counts_all=counts,
        levels=[level for level in LEVELS if any(row["level"] == level for row in every)],
        families=sorted({family for run, _ in named for family in by_family(run)}),
        cited=partial(_cited, {(name, one["id"]): one for run, name in named for one in run["exchanges"]}),
        folded=lambda row: [(first, others) for first, *others in folded(row).values()],
        **WORDS,
    )


def _broken(named: Named) -> Iterator[Group]:
    """What broke, failures first. One group: first findings at one byte of one exchange, or one requirement in several runs."""
    groups: dict[tuple[Any, ...], Group] = {}
    for outcome in BROKEN:
        for run, name in named:
            for row in of_outcome(run, outcome):
                first = row["findings"][0] if row["findings"] else {"offset": None}
                known = first["offset"] is not None
                spot = (name, first["exchange"], first["within"], first["offset"]) if known else (row["id"],)
                groups.setdefault(spot, Group([])).rows.append((row, name))
    yield from groups.values()


def _matrix(named: Named) -> Matrix:
    found: dict[str, dict[str, str]] = {}
    for run, name in named:
        for row in run["requirements"]:
            found.setdefault(row["id"], {})[name] = row["outcome"]
    cells = [(id_, [(of[name], name) if name in of else None for _, name in named]) for id_, of in found.items()]
    worst = {id_: min(list(OUTCOMES).index(outcome) for outcome in of.values()) for id_, of in found.items()}
    cells.sort(key=lambda row: worst[row[0]])
    return Matrix(cells, len({run["dialect"] for run, _ in named}) < len(named))


def _cited(exchanges: Mapping[tuple[str, str], Any], name: str, exchange: str | None) -> Any:
    return exchanges.get((name, exchange or ""))


def _head(response: Mapping[str, Any]) -> str:
    """Status line and headers, as sent."""
    lines = [f"HTTP/{response['version']} {response['status']} {response['reason']}".rstrip()]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in response["headers"])])


def _share(numbers: tuple[int, int]) -> str:
    """``98.5 %``; never 100 where one is missing, and never a share of nothing."""
    part, whole = numbers
    return "none" if whole == 0 else "100 %" if part == whole else f"{min(part / whole * 100, 99.9):.1f} %"


def _target(result: Result) -> str | None:
    """The base URL that all runs share, if they do."""
    targets = {run["target"] for run in runs(result)}
    return targets.pop() if len(targets) == 1 else None


WORDS: dict[str, Any] = {
    "OUTCOMES": OUTCOMES, "COUNTED": COUNTED, "VERDICTS": VERDICTS, "OPEN": OPEN, "SHOWN": SHOWN, "BEGINNING": evidence.BEGINNING,
    "arrivals": evidence.arrivals, "by_family": by_family, "by_reason": by_reason, "citation": citation,
    "counted": counted, "head": _head, "hex_rows": evidence.hex_rows, "place": place, "share": _share, "tally": tally,
    "text_of": evidence.text_of, "text_window": evidence.text_window, "ticks": evidence.ticks,
}  # fmt: skip
"""What the templates may say beside the result itself."""
