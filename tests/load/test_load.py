"""Whole runs, as a user starts them, at a simulator that is right, wrong, slow or gone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chatproof import Simulator
from chatproof.reports.load_faces import problems
from chatproof.simulator.sim import Sim

from .loads import PATIENCE_S, ROOT, command, environment, load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Sim]:
    with Simulator() as made:
        yield made


@pytest.fixture
def sim(server: Sim) -> Iterator[Sim]:
    yield server
    server.reset()


def test_a_run_that_keeps_its_objectives_and_all_its_faces(sim: Sim, tmp_path: Path) -> None:
    faces = [
        "--csv",
        "run.csv",
        "--html",
        "run.html",
        "--junit",
        "run.xml",
        "--markdown",
        "run.md",
        "--turns",
        "turns.jsonl",
    ]
    asked = ["--objective", "ttft p95 < 20s", "--objective", "ok > 99%"]
    done = load(sim, tmp_path, "--rate", "25", "--for", "2s", "--think", "0.3s", "--sample", "10", *asked, *faces)
    result = done.result
    assert list(problems(result)) == []
    assert result["verdict"] in ("kept", "invalid"), done.out
    assert done.code == (0 if result["verdict"] == "kept" else 3)
    assert result["summary"]["due"] == result["summary"]["sent"] == result["outcomes"]["ok"]["count"] == 50
    assert [one["kept"] for one in result["objectives"]] == [True] * 5
    assert result["plan"]["proof"] == "both"
    assert result["correctness"]["sampled"] == 5
    assert result["limits"]["keys"]["valid"]["granted"] == 52, (
        "the two turns of the preflight are counted with the key's"
    )
    assert sim.journal.count() == 52
    assert result["bin_s"] == 1
    told = result["limits"]["keys"]["valid"]["remaining"]
    assert [left for _, left in told] == [
        point["remaining"] for point in result["series"] if point["remaining"] is not None
    ]
    assert told
    assert all(len(line) <= 80 for line in done.out.splitlines())
    rows = (tmp_path / "run.csv").read_text().splitlines()
    assert len(rows) == 1 + len(result["series"])
    assert len({row.count(",") for row in rows}) == 1
    suite = ET.parse(tmp_path / "run.xml").getroot()
    assert int(suite.get("tests", "0")) == 6
    assert suite.get("failures") == "0"
    assert "ttft p95 < 20s" in (tmp_path / "run.md").read_text()
    assert "50 of 50 turns" in (tmp_path / "run.html").read_text()
    turns = [json.loads(line) for line in (tmp_path / "turns.jsonl").read_text().splitlines()]
    assert sorted(turn["turn"] for turn in turns) == list(range(50))
    assert "key-valid" not in "".join(path.read_text() for path in tmp_path.glob("*.*"))


def test_sessions_that_leak_are_a_mix_up_with_both_sides_shown(sim: Sim, tmp_path: Path) -> None:
    with sim.fault("session-leaks-between-conversations"):
        done = load(sim, tmp_path, "--users", "6", "--for", "2s", "--think", "0.1s")
    assert done.code == 1
    assert done.result["outcomes"]["mixup"]["count"] == done.result["correctness"]["mixups"] > 0
    shown = next(one for one in done.result["exhibits"] if one["outcome"] == "mixup" and isinstance(one["other"], dict))
    assert "What code" in shown["request"]
    assert shown["conversation"] != done.result["seed"]
    assert "exhibit, turn" in done.out


def test_a_key_that_somebody_wrote_into_a_message_is_shown_nowhere(sim: Sim, tmp_path: Path) -> None:
    """The echo says it again, so that it stands in request, response, curl and finding."""
    (tmp_path / "prompts.jsonl").write_text('{"message": "my key is key-valid, is it not"}\n')
    with sim.fault("not-quite-json", contains="my key"):
        done = load(
            sim, tmp_path, "--rate", "10", "--for", "1s", "--prompts", "prompts.jsonl", "--sample", "1", agent="echo"
        )
    shown = json.dumps([done.result["exhibits"], done.result["correctness"]])
    assert "my key is" in shown
    assert done.result["correctness"]["findings"]
    assert "key-valid" not in shown + done.out + done.err


@pytest.mark.parametrize("key", ["token", "k"], ids=["a word of the dialect", "one letter"])
def test_a_key_that_is_a_word_of_the_wire_breaks_nothing(sim: Sim, tmp_path: Path, key: str) -> None:
    """What is masked is what is shown, not what is judged."""
    words = ["--rate", "10", "--for", "1s", "--sample", "1", "--api-key", sim.new_key(key, requests_per_minute=1000)]
    done = load(sim, tmp_path, *words, agent="echo")
    assert (done.result["correctness"]["sampled"], done.result["correctness"]["findings"]) == (10, []), done.out


def test_conversations_that_cannot_go_on_are_said_to_be_cut(sim: Sim, tmp_path: Path) -> None:
    with sim.fault("done-without-session"):
        done = load(sim, tmp_path, "--rate", "5", "--for", "1s", "--conversation-turns", "3")
    assert "of 3 turns of a conversation only the first is sent" in done.err
    assert done.result["plan"]["turns_per_conversation"] == 1


def test_a_miscounted_remaining_is_caught(sim: Sim, tmp_path: Path) -> None:
    with sim.fault("remaining-off-by-one"):
        done = load(sim, tmp_path, "--users", "4", "--for", "1s", "--think", "0.1s")
    assert done.code == 1
    assert any(one["what"].startswith("Remaining is not below Limit") for one in done.result["correctness"]["breaches"])
    assert done.result["outcomes"]["ok"]["share"] == 1, "only the headers are wrong"


def test_a_run_that_cannot_send_what_is_due_is_invalid(sim: Sim, tmp_path: Path) -> None:
    done = load(sim, tmp_path, "--rate", "20", "--for", "1s", "--max-in-flight", "2", agent="slow")
    assert done.code == 3
    assert done.result["verdict"] == "invalid"
    assert done.result["summary"]["missed"] >= 17
    assert done.result["summary"]["missed"] + done.result["summary"]["sent"] == 20
    assert "achieved rate" in done.out


def test_a_run_that_ends_at_its_most_requests_sent_all_that_was_due(sim: Sim, tmp_path: Path) -> None:
    done = load(sim, tmp_path, "--rate", "20", "--for", "20s", "--max-requests", "3")
    assert (done.result["summary"]["due"], done.result["summary"]["sent"]) == (3, 3)
    assert "3 requests of --max-requests" in done.result["reason"]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_full_disk_under_the_turns_is_said_and_costs_the_run_nothing(
    sim: Sim, tmp_path: Path, processes: str
) -> None:
    (tmp_path / "turns").symlink_to("/dev/full")
    done = load(sim, tmp_path, "--rate", "10", "--for", "1s", "--processes", processes, "--turns", "turns")
    assert done.code == (2 if done.result["verdict"] == "kept" else 3)
    assert "cannot be written: No space left on device" in done.err
    assert "cannot be written" not in (done.result["reason"] or "")
    assert done.result["summary"]["ok"] == 10


def test_pacing_respects_the_limit_and_waits_as_told(sim: Sim, tmp_path: Path) -> None:
    respected = load(
        sim, tmp_path, "--users", "3", "--for", "3s", "--think", "0.1s", "--pacing", "respect", key="brief"
    )
    account = respected.result["limits"]["keys"]["valid"]
    assert account["limited"] <= 4
    assert account["waits"]
    assert account["granted"] > 5, "more than one window was used"


def test_two_workers_are_one_run(sim: Sim, tmp_path: Path) -> None:
    words = ["--rate", "40", "--for", "2s", "--processes", "2", "--conversation-turns", "1", "--turns", "turns.jsonl"]
    done = load(sim, tmp_path, *words)
    result = done.result
    assert list(problems(result)) == []
    assert result["summary"]["due"] == result["summary"]["sent"] == 80
    assert result["validity"]["processes"] == 2
    assert result["limits"]["keys"]["valid"]["granted"] == sim.journal.count() == 82, "the preflight's two turns, too"
    assert result["histograms"]["response ttft"]["count"] == result["outcomes"]["ok"]["count"] == 80
    turns = [json.loads(line) for line in (tmp_path / "turns.jsonl").read_text().splitlines()]
    assert sorted(turn["turn"] for turn in turns) == list(range(80))
    assert [turn["at_s"] for turn in turns] == sorted(turn["at_s"] for turn in turns)
    assert not list(tmp_path.glob("turns.jsonl.*"))


def test_a_lost_worker_loses_only_what_it_had_not_told(sim: Sim, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    told = command(sim, "--rate", "20", "--for", "5s", "--processes", "2", "--json", str(file))
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True, env=environment(tmp_path)) as run:
        sim.journal.wait_for(20, within_s=PATIENCE_S)
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(run.pid)], capture_output=True, text=True, check=True
        )
        workers = [int(line.split()[0]) for line in listed.stdout.splitlines() if "chatproof.load.worker" in line]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        out, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 3, out
    assert "1 of 2 workers lost" in json.loads(file.read_text())["reason"]
    assert json.loads(file.read_text())["summary"]["ok"] > 0


def test_ctrl_c_ends_the_run_and_writes_the_report(sim: Sim, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    told = command(sim, "--rate", "20", "--for", "100s", "--json", str(file))
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True, env=environment(tmp_path)) as run:
        sim.journal.wait_for(12, within_s=PATIENCE_S)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=PATIENCE_S)
    result = json.loads(file.read_text())
    assert run.returncode == 3
    assert result["verdict"] == "incomplete"
    assert "interrupted" in out
    assert result["summary"]["ok"] > 0
    assert list(problems(result)) == []


def test_ctrl_c_before_the_run_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = [f"http://127.0.0.1:{silent.getsockname()[1]}", "--dialect", "guide", "--api-key", "k", "--agent", "a"]
        told = [sys.executable, "-m", "chatproof", "load", *target, "--json", str(tmp_path / "run.json")]
        with subprocess.Popen(told, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)) as run:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                run.send_signal(signal.SIGINT)
                _, err = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, err.strip()) == (3, "chatproof: interrupted")
    assert not (tmp_path / "run.json").exists()


def test_a_dialect_of_data_alone_is_loaded(tmp_path: Path) -> None:
    folder = next(path.parent for path in (ROOT / "tests" / "dialects").rglob("dialect.yaml"))
    with Simulator([folder]) as made:
        dialect = next(iter(made._scope.backend.realms))
        words = [made.url(dialect), "--dialect", str(folder), "--api-key", made.key("valid"), "--agent", "default"]
        told = [sys.executable, "-m", "chatproof", "load", *words, "--users", "3", "--for", "1s", "--think", "0.1s"]
        done = subprocess.run(told, capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd=tmp_path)
    assert "100.00 %" in done.stdout, done.stdout + done.stderr
