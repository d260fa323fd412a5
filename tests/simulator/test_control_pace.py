"""Agents that take their time, made through the control API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .controlled import Desk, controlled


@pytest.fixture(scope="module")
def control() -> Iterator[Desk]:
    with controlled() as desk:
        yield desk


def test_an_agent_takes_its_time(control: Desk) -> None:
    latency = {"first": "5m", "gap": {"uniform": [1, 2]}, "stall": {"after": 2, "for": 600}}
    control.post("/agents", {"name": "slow", "replies": ["a b c d"], "latency": latency, "chunk": {"words": 3}}, 201)
    assert "done" in control.chat("slow", stream=True).text
    writes = control.get("/journal?agent=slow&wire=true")["requests"][0]["writes"]
    assert [write["due_ms"] // 60_000 for write in writes] == [0, 5, 5, 15]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"latency": {"frist": 1}}, "latency.frist: unknown key 'frist' (did you mean 'first'?)"),
        ({"latency": "gap=-1s"}, "latency.gap: expected a duration"),
        ({"latency": {"gap": "fast", "rate": 3}}, "latency.rate: expected 40 words/s"),
        ({"chunk": {"bytes": 3}}, "chunk: bytes: expected a whole number from 4"),
        ({"chunk": [3]}, "chunk: expected"),
    ],
)
def test_bad_words_are_refused_and_change_nothing(given: dict[str, Any], says: str, control: Desk) -> None:
    before = control.get("/agents")
    assert says in control.problem("POST", "/agents", {"name": "x", "replies": ["x"], **given}, 400)
    assert control.get("/agents") == before
