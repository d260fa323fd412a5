"""From evidence to outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance.check import (
    CHECKS,
    Check,
    Finding,
    Note,
    Reading,
    StepMissing,
    Steps,
    StrayLimit,
    Unclear,
    Unverified,
    each,
    of,
)
from chatproof.conformance.exchange import Exchange
from chatproof.conformance.judge import MOST_FINDINGS, Absent, Evidence, Judged, choose, judge, verdict
from chatproof.conformance.seen import Seen
from chatproof.conformance.transcript import Transcript
from chatproof.spec import Citation, Requirement, dialect

from .recorded import exchange, known, response, see, stream

GUIDE = dialect("guide")
ROW = Requirement("a/b", "MUST", "It is so", Citation("guide.txt", "X"), "stated", check="test_judge.said")
OK = response(body={"response": "x", "session_id": "s"})


@pytest.fixture
def said() -> Iterator[list[Note]]:
    """A check over the scenario ``talk`` that says these notes; another over every reply, ``every``."""
    notes: list[Note] = []

    def steps(_: Steps) -> Iterator[Note]:
        """As the test says."""
        yield from notes

    def one(_: Seen) -> Iterator[Note]:
        """As the test says."""
        yield from notes

    of("talk", control="good", name="said")(steps)
    each("replies", name="every")(one)
    each("streams", legible=True, name="legible")(one)
    yield notes
    for name in ("said", "every", "legible"):
        del CHECKS[f"test_judge.{name}"]


def evidence(*raw: bytes, scenario: str = "talk", **more: Any) -> Evidence:
    steps = ("good", *(f"step-{number}" for number in range(1, len(raw))))
    exchanges = tuple(exchange(one, step=step) for one, step in zip(raw, steps, strict=True))
    return Evidence(GUIDE, known(**more), [Transcript(scenario, exchanges)])


def outcome(row: Requirement, seen: Evidence) -> Judged:
    (judged,) = judge([row], seen)
    return judged


FINDING = Finding("this", "that")


@pytest.mark.parametrize(
    ("notes", "level", "wanted", "reason"),
    [
        ([], "MUST", "pass", None),
        ([FINDING], "MUST", "fail", None),
        ([FINDING], "SHOULD", "warn", None),
        ([FINDING], "MAY", "observed", None),
        ([Unclear("fog"), FINDING, Unverified("none")], "MUST", "fail", None),
        ([Unclear("fog"), Unverified("none"), Unclear("fog")], "MUST", "inconclusive", "fog"),
        ([Unverified("none"), Reading("a", "it is a")], "MUST", "not_verified", "none"),
        (
            [Reading("a", "it is a"), Reading("b", "it is b"), Reading("a", "it is a")],
            "MAY",
            "observed",
            "it is a; it is b",
        ),
        ([FINDING] * MOST_FINDINGS, "MUST", "fail", None),
        ([FINDING] * (MOST_FINDINGS + 2), "MUST", "fail", "and 2 more findings of this kind"),
    ],
)
def test_notes_become_an_outcome(
    said: list[Note], notes: list[Note], level: Any, wanted: str, reason: str | None
) -> None:
    said += notes
    judged = outcome(replace(ROW, level=level), evidence(OK))
    assert (judged.outcome, judged.reason) == (wanted, reason)
    assert len(judged.findings) == min(sum(note is FINDING for note in notes), MOST_FINDINGS)


def test_a_refusal_proves_nothing_when_the_good_request_fails_too(said: list[Note]) -> None:
    said.append(FINDING)
    judged = outcome(ROW, evidence(response(500)))
    assert judged.outcome == "inconclusive"
    assert "was answered 500, so a refusal proves nothing" in (judged.reason or "")


def test_a_scenario_that_was_not_played(said: list[Note]) -> None:
    assert outcome(ROW, evidence(OK, scenario="other")).outcome == "not_verified"
    absent = replace(evidence(OK), absent={"talk": Absent("skipped", "not claimed")})
    assert (outcome(ROW, absent).outcome, outcome(ROW, absent).reason) == ("skipped", "not claimed")


@pytest.mark.parametrize(
    ("error", "wanted", "words"),
    [
        (StrayLimit("ask"), "inconclusive", "the target's own 429 got in the way of 'ask'"),
        (StepMissing("late"), "not_verified", "did not get as far as 'late'"),
        (ZeroDivisionError("x"), "error", "the check crashed: ZeroDivisionError: x"),
    ],
)
def test_what_breaks_a_check_is_no_verdict_on_the_target(error: Exception, wanted: str, words: str) -> None:
    def judge_steps(_: Steps) -> Iterator[Note]:
        raise error
        yield FINDING

    CHECKS["test_judge.raises"] = Check("test_judge.raises", "x", scenario="talk", judge_steps=judge_steps)
    try:
        judged = outcome(replace(ROW, check="test_judge.raises"), evidence(OK))
    finally:
        del CHECKS["test_judge.raises"]
    assert judged.outcome == wanted
    assert words in (judged.reason or "")


def test_a_row_without_a_check_says_why() -> None:
    untestable = replace(ROW, check=None, untestable="never")
    found = judge([untestable], evidence(OK))
    assert [(row.outcome, row.reason) for row in found] == [("untestable", "never")]


def test_over_every_exchange_of_a_kind(said: list[Note]) -> None:
    every = replace(ROW, check="test_judge.every")
    said.append(FINDING)
    assert len(outcome(every, evidence(OK, response(401), OK)).findings) == 2
    assert outcome(every, evidence(response(401))).reason == "no JSON reply that this is about came back"


def test_no_evidence_in_one_exchange_is_none_against_the_others(said: list[Note]) -> None:
    said.append(Unverified("nothing here"))
    assert outcome(replace(ROW, check="test_judge.every"), evidence(OK, OK)).outcome == "not_verified"


def test_a_stream_whose_framing_is_broken_is_not_judged_by_what_it_says(said: list[Note]) -> None:
    legible = replace(ROW, check="test_judge.legible")
    good, cut = stream({"type": "token", "content": "x"}), stream("x").replace(b"data: x\n\n", b"Data: xx\n")
    said.append(FINDING)
    assert outcome(legible, evidence(cut)).outcome == "inconclusive"
    assert len(outcome(legible, evidence(good, cut)).findings) == 1


def test_a_profile_may_pin_a_reading(said: list[Note]) -> None:
    row = replace(ROW, level="MAY", ambiguity="AMB-99")
    said.append(Reading("accept", "it takes Accept"))
    assert outcome(row, evidence(OK, rulings={"AMB-99": "accept"})).outcome == "observed"
    assert outcome(row, evidence(OK, rulings={"AMB-99": "body"})).outcome == "fail", (
        "held to it, though the row is a MAY"
    )
    assert outcome(row, evidence(OK, rulings={"AMB-98": "body"})).findings == ()


def test_steps_are_found_by_name_or_by_their_beginning() -> None:
    steps = Steps([see(OK, step="spend-1"), see(OK, step="spend-2"), see(response(429), step="ask", stray=True)])
    assert steps["spend-2"].asked["step"] == "spend-2"
    assert len(steps.named("spend-")) == 2
    with pytest.raises(StepMissing):
        steps["late"]
    with pytest.raises(StrayLimit):
        steps["ask"]


def test_two_checks_cannot_share_a_name_and_each_says_what_it_enforces(said: list[Note]) -> None:
    def silent(_: Steps) -> Iterator[Note]:
        yield FINDING

    with pytest.raises(ValueError, match="does not say what it enforces"):
        of("talk", name="silent")(silent)
    silent.__doc__ = "Something."
    with pytest.raises(ValueError, match="two checks are called"):
        of("talk", name="said")(silent)


@pytest.mark.parametrize(
    ("outcomes", "wanted"),
    [
        (["pass", "warn", "observed", "skipped"], "conformant"),
        (["warn"], "conformant"),
        (["pass", "fail", "error"], "nonconformant"),
        (["pass", "error"], "incomplete"),
        (["observed", "not_verified", "inconclusive"], "incomplete"),
        ([], "incomplete"),
    ],
)
def test_a_verdict(outcomes: list[Any], wanted: str) -> None:
    assert verdict([Judged(ROW, one) for one in outcomes]) == wanted


def test_rows_are_chosen_by_level_and_glob() -> None:
    rows = [ROW, replace(ROW, id="a/c", level="SHOULD"), replace(ROW, id="b/c", level="MAY")]
    assert [row.id for row in choose(rows, "must")] == ["a/b"]
    assert [row.id for row in choose(rows, "should", ["*/c"])] == ["a/c"]
    assert [row.id for row in choose(rows, "may", ["a/*", "b/c"])] == ["a/b", "a/c", "b/c"]
    assert choose(rows, "may", ["A/*"]) == []


def test_only_an_answer_to_a_creation_is_one() -> None:
    """A page that is sent for every path, with 200, is no key."""
    row = replace(ROW, check="limits.on_keys")
    page = exchange(response(body=b"<html>", media="text/html"), step="nowhere")
    made = exchange(response(body={"id": 1, "key": "ak_1"}), step="create", operation="create_key")

    def outcome(*exchanges: Exchange) -> str:
        (judged,) = judge([row], Evidence(dialect("rest"), known("rest"), (Transcript("keys", exchanges),)))
        return judged.outcome

    assert outcome(page) == "not_verified"
    assert outcome(page, made) == "fail"
