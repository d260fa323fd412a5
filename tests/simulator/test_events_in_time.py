"""Faults that change the order of events leave each place its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatproof import ToolCall, ToolResult
from chatproof.simulator import own


@pytest.mark.parametrize("name", ["early-terminal", "result-before-call"])
def test_events_in_another_order_come_at_the_times_of_those_before(name: str, desk_of: Callable[..., Any]) -> None:
    desk = desk_of("reference", seed=7)
    desk.backend.realms["reference"].agents["clerk"] = own.agent(
        ["Let me see.", 1.0, ToolCall("look", {}), 2.0, ToolResult("look", "x"), 3.0, " There."]
    )

    def dues() -> list[float]:
        said = desk.chat("reference", agent="ag_clerk", mode="stream")
        return [write.due_s for write in said.plan.writes]

    plain = dues()
    assert plain == [0.0, 1.0, 3.0, 6.0]
    fault = desk.backend.armoury.add(name)
    assert dues() == plain
    assert fault.fired == 1


def test_an_end_alone_cannot_come_early(desk_of: Callable[..., Any]) -> None:
    desk = desk_of("guide")
    desk.backend.realms["guide"].agents["mute"] = own.agent([])
    fault = desk.backend.armoury.add("early-terminal")
    assert desk.chat("guide", agent="mute").body.count(b'"done"') == 1
    assert fault.fired == 0
