"""``chatproof load calibrate``: what this machine adds to the times, measured at a simulator that says when it speaks."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from . import __version__
from .load import validity
from .load.plan import Plan
from .load.run import run
from .output import write_text
from .spec import names

FIRST_MS, GAP_MS, PIECES = 300, 20, 40
AT_ONCE = (1, 10, 50, 100, 200, 400)
STEP_S = 5.0
GOOD = 0.05
AGENT = "metronome"
SCRIPT = {
    "script": 1,
    "agents": {
        AGENT: {
            "turns": {
                "only": [
                    {
                        "else": {
                            "reply": [
                                {"text": f"piece {index} ", "after": f"{GAP_MS if index else FIRST_MS}ms"}
                                for index in range(PIECES)
                            ]
                        }
                    }
                ]
            }
        }
    },
}
"""An agent that speaks at known times: its first piece after ``FIRST_MS``, the others ``GAP_MS`` apart."""


@contextmanager
def metronome(dialect: str) -> Iterator[Plan]:
    """A plan for one stream at a time at that agent, for as long as its simulator lives."""
    from .load_command import own_target

    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "metronome.json"
        script.write_text(json.dumps(SCRIPT), "utf-8")
        with own_target(dialect, more=("--script", str(script))) as (profile, found):
            agent = (found.agent_prefix or "") + AGENT
            profile = replace(profile, agents={"default": agent})
            yield Plan(profile, None, 1, STEP_S, think=0.0, proof="off", sample=0, warmup=STEP_S * 0.3)


def main(
    dialects: tuple[str, ...] = (), json_file: Path | None = None, steps: tuple[int, ...] = AT_ONCE, **_: Any
) -> int:
    """A table of errors by streams at once; kept beside the user's other caches, so that reports can quote it."""
    rows = []
    with metronome(next(iter(dialects), names()[0])) as plan:
        head = f"{'streams':>8}{'ttft p50':>12}{'error':>9}{'gap p50':>11}{'error':>9}{'ttft p99':>12}"
        click.echo(f"true: first text after {FIRST_MS} ms, then every {GAP_MS} ms\n{head}  generator")
        for users in steps:
            ran = run(replace(plan, users=users))
            row = _row(users, ran.ledger)
            rows.append(row)
            click.echo(_line(row))
            if ran.reason:
                break
    good = [row["streams"] for row in rows if row["good"]]
    result = {
        "chatproof": __version__,
        "kind": "calibration",
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": platform.node(),
        "processors": os.cpu_count(),
        "true": {"ttft_ms": FIRST_MS, "gap_ms": GAP_MS},
        "rows": rows,
        "good_to": max(good, default=0),
    }
    click.echo(f"within {GOOD:.0%} at up to {result['good_to']} streams at once, in one process")
    text = json.dumps(result, indent=1) + "\n"
    if json_file is not None:
        write_text(json_file, text)
    _keep(text)
    return 0 if good else 3


def _row(users: int, ledger: Any) -> dict[str, Any]:
    ttft, gap = ledger.statistic("service ttft", "p50"), ledger.statistic("gap", "p50")
    health = validity.to_data(validity.signs(ledger))
    first = None if ttft is None else ttft / 1e3 / FIRST_MS - 1
    between = None if gap is None else gap / 1e3 / GAP_MS - 1
    close = first is not None and between is not None and max(abs(first), abs(between)) <= GOOD
    return {
        "streams": users,
        "turns": ledger.outcomes["ok"],
        "ttft_p50_ms": None if ttft is None else round(ttft / 1e3, 3),
        "ttft_p99_ms": None if ttft is None else round(ledger.statistic("service ttft", "p99") / 1e3, 3),
        "ttft_error": None if first is None else round(first, 5),
        "gap_p50_ms": None if gap is None else round(gap / 1e3, 3),
        "gap_error": None if between is None else round(between, 5),
        "valid": health["valid"],
        "signs": health["signs"],
        "good": close and health["valid"],
    }


def _line(row: dict[str, Any]) -> str:
    if row["ttft_p50_ms"] is None:
        return f"{row['streams']:>8}  nothing was measured"
    health = "; ".join(f"{s['name']} {s['got']}" for s in row["signs"] if not s["good"]) or "kept time"
    if row["valid"] and not row["good"]:
        health += "; was the simulator late?"
    return (
        f"{row['streams']:>8}{row['ttft_p50_ms']:>9.1f} ms{row['ttft_error']:>+9.1%}{row['gap_p50_ms']:>8.2f} ms"
        f"{row['gap_error']:>+9.1%}{row['ttft_p99_ms']:>9.1f} ms  {health}"
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
