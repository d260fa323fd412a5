"""A run as the JSON that other programs read (schema: ``reports/schema/verification.schema.json``). Secrets stay out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

from ..spec import ambiguities
from .check import CHECKS, Finding
from .exchange import curl
from .judge import Judged, Outcome
from .proof import exchanges
from .run import Run
from .transcript import redact as redact_bytes

REDACTED = "[redacted]"
OURS = ("untestable", "skipped", "not_verified")
"""Outcomes whose reasons are our own words, with nothing of the target in them."""
BEFORE, AFTER, ROW = 32, 48, 16


def as_json(runs: Sequence[Run], version: str) -> dict[str, Any]:
    """One run as a ``verification``, several as ``verifications``."""
    each = [_run(run, version) for run in runs]
    return each[0] if len(each) == 1 else {"chatproof": version, "kind": "verifications", "runs": each}


def _run(run: Run, version: str) -> dict[str, Any]:
    outcomes, secrets = [row.outcome for row in run.judged], run.evidence.secrets()
    result = {
        "chatproof": version,
        "kind": "verification",
        "target": redact(run.profile.base_url, run.profile.secrets),
        "dialect": run.dialect.name,
        "seed": run.facts.seed,
        "started": datetime.fromtimestamp(run.facts.started, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "duration_s": round(run.facts.duration_s, 3),
        "requests": run.facts.requests,
        "verdict": run.verdict,
        "reason": redact(run.facts.reason, run.profile.secrets),
        "summary": {outcome: outcomes.count(outcome) for outcome in get_args(Outcome)},
        "requirements": [_requirement(row, run, secrets) for row in run.judged],
        "exchanges": exchanges(run, secrets),
    }
    return result


def _requirement(row: Judged, run: Run, secrets: Sequence[str]) -> dict[str, Any]:
    requirement = row.requirement
    return {
        "id": requirement.id,
        "level": requirement.level,
        "outcome": row.outcome,
        "statement": requirement.statement,
        "citation": {"document": requirement.citation.document, "section": requirement.citation.section},
        "evidence": requirement.evidence,
        "ambiguity": requirement.ambiguity,
        "check": requirement.check,
        "how": _how(requirement.check),
        "ruling": _ruling(requirement.ambiguity),
        "reason": row.reason if row.outcome in OURS else redact(row.reason, secrets),
        "findings": [redact(_finding(finding, run, secrets), secrets) for finding in row.findings],
    }


def _how(name: str | None) -> str | None:
    """What the check looks at, and what it holds to be kept."""
    if name is None:
        return None
    check = CHECKS[name]
    where = f"the scenario {check.scenario!r}" if check.scenario else f"all {check.over} of the run"
    return f"Over {where}: {check.statement}"


def _ruling(name: str | None) -> dict[str, str] | None:
    """The open question that a requirement rests on, and how it was ruled."""
    return _rulings().get(name or "")


@cache
def _rulings() -> dict[str, dict[str, str]]:
    """Every open question with its ruling, read once."""
    return {one.id: {"question": one.question, "ruling": one.ruling} for one in ambiguities()}


def _finding(finding: Finding, run: Run, secrets: Sequence[str]) -> dict[str, Any]:
    """The window shows masked bytes: a key in hexadecimal could be read back. Masks keep their length, so offsets stay true."""
    seen = finding.seen
    window = None
    if seen is not None and finding.offset is not None:
        shown = redact_bytes(seen.exchange, secrets)
        window = hex_window(shown.raw if finding.within == "response" else shown.content, finding.offset)
    return {
        "expected": finding.expected,
        "got": finding.got,
        "exchange": seen.exchange.id if seen else None,
        "offset": finding.offset,
        "within": finding.within,
        "window": window,
        "curl": curl(seen.exchange.request, run.profile.base_url) if seen else None,
    }


def hex_window(body: bytes, offset: int) -> str:
    """The bytes around ``offset``, sixteen a row, with their offsets and their ASCII."""
    start = max(0, offset - BEFORE) // ROW * ROW
    rows = []
    for at in range(start, min(len(body), offset + AFTER), ROW):
        row = body[at : at + ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{at:06x}  {row.hex(' '):<{ROW * 3 - 1}}  {text}")
    return "\n".join(rows)


def redact(value: Any, secrets: Sequence[str]) -> Any:
    """``value`` with every secret in its texts replaced: used on what a target or a user wrote, never on our own words."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
        return value
    if isinstance(value, dict):
        return {key: redact(item, secrets) for key, item in value.items()}
    return [redact(item, secrets) for item in value] if isinstance(value, list) else value
