from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.scorecard import DETAILED, WIDTH, render

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
def test_no_line_is_wider_than_asked_but_commands(width: int, run: Make) -> None:
    for line in render(run(), width=width).splitlines():
        copied = line.lstrip().startswith(("curl", "bytes"))
        assert copied or len(line) <= width, line


def test_a_hex_dump_fits_eighty_columns(run: Make, row: Make, finding: Make) -> None:
    dump = "\n".join(f"{n:06x}  {'64 ' * 16} {'d' * 16}" for n in range(3))
    text = render(run([row("fail", findings=[finding(window=dump)])]))
    lines = text.splitlines()
    at = lines.index("  bytes")
    assert [line.strip() for line in lines[at + 1 : at + 4]] == dump.splitlines()
    assert max(len(line) for line in lines[at : at + 4]) <= 80


def test_what_broke_is_told_last_in_a_line_each_with_the_next_command(run: Make, row: Make, finding: Make) -> None:
    rows = [row("warn"), row("pass"), row("error"), row("fail", findings=[finding(got="x" * 200, offset=7)])]
    *_, fail, error, warn, follow, _, _ = render(run(rows)).splitlines()
    assert fail.startswith("✕ fail stream/fail: got xxxx")
    assert (len(fail), fail[-1]) == (80, "…")
    assert error == "‼ error stream/error: the reason it is error"
    assert warn.startswith("! warn stream/warn: got data: ")
    assert follow == "next: chatproof explain stream/fail"
    assert "next:" not in render(run([row("pass")]))


def test_of_many_failures_the_first_are_proved_and_all_are_named(run: Make, row: Make) -> None:
    rows = [row("fail", f"stream/case-{n}") for n in range(DETAILED + 3)]
    text = render(run(rows))
    assert text.count("\n  expected") == DETAILED
    assert "3 more, below in a line each; -v proves them all" in text
    assert all(f"✕ fail stream/case-{n}: " in text for n in range(DETAILED + 3))
    assert render(run(rows), verbose=True).count("\n  expected") == DETAILED + 3


def test_it_is_as_wide_as_a_pipe_unless_told(run: Make) -> None:
    """But for the verdicts, which stay whole for grep."""
    piped, shown = render(run()), render(run(), width=WIDTH)
    assert piped.partition("next: ")[0] == shown.partition("next: ")[0]
    assert " ".join(piped.split()) == " ".join(shown.split())


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
