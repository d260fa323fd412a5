"""Generated bodies: worth as evidence, the same every time; and what the checks make of targets that take them well or badly."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatproof.conformance.ask import Ask, compose
from chatproof.conformance.channel import WireChannel
from chatproof.conformance.contract import Mode, cases
from chatproof.conformance.exchange import Chunk, End, Exchange, curl
from chatproof.conformance.judge import Evidence, Judged, choose, judge
from chatproof.conformance.paper import cost
from chatproof.conformance.profile import Profile, profile
from chatproof.conformance.run import Options, verify
from chatproof.conformance.scenario import SCENARIOS, Scene, drive
from chatproof.conformance.scenarios.contract import EACH, EACH_STREAMED, PATIENCE
from chatproof.conformance.schema import request_violations
from chatproof.simulator.app import running
from chatproof.simulator.population import profile as population
from chatproof.spec import Citation, Dialect, Requirement, dialect, names, requirements
from chatproof.spec.model import Level

pytestmark = pytest.mark.slow
"""Whichever test is the first to generate waits for schemathesis to load."""

PACKAGED = [dialect(name) for name in names()]
ALL = [*PACKAGED, dialect(Path(__file__).parents[1] / "dialects" / "echo")]
GUIDE, REST = dialect("guide"), dialect("rest")
MODES: tuple[Mode, ...] = ("positive", "negative")
OPERATIONS = [(one, op.id) for one in ALL for op in one.operations if op.mode != "keys"]
FACES = [f"{one.name}-{operation}" for one, operation in OPERATIONS]
SEED = 1
SEEDS = (1, 2, 3)
LEVELS: dict[str, Level] = {
    "positive_accepted": "MUST", "positive_conforms": "MUST", "negative_refused": "SHOULD", "no_server_error": "MUST",
}  # fmt: skip
ROWS = [
    Requirement(f"contract/{name}", level, name, Citation("a", "b"), "stated", check=f"contract.{name}")
    for name, level in LEVELS.items()
]
QUIET = dict.fromkeys(LEVELS, "pass")


def outcomes(target: Any, seed: int = SEED, *, chooses: bool = True) -> dict[str, Judged]:
    """What each check makes of the scenario, played against a target in memory or over a wire."""
    of, known = target.dialect, target.profile
    scene = Scene(of, known, seed, "contract", chooses)
    transcript = drive(SCENARIOS["contract"].play(scene), "contract", target)
    return {row.requirement.statement: row for row in judge(ROWS, Evidence(of, known, (transcript,)))}


def words(found: dict[str, Judged]) -> dict[str, str]:
    return {name: row.outcome for name, row in found.items()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("of", "operation"), OPERATIONS, ids=FACES)
def test_as_many_different_bodies_as_asked_for_of_the_kind_asked_for(of: Dialect, operation: str, mode: Mode) -> None:
    for seed in SEEDS:
        bodies = cases(of, operation, mode, 12, seed)
        assert len({repr(body) for body in bodies}) == len(bodies) == 12
        for body in bodies:
            invalid = isinstance(body, bytes) or bool(request_violations(of, operation, body))
            assert invalid == (mode == "negative"), body


def test_the_same_arguments_give_the_same_bodies_in_any_program(tmp_path: Path) -> None:
    """Whatever modules it has loaded, in whatever directory (where it leaves nothing), in however many threads."""
    (tmp_path / "mine.py").write_text("WORDS = ['harpsichord', 'bassoon', 31337, 2.718]\n")
    program = (
        "import mine; from chatproof.spec import dialect; from chatproof.conformance.contract import cases\n"
        "print(ascii([cases(dialect('slug'), 'chat', mode, 12, 4) for mode in ('positive', 'negative')]))"
    )
    with ThreadPoolExecutor(2) as pool:
        ours = list(pool.map(lambda mode: cases(dialect("slug"), "chat", mode, 12, 4), MODES))
    assert python(program, tmp_path) == ascii(ours)
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"mine.py"}
    assert ascii([cases(dialect("slug"), "chat", mode, 12, 5) for mode in MODES]) != ascii(ours)


def python(program: str, where: Path) -> str:
    """What a program prints, run in that directory as its home too."""
    environment = {**os.environ, "CI": "true", "HOME": str(where), "PYTHONPATH": str(where)}
    environment.pop("XDG_CACHE_HOME", None)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Fake:
    """A target in memory: ``answer`` gets the number of the request, whether its body is valid, and the body."""

    dialect: Dialect
    profile: Profile
    answer: Answer
    asks: list[Ask] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def send(self, ask: Ask) -> Exchange:
        request, asked = compose(ask, self.dialect, self.profile)
        status, said = self.answer(len(self.asks), ask.valid, request.body)
        body = json.dumps(said).encode()
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        reads = (Chunk(0, head + body),) if status else ()
        end = End.COMPLETE if status else End.RESET
        exchange = Exchange(str(len(self.asks)), ask.step, request, 0.0, 0, reads, end, asked=asked)
        self.asks.append(ask)
        self.bodies.append(request.body)
        return exchange

    def done(self) -> None:
        return None


Answer = Callable[[int, bool, bytes], tuple[int, Any]]
REPLY = {"response": "Hi", "session_id": "sess_1", "tokens_used": 3}
REFUSAL = {"error": {"code": "invalid_request", "message": "no"}}


def good(number: int, valid: bool, body: bytes) -> tuple[int, Any]:
    return (200, REPLY) if valid else (400, REFUSAL)


def fake(answer: Answer = good, of: Dialect = REST) -> Fake:
    return Fake(of, profile({**population(of), "base_url": "http://memory", "dialect": of.name}), answer)


@pytest.mark.parametrize("of", ALL, ids=lambda of: of.name)
def test_every_request_is_what_it_says_and_can_be_answered(of: Dialect) -> None:
    target, roles = fake(of=of), of.request.chat
    outcomes(target)
    modes = {operation.id: operation.mode for operation in of.operations if operation.mode != "keys"}
    assert len(target.asks) == 1 + 2 * sum(EACH_STREAMED if mode == "stream" else EACH for mode in modes.values())
    assert len({ask.step for ask in target.asks}) == len(target.asks)
    for ask, sent in list(zip(target.asks, target.bodies, strict=True))[1:]:
        operation = str(ask.operation)
        assert ask.step.startswith(f"positive-{operation}" if ask.valid else f"negative-{operation}")
        assert ask.stream == (modes[operation] == "stream")
        try:
            body = json.loads(sent)
        except ValueError:
            assert not ask.valid
            continue
        assert bool(request_violations(of, operation, body)) != ask.valid
        assert place(body, roles["message"]) == ask.message
        if ask.valid and "agent" in roles:
            assert place(body, roles["agent"]) == target.profile.agents["default"]
        if isinstance(session := place(body, roles["session"]), str):
            assert (ask.session, session[:5]) == (session if ask.valid else None, "sess_")


def place(body: Any, pointers: tuple[str, ...]) -> Any:
    for name in pointers[0].split("/")[1:]:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def test_a_target_that_names_its_own_sessions_gets_one_that_it_has_named() -> None:
    target = fake()
    outcomes(target, chooses=False)
    assert {ask.session for ask in target.asks} == {None, REPLY["session_id"]}


@pytest.mark.parametrize("of", PACKAGED, ids=lambda of: of.name)
def test_the_simulator_is_not_accused(of: Dialect) -> None:
    for seed in SEEDS:
        assert words(simulated(of, None, seed)) == QUIET


BITES: dict[str, set[str]] = {
    "crash-on-bad-json": {"negative_refused", "no_server_error"},
    "crash-on-bad-field": {"negative_refused", "no_server_error"},
    "invalid-body-accepted": {"negative_refused"},
    "invalid-body-404": {"negative_refused"},
    "usage-as-text": {"positive_conforms"},
    "reply-without-text": {"positive_conforms"},
    "length-too-long": set(),
    "no-blank-line": set(),
}


@pytest.mark.parametrize("fault", BITES)
def test_a_fault_is_found_by_the_checks_that_are_about_it_alone(fault: str) -> None:
    assert {name for name, row in simulated(GUIDE, fault).items() if row.findings} == BITES[fault]


def test_what_is_streamed_is_held_against_the_documents_too() -> None:
    found = simulated(dialect("reference"), "wrong-event-type")["positive_conforms"]
    told = [(note.seen.asked["operation"], note.offset is not None) for note in found.findings if note.seen]
    assert set(told) == {("stream", True)}


def simulated(of: Dialect, fault: str | None, seed: int = SEED) -> dict[str, Judged]:
    with running([of], fault=fault) as server:
        said = {"base_url": server.url(of.name), "dialect": of.name, "budget": {"pace": "off"}}
        return outcomes(WireChannel(of, profile({**population(of), **said})), seed)


def test_a_finding_says_what_is_wrong_with_the_body_and_can_be_repeated() -> None:
    found = outcomes(fake(lambda number, valid, body: (200, REPLY)))["negative_refused"]
    assert found.outcome == "warn"
    assert any("'message' is a required property" in finding.expected for finding in found.findings)
    assert all(finding.seen and "curl" in curl(finding.seen.exchange.request, "http://x") for finding in found.findings)


BROKEN = {"no_server_error": "fail", "negative_refused": "warn"}
UNPROVEN = dict.fromkeys(("positive_conforms", "negative_refused", "no_server_error"), "inconclusive")
ASTRAL = re.compile(rb"\\ud[89ab]")
VERDICTS: dict[str, tuple[Answer, dict[str, str]]] = {
    "good": (good, {}),
    "crashes on some characters": (
        lambda *asked: (500, REFUSAL) if ASTRAL.search(asked[2]) else good(*asked), {**BROKEN, "positive_accepted": "fail"},
    ),
    "hangs up on the invalid": (lambda *asked: good(*asked) if asked[1] else (0, None), BROKEN),
    "knows no sessions": (
        lambda *asked: (400, REFUSAL) if b"session_id" in asked[2] else good(*asked), {"positive_accepted": "fail"},
    ),
    "answers once": (lambda *asked: (403, REFUSAL) if asked[0] else (200, REPLY), {"positive_accepted": "fail", **UNPROVEN}),
}  # fmt: skip


@pytest.mark.parametrize("target", VERDICTS)
def test_each_check_says_of_a_target_what_is_so(target: str) -> None:
    answer, other = VERDICTS[target]
    assert words(outcomes(fake(answer))) == {**QUIET, **other}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_nothing_but_refusals_is_no_pass(status: int) -> None:
    target = fake(lambda number, valid, body: (status, REFUSAL))
    assert set(words(outcomes(target)).values()) == {"inconclusive"}
    assert len(target.asks) == 1


@pytest.mark.parametrize("first", [1, 5, 20])
@pytest.mark.parametrize("status", [402, 429])
def test_a_limit_that_gets_in_the_way_is_neither_a_failure_nor_a_pass(status: int, first: int) -> None:
    """From the second request on, and from somewhere in the middle on."""
    target = fake(lambda number, valid, body: good(number, valid, body) if number < first else (status, REFUSAL))
    found = outcomes(target)
    assert not [name for name, row in found.items() if row.findings]
    assert words(found)["negative_refused"] == words(found)["no_server_error"] == "inconclusive"
    assert status == 402 or len(target.asks) == first + PATIENCE


@pytest.mark.parametrize("of", ALL, ids=lambda of: of.name)
def test_the_plan_knows_how_many_requests_there_will_be(of: Dialect) -> None:
    known = profile({**population(of), "base_url": "http://memory", "dialect": of.name})
    target = fake(of=of)
    outcomes(target)
    planned = cost(known, of, choose(requirements(of), select=["contract/*"]), Options(seed=SEED))
    assert planned.by_scenario["contract"] == len(target.asks)


def test_without_schemathesis_nothing_is_sent_and_the_reason_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "schemathesis", None)
    with running([REST]) as server:
        said = {**population(REST), "base_url": server.url(REST.name), "dialect": REST.name}
        done = verify(profile(said), REST, Options(select=("contract/*", "request/endpoint"), seed=SEED))
    assert "contract" not in [transcript.scenario for transcript in done.evidence.transcripts]
    outcome_of = {row.requirement.id: row.outcome for row in done.judged}
    assert [outcome for id, outcome in outcome_of.items() if id.startswith("contract/")] == ["not_verified"] * 4
    assert outcome_of["request/endpoint"] == "pass"
    assert {row.reason for row in done.judged if row.outcome == "not_verified"} == {
        "needs schemathesis, which chatproof[verify] brings"
    }


def test_schemathesis_is_loaded_for_nothing_else(tmp_path: Path) -> None:
    """Not for help, not for a backend, not for a verification of other requirements."""
    program = (
        "import sys, chatproof.conformance.run, chatproof.conformance.contract\n"
        "from chatproof.cli import cli; cli(['--help'], standalone_mode=False)\n"
        "from chatproof.simulator.app import running\n"
        "with running(): pass\n"
        "try: cli(['verify', '--select', 'sse/*', '--dialect', 'slug'])\n"
        "except SystemExit as done: assert done.code == 0, done.code\n"
        "assert not {'schemathesis', 'hypothesis'} & sys.modules.keys()"
    )
    python(program, tmp_path)
