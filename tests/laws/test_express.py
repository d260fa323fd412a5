"""The express answers as the long way does, byte for byte, and leaves the same world behind; what is no matter for it, it leaves alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.simulator import own
from chatproof.simulator.agents import Agent, Answer, Turn, paces, says
from chatproof.simulator.backend import Backend
from chatproof.simulator.express import express
from chatproof.simulator.latency import Latency, Spread
from chatproof.simulator.plan import Layer, Plan
from chatproof.simulator.population import AGENTS
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.script.model import Script
from chatproof.spec import Delta, Dialect, Usage, dialect
from chatproof.spec.clock import FROZEN_AT

from .memory import all_dialects

DIALECTS = [pytest.param(one, id=one.name) for one in all_dialects()]
CALM = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
LONG_WAY = Layer()
"""Bends nothing, and keeps every request off the express."""
MESSAGES = [
    "Hi",
    "",
    "What code did I ask you to remember?",
    "code: 7",
    "a long story",
    "!fault http-503",
    "\u00e9\u4e2d\u2028 \x7f",
    "x  y\n z",
]
SESSIONS = ["s1", "s2", "", None, "\ud800", "default"]
T = TypeVar("T")


def raises(_turn: Turn) -> Answer:
    raise ValueError("no")


OWN: dict[str, Agent] = {
    "own-paced": lambda turn: paces([f"{turn.number} ", "b", "", " c"], 0.1, 0.2),
    "own-static": own.agent([0.1, "a ", "b", 0.0, "c d", "", 0.5, "e ", "f ", "g", "h", "i ", "j", 0.2]),
    "own-hollow": lambda _: Answer(((0.1, Delta("")), (0.2, Delta("a b")), (0.1, Delta(""))), end_s=0.1, by_word=True),
    "own-words": lambda turn: says(f"{turn.message} {turn.said}"),
    "own-mute": lambda _: Answer(()),
    "own-late": lambda _: Answer(
        ((0.1, Delta("a b")), (0.0, Delta("c d")), (0.7, Delta("e"))), end_s=0.3, by_word=True
    ),
    "own-usage": lambda _: Answer(((0.0, Delta("a")),), usage=Usage(1, 2, 3)),
    "own-mistake": raises,
}
Head = tuple[str, str, dict[str, str]]
Sent = tuple[HttpRequest, float, bool]


def sequences(of: Dialect) -> st.SearchStrategy[list[Sent]]:
    """Requests that are mostly ordinary, each with the seconds before it and whether its answer is over at once.

    Heads come again as the same objects, as they do on a connection.
    """
    realm = Backend([of]).realms[of.name]
    keys = st.sampled_from([*realm.keys, "nobody", "key-429", "key-fault-http-500"])
    everyone = st.sampled_from([*AGENTS, *OWN, *realm.examples.agents, "nobody", "fault-http-500"])
    agents = _mostly(st.sampled_from(["echo", "default"]), everyone, 6).map(
        lambda name: name if name in realm.examples.agents else f"{of.agent_prefix or ''}{name}"
    )
    paths = [path for one in of.operations if one.mode != "keys" for path in (one.path, *one.aliases)]
    others = [path for one in of.operations for path in (one.path, "/nowhere", f"{one.path}?chatproof-fault=http-502")]
    target = st.builds(
        lambda path, agent: path.replace("{agent}", agent),
        _mostly(st.sampled_from(paths), st.sampled_from(others)),
        agents,
    )
    more = st.sampled_from(
        [{"accept": "text/event-stream"}, {"content-type": "text/plain"}, {"x-chatproof-fault": "http-503"}]
    )
    headers = st.builds(
        lambda key, rest: {"authorization": f"Bearer {key}", **rest},
        _mostly(st.just("key-valid"), keys, 5),
        _mostly(st.just({}), more),
    )
    heads = st.lists(st.tuples(_mostly(st.just("POST"), st.just("GET")), target, headers), min_size=1, max_size=4)
    bodies = _bodies(of, agents, list(realm.examples.conversations))
    return heads.flatmap(lambda known: st.lists(_sent(known, bodies), min_size=1, max_size=12))


def _mostly(usual: st.SearchStrategy[T], odd: st.SearchStrategy[T], tenths: int = 9) -> st.SearchStrategy[T]:
    return st.integers(0, 9).flatmap(lambda n: usual if n < tenths else odd)


def _sent(heads: list[Head], bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[Sent]:
    request = st.builds(
        lambda head, body, keep: HttpRequest(head[0], head[1], head[2], body, keep_alive=keep),
        st.sampled_from(heads),
        bodies,
        _mostly(st.just(True), st.just(False)),
    )
    return st.tuples(request, st.sampled_from([0.0, 0.0, 0.1, 1.0, 3.0, 61.0, 4000.0]), st.booleans())


def _bodies(of: Dialect, agents: st.SearchStrategy[str], printed: list[str]) -> st.SearchStrategy[bytes]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "agent": agents,
        "message": _mostly(st.sampled_from(MESSAGES), st.sampled_from(printed) if printed else st.text(max_size=40)),
        "session": st.sampled_from(SESSIONS),
        "stream": st.booleans(),
        "metadata": _mostly(st.just({"a": [1]}), st.just("no object")),
        "user": st.just("u"),
        "name": st.just("n"),
    }
    roles = of.request.chat
    said = st.fixed_dictionaries(
        {role: values[role] for role in of.request.required},
        optional={role: values[role] for role in roles if role not in of.request.required},
    )
    spelt = said.map(lambda one: json.dumps(_placed(of, one)).encode())
    return _mostly(spelt, st.sampled_from([b"", b"{", b"[]", b'{"a": 1, "a": 2}', b"\xff"]))


def _placed(of: Dialect, said: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for role, what in said.items():
        at = value
        *path, last = of.request.chat[role][0].split("/")[1:]
        for part in path:
            at = at.setdefault(part, {})
        at[last] = what
    return value


@pytest.mark.slow
@pytest.mark.parametrize("limits", [True, False])
@pytest.mark.parametrize("of", DIALECTS)
def test_the_two_ways_are_one(of: Dialect, limits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ways: Counter[bool] = Counter()

    def watched(backend: Backend, request: HttpRequest, now: float) -> Plan | None:
        plan = express(backend, request, now)
        ways[plan is not None] += not backend.layers
        return plan

    monkeypatch.setattr("chatproof.simulator.backend.express", watched)

    @CALM
    @given(sequences(of), st.sampled_from([None, None, 0.25]), st.booleans())
    def holds(sent: list[Sent], first_s: float | None, with_own: bool) -> None:
        latency = None if first_s is None else Latency(first=Spread("fixed", (first_s,)))
        swift = Backend([of], 3, limits=limits, latency=latency)
        slow = Backend([of], 3, limits=limits, latency=latency, layers=[LONG_WAY])
        for backend in (swift, slow) if with_own else ():
            backend.realms[of.name].agents.update(OWN)
        now = FROZEN_AT
        for request, wait, over in sent:
            now += wait
            plan = swift.reply(request, now)
            assert plan == slow.reply(request, now)
            if over:
                swift.finished(plan)
                slow.finished(plan)
            assert swift.in_flight == slow.in_flight

    holds()
    assert ways[True], "none took the express"
    assert ways[False], "none took the long way"


ASK = HttpRequest("POST", "/chat", {"authorization": "Bearer key-valid"}, b'{"agent_id": "echo", "message": "Hi"}')


def test_an_ordinary_request_takes_the_express() -> None:
    assert express(Backend([dialect("guide")]), ASK, FROZEN_AT) is not None


BENT: dict[str, Callable[[], Backend]] = {
    "a fault": lambda: Backend([dialect("guide")], fault="http-503"),
    "a variant": lambda: Backend([dialect("guide")], variant="crlf"),
    "a reading": lambda: Backend([dialect("guide")], rulings={"AMB-09": "404"}),
    "a script": lambda: Backend([dialect("guide")], script=Script("none.yaml", {})),
}


@pytest.mark.parametrize("bent", BENT)
def test_where_anything_bends_answers_the_express_stands_still(bent: str) -> None:
    assert express(BENT[bent](), ASK, FROZEN_AT) is None
