"""A generator whose reads are late says so: as a user's machine would make it, by a process that does something else meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chatproof import Simulator

from .loads import PATIENCE_S, command, environment

pytestmark = pytest.mark.slow
FIRST_S = 0.06
PROGRAM = """
import sys, time
from chatproof.load.patch import patch
patch()
import gevent
def busy():
    for _ in range(100):
        gevent.sleep(0.005)
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass
gevent.spawn(busy)
from chatproof.cli import main
sys.argv[0] = "chatproof"
main()
"""


def test_a_generator_whose_reads_are_late_is_declared_invalid(tmp_path: Path) -> None:
    with Simulator(["guide"]) as sim:
        sim.agent("prompt", lambda turn: [FIRST_S, "here", 0.01, " it", 0.01, " is"])
        words = command(sim, "--users", "4", "--for", "1.5s", "--think", "0s", "--json", "run.json", agent="prompt")
        told = [sys.executable, "-c", PROGRAM, *words[3:]]
        done = subprocess.run(
            told,
            capture_output=True,
            text=True,
            check=False,
            env=environment(tmp_path),
            timeout=PATIENCE_S,
            cwd=tmp_path,
        )
    assert done.returncode == 3, done.stdout + done.stderr
    result = json.loads((tmp_path / "run.json").read_text())
    assert result["verdict"] == "invalid"
    signs = {sign["name"]: sign for sign in result["validity"]["signs"]}
    assert not signs["read lag p50"]["good"]
    assert "5% of ttft p50" in signs["read lag p50"]["limit"]
    assert "read lag p50" in done.stdout
