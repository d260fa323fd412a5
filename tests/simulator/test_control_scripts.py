"""Scripts, sessions in them, plans and the clock's modes through the control API; and why a request was answered as it was."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatproof import Simulator
from chatproof.simulator.script import reading
from chatproof.simulator.script.reading import check_text

from .controlled import Desk, controlled
from .scripted import script, turns

TURNS = """
start:
  - when: {contains: order}
    say: Which number?
    goto: number
  - when: {exact: [help, halp], first_turn: true}
    say: Help is near.
  - when: {contains: fails}
    say: "{{ 1 / 0 }}"
number:
  - when: {regex: '(?P<n>[0-9]{5})'}
    capture: {order: n, secret: n}
    say: It is on its way.
  - when: {contains: help}
    say: Five digits.
"""
SHOP = turns(TURNS)
KEYS = "plans:\n  Tiny: {requests_per_minute: 2}\nkeys:\n  sk-canary-77aa10: {plan: Tiny}\n"


@pytest.fixture(scope="module")
def both() -> Iterator[Desk]:
    with controlled(script=script(SHOP)) as desk:
        yield desk


@pytest.fixture
def control(both: Desk) -> Iterator[Desk]:
    yield both
    both.post("/reset")


def put(control: Desk, text: str, status: int = 200, query: str = "") -> Any:
    reply = control.ask("PUT", f"/script{query}", content=text.encode())
    assert reply.status_code == status, reply.text
    return reply.json()


def test_an_unmatched_request_says_which_rules_were_tried_the_nearest_first(control: Desk) -> None:
    control.chat("shop", "order", session_id="s")
    assert control.chat("shop", "helb", session_id="s").status_code == 500
    found = control.get("/unmatched")
    (row,) = found["requests"]
    assert (found["found"], row["agent"], row["turn"], row["session"]) == (1, "shop", "number", "s")
    assert row["rules"] == [
        {"rule": 2, "at": "s.yaml:17:11", "why": ["contains: 'help' is not in 'helb'"]},
        {"rule": 1, "at": "s.yaml:14:11", "why": ["regex: '(?P<n>[0-9]{5})' does not match 'helb'"]},
    ]
    (shown,) = control.get("/journal?unmatched=true")["requests"]
    assert shown["unmatched"] == {word: row[word] for word in ("agent", "turn", "rules")}
    assert [one["unmatched"] for one in control.get("/journal?unmatched=false")["requests"]] == [None]
    assert control.post("/verify", {"match": {"unmatched": True}, "exactly": 1}) == {"ok": True}
    assert "unmatched: expected true or false" in control.problem("GET", "/journal?unmatched=maybe", None, 400)


def test_requests_are_answered_while_a_script_is_checked(control: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, answered = threading.Event(), threading.Event()
    threads: list[int] = []

    def slow(*words: Any) -> Any:
        threads.append(threading.get_ident())
        begun.set()
        assert answered.wait(10)
        return check_text(*words)

    monkeypatch.setattr(reading, "check_text", slow)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(put, control, SHOP.replace("shop:", "stall:"))
        assert begun.wait(10)
        assert control.chat("echo").status_code == 200
        answered.set()
        assert sent.result(10)["script"]["agents"].keys() == {"stall"}
    assert threads != [control.server.thread]


def test_each_request_is_explained(control: Desk) -> None:
    asked = (("shop", "help"), ("shop", "fails"), ("echo", "Hi"), ("nobody", "Hi"))
    for agent, message in asked:
        control.chat(agent, message)
    numbers = [one["number"] for one in control.get("/journal")["requests"]]
    told = [control.get(f"/journal/{number}/explain") for number in numbers]
    assert [one["why"] for one in told] == [
        "a rule of the script answered",
        "a template of the script failed",
        "agent 'echo' is none of the script: it has no rules",
        "it was refused before any agent was asked: agent_not_found",
    ]
    assert told[0]["answered"] == {"rule": 2, "at": "s.yaml:9:11"}
    assert [(row["outcome"], row["why"]) for row in told[0]["rules"]] == [
        ("failed", ["contains: 'order' is not in 'help'"]),
        ("answered", ["everything that it asks for holds"]),
        ("not tried", ["rule 2 goes before it"]),
    ]
    assert [row["outcome"] for row in told[1]["rules"]] == ["failed", "failed", "failed"]
    assert told[1]["rules"][2]["why"] == ["it fits, and making its answer failed"]
    assert told[2]["rules"] == []
    assert "too long ago" in control.problem("GET", "/journal/999999/explain", None, 404)


def test_a_script_is_put_in_place_of_another_or_refused_whole(control: Desk) -> None:
    control.chat("shop", "order", session_id="old")
    new = turns("start:\n  - else: {say: A new one.}") + KEYS
    assert put(control, new, query="?dry_run=1")["dry_run"] is True
    assert control.chat("shop", "order").json()["response"] == "Which number?"
    bad = put(control, SHOP.replace("goto: number", "goto: numbr").replace("contains: help", "contians: help"), 400)[
        "error"
    ]
    assert bad["problems"] == [
        "script:8:17: no turn 'numbr' (did you mean 'number'?)",
        "script:17:18: unknown key 'contians' (did you mean 'contains'?)",
    ]
    assert control.chat("shop", "order").json()["response"] == "Which number?"
    assert put(control, new)["script"]["agents"] == {"shop": {"start": 1}}
    assert control.chat("shop", "order").json()["response"] == "A new one."
    assert control.chat("shop", "12345", session_id="old").json()["response"] == "It is on its way."
    assert control.chat("shop", "x", key="sk-canary-77aa10").status_code == 200
    shown = control.get("/script")["script"]
    assert (shown["path"], shown["plans"]) == ("script", ["Tiny"])
    assert "A new one." in shown["text"]
    assert "sk-canary" not in json.dumps([shown, control.get("/journal")])
    assert {"name": "shop", "kind": "script"} in control.get("/agents")["agents"]
    assert [row["name"] for row in control.get("/plans")["plans"] if row["kind"] == "script"] == ["Tiny"]
    assert control.post("/reset", {"what": ["script"]}) == {"reset": ["script"]}
    assert control.chat("shop", "order").json()["response"] == "Which number?"
    assert control.chat("shop", "x", key="sk-canary-77aa10").status_code == 401


def test_a_body_that_is_no_script(control: Desk) -> None:
    assert "script:1:1: is empty" in put(control, "", 400)["error"]["problems"]
    assert "is not YAML" in put(control, "a: [", 400)["error"]["problems"][0]
    reply = control.ask("PUT", "/script", content=b"\xff")
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "the body is not UTF-8: byte 0")
    assert "did you mean 'dry_run'" in put(control, SHOP, 400, "?dryrun=1")["error"]["message"]
    assert "dry_run: expected true or false" in put(control, SHOP, 400, "?dry_run=yes")["error"]["message"]


def test_a_session_is_shown_and_jumps(control: Desk) -> None:
    for message in ("order", "it is 12345"):
        control.chat("shop", message, session_id="s")
    (shown,) = control.get("/sessions/s")["sessions"]
    assert (shown["said"], shown["script"]["turn"], shown["script"]["answered"]) == (
        ["order", "it is 12345"],
        "number",
        2,
    )
    assert shown["script"]["variables"] == {"order": "12345", "secret": "[masked]"}
    (jumped,) = control.post("/sessions/jump", {"session": "s", "turn": "start"})["jumped"]
    assert jumped["script"]["turn"] == "start"
    assert control.chat("shop", "order", session_id="s").json()["response"] == "Which number?"
    control.chat("echo", "Hi", session_id="plain")
    assert "did you mean 'number'" in control.problem("POST", "/sessions/jump", {"session": "s", "turn": "numbr"}, 400)
    assert "has no script" in control.problem("POST", "/sessions/jump", {"session": "plain", "turn": "start"}, 409)
    assert "no living session 'x'" in control.problem("POST", "/sessions/jump", {"session": "x", "turn": "start"}, 404)
    for stray in ({"key": "broke"}, {"agent": "echo"}, {"dialect": "rest"}):
        control.problem("POST", "/sessions/jump", {"session": "s", "turn": "start", **stray}, 404)
    assert "did you mean 'rest'" in control.problem(
        "POST", "/sessions/jump", {"session": "s", "turn": "start", "dialect": "rst"}, 404
    )
    assert "did you mean 'plain'" in control.problem("GET", "/sessions/plainn", None, 404)


def test_the_clock_is_set_and_changes_its_mode(control: Desk) -> None:
    now = control.get("/clock")["now"]
    assert control.post("/clock", {"set": now + 90})["now"] == now + 90
    later = control.post("/clock", {"set": "2027-02-03T04:05:06Z"})
    assert (later["shown"], later["mode"]) == ("2027-02-03T04:05:06Z", "frozen")
    running = control.post("/clock", {"mode": "x60", "advance": 10})
    assert (running["mode"], running["frozen"]) == ("x60", False)
    assert later["now"] + 10 <= running["now"] < later["now"] + 3600
    frozen = control.post("/clock", {"mode": "frozen"})
    assert frozen["mode"] == "frozen"
    assert control.get("/clock") == frozen
    for body, says in (
        ({}, "nothing to do"),
        ({"advance": 1, "set": 2e9}, "got both"),
        ({"set": now}, "forward only"),
        ({"set": "soon"}, "expected seconds since the epoch"),
        ({"mode": "slow"}, "expected real, frozen or xN"),
        ({"mode": "real", "set": 5}, "forward only"),
        ({"advence": 5}, "did you mean 'advance'"),
    ):
        assert says in control.problem("POST", "/clock", body, 400)
        assert control.get("/clock") == frozen


def test_no_key_is_in_any_explanation(control: Desk) -> None:
    canary = "sk-canary-3e90b1c4"
    assert control.post("/keys", {"name": canary}, 201)["key"] == canary
    for message in ("order", f"help {canary}", f"it is 12345 {canary}", f"nothing {canary}"):
        control.chat("shop", message, key=canary, session_id=f"s-{canary}")
    numbers = [one["number"] for one in control.get("/journal")["requests"]]
    shown = [
        control.get("/unmatched"),
        control.get(f"/sessions/s-{canary}"),
        control.get("/journal?unmatched=true&wire=true"),
        *(control.get(f"/journal/{number}/explain") for number in numbers),
        control.post("/sessions/jump", {"session": f"s-{canary}", "turn": "start", "key": canary}),
    ]
    assert canary not in json.dumps(shown)
    assert shown[0]["found"] == 1
    assert "nothing [key " in json.dumps(shown[0])


@pytest.mark.slow
def test_unmatched_requests_in_a_test(tmp_path: Any) -> None:
    (tmp_path / "s.yaml").write_text(SHOP)
    from .asking import chat

    with Simulator(["guide"], script=tmp_path / "s.yaml") as sim:
        chat(sim, "shop", "order")
        assert sim.journal.unmatched == []
        chat(sim, "shop", "nothing that anybody expects")
        (entry,) = sim.journal.unmatched
        assert len(entry.unmatched) == 3
        (line,) = [one for one in entry.unmatched if one.startswith("rule 2 (")]
        assert "exact: the message is 'nothing that anybody expects', not 'help' or 'halp'" in line
