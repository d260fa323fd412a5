"""SARIF 2.1.0 (OASIS), which code scanning and editors read: a run per dialect, a rule per requirement, a result per finding.

Only what was broken is a result: ``fail`` is an error, ``warn`` a warning. What could not be judged because of us is a
notification of the tool. A finding stands in the body of its exchange, an artifact inside the transcript that
``verify --out`` writes; its region counts in these bytes, which are carried along where the report tells all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from .result import Result, Row, Run, anchors, citation, family, of_outcome, place, runs
from .text import block, visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"fail": "error", "warn": "warning"}
"""Outcome -> level of a result."""
RULES = {"MUST": "error", "SHOULD": "warning", "MAY": "note"}

Json = dict[str, Any]


def render(result: Result) -> str:
    """The report as SARIF."""
    each = [_run(run, name) for run, name in zip(runs(result), anchors(result), strict=True)]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": each}, indent=1) + "\n"


def _run(run: Run, name: str) -> Json:
    numbers = {row["id"]: number for number, row in enumerate(run["requirements"])}
    artifacts = _Artifacts(run)
    results = [
        _result(run, row, finding, numbers[row["id"]], artifacts)
        for row in of_outcome(run, *LEVELS)
        for finding in row["findings"]
    ]
    driver = {
        "name": "chatproof",
        "semanticVersion": run["chatproof"],
        "rules": [_rule(row) for row in run["requirements"]],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"chatproof/{quote(visible(name))}/"},
        "invocations": [_invocation(run)],
        "artifacts": artifacts.told,
        "results": results,
        "properties": {
            "target": visible(run["target"]),
            "verdict": run["verdict"],
            "summary": dict(run["summary"]),
            "requests": run["requests"],
        },
    }


def _rule(row: Row) -> Json:
    how = [row["how"]] if row["how"] else []
    return {
        "id": row["id"],
        "shortDescription": {"text": visible(row["statement"])},
        "fullDescription": {"text": visible(f"{row['level']}: {row['statement']} ({citation(row)})")},
        "help": {"text": visible("\n".join([*how, f"chatproof explain {row['id']}"]), keep="\n")},
        "defaultConfiguration": {"level": RULES[row["level"]]},
        "properties": {"tags": [family(row), row["level"]], "evidence": row["evidence"], "ambiguity": row["ambiguity"]},
    }


def _result(run: Run, row: Row, finding: Mapping[str, Any], number: int, artifacts: _Artifacts) -> Json:
    where = f" ({place(finding)})" if place(finding) else ""
    location: Json = {
        "logicalLocations": [{"fullyQualifiedName": f"{run['dialect']}/{row['id']}", "kind": "requirement"}]
    }
    artifact = artifacts.of(finding)
    physical: Json = {"artifactLocation": artifact}
    if finding["offset"] is not None:
        physical["region"] = {"byteOffset": finding["offset"], "byteLength": 1}
    print_of = hashlib.sha256(
        f"{run['dialect']}\n{row['id']}\n{finding['expected']}".encode("utf-8", "backslashreplace")
    )
    return {
        "ruleId": row["id"],
        "ruleIndex": number,
        "level": LEVELS[row["outcome"]],
        "message": {"text": block(f"Expected {finding['expected']}, got {finding['got']}{where}")},
        "locations": [{**location, "physicalLocation": physical}],
        "partialFingerprints": {"requirement/v1": print_of.hexdigest()},
        "properties": {"level": row["level"], "repeat": None if finding["curl"] is None else block(finding["curl"])},
    }


def _invocation(run: Run) -> Json:
    return {
        "executionSuccessful": run["verdict"] != "incomplete",
        "startTimeUtc": run["started"],
        "toolExecutionNotifications": list(_notifications(run)),
    }


def _notifications(run: Run) -> Iterator[Json]:
    if run["reason"]:
        yield {"level": "warning", "message": {"text": visible(run["reason"])}}
    for row in of_outcome(run, "error"):
        text = visible(f"{row['id']}: {row['reason']}")
        yield {"level": "error", "message": {"text": text}, "associatedRule": {"id": row["id"]}}


class _Artifacts:
    """The transcript of a run, and in it the bytes that findings point into, each once."""

    def __init__(self, run: Run) -> None:
        self.transcript = f"{quote(visible(run['dialect']), safe='')}.jsonl"
        self.told: list[Json] = [{"location": {"uri": self.transcript, "index": 0}}]
        self._exchanges = {one["id"]: one for one in run["exchanges"]}
        self._numbers: dict[str, int] = {}

    def of(self, finding: Mapping[str, Any]) -> Json:
        """Where a finding's bytes are."""
        exchange = self._exchanges.get(finding["exchange"] or "")
        if exchange is None:
            return {"uri": self.transcript, "index": 0}
        uri = f"{self.transcript}/{quote(visible(exchange['id']), safe='')}/{finding['within']}"
        if uri not in self._numbers:
            self._numbers[uri] = len(self.told)
            self.told.append(self._artifact(exchange, finding["within"], uri))
        return {"uri": uri, "index": self._numbers[uri]}

    def _artifact(self, exchange: Mapping[str, Any], within: str, uri: str) -> Json:
        told = exchange["raw"] if within == "response" else (exchange["response"] or {}).get("body")
        artifact: Json = {"location": {"uri": uri, "index": len(self.told)}, "parentIndex": 0}
        if told is None:
            return artifact
        whole = len(told["slices"]) == 1 and told["slices"][0]["at"] == 0 and _size(told["slices"][0]) == told["size"]
        contents = {"contents": {"binary": told["slices"][0]["data"]}} if whole else {}
        return {**artifact, "length": told["size"], **contents}


def _size(piece: Mapping[str, Any]) -> int:
    """Bytes behind a text of base64."""
    data: str = piece["data"]
    return len(data) // 4 * 3 - data.count("=", -2)
