"""``chatproof load`` as a user runs it: a process of its own, since Locust patches the one that it lives in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatproof.simulator.sim import Sim

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


@dataclass(frozen=True)
class Loaded:
    code: int
    result: dict[str, Any]
    out: str
    err: str


def command(sim: Sim, *words: str, agent: str = "default", key: str = "valid", dialect: str = "guide") -> list[str]:
    target = [sim.url(dialect), "--dialect", dialect, "--api-key", sim.key(key) if "-" not in key else key]
    return [sys.executable, "-m", "chatproof", "load", *target, "--agent", agent, "--seed", "4", *words]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}


def load(
    sim: Sim, folder: Path, *words: str, agent: str = "default", key: str = "valid", dialect: str = "guide"
) -> Loaded:
    file = folder / "run.json"
    told = [*command(sim, *words, agent=agent, key=key, dialect=dialect), "--json", str(file)]
    done = subprocess.run(
        told, capture_output=True, text=True, check=False, env=environment(folder), timeout=PATIENCE_S, cwd=folder
    )
    result = json.loads(file.read_text()) if file.exists() else {}
    return Loaded(done.returncode, result, done.stdout, done.stderr)
