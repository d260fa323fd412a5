"""``chatproof load calibrate``: what this machine adds to the times, measured at a simulator that says when it speaks."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from . import __version__
from .load import validity
from .load.plan import Plan
from .load.run import run
from .load.turn import Turn
from .metronome import FIRST_MS, GAP_MS, Metronome, Spoken, metronome
from .output import write_text
from .spec import names

AT_ONCE = (1, 10, 50, 100, 200, 400)
STEP_S = 5.0
GOOD = 0.05
MEASURED = (
    "ttft_p50_ms",
    "ttft_p99_ms",
    "ttft_really_ms",
    "gap_p50_ms",
    "gap_really_ms",
    "ttft_error",
    "gap_error",
)
"""What a row has of times, in milliseconds and as shares; ``really``: what the simulator did, by its own account."""


def main(
    dialects: tuple[str, ...] = (), json_file: Path | None = None, steps: tuple[int, ...] = AT_ONCE, **_: Any
) -> int:
    """A table of errors by streams at once; kept beside the user's other caches, so that reports can quote it."""
    rows = []
    with metronome(next(iter(dialects), names()[0])) as one:
        head = f"{'streams':>7}{'ttft p50':>12}{'really':>10}{'error':>8}{'gap p50':>11}{'really':>10}{'error':>8}"
        click.echo(f"planned: first text after {FIRST_MS} ms, then every {GAP_MS} ms\n{head}  generator")
        for users in steps:
            row, reason = _step(one, users)
            rows.append(row)
            click.echo(_line(row))
            if reason:
                break
    good = [row["streams"] for row in takewhile(lambda row: row["good"], rows)]
    result = {
        "chatproof": __version__,
        "kind": "calibration",
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": platform.node(),
        "processors": os.cpu_count(),
        "planned": {"ttft_ms": FIRST_MS, "gap_ms": GAP_MS},
        "rows": rows,
        "good_to": max(good, default=0),
    }
    click.echo(f"within {GOOD:.0%} at up to {result['good_to']} streams at once, in one process")
    text = json.dumps(result, indent=1) + "\n"
    if json_file is not None:
        write_text(json_file, text)
    _keep(text)
    return 0 if good else 3


def _step(one: Metronome, users: int) -> tuple[dict[str, Any], str]:
    """So many streams at once; why the run ended before its time, if it did."""
    sent_ms: list[float] = []

    def hear(turn: Turn) -> None:
        if turn.outcome == "ok":
            sent_ms.append(turn.timeline.sent / 1e6)

    ran = run(Plan(one.profile, None, users, STEP_S, think=0.0, proof="off", sample=0), hear=hear)
    return _row(users, ran.ledger, one.spoke(sent_ms)), ran.reason


def _row(users: int, ledger: Any, spoken: Spoken | None) -> dict[str, Any]:
    ttft, gap = ledger.statistic("service ttft", "p50"), ledger.statistic("gap", "p50")
    health = validity.to_data(validity.signs(ledger))
    row = {"streams": users, "turns": ledger.outcomes["ok"], "valid": health["valid"], "signs": health["signs"]}
    if spoken is None or ttft is None or gap is None:
        return {**row, **dict.fromkeys(MEASURED), "simulator_in_time": False, "good": False}
    times = {
        "ttft_p50_ms": ttft / 1e3,
        "ttft_p99_ms": ledger.statistic("service ttft", "p99") / 1e3,
        "ttft_really_ms": spoken.first_ms,
        "gap_p50_ms": gap / 1e3,
        "gap_really_ms": spoken.gap_ms,
    }
    errors = {"ttft_error": ttft / 1e3 / spoken.first_ms - 1, "gap_error": gap / 1e3 / spoken.gap_ms - 1}
    measured = {name: round(value, 5) for name, value in {**times, **errors}.items()}
    good = health["valid"] and max(map(abs, errors.values())) <= GOOD
    return {**row, **measured, "simulator_in_time": spoken.in_time, "good": good}


def _line(row: dict[str, Any]) -> str:
    if row["ttft_p50_ms"] is None:
        return f"{row['streams']:>7}  nothing was measured"
    health = "; ".join(f"{s['name']} {s['got']}" for s in row["signs"] if not s["good"]) or "kept time"
    if not row["simulator_in_time"]:
        health += "; the simulator did not"
    return (
        f"{row['streams']:>7}{row['ttft_p50_ms']:>9.1f} ms{row['ttft_really_ms']:>7.1f} ms{row['ttft_error']:>+8.1%}"
        f"{row['gap_p50_ms']:>8.2f} ms{row['gap_really_ms']:>7.2f} ms{row['gap_error']:>+8.1%}  {health}"
    )


def _place() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "chatproof" / "calibration.json"


def _keep(text: str) -> None:
    """A cache that cannot be written is no reason to fail."""
    try:
        _place().parent.mkdir(parents=True, exist_ok=True)
        _place().write_text(text, "utf-8")
    except OSError:
        click.echo(f"not kept: {_place()} cannot be written", err=True)


def kept() -> dict[str, Any] | None:
    """What ``calibrate`` said on this machine, for a report to quote; ``None`` if it never ran here."""
    try:
        data = json.loads(_place().read_text("utf-8"))
        same = data["machine"] == platform.node()
        return {name: data[name] for name in ("started", "processors", "good_to")} if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
