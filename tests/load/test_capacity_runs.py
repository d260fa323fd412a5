"""Whole searches for capacity, as a user starts them. Where the generator did not keep time a search ends without an answer, so each gets ``TRIES``."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chatproof import Simulator
from chatproof.reports.load_faces import problems
from chatproof.simulator.sim import Sim

from .loads import PATIENCE_S, Loaded, command, load

pytestmark = [pytest.mark.slow, pytest.mark.timed]
TRIES = 3


@pytest.fixture
def sim() -> Iterator[Sim]:
    with Simulator(["guide"]) as made:
        yield made


def searched(sim: Sim, folder: Path, *words: str, agent: str = "default") -> Loaded:
    """A search that the generator did not end by being late."""
    for _ in range(TRIES):
        done = load(sim, folder, *words, agent=agent)
        capacity = done.result["capacity"]
        assert list(problems(done.result)) == []
        if "did not keep time" not in capacity["words"]:
            return done
        assert not capacity["found"]
    pytest.skip(f"this machine was too busy to keep time, {TRIES} times: {done.err}")


@contextmanager
def begun(
    folder: Path, word: str, *words: str, agent: str = "default"
) -> Iterator[tuple[subprocess.Popen[str], Sim, ExitStack]]:
    """A search that has told a step with that word, its target, and what ends that."""
    for _ in range(TRIES):
        with ExitStack() as server:
            sim = server.enter_context(Simulator(["guide"]))
            sim.agent("crowded", lambda turn: [0.3, "at last"])
            told = [*command(sim, *words, agent=agent), "--json", "run.json"]
            with subprocess.Popen(
                told, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=folder
            ) as run:
                assert run.stderr is not None
                line = run.stderr.readline()
                if line.startswith(word):
                    yield run, sim, server
                    return
                assert line.startswith("unsure"), line
                run.kill()
    pytest.skip(f"this machine was too busy to keep time, {TRIES} times: {line}")


def test_capacity_is_bracketed(sim: Sim, tmp_path: Path) -> None:
    sim.agent("busy", lambda turn: [0.2, "done"])
    words = ["--users", "1", "--think", "0s", "--for", "1.5s", "--find-capacity", "rate < 8/s", "--most", "40"]
    done = searched(sim, tmp_path, *words, "--objective", "ok > 50%", agent="busy")
    capacity = done.result["capacity"]
    assert [step["load"] for step in capacity["steps"]] == sorted(step["load"] for step in capacity["steps"])
    assert 1 <= capacity["holds"] < capacity["breaks"] <= 8
    assert (capacity["measure"], capacity["limit"]) == ("1/s", 8)
    assert all((step["value"] < 8) is step["kept"] for step in capacity["steps"])
    assert "kept" in done.err
    assert "capacity for rate < 8/s" in done.out


def test_what_is_wrong_at_the_least_load_too_is_no_matter_of_load(sim: Sim, tmp_path: Path) -> None:
    """The capacity is found all the same, and the run is broken for what is wrong."""
    words = ["--users", "2", "--think", "0.1s", "--for", "1s", "--find-capacity", "ttft p95 < 20s", "--most", "4"]
    with sim.fault("remaining-negative"):
        done = searched(sim, tmp_path, *words, "--objective", "ok > 0%")
    assert done.code == 1, done.out + done.err
    told = done.result["capacity"]
    assert "invariants = 0" in told["aside"], done.err
    assert [step["load"] for step in told["steps"]] == [1, 2, 4], done.err
    assert "missed at 1 users as well, so no step is judged by it" in done.err
    assert done.result["reason"].startswith("missed: invariants = 0")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (None, "connect failed: refused"),
        ("http-502", "http error: status 502"),
        ("reset-mid-stream", "truncated: the connection ended before the response did"),
    ],
    ids=["nobody listens", "a proxy listens", "it hangs up"],
)
def test_a_search_ends_with_its_target(fault: str | None, why: str, tmp_path: Path) -> None:
    """Where a single turn is answered no better than many, no load is what breaks it."""
    words = ["--users", "1", "--think", "0.1s", "--for", "1s", "--find-capacity", "ttft p95 < 20s"]
    with begun(tmp_path, "kept", *words) as (run, sim, server):
        if fault is None:
            server.close()
        else:
            sim.fault(fault)
        rest = run.communicate(timeout=PATIENCE_S)[1]
    assert run.returncode == 3, rest
    assert "the target was lost in or after the step at" in rest
    assert f"no turn is answered well any more ({why})" in rest
    result = json.loads((tmp_path / "run.json").read_text())
    assert result["verdict"] == "incomplete"
    assert result["capacity"]["holds"] >= 1


def test_a_step_of_a_search_that_is_lost_ends_early(tmp_path: Path) -> None:
    words = ["--rate", "20", "--for", "30s", "--warmup", "0.1s", "--find-capacity", "ttft p90 < 100ms", "--most", "20"]
    with begun(tmp_path, "missed", *words, agent="crowded") as (run, _, _):
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE_S)
    step = json.loads((tmp_path / "run.json").read_text())["capacity"]["steps"][-1]
    assert step["seconds"] < 20
    assert step["value"] > 100
