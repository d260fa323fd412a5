"""The journal as a test reads it: looking up, waiting, asserting, and what it says where something else came."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from chatproof import Sim

from .asking import chat


def test_wait_for_waits_and_says_what_came_instead(sim: Sim) -> None:
    thread = threading.Thread(target=chat, args=(sim,))
    thread.start()
    (entry,) = sim.journal.wait_for(agent="echo")
    thread.join()
    assert entry.over
    with pytest.raises(
        AssertionError, match=r"expected 2 finished requests with agent='echo' within 0\.01 s; there were:\n  #"
    ):
        sim.journal.wait_for(2, within_s=0.01, agent="echo")


def test_assertions_on_count_and_order(sim: Sim) -> None:
    for agent in ("echo", "nobody", "memory"):
        chat(sim, agent)
    sim.journal.assert_count(3)
    sim.journal.assert_count(1, status="4xx")
    sim.journal.assert_count(at_least=2, at_most=2, status=200)
    sim.journal.assert_order({"agent": "echo"}, {"refusal": "agent_not_found"}, {"agent": "memory"})
    assert [entry.agent for entry in sim.journal] == ["echo", "nobody", "memory"]
    assert sim.journal[-1] is sim.journal.last()
    for wrong, says in (
        (lambda: sim.journal.assert_count(2), "expected 2 requests, got 3"),
        (lambda: sim.journal.assert_count(at_least=2, agent="echo"), "at least 2 requests with agent='echo', got 1"),
        (lambda: sim.journal.assert_count(at_most=0, key=sim.key()), r"at most 0 requests with key='\[masked\]'"),
        (
            lambda: sim.journal.assert_order({"agent": "memory"}, {"agent": "echo"}),
            "number 2: no request with agent='echo' after",
        ),
        (lambda: sim.journal.last(agent="x"), "no request with agent='x'; there were:"),
    ):
        with pytest.raises(AssertionError, match=says):
            wrong()
    assert sim.journal.clear() == 3
    with pytest.raises(AssertionError, match="there were no requests at all"):
        sim.journal.assert_count()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"path": "/x"}, 0), ({"method": "post"}, 1), ({"headers": {"Content-Type": None}}, 1), ({"headers": {"x-y": None}}, 0),
        ({"contains": "Hi"}, 1), ({"said": "json echo"}, 1), ({"session": "s"}, 1), ({"streamed": True}, 0), ({"operation": "chat"}, 1),
        ({"dialect": "rest"}, 0), ({"key": "key-valid"}, 1), ({"key": "key-broke"}, 0), ({"fault": "crlf"}, 0), ({"since": 10**9}, 0),
    ],
)  # fmt: skip
def test_requests_are_chosen_by_what_they_are(words: dict[str, Any], found: int, sim: Sim) -> None:
    chat(sim, session_id="s")
    assert sim.journal.count(**words) == found
