"""The shipped locustfile under Locust's own command, with its own worker processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatproof import Simulator
from chatproof.reports.load_faces import problems

from .loads import PATIENCE_S, ROOT, environment
from .locusts import paced

pytestmark = pytest.mark.slow


def test_locust_runs_it_and_exits_by_our_verdict(tmp_path: Path) -> None:
    told = ["--users", "4", "--spawn-rate", "4", "--run-time", "6s", "--headless", "--only-summary", "--processes", "2"]
    with Simulator(["guide"]) as sim, sim.fault("remaining-never-falls"), sim.fault("usage-as-text"):
        agent = paced(sim, 0.8)
        ours = ["--chatproof-dialect", "guide", "--chatproof-agent", agent, "--chatproof-api-key", sim.key("valid")]
        file = ["-f", str(ROOT / "load" / "locustfile.py"), "--host", sim.url("guide"), "--chatproof-think", "0.1"]
        done = subprocess.run(
            [sys.executable, "-m", "locust", *file, *told, *ours, "--chatproof-json", "run.json"],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    result = json.loads((tmp_path / "run.json").read_text())
    assert list(problems(result)) == []
    assert result["validity"]["processes"] == 2
    assert result["outcomes"].keys() == {"ok"}, "turns under way were let end, and told"
    assert result["verdict"] == "broken"
    assert "invariants" in result["reason"]
    assert [one["id"] for one in result["correctness"]["findings"]] == ["usage/in-stream"], "judged by the workers"
    assert "chatproof: broken" in done.stdout
    assert "Aggregated" in done.stdout + done.stderr
