"""A comparison as text, as Markdown and as a page; a trend of three and more with its table and its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from . import page
from .comparison import TITLES, Change, Comparison, Step, compare, histories, trend
from .result import OUTCOMES, VERDICTS, Result
from .text import block, counted, one_line

BLOCKS = "▁▂▃▄▅▆▇█"
QUIET = ("decided", "changed", "new", "gone")
"""Kinds of which text lists the ids alone."""
NAMES = 79
"""Columns of a line of text."""
ABSENT = " "


@dataclass(frozen=True)
class Compared:
    """Reports by label, in the order given; the last is held against the one before it."""

    results: Mapping[str, Result]

    @property
    def labels(self) -> list[str]:
        return list(self.results)

    @property
    def last(self) -> Comparison:
        """What changed from the last but one to the last."""
        *_, before, after = self.results.values()
        return compare(before, after)

    @property
    def steps(self) -> list[Step]:
        return trend(self.results)

    @property
    def histories(self) -> list[tuple[str, str, list[str | None]]]:
        return list(histories(self.results.values()))


def text(compared: Compared) -> str:
    """For a terminal or a log, 80 columns wide."""
    lines = [*_trend(compared)] if len(compared.results) > 2 else []
    before, after = compared.labels[-2:]
    lines += [f"from {one_line(before)}", f"  to {one_line(after)}"]
    for kind, changes in compared.last.changes.items():
        if changes:
            lines += ["", f"{TITLES[kind]} ({len(changes)})"]
            lines += [line for change in changes for line in _lines(kind, change)]
    return "\n".join([*lines, "", _conclusion(compared.last), *_next(compared.last)]) + "\n"


def markdown(compared: Compared) -> str:
    """For the page of a CI job."""
    before, after = (one_line(label).replace("`", "'") for label in compared.labels[-2:])
    lines = [f"# chatproof: `{before}` to `{after}`", "", _conclusion(compared.last)]
    for kind, changes in compared.last.changes.items():
        if changes:
            lines += ["", f"## {TITLES[kind]} ({len(changes)})", ""]
            lines += [f"- `{change.name}/{change.id}` {change.row['level']}: {_from_to(change)}" for change in changes]
    return "\n".join(lines) + "\n"


def html(compared: Compared) -> str:
    """A page, as self-contained as that of a verification."""
    return page.render(
        "comparison.html",
        compared=compared,
        changes={TITLES[kind]: (kind, found) for kind, found in compared.last.changes.items() if found},
        conclusion=_conclusion(compared.last),
        line=_points(compared.steps),
        highest=max(step.failed + step.warned for step in compared.steps),
        counted=counted,
        OUTCOMES=OUTCOMES,
        VERDICTS=VERDICTS,
    )


FACES: dict[str, Callable[[Compared], str]] = {".html": html, ".md": markdown, ".txt": text}
"""Which file name gets which face."""


def _lines(kind: str, change: Change) -> Iterator[str]:
    yield f"  {change.name}/{change.id}  {change.row['level']}: {_from_to(change)}"
    if kind not in QUIET and kind != "fixed":
        why = one_line(block(change.why))
        yield f"    {why}" if len(why) <= NAMES - 4 else f"    {why[: NAMES - 5]}…"


def _from_to(change: Change) -> str:
    words = (OUTCOMES[outcome][0] if outcome else "none" for outcome in (change.before, change.after))
    before, after = words
    return before if before == after else f"{before} → {after}"


def _conclusion(comparison: Comparison) -> str:
    found = ", ".join(
        f"{len(changes)} {TITLES[kind].lower()}" for kind, changes in comparison.changes.items() if changes
    )
    return f"{found or 'nothing changed'}; {comparison.same} as before."


def _next(comparison: Comparison) -> list[str]:
    broken = comparison.changes["broken"] or comparison.changes["failing"]
    return [f"next: chatproof explain {broken[0].id}"] if broken else []


def _trend(compared: Compared) -> Iterator[str]:
    """A line per report, a curve of what failed, and the requirements that were not always the same."""
    steps = compared.steps
    width = max(len(one_line(step.label)) for step in steps)
    for step in steps:
        sign = VERDICTS[step.verdict][0]
        numbers = f"{step.failed:4} fail {step.warned:4} warn {step.kept[0]:5} of {step.kept[1]} MUSTs kept"
        yield f"{sign} {one_line(step.label):<{min(width, 30)}}  {step.started[:10]}{numbers}"
    yield f"failed: {spark([step.failed for step in steps])}"
    if compared.histories:
        yield ""
        yield f"Not the same in all ({len(compared.histories)}), oldest first"
    for name, id_, outcomes in compared.histories:
        signs = "".join(OUTCOMES[outcome][1] if outcome else ABSENT for outcome in outcomes)
        yield f"  {signs}  {name}/{id_}"
    yield ""


def spark(numbers: list[int]) -> str:
    """Numbers as a line of blocks; 0 is the lowest, and only 0."""
    most = max(numbers, default=0)
    return "".join(BLOCKS[0 if n == 0 else max(1, round(n / most * (len(BLOCKS) - 1)))] for n in numbers)


def _points(steps: list[Step]) -> str:
    """The curve of what failed or warned, as points of a polyline, 1000 wide and 100 high."""
    most = max(max(step.failed + step.warned for step in steps), 1)
    gap = 1000 / max(len(steps) - 1, 1)
    return " ".join(f"{n * gap:.1f},{100 - (s.failed + s.warned) / most * 96 - 2:.1f}" for n, s in enumerate(steps))
