"""The fake backend as a test of another project uses it: ``Simulator`` and what it gives."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import chatproof
from chatproof import Answer, Failure, Sim, Simulator, ToolCall, ToolResult, Turn
from chatproof.spec import names

from .asking import chat, text


def test_it_is_there_in_moments_and_gone_after() -> None:
    began = time.monotonic()
    with Simulator(["guide"]) as sim:
        ready = time.monotonic() - began
        assert text(sim, "echo") == "You said: Hi"
    assert ready < 5
    with pytest.raises(httpx.ConnectError):
        chat(sim)
    with pytest.raises(RuntimeError, match="the simulator has stopped"):
        sim.reset()
    assert len(sim.journal) == 1


def test_async() -> None:
    async def main() -> str:
        async with Simulator(["guide"]) as sim, httpx.AsyncClient() as client:
            sim.agent("support", lambda turn: f"Hello {turn.message}")
            headers = {"Authorization": f"Bearer {sim.key()}"}
            body = {"agent_id": "support", "message": "you", "stream": False}
            waiting = asyncio.create_task(sim.journal.arrived(agent="support"))
            reply = await client.post(f"{sim.url('guide')}/chat", json=body, headers=headers)
            (entry,) = await waiting
            assert entry.status == 200
            return str(reply.json()["response"])

    assert asyncio.run(main()) == "Hello you"


def test_a_script_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("script: 1\nagents:\n  shop: {turns: {start: [{else: {say: good}}]}}\n")
    with Simulator(["guide"], script=script) as sim:
        assert text(sim, "shop") == "good"


def test_replies_a_turn_each_and_the_last_again(sim: Sim) -> None:
    sim.agent("support", "one", "two")
    assert [text(sim, "support", session_id="s") for _ in range(3)] == ["one", "two", "two"]
    assert text(sim, "support", session_id="t") == "one"


def test_a_function_knows_the_turn(sim: Sim) -> None:
    turns: list[Turn] = []

    def say(turn: Turn) -> str:
        turns.append(turn)
        return f"turn {len(turn.said) + 1}"

    sim.agent("support", say)
    assert [text(sim, "support", m, session_id="s-1", metadata={"a": 1}) for m in ("x", "y")] == ["turn 1", "turn 2"]
    assert turns[1] == Turn("y", ("x",), {"a": 1}, "s-1")


def test_events_pauses_and_whole_answers(sim: Sim) -> None:
    sim.agent("tools", ["Let me see. ", 0.5, ToolCall("look", {"q": 1}), ToolResult("look", "ok"), "Done."])
    reply = httpx.post(
        f"{sim.url('reference')}/chat", json={"agent_id": "tools", "message": "x"}, headers={"Authorization": f"Bearer {sim.key()}"}
    ).json()  # fmt: skip
    assert reply["response"] == "Let me see. Done."
    assert reply["tool_calls"][0]["name"] == "look"
    sim.agent("down", Answer(refusal="unavailable"))
    assert chat(sim, "down").status_code == 503
    sim.agent("breaks", ["I", Failure("off")])
    assert chat(sim, "breaks").status_code == 500
    sim.agent("generates", lambda turn: (word for word in ("a", "b")))
    assert text(sim, "generates") == "ab"


def test_an_agent_of_ones_own_goes_before_a_built_in_and_a_documented_one(sim: Sim) -> None:
    for name in ("echo", "agent_abc123", "ag_c47e7c97_b2f2"):
        sim.agent(name, "mine")
    assert text(sim, "echo") == "mine"
    assert text(sim, "agent_abc123", "Tell me about your return policy") == "mine"


def test_a_function_that_raises_is_an_internal_error_and_told(sim: Sim) -> None:
    sim.agent("bad", lambda turn: 1 / 0)
    assert chat(sim, "bad").status_code == 500
    assert "ZeroDivisionError" in sim.journal.last(agent="bad").error
    sim.agent("odd", lambda turn: object())  # type: ignore[arg-type,return-value]
    assert chat(sim, "odd").status_code == 500
    assert "an agent says text" in sim.journal.last(agent="odd").error


async def _later(turn: Turn) -> str:
    return "x"


@pytest.mark.parametrize(
    "says", [(), (1, "x", b"y"), (_later,), ("x", lambda turn: "y"), ({"a": 1},), ([-1.0],), ([True],)]
)
def test_what_cannot_be_said_is_told_at_once(says: tuple[Any, ...], sim: Sim) -> None:
    with pytest.raises(TypeError, match=r"agent|expected"):
        sim.agent("x", *says)


def test_an_agent_may_change_the_simulator_it_runs_in(sim: Sim) -> None:
    def say(turn: Turn) -> str:
        sim.clock.advance(60)
        return f"{sim.clock.now():.0f}"

    before = sim.clock.now()
    sim.agent("late", say)
    assert text(sim, "late") == f"{before + 60:.0f}"


def test_keys_of_ones_own(sim: Sim) -> None:
    key = sim.new_key(requests_per_minute=2)
    assert [chat(sim, key=key).status_code for _ in range(3)] == [200, 200, 429]
    sim.clock.advance(60)
    assert chat(sim, key=key).status_code == 200
    poor = sim.new_key("poor", balance=1)
    assert [chat(sim, key=poor).status_code for _ in range(2)] == [200, 402]
    sim.top_up(poor, 1_000)
    assert chat(sim, key=poor).status_code == 200
    only = sim.new_key(agent="memory")
    assert chat(sim, "memory", key=only).status_code == 200
    assert chat(sim, key=only).status_code != 200
    assert sim.key("limited").startswith("key-limited")


def test_faults(sim: Sim) -> None:
    with sim.fault("html-errors", agent="nobody") as fault:
        assert chat(sim, "nobody").headers["content-type"] == "text/html"
        assert (fault.fired, fault.fitted, fault.warnings) == (1, 1, ())
        assert [(one.fault.name, one.fired) for one in sim.faults()] == [("html-errors", 1)]
    assert chat(sim, "nobody").headers["content-type"] == "application/json"
    assert fault.fired == 1
    twice = sim.fault("never-402", key=sim.key("broke"), times=2)
    assert [chat(sim, key=sim.key("broke")).status_code for _ in range(3)] == [200, 200, 402]
    assert sim.fault("never-429").warnings == (
        f"{sim.faults()[-1].id} never-429 and {twice.id} never-402 are both on the layer decision: where they meet, the one added last wins",
    )
    twice.remove()
    twice.remove()


def test_three_events_arrive_before_the_cut(sim: Sim) -> None:
    sim.fault("reset-mid-stream", after=3)
    body = {"agent_id": "echo", "message": "a b c d e"}
    got: list[bytes] = []
    headers = {"Authorization": f"Bearer {sim.key()}"}
    with (
        httpx.stream("POST", f"{sim.url('guide')}/chat", json=body, headers=headers) as reply,
        pytest.raises(httpx.ReadError),
    ):
        got.extend(reply.iter_bytes())
    assert b"".join(got).count(b"\n\n") == 3
    assert sim.journal.wait_for(closed="reset")[0].faults == ("reset-mid-stream",)


def test_sessions_expire_by_the_clock(sim: Sim) -> None:
    chat(sim, "memory", "Remember this code: X-1", session_id="s")
    assert "X-1" in text(sim, "memory", "What code?", session_id="s")
    sim.clock.advance(25 * 3600)
    assert "X-1" not in text(sim, "memory", "What code?", session_id="s")


RESET: dict[str, Callable[[Sim], object]] = {
    "journal": lambda sim: (chat(sim), lambda: len(sim.journal))[1](),
    "sessions": lambda sim: (
        text(sim, "memory", "What code?", session_id="s") + chat(sim, "memory", "code: X", session_id="s").text[:1]
    ),
    "limits": lambda sim: chat(sim, key=sim.key("limited")).headers["x-ratelimit-remaining"],
    "balances": lambda sim: [chat(sim, message="a " * 90, key=sim.key("metered")).status_code for _ in range(2)],
    "agents": lambda sim: (chat(sim, "mine").status_code, sim.agent("mine", "x"))[0],
    "faults": lambda sim: (chat(sim, "none").headers["content-type"], sim.fault("html-errors"))[0],
    "seed": lambda sim: chat(sim).json()["session_id"],
    "keys": lambda sim: (chat(sim, key="key-of-mine").status_code, sim.new_key("key-of-mine"))[0],
}


@pytest.mark.parametrize("what", RESET)
def test_reset_by_name_puts_back_that_and_all_puts_back_everything(what: str, sim: Sim) -> None:
    first = RESET[what](sim)
    assert RESET[what](sim) != first
    sim.reset(*(word for word in ("journal", "sessions", "agents", "faults", "seed") if word != what))
    if what != "journal":
        assert RESET[what](sim) != first
    sim.reset(what)
    assert RESET[what](sim) == first
    sim.reset()
    assert RESET[what](sim) == first


def test_scopes_do_not_meet(server: Sim) -> None:
    with server.scope("left") as left, server.scope("right") as right:
        ids = [chat(one).json()["session_id"] for one in (left, right)]
        assert ids[0] == ids[1]
        left.agent("only", "left")
        left.fault("html-errors")
        left.new_key("key-left")
        left.clock.advance(3600)
        assert chat(left, "only").json()["response"] == "left"
        assert chat(right, "only").status_code == 404
        assert chat(right, "only").headers["content-type"] == "application/json"
        assert chat(right, key="key-left").status_code == 401
        assert right.clock.now() == server.clock.now() == left.clock.now() - 3600
        assert (left.journal.count(), right.journal.count(agent="only")) == (2, 2)
        for one in (left, right):
            chat(one, "memory", f"Remember this code: {one.name}", session_id="s")
        assert "left" in text(left, "memory", "What code?", session_id="s")
    assert chat(left).status_code == 404


def test_a_key_alone_says_the_scope(server: Sim) -> None:
    with server.scope("by-key") as scope:
        scope.agent("only", "here")
        reply = httpx.post(
            f"{server.url('guide')}/chat",
            json={"agent_id": "only", "message": "x", "stream": False},
            headers={"Authorization": f"Bearer {scope.key()}"},
        )
        assert reply.json()["response"] == "here"
        assert scope.journal.last().key == "[key valid]"
        assert chat(scope, "only", key="key-valid").json()["response"] == "here"
        with server.scope("other") as other:
            assert chat(other, "only", key=scope.key()).status_code == 401


def test_every_dialect_has_its_url(sim: Sim) -> None:
    assert len({sim.url(name) for name in names()}) == len(names())


@pytest.mark.slow
def test_many_threads_at_once(server: Sim) -> None:
    """Each in a scope of its own, with the same names: nobody sees the others' agents, and no request is lost."""

    def work(number: int) -> bool:
        with server.scope(f"w{number}") as scope:
            scope.agent("me", f"I am {number}")
            right = all(text(scope, "me") == f"I am {number}" for _ in range(5))
            scope.journal.assert_count(5, agent="me")
            return right

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


