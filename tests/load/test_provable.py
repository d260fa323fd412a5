"""What canary words can prove is what the messages of a run can carry, and an objective on nothing is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatproof import Simulator
from chatproof.load.ledger import Ledger
from chatproof.load.objective import IMPLIED, judge, parse_objective, with_implied
from chatproof.load.prompts import Proof, provable

from .loads import load

NAMED, PLAIN = (("my word is {nonce}", "go on"),), (("hello",), ("what is your name",))


@pytest.mark.parametrize(
    ("proof", "turns", "conversations", "left"),
    [
        ("both", 3, (), "both"),
        ("both", 1, (), "echo"),
        ("recall", 1, (), "watch"),
        ("echo", 1, (), "echo"),
        ("off", 3, (), "off"),
        ("both", 3, PLAIN, "off"),
        ("watch", 1, PLAIN, "off"),
        ("both", 3, NAMED, "echo"),
        ("recall", 3, NAMED, "watch"),
        ("off", 3, NAMED, "off"),
    ],
)
def test_what_is_left_of_a_proof(
    proof: Proof, turns: int, conversations: tuple[tuple[str, ...], ...], left: Proof
) -> None:
    assert provable(proof, turns, conversations) == left


@pytest.mark.parametrize("name", IMPLIED)
def test_an_objective_that_was_asked_for_needs_something_to_look_at(name: str) -> None:
    ledger = Ledger(1.0, "service")
    assert judge([parse_objective(f"{name} = 0", "service")], ledger)[0].kept is None
    assert all(one.kept for one in judge(with_implied([]), ledger))
    ledger.counters["words"], ledger.sampled = 1, 1
    ledger.accounts.setdefault("valid", type("Account", (), {"sent": 1, "breaches": {}, "granted_beyond": 0})())
    assert judge([parse_objective(f"{name} = 0", "service")], ledger)[0].kept


@pytest.mark.slow
def test_a_file_without_words_proves_nothing_of_mix_ups(tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_text('"hello there"\n"what is your name"\n')
    words = ["--rate", "10", "--for", "1s", "--prompts", "plain.jsonl", "--objective", "mixups = 0"]
    with Simulator(["guide"]) as sim:
        done = load(sim, tmp_path, *words)
    assert done.code == 3
    assert [row["kept"] for row in done.result["objectives"] if row["objective"] == "mixups = 0"] == [None]
    assert done.result["correctness"]["proof"] == "off"
    assert "had to come back" not in done.out


@pytest.mark.slow
def test_only_what_was_judged_is_said_to_be(tmp_path: Path) -> None:
    """Of a fair choice among all: not more than a hundred in each process."""
    with Simulator(["guide"]) as sim:
        done = load(sim, tmp_path, "--rate", "150", "--for", "1s", "--sample", "1")
    assert done.result["summary"]["finished"] == 150
    assert done.result["correctness"]["sampled"] == 100
    assert "100 exchanges judged whole" in done.out


@pytest.mark.slow
def test_the_first_stream_that_breaks_a_must_is_judged_whether_it_is_sampled_or_not(tmp_path: Path) -> None:
    with Simulator(["guide"]) as sim:
        sim.fault("no-terminal", nth=6)
        done = load(sim, tmp_path, "--rate", "10", "--for", "1s", "--sample", "1000")
        kept = load(sim, tmp_path, "--rate", "10", "--for", "1s", "--sample", "1000")
    assert done.code == 1, done.out
    assert [row["level"] for row in done.result["correctness"]["findings"]] == ["MUST"]
    assert kept.result["correctness"]["findings"] == []
