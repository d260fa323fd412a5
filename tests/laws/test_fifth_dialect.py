"""Law 8: a fifth dialect is one folder of data. It is served, verified and found out when it is broken; nothing else changes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chatproof.conformance import run
from chatproof.conformance.run import Options
from chatproof.simulator.app import running
from chatproof.spec import dialect
from chatproof.spec.files import read

from .memory import FIFTH, SEED, broken, full_profile

DATA = (".yaml",)


def test_it_is_data_only() -> None:
    assert {path.suffix for path in FIFTH.iterdir()} == set(DATA)


@pytest.mark.parametrize("kind", ["dialect", "requirements", "vectors"])
def test_its_files_are_valid(kind: str) -> None:
    read(FIFTH / f"{kind}.yaml", kind)


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "wanted"), [(None, set()), ("no-blank-line", {"sse/blank-line"})])
def test_it_is_served_and_verified(fault: str | None, wanted: set[str]) -> None:
    one = dialect(FIFTH)
    with running([FIFTH], fault=fault) as server:
        finished = run.verify(full_profile(one, server.url(one.name)), one, Options(seed=SEED))
    assert set(broken(finished)) >= wanted
    assert finished.verdict == ("nonconformant" if wanted else "conformant")
    assert len([row for row in finished.judged if row.outcome == "pass"]) > 60 or fault


@pytest.mark.slow
def test_the_command_line_takes_its_folder() -> None:
    command = [sys.executable, "-m", "chatproof", "verify", "--dialect", str(FIFTH)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "echo: conformant" in done.stdout
