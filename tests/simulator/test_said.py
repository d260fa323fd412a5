"""What a session remembers: the newest messages, at the same price however many there are; and how many sessions there are."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.simulator import own
from chatproof.simulator import said as said_module
from chatproof.simulator.agents import Turn
from chatproof.simulator.said import KEPT_MESSAGES, Said
from chatproof.simulator.sessions import Sessions


def test_a_view_stays_as_it_was() -> None:
    said = Said(["a", "b"])
    seen = said.view()
    said.append("c")
    assert seen == ("a", "b")
    assert seen[-1] == "b"
    assert list(reversed(seen)) == ["b", "a"]
    assert said[-2:] == ("b", "c")
    assert (len(said), said.total) == (3, 3)
    with pytest.raises(IndexError):
        seen[2]


def test_it_is_no_text() -> None:
    assert Said(["a"]) != "a"
    assert Said() == []
    assert repr(Said(["a"])) == "['a']"


def test_the_oldest_are_forgotten_and_views_keep_theirs() -> None:
    said = Said()
    views = []
    for number in range(3 * KEPT_MESSAGES):
        said.append(str(number))
        if number % 700 == 0:
            views.append((number, said.view()))
    assert (len(said), said.total) == (KEPT_MESSAGES, 3 * KEPT_MESSAGES)
    assert (said[0], said[-1]) == (str(2 * KEPT_MESSAGES), str(3 * KEPT_MESSAGES - 1))
    assert said.characters == sum(map(len, said))
    for number, seen in views:
        assert seen[-1] == str(number)
        assert len(seen) == min(number + 1, KEPT_MESSAGES)


def test_long_messages_are_fewer(monkeypatch: Any) -> None:
    monkeypatch.setattr(said_module, "KEPT_CHARACTERS", 10)
    said = Said(["12345", "67890", "x"])
    assert said == ["67890", "x"]
    said.append("a message that is longer than all that is kept")
    assert len(said) == 1


def test_the_longest_unused_session_is_forgotten() -> None:
    sessions = Sessions(None, limit=2)
    for name in ("one", "two"):
        sessions.open(("k", "a", name), 0).said.append(name)
    sessions.open(("k", "a", "one"), 1)
    sessions.open(("k", "a", "three"), 2)
    assert (len(sessions), sessions.dropped) == (2, 1)
    assert not sessions.taken(("k", "a", "two"), 2)
    assert sessions.open(("k", "a", "one"), 3).said == ["one"]


def test_sessions_weigh_what_was_said_in_them() -> None:
    sessions = Sessions(100, limit=100, room=10)
    for at, name in enumerate(("one", "two")):
        sessions.heard(sessions.open(("k", "a", name), at), "1234")
    assert (len(sessions), sessions.dropped) == (2, 0)
    sessions.heard(sessions.open(("k", "a", "three"), 3), "1234")
    assert [spot[2] for spot, _ in sessions.all_living(3)] == ["two", "three"]
    assert sessions.expire(lambda spot: True) == 2
    sessions.heard(
        sessions.open(("k", "a", "four"), 4), "more than there is room for stays as long as it is the newest"
    )
    assert (len(sessions), sessions.dropped) == (1, 1)
    sessions.open(("k", "a", "five"), 5)
    assert [spot[2] for spot, _ in sessions.all_living(5)] == ["five"]


def test_whoever_asks_hears_that_sessions_were_forgotten_but_not_each_time(desk: Any) -> None:
    realm = desk.backend.realms["guide"]
    realm.sessions = Sessions(None, limit=2)
    warned = [bool(desk.chat("guide", "Hi", session=f"s-{number}").plan.about.warnings) for number in range(8)]
    assert warned == [False, False, True, True, False, True, False, False]


def test_an_agent_sees_the_newest_and_knows_its_turn(desk: Any) -> None:
    realm = desk.backend.realms["guide"]
    turns: list[Turn] = []

    def told(turn: Turn) -> str:
        turns.append(turn)
        return "ok"

    realm.agents["a"] = own.calling(told)
    realm.agents["b"] = own.replying("first", "second")
    for number in range(KEPT_MESSAGES + 2):
        desk.chat("guide", str(number), session="s", agent="a")
    assert turns[-1].number == KEPT_MESSAGES + 2
    assert (len(turns[-1].said), turns[-1].said[0]) == (KEPT_MESSAGES, "1")
    assert turns[5].said == tuple(map(str, range(5)))
    answers = [desk.chat("guide", "x", session="t", agent="b", stream=False).json["response"] for _ in range(3)]
    assert answers == ["first", "second", "second"]


def test_a_turn_is_numbered_by_what_was_said_unless_told() -> None:
    assert Turn("x", ("a", "b")).number == 3
    assert Turn("x", ("a",), earlier=7).number == 8
