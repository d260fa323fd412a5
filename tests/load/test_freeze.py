"""What a server that stops for a fifth of the time costs those who come at a constant rate: the true p90, within fifteen in a hundred."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .freezing import freezing, true_quantile
from .loads import PATIENCE_S, environment

RATE, SECONDS, FREEZE_S, PERIOD_S = 50, 4, 0.4, 2.0
"""Two whole periods, so that it does not matter when the first of them begins."""
TRIES = 2


def test_the_true_values_are_those_of_the_freeze() -> None:
    """Of the turns a fifth is due in a freeze, and half of these before its middle."""
    assert true_quantile(0.9, 1000, 20, 2, 10) == pytest.approx(1.0, abs=0.002)
    assert true_quantile(0.95, 1000, 20, 2, 10) == pytest.approx(1.5, abs=0.002)
    assert true_quantile(0.79, 1000, 20, 2, 10) == 0
    assert true_quantile(1.0, 1000, 20, 2, 10) == 2


@pytest.mark.slow
@pytest.mark.timed
def test_p90_of_the_response_clock_is_the_true_one(tmp_path: Path) -> None:
    true_ms = true_quantile(0.9, RATE, SECONDS, FREEZE_S, PERIOD_S) * 1000
    with freezing(FREEZE_S, PERIOD_S) as url:
        target = [url, "--dialect", "guide", "--api-key", "k", "--agent", "a"]
        told = [*target, "--rate", str(RATE), "--for", f"{SECONDS}s", "--json", "run.json", "--sample", "0"]
        for _ in range(TRIES):
            done = subprocess.run(
                [sys.executable, "-m", "chatproof", "load", *told],
                capture_output=True, text=True, check=False, env=environment(tmp_path), timeout=PATIENCE_S, cwd=tmp_path,
            )  # fmt: skip
            result = json.loads((tmp_path / "run.json").read_text())
            if result["validity"]["valid"]:
                break
        else:
            pytest.skip(f"this machine was too busy to keep time: {result['validity']['signs']}")
    assert result["outcomes"]["ok"]["count"] == RATE * SECONDS, done.stdout
    assert result["metrics"]["ttft"]["clock"] == "response"
    assert result["metrics"]["ttft"]["p90"] == pytest.approx(true_ms, rel=0.15)


@pytest.mark.slow
def test_who_waits_in_line_sends_nothing_meanwhile(tmp_path: Path) -> None:
    """A closed run meets each freeze once for each of its users, whatever the rate of those who come from outside."""
    with freezing(FREEZE_S, PERIOD_S) as url:
        target = [url, "--dialect", "guide", "--api-key", "k", "--agent", "a"]
        told = [
            *target,
            "--users",
            "1",
            "--think",
            "10ms",
            "--for",
            f"{SECONDS}s",
            "--turns",
            "turns.jsonl",
            "--sample",
            "0",
        ]
        subprocess.run(
            [sys.executable, "-m", "chatproof", "load", *told],
            capture_output=True, check=False, env=environment(tmp_path), timeout=PATIENCE_S, cwd=tmp_path,
        )  # fmt: skip
    turns = [json.loads(line) for line in (tmp_path / "turns.jsonl").read_text().splitlines()]
    frozen = [turn for turn in turns if turn["ended_ms"] > FREEZE_S / 2 * 1000]
    assert len(turns) > 20
    assert len(frozen) <= SECONDS / PERIOD_S + 1
