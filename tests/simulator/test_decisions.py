"""A run is written down and played again: the same bytes at the same times, under another seed and another clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatproof import Sim, Simulator
from chatproof.simulator.backend import Backend
from chatproof.simulator.course import Logs
from chatproof.simulator.decisions import Recorder, fingerprint, settings_of
from chatproof.simulator.pace_words import latency as latency_of
from chatproof.simulator.plan import Plan
from chatproof.simulator.replay import Replay
from chatproof.simulator.request import HttpRequest
from chatproof.spec import BadFile, dialect

SCRIPT = """
script: 1
agents:
  shop:
    latency: {first: {uniform: [1ms, 9ms]}, gap: {lognormal: [1ms, 3ms]}}
    chunk: {words: [1, 3]}
    turns: {start: [{else: {say: "{{ fake.name() }} lives in {{ fake.city() }}, and it is {{ now }} there and everywhere"}}]}
"""
LATENCY = "first=uniform(1ms, 5ms) gap=normal(1ms, 1ms)"
KEY = {"Authorization": "Bearer key-valid"}
NOW = 1_767_225_600.0

Wire = list[tuple[str, list[float], list[bytes], str]]


def talk(sim: Sim) -> list[Any]:
    """A conversation with everything in it that chance decides, and the answers that its client saw."""
    url = sim.url("rest")
    seen: list[Any] = []
    client = httpx.Client(trust_env=False)
    for agent, key, message in (
        ("shop", KEY, "Hi"), ("echo", KEY, "one two three"), ("shop", KEY, "again"), ("echo", {}, "no key"), ("limited", KEY, "x"),
    ):  # fmt: skip
        body: dict[str, Any] = {"message": message, "stream": agent != "limited"}
        seen.append(client.post(f"{url}/v1/agents/{agent}/chat", json=body, headers=key).content)
    made = client.post(
        f"{url}/agents/echo/api-keys", json={"name": "mine"}, headers={"Authorization": "Bearer key-account"}
    )
    seen.append(made.json())
    fresh = {"Authorization": f"Bearer {made.json()['key']}"}
    seen.append(client.post(f"{url}/v1/agents/echo/chat", json={"message": "Hi"}, headers=fresh).json())
    for at in range(6):
        body = {"message": f"number {at}"}
        seen.append(client.post(f"{url}/v1/agents/echo/chat", json=body, headers={**KEY, "X-Unlucky": "yes"}).content)
    for _ in range(6):
        seen.append(client.post(f"{url}/v1/agents/echo/chat", json={}).status_code)
        torn = client.post(
            f"{url}/v1/agents/echo/chat", json={"message": "torn", "stream": True}, headers={**KEY, "X-Torn": "yes"}
        )
        seen.append(torn.content)
    client.close()
    return seen


def wire(sim: Sim) -> Wire:
    """Every write of the journal as it was planned: when it is due, its bytes, and how the connection ended."""
    return [
        (entry.target, entry.due_s, [write.data for write in entry.plan.writes] if entry.plan else [], entry.closed)
        for entry in sim.journal
    ]


def played(tmp_path: Path, **how: Any) -> tuple[list[Any], Wire, Sim]:
    (tmp_path / "s.yaml").write_text(SCRIPT, "utf-8")
    with Simulator(["rest"], script=tmp_path / "s.yaml", rulings={"AMB-19": "any"}, **how) as sim:
        sim.fault("text-lost", probability=0.5, headers={"X-Unlucky": "yes"})
        sim.fault("random-writes", headers={"X-Torn": "yes"})
        seen = talk(sim)
        sim.journal.wait_for(len(seen))
        return seen, wire(sim), sim


@pytest.mark.slow
def test_a_run_is_repeated_byte_by_byte_under_another_seed_and_the_real_clock(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    seen, written, _ = played(tmp_path, seed=8_675_309, latency=LATENCY, decisions=log)
    again, rewritten, sim = played(tmp_path, seed=1, replay=log)
    assert again == seen
    assert rewritten == written
    assert sim.replay is not None
    assert (sim.replay.told, sim.replay.same) == ([], len(written))
    assert sim.replay.summary.endswith(f"{len(written)} of {len(written)} answered as in it")
    fresh, rewritten, _ = played(tmp_path, seed=1, clock="frozen", latency=LATENCY)
    assert fresh != seen
    assert {bool(b"".join(data)) for _, _, data, _ in rewritten} == {True}
    decided = {name for line in log.read_text().splitlines()[1:] for name, _ in json.loads(line).get("decided", ())}
    assert decided == {"id session", "id key", "wait", "cut", "fake", "fault", "order"}


@pytest.mark.slow
def test_the_same_seed_and_a_frozen_clock_are_enough(tmp_path: Path) -> None:
    first, second = (played(tmp_path, seed=5, clock="frozen", latency=LATENCY)[:2] for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_no_key_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    canary = "sk-canary-1234567890"
    with Simulator(["guide"], clock="frozen", decisions=log) as sim:
        sim.new_key(canary)
        body = {"agent_id": "echo", "message": f"my key is {canary}", "api_key": canary}
        headers = {"Authorization": f"Bearer {canary}", "X-Api-Key": canary}
        httpx.post(f"{sim.url('guide')}/chat?api_key={canary}", json=body, headers=headers)
    text = log.read_text()
    assert '"over": 1' in text
    assert canary not in text
    assert canary[3:] not in text


def ask(message: str = "Hi", agent: str = "echo", key: str = "key-valid", **more: Any) -> HttpRequest:
    body = json.dumps({"agent_id": agent, "message": message, "stream": True, **more}).encode()
    return HttpRequest("POST", "/chat", {"authorization": f"Bearer {key}", "user-agent": str(time.time_ns())}, body)


def recorded(path: Path, asking: Callable[[Recorder, Backend], None], latency: str | None = None) -> Path:
    backend = Backend([dialect("guide")], 7, latency=None if latency is None else latency_of(latency))
    with Recorder(path, settings_of(backend, "frozen"), print) as recorder:
        asking(recorder, backend)
    return path


def once(course: Recorder | Replay, backend: Backend, asked: HttpRequest, now: float = NOW) -> Plan:
    plan = course.reply("", backend, asked, now)
    course.finished("", backend, plan)
    return plan


def three(recorder: Recorder, backend: Backend) -> None:
    for at, message in enumerate("abc"):
        once(recorder, backend, ask(message), NOW + 10 * at)


def test_a_request_that_departs_is_told_and_answered_at_the_time_of_the_log(tmp_path: Path) -> None:
    log = recorded(tmp_path / "log", three, "gap=uniform(1s, 2s)")
    replay, backend = Replay(log), Backend([dialect("guide")], 1)
    backend.latency = replay.latency
    assert once(replay, backend, ask("a"), 5.0).about.warnings == ()
    plan = once(replay, backend, ask("other", agent="memory", key="key-pro"), 6.0)
    assert plan.about.warnings == (
        "replay: line 4: not the request that is asked there (POST /chat): it differs in key, body; answered without the log",
    )
    assert b"Thu, 01 Jan 2026 00:00:01 GMT" in plan.writes[0].data
    assert once(replay, backend, ask("b"), 7.0).about.warnings == ()
    assert once(replay, backend, ask("c"), 8.0).about.warnings == ()
    assert once(replay, backend, ask("c"), 9.0).about.warnings == (
        "replay: nothing more is in the log; answered without it",
    )
    assert (replay.same, len(replay.told)) == (3, 2)
    assert replay.summary.endswith("3 of 3 answered as in it; 2 departures")


def test_a_request_that_comes_too_early_has_its_own_line(tmp_path: Path) -> None:
    log = recorded(tmp_path / "log", three)
    replay, backend = Replay(log), Backend([dialect("guide")], 1)
    assert "asked before the request of line 2" in once(replay, backend, ask("b")).about.warnings[0]
    assert replay.summary.endswith("0 of 3 answered as in it; 1 departure; 2 of its requests were not asked")


def test_places_are_given_back_where_the_log_says_so(tmp_path: Path) -> None:
    def asking(recorder: Recorder, backend: Backend) -> None:
        held = [recorder.reply("", backend, ask(str(at), key="key-limited"), NOW) for at in range(2)]
        assert recorder.reply("", backend, ask("2", key="key-limited"), NOW).status == 429
        recorder.finished("", backend, held[0])
        assert once(recorder, backend, ask("3", key="key-limited")).status == 200
        recorder.finished("", backend, held[1])

    log = recorded(tmp_path / "log", asking)
    replay, backend = Replay(log), Backend([dialect("guide")], 1)
    statuses = [once(replay, backend, ask(str(at), key="key-limited")).status for at in range(4)]
    assert statuses == [200, 200, 429, 200]
    assert (replay.same, replay.told) == (4, [])
    assert backend.in_flight == 0


def test_a_response_that_lasts_longer_than_in_the_log_stands_in_nobodys_way(tmp_path: Path) -> None:
    def asking(recorder: Recorder, backend: Backend) -> None:
        for at in range(4):
            once(recorder, backend, ask(str(at), key="key-limited"))

    replay, backend = Replay(recorded(tmp_path / "log", asking)), Backend([dialect("guide")], 1)
    plans = [replay.reply("", backend, ask(str(at), key="key-limited"), NOW) for at in range(4)]
    assert [plan.status for plan in plans] == [200] * 4
    for plan in plans:
        replay.finished("", backend, plan)
    assert (replay.same, replay.told, backend.in_flight) == (4, [], 0)


def test_an_answer_that_became_another_one_is_told(tmp_path: Path) -> None:
    log = recorded(tmp_path / "log", three, "gap=uniform(1s, 2s)")
    replay, backend = Replay(log), Backend([dialect("guide")], 1)
    assert (
        "'wait' of the log is not decided here; the answer is another one, in due_s"
        in once(replay, backend, ask("a")).about.warnings[0]
    )
    replay, backend = Replay(log), Backend([dialect("guide")], 1, variant="crlf")
    backend.latency = replay.latency
    assert "the answer is another one, in bytes: " in once(replay, backend, ask("a")).about.warnings[0]
    replay, backend = Replay(recorded(tmp_path / "log", three)), Backend([dialect("guide")], 1)
    backend.latency = latency_of("gap=1s")
    assert "'wait' is decided, where the log has 'nothing'" in once(replay, backend, ask("a")).about.warnings[0]


def test_scopes_are_kept_apart(tmp_path: Path) -> None:
    def asking(recorder: Recorder, backend: Backend) -> None:
        other = backend.twin()
        for scope, one in (("", backend), ("x", other), ("", backend)):
            recorder.finished(scope, one, recorder.reply(scope, one, ask(), NOW))

    replay, backend = Replay(recorded(tmp_path / "log", asking)), Backend([dialect("guide")], 1)
    other = backend.twin()
    for scope, one in (("x", other), ("", backend), ("", backend)):
        replay.finished(scope, one, replay.reply(scope, one, ask(), NOW))
    assert (replay.same, replay.told) == (3, [])


def test_what_makes_two_requests_the_same() -> None:
    plain = fingerprint(ask())
    assert plain == fingerprint(ask())
    assert [plain == fingerprint(one) for one in (ask("Ho"), ask(key="key-pro"), ask(session_id="s"))] == [False] * 3
    assert fingerprint(HttpRequest("POST", "/chat", {"accept": "a"})) != fingerprint(
        HttpRequest("POST", "/chat", {"accept": "b"})
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "1:1: is no decision log"), ("{}\n", "1:1: is no decision log"), ('{"decisions": 2}\n', "1:1: is no decision log"),
        ('{"decisions": 1}\n{"n": 1, \n', "2:10: is not JSON"), ('{"decisions": 1}\n[]\n', "2:1: expected an object"),
        pytest.param('{"decisions": 1}\n' + "[" * 100_000 + "\n", "2:1: is not JSON", id="deep"),
        ('{"decisions": 1}\n{"n": 1, "scope": "", "at": 1e999, "asked": {}, "decided": [], "answer": null}\n', "2:1: at: missing, or not"),
        ('{"decisions": 1}\n{"n": 1}\n', "2:1: scope: missing"), ('{"decisions": 1, "seed": "x"}\n', "1:1: expected a seed"),
        ('{"decisions": 1, "latency": {"gpa": 1}}\n', "did you mean 'gap'"),
        ('{"decisions": 1}\n{"n": 1, "scope": "", "at": 1, "asked": {}, "decided": [1], "answer": null}\n', "2:1: decided: expected pairs"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_place(text: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(text, "utf-8")
    with pytest.raises(BadFile) as told:
        Replay(tmp_path / "log")
    assert wanted in str(told.value)


def test_a_log_that_was_cut_off_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    log = recorded(tmp_path / "log", three)
    whole = log.read_text()
    for cut_off, size in ((5, 3), (30, 2)):
        log.write_text(whole[:-cut_off], "utf-8")
        assert Replay(log).size == size


def test_a_disk_that_fails_stops_the_log_and_not_the_backend(tmp_path: Path) -> None:
    complaints: list[str] = []
    backend = Backend([dialect("guide")], 7)
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full here")
    recorder = Recorder("/dev/full", settings_of(backend, "frozen"), complaints.append)
    assert once(recorder, backend, ask()).status == 200
    assert len(complaints) == 1
    assert "the decision log stops: /dev/full" in complaints[0]


def test_flags_that_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="replay stands beside latency"):
        Simulator(["guide"], replay="x", latency="first=1s")
    with pytest.raises(ValueError, match="--replay stands beside --decisions"):
        Logs("a", "b").check(None, "--")
    with pytest.raises(OSError, match="No such file"), Simulator(["guide"], decisions="/nowhere/log"):
        pass
