"""The published schema takes what we say a report is, and nothing else; ``load`` says in one line what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatproof.reports.integrity import seal
from chatproof.reports.result import OUTCOMES
from chatproof.reports.write import FACES, SCHEMA, BadReport, load, problems, write

Json = dict[str, Any]
Make = Callable[..., Json]
DEFS: Json = json.loads(SCHEMA.read_text("utf-8"))["$defs"]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text("utf-8")))


def test_the_samples_are_valid(run: Make, several: Json) -> None:
    assert list(problems(run())) == []
    assert list(problems(several)) == []


def test_the_schema_and_the_faces_know_the_same_outcomes() -> None:
    assert set(OUTCOMES) == set(DEFS["summary"]["properties"]) == set(DEFS["summary"]["required"])
    assert set(OUTCOMES) == set(DEFS["requirement"]["properties"]["outcome"]["enum"])


@pytest.mark.parametrize("where", ["verification", "requirement", "citation", "finding", "summary", "runs"])
def test_an_unknown_key_is_refused(where: str, run: Make, several: Json) -> None:
    report = several if where == "runs" else run()
    failed = None if where == "runs" else report["requirements"][1]
    places = {
        "verification": report,
        "runs": report,
        "requirement": failed,
        "citation": failed and failed["citation"],
        "finding": failed and failed["findings"][0],
        "summary": report.get("summary"),
    }
    place = places[where]
    assert place is not None
    place["colour"] = "red"
    assert "'colour' was unexpected" in next(problems(report))


@pytest.mark.parametrize(
    "name", ["verification", "summary", "requirement", "finding", "exchange", "bytes", "verifications"]
)
def test_every_key_is_required(name: str) -> None:
    """But the footer, which a file has and a run inside of it does not."""
    assert set(DEFS[name]["required"]) == set(DEFS[name]["properties"]) - {"footer"}


def unproved(report: Json) -> None:
    report["requirements"][1]["findings"] = []


def unexplained(report: Json) -> None:
    report["requirements"][5]["reason"] = None


def incomplete_for_no_reason(report: Json) -> None:
    report["verdict"] = "incomplete"


def unknown_outcome(report: Json) -> None:
    report["requirements"][0]["outcome"] = "passed"


def false_summary(report: Json) -> None:
    report["summary"]["fail"] = 0


def twice(report: Json) -> None:
    report["requirements"][0]["id"] = report["requirements"][1]["id"]


def nothing_verified(report: Json) -> None:
    report.update(requirements=[], verdict="conformant", summary=dict.fromkeys(OUTCOMES, 0))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unproved, "requirements[1].findings:"),
        (unexplained, "requirements[5].reason:"),
        (incomplete_for_no_reason, "reason:"),
        (unknown_outcome, "requirements[0].outcome: 'passed' is not one of"),
        (false_summary, "summary.fail: says 0, but 1 requirements are fail"),
        (twice, "requirements: stream/fail comes 2 times"),
        (nothing_verified, "verdict: is conformant, but nothing was verified"),
    ],
)
def test_a_dishonest_report_is_refused(spoil: Callable[[Json], None], message: str, run: Make, tmp_path: Path) -> None:
    report = run()
    spoil(report)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(seal(report)), "utf-8")
    with pytest.raises(BadReport) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {message}")
    assert "\n" not in str(refused.value)


def test_a_mistake_in_one_of_several_runs_is_placed(several: Json) -> None:
    several["runs"][2]["summary"]["pass"] += 1
    assert next(problems(several)).startswith("runs[2].summary.pass:")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1]", b'"x"', b"null", b"{}", b'{"kind": "other"}', b"\xff", b"NaN", b"[" * 200_000]
)
def test_what_is_no_report_is_refused_in_one_line(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(text)
    with pytest.raises(BadReport) as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="cannot be read"):
        load(tmp_path / "none.json")


def test_what_is_written_as_json_is_read_back(run: Make, row: Make, finding: Make, tmp_path: Path) -> None:
    report = run([row("fail", findings=[finding(got="half \ud800 \x1b <script> ]]> é")])])
    write(report, tmp_path / "deep" / "report.json")
    assert load(tmp_path / "deep" / "report.json") == report


def test_each_file_name_gets_its_face(run: Make, tmp_path: Path) -> None:
    for suffix, face in FACES.items():
        path = tmp_path / f"report{suffix.upper()}"
        write(run(), path)
        assert path.read_bytes().decode("utf-8") == face(run())


def test_a_file_name_without_a_face_is_refused(run: Make, tmp_path: Path) -> None:
    with pytest.raises(BadReport, match=r"report\.pdf: expected a file name that ends in \.html"):
        write(run(), tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_refused(run: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadReport, match="cannot be written"):
        write(run(), tmp_path / "file" / "report.md")
