"""A run: what is played, what stops it, what it is worth at its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance.judge import Evidence, Judged
from chatproof.conformance.profile import Profile, profile
from chatproof.conformance.run import Facts, Options, Progress, Run, exit_code, finish, verify
from chatproof.conformance.scenario import SCENARIOS, Scene, Script
from chatproof.conformance.transcript import Transcript
from chatproof.simulator.app import Running, running
from chatproof.simulator.population import profile as population
from chatproof.spec import Citation, Requirement, dialect, requirements

from .recorded import exchange, known, response

GUIDE = dialect("guide")
ROW = Requirement("a/b", "MUST", "It is so", Citation("guide.txt", "X"), "stated", check="reply.status")
FACTS = Facts(1, 0.0, 1.0, 2, None)
ORDINARY = exchange(response(body={"response": "x"}))


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(["guide"]) as started:
        yield started


def target(server: Running, **more: Any) -> Profile:
    return profile(
        {**population(GUIDE), "base_url": server.url("guide"), "dialect": "guide", "budget": {"pace": "off"}, **more}
    )


def finished(*outcomes: Any, reason: str | None = None) -> Run:
    rows = tuple(Judged(ROW, outcome) for outcome in outcomes)
    verdict: Any = "nonconformant" if "fail" in outcomes else "incomplete" if reason else "conformant"
    return Run(Evidence(GUIDE, known(), []), replace(FACTS, reason=reason), rows, verdict)


def recorded(*exchanges: Any, reason: str | None = None, rows: tuple[Requirement, ...] = (ROW,)) -> Run:
    transcripts = [Transcript("preflight", (ORDINARY,)), *([Transcript("reply", exchanges)] if exchanges else [])]
    return finish(rows, Evidence(GUIDE, known(), transcripts), replace(FACTS, reason=reason))


def test_a_run_that_was_cut_short_is_never_conformant() -> None:
    assert recorded(ORDINARY).verdict == "conformant"
    assert recorded(ORDINARY, reason="interrupted").verdict == "incomplete"
    assert recorded(exchange(response(201)), reason="interrupted").verdict == "nonconformant"


def test_nothing_verified_is_incomplete_and_says_why() -> None:
    run = recorded(ORDINARY, rows=(replace(ROW, check="auth.missing"),))
    assert (run.verdict, run.reason) == ("incomplete", "nothing was verified")
    assert [row.outcome for row in run.judged] == ["not_verified"]


def test_after_a_failed_preflight_nothing_is_judged() -> None:
    untestable = replace(ROW, check=None, untestable="never")
    run = recorded(reason="the key was refused", rows=(ROW, untestable))
    assert [(row.outcome, row.reason) for row in run.judged] == [
        ("not_verified", "the key was refused"),
        ("untestable", "never"),
    ]


@pytest.mark.parametrize(
    ("runs", "strict", "code"),
    [
        ([], False, 3),
        ([finished("pass")], False, 0),
        ([finished("pass", "warn")], False, 0),
        ([finished("pass", "warn")], True, 1),
        ([finished("pass"), finished("pass", reason="cut")], False, 3),
        ([finished("pass", reason="cut"), finished("fail")], False, 1),
    ],
)
def test_exit_codes(runs: list[Run], strict: bool, code: int) -> None:
    assert exit_code(runs, strict=strict) == code


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        run = verify(replace(known(), base_url=f"http://127.0.0.1:{port}"), GUIDE)
    assert run.verdict == "incomplete"
    assert "nothing listens" in (run.reason or "")
    assert {row.outcome for row in run.judged} <= {"not_verified", "untestable"}


@pytest.mark.slow
def test_interrupted_between_two_scenarios_what_was_finished_still_counts(server: Running) -> None:
    heard: list[Progress] = []

    def interrupt_at_the_second(progress: Progress) -> None:
        heard.append(progress)
        if progress.number == 2:
            raise KeyboardInterrupt

    run = verify(target(server), GUIDE, Options(level="must"), interrupt_at_the_second)
    finished_one = heard[0].scenario
    assert [transcript.scenario for transcript in run.evidence.transcripts] == ["preflight", finished_one]
    assert finished_one not in run.evidence.absent
    assert (run.verdict, run.reason) == ("incomplete", "interrupted")
    assert "pass" in {row.outcome for row in run.judged}


@pytest.mark.slow
def test_only_what_is_selected_is_judged_and_only_what_it_needs_is_played(server: Running) -> None:
    heard: list[Progress] = []
    run = verify(target(server), GUIDE, Options(select=("auth/missing",)), heard.append)
    assert [row.requirement.id for row in run.judged] == ["auth/missing"]
    assert run.judged[0].outcome == "pass"
    assert "auth" in [step.scenario for step in heard]
    assert "exhaust" not in [step.scenario for step in heard]
    assert {step.scenario: step.families for step in heard}["auth"] == ("auth",)
    assert [step.number for step in heard] == sorted(step.number for step in heard)
    assert run.facts.requests > heard[-1].requests


@pytest.mark.slow
def test_a_level_leaves_out_what_is_looser(server: Running) -> None:
    run = verify(target(server), GUIDE, Options(level="must", select=("http/*",)))
    assert {row.requirement.level for row in run.judged} == {"MUST"}
    assert run.verdict == "conformant"


@pytest.mark.slow
def test_a_budget_ends_a_run(server: Running) -> None:
    run = verify(target(server, budget={"requests": 5, "pace": "off"}), GUIDE)
    assert run.facts.requests == 5
    assert (run.verdict, run.reason) == ("incomplete", "the budget of 5 requests is spent")


@pytest.mark.slow
def test_a_scenario_cut_short_keeps_its_exchanges_and_accuses_nobody() -> None:
    """The limits' scenarios are judged by how they end, so half of one must not be judged."""
    with running(["guide"]) as fresh:
        whole = verify(target(fresh), GUIDE, Options(seed=1))
    (spent,) = [t for t in whole.evidence.transcripts if t.scenario == "exhaust"]
    before = int(spent.exchanges[0].id.removeprefix("ex-")) - 1
    with running(["guide"]) as fresh:
        run = verify(target(fresh, budget={"requests": before + 7, "pace": "off"}), GUIDE, Options(seed=1))
    (cut,) = [t for t in run.evidence.transcripts if t.scenario == "exhaust"]
    assert len(cut.exchanges) == 7
    assert [row.requirement.id for row in run.judged if row.outcome in ("fail", "warn", "error")] == []
    enforced = next(row for row in run.judged if row.requirement.id == "limits/enforced")
    assert (enforced.outcome, enforced.reason) == ("not_verified", f"cut short: {run.reason}")


