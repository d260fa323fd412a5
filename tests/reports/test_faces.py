"""What every face owes its reader: all requirements, the proof of every failure, and no harm from what a target sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.reports import html, junit, markdown, scorecard
from chatproof.reports.result import OUTCOMES, runs

Json = dict[str, Any]
Make = Callable[..., Json]
Face = Callable[[Json], str]

HOSTILE = "<script>alert(1)</script> & ]]> --> ``` ```` </pre> | \x00\x1b[2J\x07 \u202e \ud800 \uffff \r\n \"'"


def full_scorecard(result: Json) -> str:
    return scorecard.render(result, verbose=True)


FACES: dict[str, Face] = {
    "scorecard": full_scorecard,
    "junit": junit.render,
    "markdown": markdown.render,
    "html": html.render,
}
every_face = pytest.mark.parametrize("face", FACES.values(), ids=FACES)


@pytest.mark.slow
@every_face
def test_every_requirement_appears(face: Face, several: Json) -> None:
    text = face(several)
    for run in runs(several):
        assert text.count(run["dialect"]) >= 1
        for row in run["requirements"]:
            name = row["id"].partition("/")[2] if face is junit.render else row["id"]
            assert name in text, row["id"]


@every_face
def test_a_failure_is_proved(face: Face, run: Make, row: Make, finding: Make) -> None:
    proof = {
        "expected": "expectation",
        "got": "gotten",
        "exchange": "ex-0042",
        "offset": 4711,
        "window": "00001260 64",
        "curl": "curl -N x",
    }
    failed = row("fail", statement="A statement of its own.", citation={"document": "a.txt", "section": "Limits"})
    text = face(run([{**failed, "findings": [finding(**proof)]}, row("pass")]))
    for part in ("stream/fail", "MUST", "A statement of its own.", "a.txt, Limits", *map(str, proof.values())):
        name = part.partition("/")[2] if face is junit.render and part == "stream/fail" else part
        assert name in text, part


@every_face
def test_a_reason_is_given_for_what_is_left_open(face: Face, run: Make) -> None:
    text = re.sub(r"\\(.)", r"\1", face(run()))
    for outcome in ("skipped", "not_verified", "inconclusive", "error", "untestable"):
        assert f"the reason it is {outcome}" in text, outcome


@every_face
def test_the_verdict_and_its_reason_are_said(face: Face, run: Make, row: Make) -> None:
    text = face(run([row("pass")], verdict="incomplete", reason="the target went away"))
    assert "incomplete" in text
    assert "the target went away" in text


@every_face
def test_a_face_is_the_same_every_time_and_leaves_the_report_alone(face: Face, run: Make) -> None:
    report = run()
    before = deepcopy(report)
    assert face(report) == face(report)
    assert report == before


def with_text(run: Make, row: Make, finding: Make, text: str) -> Json:
    """A report with ``text`` wherever a target or a user could have put it."""
    said = finding(expected=text, got=text, exchange=text, window=text, curl=text)
    failed = row("fail", statement=text, reason=text, findings=[said], citation={"document": text, "section": text})
    others = [row("warn", findings=[said]), row("observed", reason=text), row("error", reason=text)]
    left = [row("skipped", reason=text), row("observed", "stream/two", reason=None, findings=[said])]
    return run([failed, *others, *left], target=text, verdict="incomplete", reason=text)


@every_face
def test_hostile_text_is_only_ink(face: Face, run: Make, row: Make, finding: Make) -> None:
    text = face(with_text(run, row, finding, HOSTILE))
    text.encode("utf-8")
    assert not re.search(r"[^\n\t -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    assert "\u202e" not in text
    assert "\\ud800" in text


@every_face
def test_a_reading_is_told_and_so_is_a_may_that_is_not_kept(face: Face, run: Make, row: Make, finding: Make) -> None:
    told = row("observed", "stream/one", findings=[], reason="an unknown session is 404")
    may = row("observed", "stream/two", level="MAY", findings=[finding(got="no ping"), finding()], reason=None)
    text = face(run([row("pass"), told, may]))
    assert "an unknown session is 404" in text
    assert "no ping" in text


anything = st.text(st.characters(codec=None), min_size=1, max_size=60)
some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@some
@given(anything)
def test_any_text_survives_in_xml(run: Make, row: Make, finding: Make, text: str) -> None:
    root = ET.fromstring(junit.render(with_text(run, row, finding, text)))
    assert len(root.findall(".//testcase")) == 7


@pytest.mark.slow
@some
@given(anything)
def test_any_text_survives_in_a_terminal(run: Make, row: Make, finding: Make, text: str) -> None:
    shown = scorecard.render(with_text(run, row, finding, text))
    assert shown.replace("\n", "").isprintable()


def test_every_outcome_has_its_own_word() -> None:
    assert len({label for label, _, _ in OUTCOMES.values()}) == len(OUTCOMES)
