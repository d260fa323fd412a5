"""Judging is pure: a run written to a file and judged again, without its keys and without a network, has the same outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatproof.conformance.check import Finding
from chatproof.conformance.rejudge import judge_file, record
from chatproof.conformance.run import Options, Run
from chatproof.spec import Dialect

from .memory import all_dialects, verify

DIALECTS = [pytest.param(dialect, id=dialect.name) for dialect in all_dialects()]
SPOILT = (None, "misshapen-errors", "not-quite-json", "invalid-utf-8", "closed-mid-stream", "never-429")
"""Faults that between them leave text, bytes that are no text, and ends of every kind in a transcript."""


def outcomes(run: Run) -> list[tuple[Any, ...]]:
    """Id, outcome, reason and findings in words, of every requirement."""
    return [(row.requirement.id, row.outcome, row.reason, *map(words, row.findings)) for row in run.judged]


def words(finding: Finding) -> tuple[Any, ...]:
    return finding.expected, finding.got, finding.offset, finding.seen and finding.seen.exchange.id


@pytest.mark.slow
@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recorded_run_is_judged_the_same(dialect: Dialect, fault: str | None, tmp_path: Path) -> None:
    live, path = verify(dialect, fault=fault), tmp_path / "run.jsonl"
    record(live, path)
    again = judge_file(path, Options())
    differing = {one[0] for one, other in zip(outcomes(again), outcomes(live), strict=True) if one != other}
    assert differing == set()
    assert (again.verdict, again.reason, again.facts.requests) == (live.verdict, live.reason, live.facts.requests)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_credential_is_in_the_file(dialect: Dialect, tmp_path: Path) -> None:
    live, path = verify(dialect), tmp_path / "run.jsonl"
    record(live, path)
    text = path.read_text("utf-8")
    secrets = live.evidence.secrets()
    assert len(secrets) > 5
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.slow
def test_two_runs_are_the_same_to_the_last_byte(tmp_path: Path) -> None:
    """The seed and the clock are all that a run depends on, so a file can be compared with another one."""
    for dialect in all_dialects():
        for name in ("one", "two"):
            record(verify(dialect), tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
