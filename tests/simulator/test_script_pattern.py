"""Regular expressions of scripts: Python's language, and an end to every search."""

from __future__ import annotations

import re
import time

import pytest

from chatproof.simulator.script.pattern import LONGEST_S, BadPattern, TooLong, pattern

from .scripted import checked, shop, told
from .test_script_play import ask, at_desk

FOR_EVER = r"(x+x+)+y"
TAKES_LONG = "x" * 5_000


@pytest.mark.slow
def test_a_search_ends() -> None:
    found = pattern(FOR_EVER, False, "s.yaml:1:2")
    before = time.process_time()
    with pytest.raises(TooLong, match=r"searched a message of 5000 characters for more than 0\.1 s"):
        found.search(TAKES_LONG)
    assert time.process_time() - before < 100 * LONGEST_S
    assert found.search("xxxy")


@pytest.mark.slow
def test_an_answer_says_that_a_search_took_too_long_and_the_next_is_answered() -> None:
    desk = at_desk(shop(f"start:\n  - {{when: {{regex: '{FOR_EVER}'}}, say: fits}}\n  - else: {{say: else}}"), "guide")
    said = desk.chat("guide", TAKES_LONG, agent="shop", session="s", stream=False)
    assert said.status == 500
    assert "s.yaml:6:26: its regular expression searched" in said.json["detail"]
    assert said.headers["x-chatproof-note"].startswith("script error at s.yaml:6:26: its regular expression")
    assert "for more than 0.1 s" in said.plan.said
    assert ask(desk, "an xxy") == "fits"
    assert desk.backend.realms["guide"].sessions.all_living(0.0)[0][1].said == ["an xxy"]


@pytest.mark.slow
def test_check_ends_too() -> None:
    rules = (
        f"start:\n  - {{when: {{regex: '{FOR_EVER}'}}, say: fits}}\n  - {{when: {{exact: '{TAKES_LONG}'}}, say: else}}"
    )
    script = "script: 1\nagents:\n  shop:\n    turns:\n" + "".join(f"      {line}\n" for line in rules.split("\n"))
    assert [row.partition(":")[2].partition(" ")[2] for row in told(checked(script))] == [
        "warning: a repeated group repeats something: some messages will take this expression too long, and are answered 500"
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"a{e<=1}b", "a{e<=1}b"), (r"{id}", "an {id}"), (r"x{2}y{1,}z{,3}", "xxyz"), (r"\{a\}", "{a}"), (r"[{]d{2}", "{dd"),
        (r"\N{DIGIT ONE}{2}", "11"), (r"(?P<n>\d+)(?=\s)", "12 "), (r"\bor(?:der)?\b", "my ORDER"), (r"(?i:A)b", "ab"), (r"a{", "a{"),
    ],
)  # fmt: skip
def test_the_language_is_that_of_python(source: str, text: str) -> None:
    wanted = re.search(source, text, re.IGNORECASE)
    found = pattern(source, False, "").search(text)
    assert wanted is not None
    assert found is not None
    assert (found[0], found.span(), found.groupdict()) == (wanted[0], wanted.span(), wanted.groupdict())
    assert pattern(source, False, "").search("nothing of it") is None


@pytest.mark.parametrize("source", ["(", "[a", r"\L<x>", "(?<n>a)", "a**", "(?P<n>a)(?P<n>b)"])
def test_what_python_refuses_is_refused(source: str) -> None:
    with pytest.raises(BadPattern, match=r"is not a regular expression: .* at character"):
        pattern(source, True, "")
