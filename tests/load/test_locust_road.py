"""What those see who live in Locust: refusals, Ctrl-C, a worker that is killed, and nobody but the target called."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from chatproof import Simulator

from .loads import PATIENCE_S
from .locusts import command, free_port, settings, started, until

pytestmark = pytest.mark.slow
HEADLESS = ("--headless", "--only-summary", "--users", "4", "--spawn-rate", "4", "--chatproof-think", "0.1")


def test_a_refusal_ends_locust_at_once_and_not_when_its_time_is_over(tmp_path: Path) -> None:
    with Simulator(["guide"]) as sim:
        words = command(sim, *HEADLESS, "--chatproof-objective", "tftt p95 < 1s")
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env=settings(tmp_path, sim),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert sim.journal.count() == 0
    assert done.returncode == 2
    assert "chatproof: --chatproof-objective: no metric 'tftt'" in done.stderr
    assert "did you mean 'ttft'" in done.stderr


def test_a_run_lasts_as_long_as_it_was_told(tmp_path: Path) -> None:
    """Imports take seconds, and gevent's timers would count them."""
    with Simulator(["guide"]) as sim:
        ours = ("--run-time", "4s", "--chatproof-json-replies", "--chatproof-json", "run.json", "--csv", "stats")
        words = command(sim, *HEADLESS, *ours)
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env=settings(tmp_path, sim),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        sent = sim.journal.count() - 2
    result = json.loads((tmp_path / "run.json").read_text())
    assert result["reason"] is None or result["verdict"] == "invalid", done.stdout + done.stderr
    assert result["duration_s"] > 3
    assert result["outcomes"]["ok"]["count"] == sent
    assert "\nchat,json," in (tmp_path / "stats_stats.csv").read_text()
    assert done.returncode == (0 if result["verdict"] == "kept" else 3)


def test_ctrl_c_keeps_what_was_measured_and_nobody_else_is_called(tmp_path: Path) -> None:
    contacts = tmp_path / "contacts"
    with Simulator(["guide"]) as sim:
        words = command(sim, *HEADLESS, "--run-time", "10m", "--chatproof-json", "run.json", contacts=contacts)
        with started(words, tmp_path, sim) as run:
            sim.journal.wait_for(12, within_s=PATIENCE_S)
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=PATIENCE_S)
    result = json.loads((tmp_path / "run.json").read_text())
    assert run.returncode == 3, out
    assert result["reason"].startswith("interrupted after ")
    assert result["outcomes"].keys() == {"ok"}, "what was under way was let end"
    assert result["plan"]["users"] == 4
    called = set(contacts.read_text().split())
    assert called
    assert called <= {"127.0.0.1", "::1", "localhost"}


def test_a_worker_that_is_killed_is_told_and_what_it_had_counted_is_kept(tmp_path: Path) -> None:
    port = str(free_port())
    two = ("--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)
    with Simulator(["guide"]) as sim:
        words = command(sim, *HEADLESS, "--run-time", "10m", "--chatproof-json", "run.json", *two)
        with started(words, tmp_path, sim) as run:
            sim.journal.wait_for(60, within_s=PATIENCE_S)
            listed = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(run.pid)], capture_output=True, text=True, check=True
            )
            workers = [int(pid) for pid in listed.stdout.split()]
            assert len(workers) == 2
            os.kill(workers[0], signal.SIGKILL)
            until(run, "failed to send heartbeat")
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=PATIENCE_S)
    result = json.loads((tmp_path / "run.json").read_text())
    assert run.returncode == 3, out
    assert result["verdict"] == "incomplete"
    assert result["reason"].startswith("1 of 2 workers lost")
    assert result["validity"]["processes"] == 2
    assert result["correctness"]["sampled"] > 0
