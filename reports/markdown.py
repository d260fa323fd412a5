"""A summary in GitHub-flavoured Markdown, for a pull request: verdicts, what broke, then folded what was left open and everything.

It always fits into a comment: what would make it too long is told with less detail, and what is left out is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import islice

from .result import (
    OUTCOMES,
    VERDICTS,
    Result,
    Row,
    by_reason,
    citation,
    counts_in_words,
    decided,
    occurring,
    of_outcome,
    overall,
    place,
    reading,
    rows,
    runs,
    tally,
)
from .text import CODE, block, counted, one_line

LONGEST = 65_536
"""Characters that GitHub takes in one comment."""


@dataclass(frozen=True)
class Detail:
    """How much is told: requirements of one outcome in full, findings of each, characters of one value, and the long lists."""

    rows: int
    findings: int
    value: int
    lists: bool


DETAILS = (
    Detail(40, 5, 1_000, True), Detail(40, 5, 1_000, False), Detail(40, 2, 400, False), Detail(25, 1, 250, False),
    Detail(10, 1, 120, False), Detail(3, 1, 60, False), Detail(0, 0, 0, False),
)  # fmt: skip
"""The first that fits is taken."""
LESS = "This summary was shortened to fit; the JSON and HTML reports have everything."

BAR = re.compile(r"(?<!\\)\|")
SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
SUMMONS = re.compile(r"([@#])(?=\w)")
"""What forges take for a person or an issue, wherever it stands in a text; a space of no width behind the sign shows the same and calls nobody."""


def render(result: Result) -> str:
    """The report as Markdown, ``LONGEST`` characters at most."""
    texts = (_told(result, detail) for detail in DETAILS)
    text = next((text for text in texts if len(text) <= LONGEST), None)
    if text is None:
        text = _told(result, DETAILS[-1])
        text = text[: LONGEST - len(LESS) - 2].rpartition("\n")[0] + f"\n\n{LESS}\n"
    return text


def _told(result: Result, detail: Detail) -> str:
    verdict = overall(result)
    lines = [
        f"# {VERDICTS[verdict][0]} chatproof: {verdict}",
        "",
        *_verdicts(result),
        *([] if detail == DETAILS[0] else [f"\n{LESS}"]),
        *_broken(result, detail),
    ]
    if detail.rows:
        lines += [*_observed(result), *_open(result, detail)]
    return "\n".join([*lines, *(_everything(result) if detail.lists else [])]) + "\n"


def _verdicts(result: Result) -> Iterator[str]:
    all_runs = runs(result)
    total = tally(row for _, row in rows(result))
    shown = occurring(total)
    yield _cells(["dialect", "verdict", *(OUTCOMES[outcome][0] for outcome in shown), "requests", "seconds"])
    yield _cells(["---", "---", *["---:"] * (len(shown) + 2)])
    for run in all_runs:
        counts = tally(run["requirements"])
        numbers = [str(counts[outcome]) for outcome in shown]
        yield _cells(
            [_md(run["dialect"]), f"**{run['verdict']}**", *numbers, str(run["requests"]), f"{run['duration_s']:.1f}"]
        )
    for run in all_runs:
        if run["reason"]:
            yield f"\n**{_md(run['dialect'])}** is {run['verdict']}: {_prose(run['reason'])}"
    targets = dict.fromkeys(_code(run["target"]) for run in all_runs)
    yield f"\nTarget {', '.join(targets)}. {decided(total)} of {counted(sum(total.values()), 'requirement')} decided."


def _broken(result: Result, detail: Detail) -> Iterator[str]:
    several = len(runs(result)) > 1
    for outcome, title in {
        "fail": "Failures",
        "error": "Errors of the verification itself",
        "warn": "Warnings",
    }.items():
        found = [(run, row) for run, row in rows(result) if row["outcome"] == outcome]
        if not found:
            continue
        yield f"\n## {title}"
        for run, row in found[: detail.rows]:
            where = f"{_md(run['dialect'])}: " if several else ""
            yield f"\n### {OUTCOMES[outcome][1]} {where}{_code(row['id'])}\n"
            yield f"{row['level']}: {_prose(row['statement'])} ({_md(citation(row))})"
            yield from _findings(row, detail)
        if len(found) > detail.rows:
            yield f"\n{len(found) - detail.rows} more of these; the JSON and HTML reports have their proof:"
            yield ""
            yield from (f"- {_md(run['dialect'])} {_code(row['id'])}" for run, row in found[detail.rows :])


def _findings(row: Row, detail: Detail) -> Iterator[str]:
    if row["reason"]:
        yield f"\nReason: {_prose(row['reason'])}"
    for finding in islice(row["findings"], detail.findings):
        where = place(finding)
        account = "\n".join(f"{name:9} {finding[name]}" for name in ("expected", "got"))
        window = f"\n\n{finding['window']}" if finding["window"] else ""
        yield f"\nAt {_md(where)}:\n" if where else ""
        yield _fence(account + window, "text", detail.value)
        if finding["curl"]:
            yield _fence(finding["curl"], "sh", detail.value)
    if len(row["findings"]) > detail.findings:
        yield f"\n{len(row['findings']) - detail.findings} more findings; the JSON and HTML reports have them."


def _observed(result: Result) -> Iterator[str]:
    found = [(run, row) for run, row in rows(result) if row["outcome"] == "observed"]
    if not found:
        return
    yield f"\n<details><summary>Observed where the documents are silent or contested ({len(found)})</summary>\n"
    for run, row in found:
        ruling = f" ({row['ambiguity']})" if row["ambiguity"] else ""
        yield f"- {_md(run['dialect'])} {_code(row['id'])}{ruling}: {_md(reading(row))}"
    yield "\n</details>"


def _open(result: Result, detail: Detail) -> Iterator[str]:
    """Why requirements were left open, once per reason; with less detail the reasons alone."""
    groups = [(run, key, found) for run in runs(result) for key, found in by_reason(run).items()]
    if not groups:
        return
    yield f"\n<details><summary>Left open, and why ({sum(len(found) for _, _, found in groups)})</summary>\n"
    for run, (outcome, reason), found in groups:
        names = ", ".join(_code(row["id"]) for row in found) if detail.lists else str(len(found))
        yield f"- {_md(run['dialect'])}, {OUTCOMES[outcome][0]}: {_prose(reason)}: {names}"
    yield "\n</details>"


def _everything(result: Result) -> Iterator[str]:
    for run in runs(result):
        yield f"\n<details><summary>{escape(one_line(run['dialect']))}: every requirement "
        yield f"({counts_in_words(tally(run['requirements']))})</summary>\n"
        yield _cells(["outcome", "level", "requirement", "statement"])
        yield _cells(["---"] * 4)
        for row in of_outcome(run, *OUTCOMES):
            sign = f"{OUTCOMES[row['outcome']][1]} {OUTCOMES[row['outcome']][0]}"
            yield _cells([sign, row["level"], _code(row["id"]), _prose(row["statement"])])
        yield "\n</details>"


def _cells(cells: list[str]) -> str:
    """A row of a table; a bar inside a cell is escaped, in code as well."""
    escaped = [BAR.sub(r"\\|", cell) for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _md(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _shown(one_line(text))


def _prose(text: str) -> str:
    """As ``_md``, with the text's own code spans kept."""
    parts = CODE.split(one_line(text))
    return "".join(_code(part) if index % 2 else _shown(part) for index, part in enumerate(parts))


def _shown(text: str) -> str:
    return SUMMONS.sub(r"\1&#8203;", SPECIAL.sub(r"\\\1", text))


def _code(text: str) -> str:
    """An inline code span."""
    text = one_line(text)
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fence(text: str, language: str, value: int) -> str:
    """A code block whose content cannot close it."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{block(text, value)}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
