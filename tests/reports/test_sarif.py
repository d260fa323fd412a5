"""SARIF as OASIS's own schema has it, with each finding at its bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from chatproof.reports.sarif import render

from .conftest import BODY, bytes_

Json = dict[str, Any]
Make = Callable[..., Json]
SCHEMA = Path(__file__).parent / "browser/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


@cache
def schema() -> Draft7Validator:
    if not SCHEMA.exists():
        pytest.skip("the schema of SARIF is not installed: npm ci --prefix tests/reports/browser")
    return Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.slow
def test_a_report_is_valid_under_the_published_schema(run: Make, several: Json, exchange: Make) -> None:
    for report in (run(exchanges=[exchange()]), several, run(verdict="incomplete", reason="cut \ud800")):
        assert [error.message for error in schema().iter_errors(json.loads(render(report)))] == []
    broken = json.loads(render(run()))
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert list(schema().iter_errors(broken))


def test_rules_are_requirements_and_results_what_broke(run: Make) -> None:
    report = run()
    (found,) = json.loads(render(report))["runs"]
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [row["id"] for row in report["requirements"]]
    assert [(one["ruleId"], one["level"]) for one in found["results"]] == [
        ("stream/fail", "error"),
        ("stream/warn", "warning"),
    ]
    for one in found["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
    assert [note["level"] for note in found["invocations"][0]["toolExecutionNotifications"]] == ["error"]


def test_a_finding_stands_at_its_byte_in_bytes_that_are_carried_along(run: Make, row: Make, exchange: Make) -> None:
    (found,) = json.loads(render(run([row("fail"), row("fail", "a/b")], exchanges=[exchange()])))["runs"]
    (place,) = found["results"][0]["locations"]
    assert place["physicalLocation"]["region"] == {"byteOffset": 181, "byteLength": 1}
    artifact = found["artifacts"][place["physicalLocation"]["artifactLocation"]["index"]]
    assert artifact["location"]["uri"] == place["physicalLocation"]["artifactLocation"]["uri"]
    assert base64.b64decode(artifact["contents"]["binary"])[181] == BODY[181]
    assert found["artifacts"][artifact["parentIndex"]]["location"]["uri"] == "guide.jsonl"
    assert len(found["artifacts"]) == 2


def test_a_body_in_part_is_not_carried_along(run: Make, row: Make, exchange: Make) -> None:
    one = exchange()
    one["response"]["body"] = bytes_(BODY, (0, 10), (100, 200))
    (found,) = json.loads(render(run([row("fail")], exchanges=[one])))["runs"]
    assert found["artifacts"][1]["length"] == len(BODY)
    assert "contents" not in found["artifacts"][1]


def test_a_result_is_known_again_when_its_bytes_differ(run: Make, row: Make, finding: Make) -> None:
    one, two = (run([row("fail", findings=[finding(got=got, offset=at)])]) for got, at in (("x", 3), ("y", 9)))
    prints = [json.loads(render(each))["runs"][0]["results"][0]["partialFingerprints"] for each in (one, two)]
    assert prints[0] == prints[1]


def test_an_incomplete_run_was_no_successful_execution(run: Make, row: Make) -> None:
    (found,) = json.loads(render(run([row("pass")], verdict="incomplete", reason="the target went away")))["runs"]
    assert found["invocations"][0]["executionSuccessful"] is False
    assert found["results"] == []
