"""Keys that a test makes, by the library and by the control API: what is taken for one, and what becomes of one that there was."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatproof import Simulator

from .asking import chat
from .controlled import controlled

MISTAKES: dict[str, Callable[[Any], object]] = {
    "units: expected a whole number from 1, got -5; to leave a key less, make it anew with a smaller balance": (
        lambda sim: sim.top_up(sim.key("metered"), -5)
    ),
    "units: expected a whole number from 1, got '5'": lambda sim: sim.top_up(sim.key("metered"), "5"),
    "requests_per_minute: expected a whole number from 1, got 0": lambda sim: sim.new_key(requests_per_minute=0),
    "concurrent: expected a whole number from 1, got 'x'": lambda sim: sim.new_key(concurrent="x"),
    "balance: expected a whole number from 0, got -3": lambda sim: sim.new_key(balance=-3),
    "a key's text has visible ASCII characters and no space, so": lambda sim: sim.new_key("has space"),
}


@pytest.mark.parametrize("says", MISTAKES)
def test_what_no_key_can_be_is_told_when_it_is_made(says: str) -> None:
    with Simulator(["guide"]) as sim, pytest.raises(ValueError, match=re.escape(says)):
        MISTAKES[says](sim)


def test_a_key_that_is_made_anew_is_another_with_nothing_used() -> None:
    with Simulator(["guide"]) as sim:

        def said() -> list[int]:
            return [chat(sim, key="key-x").status_code for _ in range(3)]

        sim.new_key("key-x", requests_per_minute=1, balance=100)
        assert said() == [200, 429, 429]
        sim.new_key("key-x", requests_per_minute=2)
        assert said() == [200, 200, 429]
        sim.new_key("key-x", balance=0)
        assert said() == [402, 402, 402]


def test_the_control_api_makes_them_likewise() -> None:
    with controlled() as control:
        control.post("/keys", {"name": "key-x", "requests_per_minute": 1}, 201)
        assert [control.chat(key="key-x").status_code for _ in range(2)] == [200, 429]
        control.post("/keys", {"name": "key-x", "balance": 0}, 201)
        assert control.chat(key="key-x").status_code == 402
