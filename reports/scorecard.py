"""The scorecard for a terminal, a pipe or a log: per dialect the proof of what broke, then a table; last, where one looks
first, what broke in a line each, what to type next, and the verdict.

Colour only repeats what the words say. Text from a target is made visible first, so that it cannot drive the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from .result import (
    OUTCOMES,
    VERDICTS,
    Result,
    Row,
    Run,
    Tone,
    by_family,
    by_reason,
    citation,
    counts_in_words,
    decided,
    family,
    folded,
    occurring,
    of_outcome,
    overall,
    place,
    reading,
    rows,
    runs,
    tally,
)
from .text import block, counted, one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH = 80
"""Columns where no width is given: a pipe, a file, a log."""

DETAILED = 10
"""Requirements of one outcome that are proved in full unless all are asked for; the rest have a line at the end."""

BROKEN = {"fail": "Failures", "error": "Errors of the verification itself", "warn": "Warnings"}
"""The outcomes that are proved, and their titles."""

KNOWN_BEFORE = "untestable"
"""The outcome that no target can change: counted, but explained only on request."""

STYLES: dict[Tone, str] = {"good": "green", "bad": "bold red", "caution": "yellow", "open": "blue", "quiet": "dim"}
LABEL = 12
"""Columns of the labels in front of a finding's parts."""


def render(result: Result, *, width: int | None = None, color: bool = False, verbose: bool = False) -> str:
    """The report as text, ``width`` columns wide (80 if ``None``, with verdicts on one line for grep); commands are never broken.

    ``color`` adds ANSI colours, for a terminal only. ``verbose`` also proves every failure, lists every requirement with its
    outcome, and names the requirements behind each reason instead of counting them by family.
    """
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out,
        width=width or WIDTH,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for run in runs(result):
        _run(console, run, verbose)
    _brief(console, result)
    _conclusion(console, result, whole_lines=width is None)
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text.strip("\n") + "\n"


def _run(console: Console, run: Run, verbose: bool) -> None:
    seed = "" if run["seed"] is None else f", seed {run['seed']}"
    facts = f"{counted(run['requests'], 'request')} in {run['duration_s']:.1f} s{seed}, {run['started']}"
    console.print()
    console.print(_text(one_line(run["dialect"]), "bold"), _text(one_line(run["target"])))
    console.print(_text(one_line(facts), "dim"))
    if not verbose and not decided(tally(run["requirements"])):
        return
    for outcome, title in BROKEN.items():
        _details(console, run, outcome, title, verbose)
    console.print(_table(run))
    if verbose:
        _listing(console, run)
    _observed(console, run)
    _left_open(console, run, verbose)


def _table(run: Run) -> RenderableType:
    """One line per family, one column per outcome that occurs."""
    from rich import box
    from rich.table import Table

    total = tally(run["requirements"])
    shown = occurring(total)
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, padding=0)
    table.add_column("family", footer="all", overflow="fold", min_width=8)
    for outcome in shown:
        table.add_column(_text(OUTCOMES[outcome][0]), footer=_count(outcome, total[outcome]), justify="right")
    for name, found in by_family(run).items():
        counts = tally(found)
        table.add_row(_text(one_line(name)), *(_count(outcome, counts[outcome]) for outcome in shown))
    return table


def _count(outcome: str, number: int) -> Text:
    return _text(str(number), STYLES[OUTCOMES[outcome][2]]) if number else _text("·", "dim")


def _listing(console: Console, run: Run) -> None:
    grid = _grid(max(len(label) for label, _, _ in OUTCOMES.values()) + 2)
    for row in of_outcome(run, *OUTCOMES):
        grid.add_row(_outcome(row), _text(one_line(f"{row['id']} {row['level']}: {row['statement']}")))
    console.print(grid)
    console.print()


def _details(console: Console, run: Run, outcome: str, title: str, verbose: bool) -> None:
    """The requirements with that outcome in full, or the first of many."""
    found = of_outcome(run, outcome)
    if not found:
        return
    shown = found if verbose else found[:DETAILED]
    console.print()
    console.print(_text(f"{title} ({len(found)})", "bold"))
    for row in shown:
        console.print()
        console.print(_outcome(row), _text(one_line(row["id"]), "bold"), _text(row["level"]))
        parts = {"": row["statement"], "source": citation(row), "ruling": row["ambiguity"], "reason": row["reason"]}
        console.print(_labelled({name: one_line(text) for name, text in parts.items() if text}))
        for first, *others in folded(row).values():
            _finding(console, first)
            if others:
                console.print(
                    _text(f"  and {len(others)} more like it: {one_line(', '.join(map(place, others)))}", "dim")
                )
    if len(found) > len(shown):
        console.print()
        console.print(_text(f"{len(found) - len(shown)} more, below in a line each; -v proves them all", "dim"))


def _finding(console: Console, finding: Mapping[str, Any]) -> None:
    parts = {"expected": finding["expected"], "got": finding["got"], "where": place(finding)}
    console.print()
    console.print(_labelled({name: block(text) for name, text in parts.items() if text or name != "where"}))
    for label, text in (("bytes", finding["window"]), ("curl", finding["curl"])):
        if text:
            _unbroken(console, label, block(text))


