from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.markdown import render

Json = dict[str, Any]
Make = Callable[..., Json]
GITHUB_TAKES = 65_536
"""Characters of one comment."""


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


def test_a_statement_calls_nobody(run: Make, row: Make) -> None:
    text = render(run([row("fail", statement="ask @everyone about #12, `@code`")]))
    assert "ask @&#8203;everyone about #&#8203;12, `@code`" in text
    assert "@everyone" not in text


def test_a_reading_does_not_become_markup(run: Make, row: Make) -> None:
    text = render(run([row("pass"), row("observed", findings=[], reason="<img> [x](y) `q`")]))
    assert "\\<img\\> \\[x\\](y) \\`q\\`" in text


@pytest.mark.slow
@pytest.mark.parametrize("failures", [1, 30, 100, 3_000])
def test_a_summary_fits_into_a_comment_and_says_what_it_leaves_out(
    failures: int, run: Make, row: Make, finding: Make
) -> None:
    failed = [row("fail", f"stream/case-{n}", findings=[finding(got="x" * 5_000)] * 9) for n in range(failures)]
    text = render(run([*failed, row("skipped", "a/left")]))
    assert len(text) <= GITHUB_TAKES
    assert "# ✕ chatproof: nonconformant" in text
    assert "stream/case-0" in text
    assert ("shortened to fit" in text) == (failures > 1)
    assert failures < 100 or "more of these; the JSON and HTML reports have their proof:" in text
    assert failures > 1 or "4 more findings" in text


@pytest.mark.slow
def test_what_broke_is_named_and_proved_before_what_did_not(several: Json) -> None:
    text = render(several)
    assert len(text) <= GITHUB_TAKES
    assert text.index("## Failures") < text.index("<details>")
    for run in several["runs"]:
        for row in run["requirements"]:
            assert row["outcome"] != "fail" or f"`{row['id']}`" in text


def test_a_small_report_is_told_whole(run: Make) -> None:
    text = render(run())
    assert "shortened to fit" not in text
    assert text.count("<details>") == text.count("</details>") == 3
