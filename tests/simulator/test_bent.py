"""Variants say the same in other bytes; faults do not: each of them shows somewhere on one long journey."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.simulator.backend import Backend
from chatproof.simulator.faults import CATALOGUE, FAULTS
from chatproof.simulator.variants import VARIANTS
from chatproof.spec import dialect, names

ANYWHERE = b'{"agent_id": "echo", "message": "Hi", "stream": true}'
"""A request that every dialect takes."""
TELL, ASK = "Remember this code: XK-42", "What code did I ask you to remember?"


def journey(desk: Any, name: str) -> list[Any]:
    """Requests that between them see everything a backend does."""
    api = dialect(name)
    stream = "stream" if api.operation("stream") else "switched"
    chat = api.operation("switched", "stream", "json")
    assert chat is not None
    path = desk.backend.routes.base_path(api) + chat.path.replace("{agent}", "default")
    said = [
        desk.chat(name, stream=False),
        desk.chat(name),
        *(desk.chat(name, "naïve 🌍", agent=agent, stream=True, mode=stream) for agent in ("echo", "tools", "paced", "failing", "unicode")),
        desk.chat(name, agent="tools", stream=False),
        desk.chat(name, agent="agent-missing"),
        desk.chat(name, key=None),
        desk.chat(name, key="nobody"),
        desk.chat(name, key="ak_other_agent"),
        desk.chat(name, key="key-broke"),
        desk.chat(name, 12),
        desk.send(path, b"{"),
        desk.send(path, b"{}", method="GET"),
        desk.chat(name, TELL, session="s"),
        desk.chat(name, ASK, session="s", stream=False),
        desk.chat(name, ASK, session="s", stream=False, key="key-other-customer"),
        desk.chat(name, ASK, session="s", stream=False, agent="other"),
        desk.chat(name, ASK, session="t", stream=False),
        *(desk.chat(name, key="key-limited", stream=False) for _ in range(22)),
        desk.send(path, ANYWHERE, headers={"accept-encoding": "gzip"}),
    ]  # fmt: skip
    return said


def _writes(said: list[Any]) -> list[Any]:
    return [(one.plan.writes, one.plan.end) for one in said]


@pytest.fixture(scope="module")
def plain(desk_of: Callable[..., Any]) -> dict[str, list[Any]]:
    """The journey through a backend that nothing bends, by dialect."""
    return {name: journey(desk_of(), name) for name in names()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_the_bytes_and_not_the_meaning(
    variant: str, plain: dict[str, list[Any]], desk_of: Callable[..., Any]
) -> None:
    changed = False
    for name, said in plain.items():
        bent = journey(desk_of(variant=variant), name)
        changed |= _writes(said) != _writes(bent)
        for before, after in zip(said, bent, strict=True):
            assert after.status == before.status
            assert set(before.headers) - {"transfer-encoding", "content-length", "connection"} <= set(after.headers)
            assert len(meaning(before)) == len(meaning(after))
            assert all(map(_includes, meaning(after), meaning(before)))
    assert changed


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_shows_and_does_not_crash_the_backend(
    fault: str, plain: dict[str, list[Any]], desk_of: Callable[..., Any]
) -> None:
    bent = {name: journey(desk_of(fault=fault), name) for name in plain}
    assert all(said.plan.writes for journeys in bent.values() for said in journeys)
    assert any(_writes(bent[name]) != _writes(plain[name]) for name in plain), f"{fault} changes nothing anywhere"


def test_the_journey_is_the_same_twice(plain: dict[str, list[Any]], desk_of: Callable[..., Any]) -> None:
    assert all(_writes(journey(desk_of(), name)) == _writes(said) for name, said in plain.items())


def test_faults_and_variants_compose(desk_of: Callable[..., Any]) -> None:
    name = names()[0]
    both = desk_of(variant="crlf", fault="no-terminal").chat(name, stream=True)
    assert b"\r\n\r\n" in both.body
    assert b"done" not in both.body


def test_every_layer_has_faults_and_there_are_many() -> None:
    assert {fault.on for fault in FAULTS.values()} == {"decision", "events", "encoding", "framing", "transport"}
    assert len(FAULTS) >= 30
    assert all(fault.breaks for fault in CATALOGUE.values())
    assert all(fault.kind == "legal" for fault in VARIANTS.values())


@pytest.mark.parametrize("bent", [{"variant": "crfl"}, {"fault": "no-blank-lin"}])
def test_an_unknown_name_is_said_with_a_suggestion(bent: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="did you mean"):
        Backend([dialect(names()[0])], variant=bent.get("variant"), fault=bent.get("fault"))


def meaning(said: Any) -> list[Any]:
    """The JSON values (or literals) of a body, read by the standard's rules and nothing else."""
    if said.headers["content-type"].startswith("application/json"):
        return [json.loads(said.body)]
    values: list[Any] = []
    data: list[str] = []
    for line in re.split("\r\n|\n|\r", said.body.decode()):
        field, _, value = line.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            text = "\n".join(data)
            values.append(json.loads(text) if text.startswith("{") else text)
            data = []
    return values


def _includes(larger: Any, smaller: Any) -> bool:
    if isinstance(smaller, dict):
        return isinstance(larger, dict) and all(
            key in larger and _includes(larger[key], smaller[key]) for key in smaller
        )
    return bool(larger == smaller)
