from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.scorecard import WIDTH, render

Json = dict[str, Any]
Make = Callable[..., Json]


def test_a_line_per_family_counts_its_outcomes(run: Make, row: Make) -> None:
    rows = [row("pass", "auth/one"), row("pass", "auth/two"), row("fail", "sse/three"), row("untestable", "sse/four")]
    lines = [line.split() for line in render(run(rows)).splitlines()]
    assert ["family", "pass", "fail", "untestable"] in lines
    assert ["auth", "2", "·", "·"] in lines
    assert ["sse", "·", "1", "1"] in lines
    assert ["all", "2", "1", "1"] in lines


def test_the_last_lines_are_the_verdicts(several: Json) -> None:
    several["runs"][1].update(verdict="incomplete", reason="the target went away")
    last = render(several).splitlines()[-5:]
    assert [line.split(":")[0] for line in last] == ["✕ guide", "≈ reference", "✕ rest", "✕ slug", "✕ all 4 dialects"]
    assert "incomplete (the target went away)" in last[1]
    total = {outcome: sum(run["summary"][outcome] for run in several["runs"]) for outcome in ("fail", "untestable")}
    assert f"{total['fail']} fail" in last[-1]
    assert f"{total['untestable']} untestable" in last[-1]


def test_the_untestable_are_not_counted_as_decided(run: Make, row: Make) -> None:
    text = render(run([row("pass"), row("untestable"), row("observed")]))
    assert text.endswith(
        "✓ guide: conformant. 1 of 3 requirements decided: 1 pass, 0 fail, 1 observed, 1 untestable.\n"
    )


def test_one_reason_is_given_once(run: Make, row: Make) -> None:
    rows = [row("not_verified", f"{name}/case-{n}", reason="needs a key") for name in ("auth", "sse") for n in range(4)]
    text = render(run([row("pass"), *rows]))
    assert text.count("needs a key") == 1
    assert "8 not verified needs a key [auth 4, sse 4]" in text
    assert "auth/case-3" in render(run([row("pass"), *rows]), verbose=True)


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_no_line_is_wider_than_asked_but_commands_and_verdicts(width: int, run: Make) -> None:
    for line in render(run(), width=width).splitlines():
        copied = line.lstrip().startswith(("curl", "bytes", "✕ guide"))
        assert copied or len(line) <= width, line


def test_it_is_as_wide_as_a_pipe_unless_told(run: Make) -> None:
    assert render(run()) == render(run(), width=WIDTH)


def test_commands_and_hex_dumps_are_not_broken(run: Make, row: Make, finding: Make) -> None:
    command = "curl " + "-H 'X-Long: yes' " * 20
    dump = "\n".join(f"{n:08x}  {'64 ' * 16}" for n in range(3)).rstrip()
    text = render(run([row("fail", findings=[finding(curl=command.strip(), window=dump)])]), width=60)
    assert command.strip() in text
    assert re.sub(r"(?m)^ +(bytes)? +", "", text).count("64 64 64") == 3 * 5


def test_colour_only_repeats_the_words(run: Make) -> None:
    plain, colored = render(run()), render(run(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in colored
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_findings_that_say_the_same_are_told_once(run: Make, row: Make, finding: Make) -> None:
    alike = [finding(got="none", exchange=f"ex-000{number}", offset=None) for number in (1, 2, 3)]
    text = render(run([row("warn", findings=[*alike[:2], finding(got="another"), alike[2]])]))
    assert text.count("got       none") == 1
    assert text.count("got       another") == 1
    assert "and 2 more like it: ex-0002, ex-0003" in text
    assert "more like it" not in render(run([row("warn", findings=[finding()])]))
