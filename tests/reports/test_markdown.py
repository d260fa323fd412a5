from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.markdown import DETAILED, FINDINGS, render

Json = dict[str, Any]
Make = Callable[..., Json]


def test_the_table_counts_each_dialect(several: Json) -> None:
    lines = render(several).splitlines()
    header = next(line for line in lines if line.startswith("| dialect"))
    cells = [cell.strip() for cell in header.strip("|").split("|")]
    for run in several["runs"]:
        line = next(line for line in lines if line.startswith(f"| {run['dialect']} |"))
        found = dict(zip(cells, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        assert [found["pass"], found["fail"]] == [str(run["summary"]["pass"]), str(run["summary"]["fail"])]


def test_what_a_target_sent_cannot_close_its_code_block(run: Make, row: Make, finding: Make) -> None:
    text = render(run([row("fail", findings=[finding(got="```\n# Passed\n````")])]))
    lines = text.splitlines()
    start = lines.index("`````text")
    end = lines.index("`````", start)
    assert start < lines.index("# Passed") < end


def test_statements_do_not_become_markup(run: Make, row: Make) -> None:
    text = render(run([row("fail", statement="a | b <b> [x](y) *z* `q|<r>` and `")]))
    assert "a \\| b \\<b\\> \\[x\\](y) \\*z\\* `q|<r>` and \\`" in text
    (line,) = (line for line in text.splitlines() if line.startswith("| ✕ fail"))
    assert "`q\\|<r>`" in line
    assert len(re.findall(r"(?<!\\)\|", line)) == 5


def test_a_reading_does_not_become_markup(run: Make, row: Make) -> None:
    text = render(run([row("pass"), row("observed", findings=[], reason="<img> [x](y) `q`")]))
    assert "\\<img\\> \\[x\\](y) \\`q\\`" in text


@pytest.mark.slow
def test_a_page_stays_small_and_says_what_it_leaves_out(run: Make, row: Make, finding: Make) -> None:
    failed = [row("fail", f"stream/case-{n}", findings=[finding(got="x" * 100_000)] * 9) for n in range(DETAILED + 60)]
    text = render(run(failed))
    assert len(text) < 1_000_000
    assert "60 more of these; the JSON and HTML reports have them." in text
    assert f"{9 - FINDINGS} more findings" in text
    assert "more characters; the JSON report has them" in text