@pytest.mark.slow
def test_the_first_failure_ends_a_run_if_wanted() -> None:
    with running(["guide"], fault="wrong-stream-default") as server:
        run = verify(target(server), GUIDE, Options(fail_fast=True, select=("request/*", "session/*")))
    assert run.reason == "stopped at the first failure"
    assert run.verdict == "nonconformant"
    assert run.facts.requests < 10


@pytest.mark.slow
def test_a_seed_makes_the_same_words(server: Running) -> None:
    said = [
        [
            seen.asked["message"]
            for seen in verify(target(server), GUIDE, Options(select=("session/*",), seed=7)).evidence.seen()
        ]
        for _ in range(2)
    ]
    assert said[0] == said[1]


@pytest.mark.slow
def test_what_the_profile_lacks_is_named(server: Running) -> None:
    bare = replace(target(server), credentials={"valid": "key-valid"}, claims=frozenset())
    run = verify(bare, GUIDE, Options(select=("auth/revoked-key", "stream/text-matches-reply")))
    assert {(row.outcome, row.reason) for row in run.judged} == {
        ("not_verified", "needs credentials.revoked in the profile"),
        ("skipped", "the profile does not claim 'deterministic'"),
    }
    assert run.verdict == "incomplete"


def test_every_requirement_is_judged_once() -> None:
    rows = requirements(GUIDE)
    run = recorded(ORDINARY, rows=rows)
    assert [row.requirement for row in run.judged] == list(rows)


def test_a_crash_of_ours_is_an_outcome_and_no_verdict(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(scene: Scene) -> Script:
        raise RuntimeError("ours")
        yield

    play.__module__ = SCENARIOS["metadata"].play.__module__
    monkeypatch.setitem(SCENARIOS, "metadata", replace(SCENARIOS["metadata"], play=play))
    run = verify(target(server), GUIDE, Options(select=("metadata/*", "stream/text-matches-reply")))
    outcomes = {row.requirement.id: (row.outcome, row.reason) for row in run.judged}
    assert outcomes["stream/text-matches-reply"] == ("pass", None)
    assert outcomes["metadata/accepted"] == ("error", "the scenario crashed: RuntimeError: ours")
    assert (run.verdict, exit_code([run])) == ("incomplete", 3)
