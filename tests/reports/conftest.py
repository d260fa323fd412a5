"""Reports to show: small ones by hand, and one as large as a real verification."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from typing import Any

import pytest

OUTCOMES = (
    "pass", "fail", "warn", "observed", "skipped", "not_verified", "inconclusive", "error", "untestable",
)  # fmt: skip
NEEDS_REASON = OUTCOMES[4:]

Json = dict[str, Any]
MakeRow = Callable[..., Json]
MakeRun = Callable[..., Json]


def a_finding(**changed: Any) -> Json:
    finding = {
        "expected": "a blank line after the event that ends at byte 181",
        "got": 'data: {"type": "done"} and then the end of the body',
        "exchange": "ex-0007",
        "offset": 181,
        "within": "body",
        "window": '000000b0  22 7d 0a 64 61 74 61 3a  20 5b 44 4f 4e 45 5d 0a  |"}.data: [DONE].|',
        "curl": "curl -N http://127.0.0.1:8080/guide/chat -H 'Authorization: Bearer ***' -d '{\"stream\": true}'",
    }
    return {**finding, **changed}


def bytes_(data: bytes, *spans: tuple[int, int]) -> Json:
    """Bytes as a report tells them: whole, or the slices in ``spans``."""
    told = [(start, data[start:end]) for start, end in spans or ((0, len(data)),)]
    return {"size": len(data), "slices": [{"at": at, "data": base64.b64encode(part).decode()} for at, part in told]}


BODY = b'data: {"type": "token", "content": "caf\xc3\xa9"}\n\n' * 4 + b'data: {"type": "done"}\n'


def an_exchange(**changed: Any) -> Json:
    """A stream of four events and an end without its blank line, in three reads and two chunks."""
    exchange = {
        "id": "ex-0007",
        "label": "ordinary",
        "scenario": "stream",
        "sent": "2026-01-01T00:00:01.000Z",
        "request": {
            "method": "POST",
            "target": "/chat",
            "bytes": bytes_(b'POST /guide/chat HTTP/1.1\r\nHost: x\r\n\r\n{"message": "hi"}'),
        },
        "response": {
            "version": "1.1",
            "status": 200,
            "reason": "OK",
            "headers": [["Content-Type", "text/event-stream"], ["X-Twice", "1"], ["X-Twice", "2"]],
            "body": bytes_(BODY),
            "chunks": [0, 98],
        },
        "raw": None,
        "reads": [
            {"at_ms": 2.5, "size": 120, "body": 40},
            {"at_ms": 20.0, "size": 60, "body": 98},
            {"at_ms": 41.25, "size": 140, "body": len(BODY)},
        ],
        "end": "complete",
        "detail": "",
        "hung_up": None,
    }
    return {**exchange, **changed}


def a_row(outcome: str = "pass", name: str | None = None, **changed: Any) -> Json:
    row = {
        "id": name or f"stream/{outcome.replace('_', '-')}",
        "level": "SHOULD" if outcome == "warn" else "MUST",
        "outcome": outcome,
        "statement": f"A statement that is {outcome}.",
        "citation": {"document": "WHATWG HTML", "section": "9.2.6"},
        "evidence": "stated",
        "ambiguity": "AMB-12" if outcome == "observed" else None,
        "check": None if outcome == "untestable" else "framing.blank_line",
        "how": None if outcome == "untestable" else "Over all streams of the run: every event ends with a blank line.",
        "ruling": {"question": "Which is it?", "ruling": "Either."} if outcome == "observed" else None,
        "reason": f"the reason it is {outcome}" if outcome in NEEDS_REASON else None,
        "findings": [a_finding()] if outcome in ("fail", "warn", "observed") else [],
    }
    return {**row, **changed}


def a_run(rows: list[Json] | None = None, **changed: Any) -> Json:
    rows = [a_row(outcome) for outcome in OUTCOMES] if rows is None else rows
    outcomes = [row["outcome"] for row in rows]
    run = {
        "chatproof": "0.1.0",
        "kind": "verification",
        "target": "http://127.0.0.1:8080",
        "dialect": "guide",
        "seed": 7,
        "started": "2026-01-01T00:00:00Z",
        "duration_s": 4.25,
        "requests": 118,
        "verdict": "nonconformant" if "fail" in outcomes else "conformant",
        "reason": None,
        "summary": {outcome: outcomes.count(outcome) for outcome in OUTCOMES},
        "requirements": rows,
        "exchanges": [],
    }
    return {**run, **changed}


@pytest.fixture
def finding() -> MakeRow:
    return a_finding


@pytest.fixture
def row() -> MakeRow:
    return a_row


@pytest.fixture
def run() -> MakeRun:
    """Makes a run, by default with one requirement of each outcome; ``verdict`` and ``summary`` follow from the rows."""
    return a_run


@pytest.fixture
def exchange() -> MakeRow:
    return an_exchange


@pytest.fixture
def several() -> Json:
    """Four dialects of 150 requirements each: most pass, some do not."""
    pattern = ["pass"] * 30 + ["fail", "warn", "observed", "skipped", "not_verified", "untestable"]
    families = ["http", "auth", "session", "stream", "limits", "errors", "sse", "json"]
    dialects = ["guide", "reference", "rest", "slug"]
    outcomes = itertools.cycle(pattern)
    runs = [
        a_run([a_row(next(outcomes), f"{families[n * 8 // 150]}/case-{n}") for n in range(150)], dialect=dialect)
        for dialect in dialects
    ]
    return {"chatproof": "0.1.0", "kind": "verifications", "runs": runs}
