"""A run as JSON: what is told, and what stays out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chatproof.conformance.check import Finding
from chatproof.conformance.judge import Evidence, Judged
from chatproof.conformance.result import REDACTED, as_json, hex_window, redact
from chatproof.conformance.run import Facts, Run
from chatproof.spec import Citation, Requirement, dialect

from .recorded import known, response, see

GUIDE = dialect("guide")
ROW = Requirement(
    "a/b", "MUST", "It is so", Citation("guide.txt", "X"), "stated", check="reply.status", ambiguity="AMB-01"
)
SEEN = see(response(500, b"0123456789" * 20 + b"secret-key\xff"))


def told(*rows: Judged) -> Run:
    return Run(Evidence(GUIDE, known(), []), Facts(7, 1_767_225_600.9, 1.23456, 9, None), rows, "conformant")


def test_one_run_is_a_verification_and_several_are_verifications() -> None:
    one, two = as_json([told()], "1.0"), as_json([told(), told()], "1.0")
    assert (one["kind"], one["chatproof"], one["dialect"], one["seed"], one["requests"]) == (
        "verification",
        "1.0",
        "guide",
        7,
        9,
    )
    assert (one["started"], one["duration_s"]) == ("2026-01-01T00:00:00Z", 1.235)
    assert two == {"chatproof": "1.0", "kind": "verifications", "runs": [one, one]}


def test_a_summary_counts_every_outcome_also_those_that_did_not_come() -> None:
    summary = as_json([told(Judged(ROW, "pass"), Judged(ROW, "pass"), Judged(ROW, "fail"))], "1.0")["summary"]
    assert (summary["pass"], summary["fail"], summary["error"]) == (2, 1, 0)
    assert sum(summary.values()) == 3


def test_a_finding_leads_to_the_bytes() -> None:
    (row,) = as_json([told(Judged(ROW, "fail", None, (Finding("this", "that", SEEN, 200),)))], "1.0")["requirements"]
    (finding,) = row["findings"]
    assert (row["citation"], row["ambiguity"], row["check"]) == (
        {"document": "guide.txt", "section": "X"},
        "AMB-01",
        "reply.status",
    )
    assert (finding["exchange"], finding["offset"]) == ("ex-0001", 200)
    assert finding["curl"].startswith("curl ")
    assert "http://127.0.0.1:1/chat" in finding["curl"]
    assert "0000c0" in finding["window"]


def test_a_finding_about_no_exchange_leads_nowhere() -> None:
    (row,) = as_json([told(Judged(ROW, "fail", None, (Finding("this", "that"),)))], "1.0")["requirements"]
    nowhere = dict.fromkeys(("exchange", "offset", "window", "curl"))
    assert row["findings"] == [{"expected": "this", "got": "that", "within": "body", **nowhere}]


@pytest.mark.parametrize("place", ["got", "expected", "reason", "target"])
def test_no_secret_is_told_wherever_a_target_repeats_it(place: str) -> None:
    said = {"got": "x", "expected": "y", place: "before secret-key after"}
    run = told(Judged(ROW, "fail", said.get("reason"), (Finding(said["expected"], said["got"], SEEN, 3),)))
    if place == "target":
        run = replace(run, evidence=Evidence(GUIDE, replace(known(), base_url="http://x/secret-key"), []))
    text = json.dumps(as_json([run], "1.0"))
    assert "secret-key" not in text
    assert REDACTED in text


@pytest.mark.parametrize("offset", [200, 190])
def test_no_secret_is_told_in_a_window_of_bytes(offset: int) -> None:
    (row,) = as_json([told(Judged(ROW, "fail", None, (Finding("this", "that", SEEN, offset),)))], "1.0")["requirements"]
    window = row["findings"][0]["window"]
    assert "secret-k" not in window
    assert b"secret".hex(" ") not in window


def test_our_own_words_are_never_taken_for_a_secret() -> None:
    """A key of a common word must not spoil what we say ourselves."""
    run = told(Judged(replace(ROW, check=None, untestable="valid later"), "untestable", "valid later"))
    run = replace(run, evidence=Evidence(GUIDE, replace(known(), credentials={"valid": "valid"}), []))
    (row,) = as_json([run], "1.0")["requirements"]
    assert row["reason"] == "valid later"
    assert row["statement"] == "It is so"


def test_redaction_reaches_into_data() -> None:
    assert redact({"a": ["xkx", 1, None]}, ["k"]) == {"a": [f"x{REDACTED}x", 1, None]}


@pytest.mark.parametrize(
    ("offset", "first", "rows"), [(0, "000000", 3), (40, "000000", 6), (64, "000020", 5), (99, "000040", 3)]
)
def test_a_window_shows_the_bytes_around(offset: int, first: str, rows: int) -> None:
    lines = hex_window(bytes(range(100)), offset).split("\n")
    assert (lines[0][:6], len(lines)) == (first, rows)


def test_a_window_has_offsets_bytes_and_text() -> None:
    assert hex_window(b"data: \xff\n", 0) == "000000  64 61 74 61 3a 20 ff 0a                          data: .."
    assert hex_window(b"", 0) == ""
