from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chatproof.reports.junit import VERDICT, render

Json = dict[str, Any]
Make = Callable[..., Json]
TAG = {
    "pass": None, "warn": None, "observed": None, "fail": "failure", "error": "error", "inconclusive": "skipped",
    "skipped": "skipped", "not_verified": "skipped", "untestable": "skipped",
}  # fmt: skip


def cases(suite: ET.Element) -> list[ET.Element]:
    return [case for case in suite.findall("testcase") if case.get("name") != VERDICT]


def properties(case: ET.Element) -> dict[str, str]:
    return {p.attrib["name"]: p.attrib["value"] for p in case.findall("properties/property")}


def decided_as(case: ET.Element) -> str | None:
    return next((tag for tag in ("failure", "error", "skipped") if case.find(tag) is not None), None)


@pytest.mark.slow
def test_the_counts_agree_with_the_summary(several: Json) -> None:
    root = ET.fromstring(render(several))
    assert [suite.get("name") for suite in root] == [run["dialect"] for run in several["runs"]]
    for suite, run in zip(root, several["runs"], strict=True):
        outcomes = Counter(properties(case)["outcome"] for case in cases(suite))
        assert {outcome: outcomes[outcome] for outcome in run["summary"]} == run["summary"]


def test_each_outcome_is_what_a_ci_server_takes_it_for(run: Make) -> None:
    (suite,) = ET.fromstring(render(run()))
    found = {properties(case)["outcome"]: decided_as(case) for case in cases(suite)}
    assert found == TAG


def test_the_totals_are_those_of_the_cases(run: Make) -> None:
    root = ET.fromstring(render(run()))
    for element in (root, root[0]):
        totals = {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert totals == {"tests": "10", "failures": "2", "errors": "1", "skipped": "4"}


def test_a_case_names_its_level_source_and_check(run: Make, row: Make) -> None:
    (suite,) = ET.fromstring(render(run([row("observed")])))
    assert properties(cases(suite)[0]) == {
        "requirement": "stream/observed",
        "outcome": "observed",
        "level": "MUST",
        "citation": "WHATWG HTML, 9.2.6",
        "check": "framing.blank_line",
        "ambiguity": "AMB-12",
    }


def test_warnings_and_readings_are_told_though_they_pass(run: Make, row: Make) -> None:
    (suite,) = ET.fromstring(render(run([row("warn"), row("observed")])))
    for case in cases(suite):
        assert "and then the end of the body" in case.findtext("system-out", "")


@pytest.mark.parametrize(
    ("outcomes", "verdict", "red"),
    [
        (["pass"], "conformant", False),
        (["pass", "observed", "untestable"], "conformant", False),
        (["pass"], "incomplete", True),
        (["pass", "fail"], "nonconformant", True),
        (["pass"], "nonconformant", True),
        (["skipped", "observed", "not_verified"], "conformant", True),
        ([], "conformant", True),
    ],
)
def test_only_a_good_verdict_reads_as_green(outcomes: list[str], verdict: str, red: bool, run: Make, row: Make) -> None:
    (suite,) = ET.fromstring(render(run([row(outcome) for outcome in outcomes], verdict=verdict)))
    case = suite.find(f"testcase[@name='{VERDICT}']")
    assert (case is not None) is red
    assert case is None or case.find("failure") is not None
    assert (suite.get("failures") != "0") is red
