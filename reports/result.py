"""The words of a verification's JSON, and the few questions that every face asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

Result = Mapping[str, Any]
Run = Mapping[str, Any]
Row = Mapping[str, Any]
Tone = Literal["good", "bad", "caution", "open", "quiet"]

OUTCOMES: dict[str, tuple[str, str, Tone]] = {
    "fail": ("fail", "✕", "bad"),
    "error": ("error", "‼", "bad"),
    "warn": ("warn", "!", "caution"),
    "inconclusive": ("inconclusive", "≈", "caution"),
    "observed": ("observed", "○", "open"),
    "pass": ("pass", "✓", "good"),
    "not_verified": ("not verified", "?", "quiet"),
    "skipped": ("skipped", "-", "quiet"),
    "untestable": ("untestable", "·", "quiet"),
}
"""Every outcome, what needs attention first: its label, its sign and its tone."""

DECIDED = ("pass", "fail", "warn")
"""The outcomes that say whether a requirement is kept."""

COUNTED = (*DECIDED, *(outcome for outcome in OUTCOMES if outcome not in DECIDED))
"""Every outcome in the order in which counts are given."""

LEFT_OPEN = ("inconclusive", "not_verified", "skipped", "untestable")
"""The outcomes that leave it open, each with a reason, and are nobody's fault."""

VERDICTS: dict[str, tuple[str, Tone]] = {
    "nonconformant": ("✕", "bad"),
    "incomplete": ("≈", "caution"),
    "conformant": ("✓", "good"),
}
"""Every verdict, the worst first, with its sign and tone."""

LEVELS = ("MUST", "SHOULD", "MAY")


def runs(result: Result) -> list[Run]:
    """The runs in a report of either kind: one dialect each."""
    return list(result["runs"]) if result["kind"] == "verifications" else [result]


def rows(result: Result) -> Iterator[tuple[Run, Row]]:
    """Every requirement with the run it was judged in."""
    for run in runs(result):
        for row in run["requirements"]:
            yield run, row


def overall(result: Result) -> str:
    """The worst verdict of all runs."""
    seen = {run["verdict"] for run in runs(result)}
    return next(verdict for verdict in VERDICTS if verdict in seen)


def tally(requirements: Iterable[Row]) -> dict[str, int]:
    """How many requirements had each outcome, zeros included, in the order of ``OUTCOMES``."""
    counts = Counter(row["outcome"] for row in requirements)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def decided(counts: Mapping[str, int]) -> int:
    """How many requirements were found kept or broken."""
    return sum(counts[outcome] for outcome in DECIDED)


def counts_in_words(counts: Mapping[str, int]) -> str:
    """``61 pass, 1 fail, 2 untestable``: ``pass`` and ``fail`` always, the others where there are any."""
    return ", ".join(f"{counts[outcome]} {OUTCOMES[outcome][0]}" for outcome in occurring(counts))


def occurring(counts: Mapping[str, int]) -> list[str]:
    """The outcomes worth a column: ``pass`` and ``fail`` always, the others where there are any."""
    return [outcome for outcome in COUNTED if counts[outcome] or outcome in ("pass", "fail")]


def family(row: Row) -> str:
    """The part of a requirement's id before the slash."""
    return str(row["id"]).partition("/")[0]


def by_family(run: Run) -> dict[str, list[Row]]:
    """The requirements of each family, families and requirements in the order in which they come."""
    families: dict[str, list[Row]] = {}
    for row in run["requirements"]:
        families.setdefault(family(row), []).append(row)
    return families


def of_outcome(run: Run, *outcomes: str) -> list[Row]:
    """The requirements with one of these outcomes, in the order in which the outcomes are given."""
    return [row for outcome in outcomes for row in run["requirements"] if row["outcome"] == outcome]


def by_reason(run: Run) -> dict[tuple[str, str], list[Row]]:
    """The requirements left open, by outcome and reason: what is to be done, once per cause."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in of_outcome(run, *LEFT_OPEN):
        groups.setdefault((row["outcome"], row["reason"] or "no reason given"), []).append(row)
    return groups


def citation(row: Row) -> str:
    """``WHATWG HTML, 9.2.6``."""
    return f"{row['citation']['document']}, {row['citation']['section']}"


def reading(row: Row) -> str:
    """What an ``observed`` requirement saw, in one phrase: the reading, or the first finding of a MAY and how many follow."""
    found = row["findings"]
    first = [f"{found[0]['got']} (expected {found[0]['expected']})"] if found else []
    more = [f"and {len(found) - 1} more"] if len(found) > 1 else []
    return "; ".join([*first, *more, *([row["reason"]] if row["reason"] else [])]) or "no reading recorded"


def kept(rows_: Iterable[Row]) -> tuple[int, int]:
    """Conformance: how many of the decided MUSTs are kept, and how many were decided."""
    outcomes = [row["outcome"] for row in rows_ if row["level"] == "MUST" and row["outcome"] in DECIDED]
    return outcomes.count("pass"), len(outcomes)


def folded(row: Row) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """A requirement's findings by what was expected and what came: those that differ only in where it came are one to a reader."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in row["findings"]:
        alike.setdefault((finding["expected"], finding["got"]), []).append(finding)
    return alike


def place(finding: Mapping[str, Any]) -> str:
    """``ex-0007, byte 181``, or as much of it as is known."""
    offset = finding["offset"]
    within = " of the response" if finding["within"] == "response" else ""
    return ", ".join(filter(None, [finding["exchange"] or "", "" if offset is None else f"byte {offset}{within}"]))


def anchors(result: Result) -> list[str]:
    """A name per run that is unique in the report: its dialect, numbered where one comes twice."""
    seen: Counter[str] = Counter()
    names = []
    for run in runs(result):
        seen[run["dialect"]] += 1
        again = seen[run["dialect"]]
        names.append(run["dialect"] if again == 1 else f"{run['dialect']}-{again}")
    return names
