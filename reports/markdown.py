"""A summary in GitHub-flavoured Markdown, for the page of a CI job: verdicts, what broke, what was left open, everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

DETAILED = 40
"""Failures and warnings shown in full: a job's page holds a megabyte at most."""

FINDINGS = 5
"""Findings shown per requirement."""

VALUE = 1_000
"""Characters shown of one value."""

BAR = re.compile(r"(?<!\\)\|")
SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")


def render(result: Result) -> str:
    """The report as Markdown."""
    verdict = overall(result)
    lines = [
        f"# {VERDICTS[verdict][0]} chatproof: {verdict}",
        "",
        *_verdicts(result),
        *_broken(result),
        *_observed(result),
    ]
    return "\n".join([*lines, *_open(result), *_everything(result)]) + "\n"


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


def _broken(result: Result) -> Iterator[str]:
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
        for run, row in found[:DETAILED]:
            where = f"{_md(run['dialect'])}: " if several else ""
            yield f"\n### {OUTCOMES[outcome][1]} {where}{_code(row['id'])}\n"
            yield f"{row['level']}: {_prose(row['statement'])} ({_md(citation(row))})"
            yield from _findings(row)
        if len(found) > DETAILED:
            yield f"\n{len(found) - DETAILED} more of these; the JSON and HTML reports have them."


def _findings(row: Row) -> Iterator[str]:
    if row["reason"]:
        yield f"\nReason: {_prose(row['reason'])}"
    for finding in islice(row["findings"], FINDINGS):
        where = place(finding)
        account = "\n".join(f"{name:9} {finding[name]}" for name in ("expected", "got"))
        window = f"\n\n{finding['window']}" if finding["window"] else ""
        yield f"\nAt {_md(where)}:\n" if where else ""
        yield _fence(account + window, "text")
        if finding["curl"]:
            yield _fence(finding["curl"], "sh")
    if len(row["findings"]) > FINDINGS:
        yield f"\n{len(row['findings']) - FINDINGS} more findings; the JSON and HTML reports have them."


def _observed(result: Result) -> Iterator[str]:
    found = [(run, row) for run, row in rows(result) if row["outcome"] == "observed"]
    if found:
        yield "\n## Observed where the documents are silent or contested\n"
    for run, row in found:
        ruling = f" ({row['ambiguity']})" if row["ambiguity"] else ""
        yield f"- {_md(run['dialect'])} {_code(row['id'])}{ruling}: {_md(reading(row))}"


def _open(result: Result) -> Iterator[str]:
    groups = [(run, key, found) for run in runs(result) for key, found in by_reason(run).items()]
    if groups:
        yield "\n## Left open, and why\n"
    for run, (outcome, reason), found in groups:
        names = ", ".join(_code(row["id"]) for row in found)
        yield f"- {_md(run['dialect'])}, {OUTCOMES[outcome][0]}: {_prose(reason)}: {names}"


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
    return SPECIAL.sub(r"\\\1", one_line(text))


def _prose(text: str) -> str:
    """As ``_md``, with the text's own code spans kept."""
    parts = CODE.split(one_line(text))
    return "".join(_code(part) if index % 2 else SPECIAL.sub(r"\\\1", part) for index, part in enumerate(parts))


def _code(text: str) -> str:
    """An inline code span."""
    text = one_line(text)
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fence(text: str, language: str) -> str:
    """A code block whose content cannot close it."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{block(text, VALUE)}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
