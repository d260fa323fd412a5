"""A server that stops 2 s in every 10: what comes at a constant rate must see the whole of it. Part of ``bench.load``; prints a table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.load.freezing import freezing, true_quantile

RATE, SECONDS, FREEZE_S, PERIOD_S = 50, 30, 2, 10
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
WAYS = {"open, response clock": ["--rate", str(RATE)], "closed, 10 users": ["--users", "10", "--think", "0.2s"]}
"""The second is what a generator sees that waits for its answers: it asks nothing while nobody answers."""


def run(url: str, folder: Path, *words: str) -> dict[str, Any]:
    target = [url, "--dialect", "guide", "--api-key", "k", "--agent", "a", "--sample", "0"]
    told = [*target, "--for", f"{SECONDS}s", "--json", str(folder / "run.json"), *words]
    subprocess.run([sys.executable, "-m", "chatproof", "load", *told], capture_output=True, check=False)
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def freeze() -> None:
    print(f"\na server that stops {FREEZE_S} s in every {PERIOD_S}, {SECONDS} s; ttft in ms")
    print(f"{'':<24}" + "".join(f"{name:>9}" for name in SHARES) + "   generator")
    true = [true_quantile(share, RATE, SECONDS, FREEZE_S, PERIOD_S) * 1000 for share in SHARES.values()]
    print(f"{'true at a constant rate':<24}" + "".join(f"{value:>9.0f}" for value in true))
    with freezing(FREEZE_S, PERIOD_S) as url, tempfile.TemporaryDirectory() as folder:
        for name, words in WAYS.items():
            result = run(url, Path(folder), *words)
            row = result["metrics"]["ttft"]
            kept = "kept time" if result["validity"]["valid"] else "did not keep time"
            print(f"{name:<24}" + "".join(f"{row[one]:>9.0f}" for one in SHARES) + f"   {kept}", flush=True)
