"""What a reset puts back, and what a scope begins with: what there was at the start, whatever has been changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .controlled import Desk, controlled

FAULT = {"fault": "random-writes", "probability": 0.5}
OTHER = """
script: 1
agents:
  shop: {turns: {start: [{else: {say: x}}]}}
"""


@pytest.fixture
def control() -> Iterator[Desk]:
    with controlled() as desk:
        yield desk


def test_the_seed_of_the_start_comes_back(control: Desk) -> None:
    def said() -> list[bytes]:
        return [control.chat(message="a b c", stream=True).content for _ in range(3)]

    first = said()
    control.post("/seed", {"seed": 5})
    assert said() != first
    assert control.post("/reset", {"what": ["seed"]}) == {"reset": ["seed"]}
    assert control.get("/seed") == {"seed": 7}
    assert said() == first


def test_another_seed_begins_the_draws_of_faults_again(control: Desk) -> None:
    control.post("/faults", FAULT, 201)

    def hit() -> list[bool]:
        before = control.get("/faults")["faults"][0]["fired"]
        found = []
        for _ in range(12):
            control.chat(session_id="s", stream=True)
            after = control.get("/faults")["faults"][0]["fired"]
            found.append(after > before)
            before = after
        return found

    first = hit()
    assert 0 < sum(first) < 12
    control.post("/seed")
    assert hit() == first


def test_a_scope_begins_as_the_server_did(control: Desk) -> None:
    control.post("/seed", {"seed": 5})
    assert control.ask("PUT", "/script", content=OTHER.encode()).status_code == 200
    control.post("/scopes", {"name": "one"}, 201)
    assert control.get("/seed?scope=one") == {"seed": 7}
    assert control.get("/script?scope=one") == {"script": None}