MISTAKES: dict[str, Callable[[Sim], object]] = {
    "did you mean 'guide'": lambda sim: sim.url("gide"),
    "did you mean 'limited'": lambda sim: sim.key("limitd"),
    "did you mean 'html-errors'": lambda sim: sim.fault("html-error"),
    "did you mean 'times'": lambda sim: sim.fault("html-errors", tims=1),
    "did you mean 'sessions'": lambda sim: sim.reset("session"),
    "did you mean 'agent'": lambda sim: sim.journal.find(agnet="x"),
    "a clock moves forward only": lambda sim: sim.clock.advance(-1),
    "that key has no balance": lambda sim: sim.top_up(sim.key("valid"), 1),
    "a scope's name has letters": lambda sim: sim.scope("a/b"),
    "is open already": lambda sim: (sim.scope("twice"), sim.scope("twice")),
    "did you mean 'no-blank-line'": lambda sim: Simulator(fault="no-blank-lin").__enter__(),
    "expected real, frozen or xN": lambda sim: Simulator(clock="froze"),
}


@pytest.mark.parametrize("says", MISTAKES)
def test_a_mistake_is_told(says: str, sim: Sim) -> None:
    with pytest.raises(ValueError, match=says):
        MISTAKES[says](sim)


def test_the_same_seed_gives_the_same_bytes() -> None:
    def bytes_of(seed: int) -> list[bytes]:
        with Simulator(["guide"], seed=seed, clock="frozen") as sim:
            sim.fault("text-lost", probability=0.5)
            connection = http.client.HTTPConnection(sim.base_url.removeprefix("http://"))
            for _ in range(8):
                body = json.dumps({"agent_id": "echo", "message": "a b c"})
                connection.request("POST", "/chat", body, {"Authorization": f"Bearer {sim.key()}"})
                connection.getresponse().read()
            connection.close()
            return [entry.response for entry in sim.journal.wait_for(8)]

    assert bytes_of(7) == bytes_of(7) != bytes_of(8)


def test_public_names_are_all_there() -> None:
    assert {getattr(chatproof, name) for name in chatproof.__all__}
    assert set(chatproof.__all__) <= set(dir(chatproof))
    with pytest.raises(AttributeError, match="no attribute 'Simulater'"):
        _ = chatproof.Simulater


def test_the_journal_is_as_long_as_asked_for() -> None:
    with Simulator(["guide"], journal=2) as sim:
        for number in range(4):
            chat(sim, message=f"m{number}")
        assert [entry.json["message"] for entry in sim.journal] == ["m2", "m3"]


@pytest.mark.parametrize(
    ("bad", "error"),
    [({"port": 99_999}, OverflowError), ({"host": "192.0.2.1"}, OSError), ({"dialects": "guide"}, TypeError)],
)
def test_an_address_or_a_list_that_is_none_is_told_at_once(bad: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Simulator(**bad).__enter__()
