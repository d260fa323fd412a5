"""The benches that a reader may run do run, with the smallest numbers; what they measure is nobody's test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHES = {
    "bench.growth": ["--turns", "20", "--replies", "20"],
    "bench.serve": ["--rounds", "1", "--seconds", "0.1", "--no-aimock"],
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="a server's processor time is read from /proc")
@pytest.mark.parametrize("name", BENCHES)
def test_it_prints_its_table(name: str) -> None:
    pytest.importorskip("uvloop")
    done = subprocess.run(
        [sys.executable, "-m", name, *BENCHES[name]], check=False, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "us" in done.stdout