def _unbroken(console: Console, label: str, text: str) -> None:
    """Text that is read in columns or copied: its lines are never wrapped; more than one stand below their label."""
    lines = text.split("\n")
    if len(lines) == 1:
        console.print(_text(f"  {label:{LABEL - 2}}", "dim") + text, soft_wrap=True)
        return
    console.print(_text(f"  {label}", "dim"))
    for line in lines:
        console.print(_text(f"    {line}"), soft_wrap=True)


def _observed(console: Console, run: Run) -> None:
    found = of_outcome(run, "observed")
    if not found:
        return
    console.print(_text(f"Observed where the documents are silent or contested ({len(found)})", "bold"))
    for row in found:
        ruling = f" ({row['ambiguity']})" if row["ambiguity"] else ""
        console.print(_hanging(_outcome(row), f"{row['id']}{ruling}: {reading(row)}"))
    console.print()


def _left_open(console: Console, run: Run, verbose: bool) -> None:
    """Why requirements were not decided: one line per reason."""
    groups = by_reason(run)
    if not groups:
        return
    console.print(_text(f"Left open, and why ({sum(map(len, groups.values()))})", "bold"))
    known = {group: groups.pop(group) for group in list(groups) if group[0] == KNOWN_BEFORE and not verbose}
    for (outcome, reason), found in groups.items():
        if verbose or len(found) <= 3:
            names = ", ".join(row["id"] for row in found)
        else:
            names = ", ".join(f"{name} {number}" for name, number in _families(found))
        label, _, tone = OUTCOMES[outcome]
        console.print(_hanging(_text(f"{len(found):4} {label}", STYLES[tone]), f"{reason} [{names}]"))
    if known:
        number = sum(map(len, known.values()))
        console.print(_text(f"{number:4} {OUTCOMES[KNOWN_BEFORE][0]}, whatever the target does; -v tells why", "dim"))
    console.print()


def _families(found: list[Row]) -> Iterator[tuple[str, int]]:
    names = [family(row) for row in found]
    return ((name, names.count(name)) for name in dict.fromkeys(names))


def _brief(console: Console, result: Result) -> None:
    """What broke in a line each, cut to fit, and the command that says more of the first."""
    several = len(runs(result)) > 1
    found = [(run, row) for outcome in BROKEN for run in runs(result) for row in of_outcome(run, outcome)]
    for run, row in found:
        label, sign, tone = OUTCOMES[row["outcome"]]
        name = f"{run['dialect']}: {row['id']}" if several else row["id"]
        line = _text(one_line(f"{sign} {label} {name}: {_why(row)}"), STYLES[tone])
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)
    if found:
        console.print(_text("next: ", "dim") + f"chatproof explain {found[0][1]['id']}")
        console.print()


def _why(row: Row) -> str:
    """Where, what came, and instead of what; or the reason."""
    if not row["findings"]:
        return str(row["reason"])
    first = row["findings"][0]
    at = f" at byte {first['offset']}" if first["offset"] is not None else ""
    return f"got {first['got']}{at if 'byte' not in first['got'] else ''}, expected {first['expected']}"


def _conclusion(console: Console, result: Result, *, whole_lines: bool) -> None:
    """A line per dialect, and one over all."""
    every = runs(result)
    for run in every:
        line = _verdict(one_line(run["dialect"]), run["verdict"], tally(run["requirements"]), run["reason"])
        console.print(line, soft_wrap=whole_lines)
    if len(every) > 1:
        total = tally(row for _, row in rows(result))
        console.print(_verdict(f"all {len(every)} dialects", overall(result), total, None), soft_wrap=whole_lines)


def _verdict(name: str, verdict: str, counts: Mapping[str, int], reason: str | None) -> Text:
    """``guide: nonconformant, 60 of 80 requirements decided: 58 pass, 2 fail…``"""
    sign, tone = VERDICTS[verdict]
    why = f" ({one_line(reason)})" if reason else ""
    numbers = f"{decided(counts)} of {counted(sum(counts.values()), 'requirement')} decided: {counts_in_words(counts)}"
    return _text(f"{sign} {name}: {verdict}{why}", f"bold {STYLES[tone]}") + f". {numbers}."


def _outcome(row: Row) -> Text:
    label, sign, tone = OUTCOMES[row["outcome"]]
    return _text(f"{sign} {label}", STYLES[tone])


def _hanging(first: Text, text: str) -> RenderableType:
    grid = _grid(max(len(label) for label, _, _ in OUTCOMES.values()) + 6)
    grid.add_row(first, _text(one_line(text)))
    return grid


def _labelled(parts: Mapping[str, str]) -> RenderableType:
    grid = _grid(LABEL)
    for label, text in parts.items():
        grid.add_row(_text(f"  {label}", "dim"), _text(text))
    return grid


def _grid(first: int) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=0)
    grid.add_column(width=first)
    grid.add_column(overflow="fold")
    return grid


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style)
