"""The control API as a user asks it: each operation, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from chatproof.simulator.control.openapi import document
from chatproof.simulator.control.operations import OPERATIONS
from chatproof.simulator.faults import FAULTS
from chatproof.spec import names

from .controlled import Desk, controlled

CANARY = "sk-canary-7d41f09c2b"


@pytest.fixture(scope="module")
def both() -> Iterator[Desk]:
    with controlled() as desk:
        yield desk


@pytest.fixture
def control(both: Desk) -> Iterator[Desk]:
    yield both
    both.post("/reset")


def test_health(control: Desk) -> None:
    health = control.get("/health")
    assert (health["status"], health["seed"], set(health["urls"])) == ("ok", 7, set(names()))
    assert (
        health["clock"] == {"now": 1767225600.0, "shown": "2026-01-01T00:00:00Z", "frozen": True}
        or health["clock"]["frozen"]
    )


def test_a_fault_is_added_listed_fires_and_is_removed(control: Desk) -> None:
    made = control.post("/faults", {"fault": "html-errors", "agent": "nobody", "times": 2}, 201)
    assert (made["layer"], made["aim"], made["warnings"]) == ("decision", {"agent": "nobody", "times": 2}, [])
    for _ in range(3):
        control.chat("nobody")
    (shown,) = control.get("/faults")["faults"]
    assert (shown["id"], shown["fired"], shown["fitted"], shown["spent"]) == (made["id"], 2, 2, True)
    assert control.delete(f"/faults/{made['id']}")["removed"]["fault"] == "html-errors"
    assert control.get("/faults") == {"faults": []}
    control.post("/faults", {"fault": "html-errors"}, 201)
    assert control.delete("/faults") == {"removed": 1}
    assert {one["fault"] for one in control.get("/catalogue")["faults"]} == set(FAULTS)


def test_two_faults_on_a_layer_are_a_warning_in_the_answer_and_the_log(control: Desk) -> None:
    control.post("/faults", {"fault": "text-lost"}, 201)
    (warning,) = control.post("/faults", {"fault": "no-text"}, 201)["warnings"]
    assert "text-lost are both on the layer events" in warning
    assert control.log[-1] == f"warning: {warning}"


def test_the_clock_opens_a_window(control: Desk) -> None:
    for _ in range(20):
        control.chat(key="key-limited")
    assert control.chat(key="key-limited").status_code == 429
    before = control.get("/clock")["now"]
    assert control.post("/clock", {"advance": 60})["now"] == before + 60
    assert control.chat(key="key-limited").status_code == 200


def test_keys_are_made_topped_up_and_renewed(control: Desk) -> None:
    key = control.post("/keys", {"requests_per_minute": 1, "balance": 1}, 201)["key"]
    assert [control.chat(key=key).status_code for _ in range(2)] == [200, 429]
    assert control.post("/keys/reset", {"key": key})["reset"].startswith("[key ")
    control.post("/keys/top-up", {"key": key, "units": 100})
    assert control.chat(key=key).status_code == 200
    rows = [row for row in control.get("/keys")["keys"] if row["plan"]["name"] == "Own"]
    assert {row["dialect"] for row in rows} == set(names())
    assert key not in json.dumps(rows)
    assert control.post("/keys/top-up", {"key": "metered", "units": 5})["balances"]["guide"] == 205
    assert "it never ends" in control.problem("POST", "/keys/top-up", {"key": "valid", "units": 5}, 409)
    assert "did you mean 'metered'" in control.problem("POST", "/keys/reset", {"key": "meterd"}, 404)


def test_sessions_are_listed_and_expire(control: Desk) -> None:
    for session in ("a", "b"):
        control.chat("memory", "Remember this code: X", session_id=session)
    rows = control.get("/sessions")["sessions"]
    assert [(row["session"], row["key"], row["agent"], row["turns"]) for row in rows] == [
        ("a", "[key valid]", "memory", 1), ("b", "[key valid]", "memory", 1),
    ]  # fmt: skip
    assert rows[0]["expires_in_s"] == 24 * 3600
    assert control.post("/sessions/expire", {"session": "a", "key": "valid", "dialect": "guide"}) == {"expired": 1}
    assert [row["session"] for row in control.get("/sessions")["sessions"]] == ["b"]
    assert control.post("/sessions/expire") == {"expired": 1}
    assert "did you mean 'guide'" in control.problem("POST", "/sessions/expire", {"dialect": "gide"}, 404)


def test_agents(control: Desk) -> None:
    control.post("/agents", {"name": "mine", "replies": ["one", "two"]}, 201)
    assert [control.chat("mine", session_id="s").json()["response"] for _ in range(3)] == ["one", "two", "two"]
    assert {"name": "mine", "kind": "own"} in control.get("/agents")["agents"]
    assert control.delete("/agents/mine") == {"removed": "mine"}
    assert control.chat("mine").status_code == 404
    assert "no agent 'mine' was added" in control.problem("DELETE", "/agents/mine", None, 404)


def test_an_agent_takes_its_time(control: Desk) -> None:
    latency = {"first": "5m", "gap": {"uniform": [1, 2]}, "stall": {"after": 2, "for": 600}}
    control.post("/agents", {"name": "slow", "replies": ["a b c d"], "latency": latency, "chunk": {"words": 3}}, 201)
    assert "done" in control.chat("slow", stream=True).text
    writes = control.get("/journal?agent=slow&wire=true")["requests"][0]["writes"]
    assert [write["due_ms"] // 60_000 for write in writes] == [0, 5, 5, 15]


def test_a_seed_gives_the_same_ids_again(control: Desk) -> None:
    def ids() -> list[str]:
        return [control.chat().json()["session_id"] for _ in range(2)]

    control.post("/seed", {"seed": 5})
    first = ids()
    assert control.post("/seed") == {"seed": 5} == control.get("/seed")
    assert ids() == first
    control.post("/seed", {"seed": 7})
    assert ids() != first


def test_the_journal_is_filtered_shown_and_forgotten(control: Desk) -> None:
    for agent in ("echo", "nobody", "echo"):
        control.chat(agent)
    found = control.get("/journal?agent=echo&limit=1")
    assert (found["found"], [one["agent"] for one in found["requests"]]) == (2, ["echo"])
    assert "writes" not in found["requests"][0]
    assert control.get("/journal?status=4xx")["found"] == 1
    number = control.get("/journal?refusal=agent_not_found")["requests"][0]["number"]
    assert control.get(f"/journal/{number}")["writes"][0]["bytes"].startswith("HTTP/1.1 404")
    assert control.get(f"/journal?since={number}&wire=true")["requests"][0]["writes"]
    assert len(control.get("/journal?format=har")["log"]["entries"]) == 3
    assert control.delete("/journal?agent=nobody") == {"forgotten": 1}
    assert control.get("/journal")["found"] == 2
    assert "too long ago" in control.problem("GET", "/journal/999999", None, 404)
    assert "limit: expected a whole number" in control.problem("GET", "/journal?limit=x", None, 400)
    assert "streamed: expected true or false" in control.problem("GET", "/journal?streamed=1", None, 400)
    assert "format: expected json or har" in control.problem("GET", "/journal?format=xml", None, 400)


def test_verify_by_count_and_order(control: Desk) -> None:
    for agent in ("echo", "nobody"):
        control.chat(agent)
    assert control.post("/verify", {"match": {"agent": "echo", "status": 200}, "exactly": 1}) == {"ok": True}
    assert control.post("/verify", {"order": [{"agent": "echo"}, {"status": "4xx"}]}) == {"ok": True}
    wrong = control.post("/verify", {"match": {"agent": "echo"}, "at_least": 2}, 409)
    assert wrong["ok"] is False
    assert wrong["message"].startswith("expected at least 2 requests with agent='echo', got 1; there were:\n  #")
    assert control.post("/verify", {"order": [{"agent": "nobody"}, {"agent": "echo"}]}, 409)["ok"] is False
    assert "nothing to verify" in control.problem("POST", "/verify", {}, 400)


def test_reset_names_what_it_clears(control: Desk) -> None:
    control.chat("memory", session_id="s")
    control.post("/faults", {"fault": "text-lost"}, 201)
    assert control.post("/reset", {"what": ["sessions"]}) == {"reset": ["sessions"]}
    assert (
        control.get("/sessions")["sessions"],
        len(control.get("/faults")["faults"]),
        control.get("/journal")["found"],
    ) == ([], 1, 1)
    assert "faults" in control.post("/reset")["reset"]
    assert control.get("/faults")["faults"] == []


def test_scopes(control: Desk) -> None:
    scope = control.post("/scopes", {"name": "one"}, 201)
    control.post("/faults?scope=one", {"fault": "html-errors"}, 201)
    assert control.chat("nobody", at=scope["urls"]["guide"]).headers["content-type"] == "text/html"
    assert control.chat("nobody", key=scope["keys"]["valid"]).headers["content-type"] == "text/html"
    assert control.chat("nobody").headers["content-type"] == "application/json"
    assert (control.get("/journal?scope=one")["found"], control.get("/journal")["found"]) == (2, 1)
    assert "is open already" in control.problem("POST", "/scopes", {"name": "one"}, 409)
    assert [one["name"] for one in control.get("/scopes")["scopes"]] == ["", "one"]
    assert "did you mean 'one'" in control.problem("GET", "/clock?scope=onne", None, 404)
    assert control.delete("/scopes/one") == {"closed": "one"}
    assert control.chat(at=scope["urls"]["guide"]).status_code == 404


def test_metrics(control: Desk) -> None:
    before = _metrics(control)
    control.chat()
    control.chat("nobody")
    control.post("/faults", {"fault": "html-errors", "times": 1}, 201)
    control.chat("nobody")
    with control.server.journal.changed:
        control.server.journal.changed.wait_for(lambda: all(one.over for one in control.server.journal.entries()), 5)
    after = _metrics(control)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert grown == {
        'requests_total{dialect="guide",operation="chat",status="200"}': 1,
        'requests_total{dialect="guide",operation="chat",status="404"}': 2,
        'refusals_total{dialect="guide",reason="agent_not_found"}': 2,
        'faults_fired_total{fault="html-errors"}': 1,
        "journal_entries": 3,
        "journal_bytes": grown["journal_bytes"],
        "faults_in_force": 1,
    }


def _metrics(control: Desk) -> dict[str, float]:
    reply = control.ask("GET", "/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows = [line for line in reply.text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'chatproof_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[0-9.]+', row) for row in rows)
    return {row.rpartition(" ")[0].removeprefix("chatproof_"): float(row.rpartition(" ")[2]) for row in rows}


MISTAKES: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/faults", {"fault": "text-lots"}, 400, "did you mean 'text-lost'"),
    ("POST", "/faults", {"fault": "text-lost", "tims": 1}, 400, "unknown key 'tims' (did you mean 'times'?)"),
    ("POST", "/faults", {"fault": "text-lost", "times": 0}, 400, "0 is less than the minimum of 1"),
    ("POST", "/faults", {"fault": "text-lost", "times": 1.5}, 400, "times: expected a whole number, got 1.5"),
    ("POST", "/faults", {"fault": "text-lost", "after": 2}, 400, "cuts no stream"),
    ("POST", "/faults", {}, 400, "the body: missing key 'fault'"),
    ("POST", "/faults", [], 400, "the body: expected a mapping, got a list"),
    ("POST", "/clock", {"advance": -1}, 400, "less than the minimum"),
    ("POST", "/clock", {"advnce": 1}, 400, "did you mean 'advance'"),
    ("POST", "/reset", {"what": ["session"]}, 400, "did you mean 'sessions'"),
    ("POST", "/verify", {"match": {"agnet": "x"}}, 400, "did you mean 'agent'"),
    ("POST", "/scopes", {"name": "a/b"}, 400, "name: expected text matching"),
    ("POST", "/agents", {"name": "x", "replies": []}, 400, "replies"),
    ("POST", "/agents", {"name": "x", "replies": ["x"], "latency": {"frist": 1}}, 400, "latency.frist: unknown key 'frist' (did you mean 'first'?)"),
    ("POST", "/agents", {"name": "x", "replies": ["x"], "latency": "gap=-1s"}, 400, "latency.gap: expected a duration"),
    ("POST", "/agents", {"name": "x", "replies": ["x"], "chunk": {"bytes": 3}}, 400, "chunk: bytes: expected a whole number from 4"),
    ("POST", "/agents", {"name": "x", "replies": ["x"], "chunk": [3]}, 400, "chunk: expected"),
    ("GET", "/journal?agnet=x", None, 400, "unknown parameter 'agnet' (did you mean 'agent'?)"),
    ("GET", "/journal?agent=x&agent=y", None, 400, "'agent' is given twice"),
    ("GET", "/clok", None, 404, "did you mean '/clock'"),
    ("PUT", "/clock", None, 405, "/clock takes GET and POST, not PUT"),
    ("DELETE", "/faults/f9", None, 404, "no fault 'f9' is in force; in force: none"),
    ("GET", "/clock", {"a": 1}, 400, "takes no body"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "says"), MISTAKES)
def test_a_mistake_is_refused_in_words_and_changes_nothing(
    method: str, path: str, body: Any, status: int, says: str, control: Desk
) -> None:
    before = _state(control)
    assert says in control.problem(method, path, body, status)
    assert _state(control) == before


def _state(control: Desk) -> list[Any]:
    return [control.get(path) for path in ("/faults", "/clock", "/agents", "/keys", "/scopes", "/journal", "/seed")]


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"{", 400, "is not valid JSON"),
        (b'{"fault": "text-lost", "fault": "no-text"}', 400, "a name is given twice"),
        (b"[" * 100_000, 400, "not valid JSON"),
        (b"\xff", 400, "not valid JSON"),
        (b" " * 2_000_000, 413, "bytes at most"),
    ],
)
def test_bodies_that_are_none(content: bytes, status: int, says: str, control: Desk) -> None:
    reply = control.ask("POST", "/faults", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, says in reply.json()["error"]["message"]) == (status, True), reply.text
    reply = control.ask("POST", "/faults", content=b"{}", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415


def test_405_names_the_methods(control: Desk) -> None:
    assert control.ask("PUT", "/clock").headers["allow"] == "GET, POST"


def test_no_page_and_no_other_name_gets_in_without_a_token(control: Desk) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert control.ask("GET", "/health", headers=headers).status_code == 403
    assert control.ask("GET", "/health", headers={"Host": "localhost:1"}).status_code == 200


def test_with_a_token_nothing_goes_without_it() -> None:
    with controlled(CANARY) as desk:
        for operation in OPERATIONS:
            reply = httpx.request(operation.method, desk.control + operation.path)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
            assert CANARY not in reply.text
        assert desk.ask("GET", "/health", headers={"Authorization": f"Bearer {CANARY}x"}).status_code == 401
        assert (
            desk.ask("GET", "/health", headers={"Authorization": f"Bearer {CANARY}", "Host": "any"}).status_code == 200
        )
        assert desk.get("/openapi.json")["security"] == [{"token": []}]


def test_no_key_is_told_by_any_operation(control: Desk) -> None:
    control.post("/keys", {"name": CANARY, "balance": 10_000}, 201)
    control.post("/faults", {"fault": "html-errors", "key": CANARY, "contains": CANARY}, 201)
    control.chat("memory", f"my key is {CANARY} indeed", key=CANARY, session_id=CANARY)
    control.chat(CANARY, key=CANARY)
    told = [control.ask("GET", one.path).text for one in OPERATIONS if one.method == "GET" and "{" not in one.path]
    told += [control.ask("GET", f"/journal?{query}").text for query in ("format=har", "wire=true", f"key={CANARY}")]
    told.append(control.ask("POST", "/verify", {"match": {"key": CANARY}, "exactly": 9}).text)
    assert control.get(f"/journal?key={CANARY}")["found"] == 2
    assert not [text for text in told if CANARY in text]
    assert not [line for line in control.log if CANARY in line]


def test_it_is_described_and_the_description_is_true(control: Desk) -> None:
    described = control.get("/openapi.json")
    assert described == document(secured=False)
    validate(described)
    assert {(method.upper(), path) for path, item in described["paths"].items() for method in item} == {
        (operation.method, operation.path) for operation in OPERATIONS
    }
    for operation in OPERATIONS:
        if operation.body is not None:
            Draft202012Validator.check_schema(operation.body)
    ids = [shown["operationId"] for item in described["paths"].values() for shown in item.values()]
    assert len(ids) == len(set(ids))
