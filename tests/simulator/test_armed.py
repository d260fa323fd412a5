"""Faults that come and go while a backend runs: what they are aimed at, how often they fire, and where two meet."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.simulator import chunks
from chatproof.simulator.aim import Aim, aim
from chatproof.simulator.armed import CONVERSATIONS, Armoury, chance
from chatproof.simulator.faults import FAULTS

NAME = "guide"
FAULT = "no-terminal"


def bent(said: Any) -> bool:
    return b'"done"' not in said.body


def arm(desk: Any, fault: str = FAULT, after: int | None = None, **given: Any) -> Any:
    return desk.backend.armoury.add(fault, aim(**given), after)


def test_it_is_put_in_and_taken_out(desk: Any) -> None:
    armed = arm(desk)
    assert bent(desk.chat(NAME))
    assert (armed.fitted, armed.fired) == (1, 1)
    desk.backend.armoury.remove(armed.id)
    assert not bent(desk.chat(NAME))
    with pytest.raises(KeyError):
        desk.backend.armoury.remove(armed.id)


AIMED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "key": ({"key": "key-other-customer"}, {"key": "key-other-customer"}, {}),
    "agent": ({"agent": "echo"}, {"agent": "echo"}, {"agent": "memory"}),
    "contains": ({"contains": "boom"}, {"message": "a boom now"}, {"message": "bo om"}),
    "session": ({"session": "s-1"}, {"session": "s-1"}, {"session": "s-2"}),
}


@pytest.mark.parametrize("by", AIMED)
def test_it_hits_what_it_is_aimed_at_and_nothing_else(by: str, desk: Any) -> None:
    at, hit, missed = AIMED[by]
    armed = arm(desk, **at)
    assert not bent(desk.chat(NAME, **missed))
    assert bent(desk.chat(NAME, **hit))
    assert (armed.fitted, armed.fired) == (1, 1)


def test_a_header_a_dialect_and_an_operation(desk: Any) -> None:
    arm(desk, "html-errors", headers={"X-Break": "yes"})
    for value, broken in (("yes", True), ("no", False)):
        said = desk.send("/guide/chat", b"{}", headers={"x-break": value})
        assert (said.headers["content-type"] == "text/html") == broken
    desk.backend.armoury.clear()
    arm(desk, dialect="rest")
    assert not bent(desk.chat(NAME))
    desk.backend.armoury.clear()
    arm(desk, operation="create_key")
    assert not bent(desk.chat(NAME))
    assert desk.send("/guide/none", b"", key=None).status == 404


def test_the_first_two_and_then_fine(desk: Any) -> None:
    armed = arm(desk, times=2)
    assert [bent(desk.chat(NAME)) for _ in range(4)] == [True, True, False, False]
    assert armed.spent


def test_what_it_could_not_change_does_not_count(desk: Any) -> None:
    """A cut stream fits a JSON reply as well, but leaves it as it was: the stream after it is the first to be cut."""
    armed = arm(desk, "reset-mid-stream", times=1)
    assert desk.chat(NAME, stream=False).plan.about.faults == ()
    assert (armed.fitted, armed.fired) == (1, 0)
    assert desk.chat(NAME).plan.about.faults == ("reset-mid-stream",)
    assert desk.chat(NAME).plan.about.faults == ()


def test_a_decision_counts_when_it_decides_otherwise(desk: Any) -> None:
    armed = arm(desk, "never-402")
    desk.chat(NAME)
    assert armed.fired == 0
    assert desk.chat(NAME, key="key-broke").status == 200
    assert armed.fired == 1


def test_the_early_limit_counts_where_it_refuses(desk: Any) -> None:
    armed = arm(desk, "early-429")
    assert [desk.chat(NAME, key="key-brief").status for _ in range(3)] == [200, 200, 429]
    assert (armed.fitted, armed.fired) == (3, 1)
    desk.backend.armoury.clear()
    while desk.chat(NAME, key="key-brief").status == 200:
        pass
    late = arm(desk, "early-429")
    assert desk.chat(NAME, key="key-brief").status == 429
    assert late.fired == 0


def test_the_wrong_default_counts_where_it_is_asked_for(desk: Any) -> None:
    armed = arm(desk, "wrong-stream-default")
    assert desk.chat(NAME, stream=False).plan.about.faults == ()
    assert desk.chat(NAME, key="nobody").plan.about.faults == ()
    assert armed.fired == 0
    assert desk.chat(NAME).plan.about.faults == ("wrong-stream-default",)
    assert armed.fired == 1


def test_forgetting_counts_where_there_was_something_to_keep(desk: Any) -> None:
    armed = arm(desk, "session-forgotten")
    assert desk.chat(NAME, key="nobody").status == 401
    assert desk.chat(NAME, agent="nobody").status == 404
    assert armed.fired == 0
    assert desk.chat(NAME, session="s").status == 200
    assert armed.fired == 1


def test_expiry_counts_where_a_session_lived(desk: Any) -> None:
    armed = arm(desk, "session-expired")
    assert desk.chat(NAME, session="s").plan.about.faults == ()
    assert desk.chat(NAME, session="s").plan.about.faults == ("session-expired",)
    assert armed.fired == 1


def test_the_nth(desk: Any) -> None:
    arm(desk, nth=3, agent="echo")
    assert [bent(desk.chat(NAME, agent=agent)) for agent in ("echo", "memory", "echo", "echo", "echo")] == [
        False, False, False, True, False,
    ]  # fmt: skip


def test_chance_is_the_seeds(desk_of: Callable[..., Any]) -> None:
    def drawn(seed: int) -> list[bool]:
        desk = desk_of(seed=seed)
        arm(desk, probability=0.5)
        return [bent(desk.chat(NAME)) for _ in range(40)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 8 < sum(drawn(7)) < 32
    assert all(0 <= chance(str(number)) < 1 for number in range(100))


def test_chance_is_a_conversations_own_whatever_others_do(desk_of: Callable[..., Any]) -> None:
    """In whichever order the requests of several conversations come; ``nth`` is about that order, chance is not."""

    def said(order: list[int]) -> dict[int, list[bytes]]:
        desk = desk_of(seed=7)
        arm(desk, probability=0.5)
        desk.backend.armoury.add("random-writes;probability=0.8")
        found: dict[int, list[bytes]] = {}
        for number in order:
            found.setdefault(number, []).append(desk.chat(NAME, "a b c d", session=f"s-{number}").body)
        return found

    one_by_one = said([number for number in range(5) for _ in range(6)])
    assert one_by_one == said([number for _ in range(6) for number in range(5)]) == said([4, 2, 0, 1, 3] * 6)
    assert len({bytes(body) for bodies in one_by_one.values() for body in bodies}) > 3


def test_what_chance_knows_of_conversations_is_bounded(desk: Any) -> None:
    armed = arm(desk, probability=0.5)
    for number in range(CONVERSATIONS + 5):
        armed.again(str(number))
    assert len(armed.drawn) == CONVERSATIONS
    assert armed.again(str(CONVERSATIONS)) == 2


@pytest.mark.parametrize(("probability", "broken"), [(0, False), (1, True)])
def test_never_and_always(probability: float, broken: bool, desk: Any) -> None:
    arm(desk, probability=probability)
    assert bent(desk.chat(NAME)) == broken


def test_two_layers_compose_in_the_order_of_the_layers(desk: Any) -> None:
    arm(desk, "capital-data")
    arm(desk, "no-terminal")
    said = desk.chat(NAME)
    assert bent(said)
    assert b"Data:" in said.body
    assert said.plan.about.faults == ("no-terminal", "capital-data")


def test_one_fault_a_layer_and_a_warning_where_two_meet(desk: Any) -> None:
    first = arm(desk, "text-lost", agent="echo")
    second = arm(desk, "no-terminal", agent="memory")
    assert desk.backend.armoury.warnings(second) == []
    third = arm(desk, "two-terminals", contains="x")
    (one, two) = desk.backend.armoury.warnings(third)
    assert first.id in one
    assert second.id in two
    said = desk.chat(NAME, "x", agent="memory")
    assert said.body.count(b'"done"') == 2
    assert (said.plan.about.faults, second.fired) == (("two-terminals",), 0)
    assert said.plan.about.warnings == ("no-terminal gives way to two-terminals: both are on the layer events",)


@pytest.mark.parametrize("variant", [None, "heartbeats", "crlf", "one-byte-writes", "single-write", "close-delimited"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_behind_n_events_are_n_events(after: int, variant: str | None, desk_of: Callable[..., Any]) -> None:
    desk = desk_of(variant=variant)
    arm(desk, "closed-mid-stream", after=after)
    said = desk.chat(NAME, "a b c d e f", agent="echo")
    wire = said.raw.partition(b"\r\n\r\n")[2]
    assert said.plan.end == "close"
    assert wire.replace(b"\r\n", b"").count(b"}") == (after if variant != "one-byte-writes" else wire.count(b"}"))
    if variant == "one-byte-writes":
        assert wire.count(b"1\r\n}\r\n") == after
    assert not said.raw.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "spelt", ["bom", "bom-in-every-event", "gzip-unasked", "gzip-unasked, n-byte-writes", "crlf", "ping-events"]
)
def test_behind_n_events_are_n_events_however_they_are_spelt(spelt: str, desk: Any) -> None:
    for name in spelt.split(", "):
        desk.backend.armoury.add(name)
    fault = arm(desk, "closed-mid-stream", after=2)
    wire = desk.chat(NAME, "a b c d e f", agent="echo").raw
    body = chunks.places(wire).of(wire)
    if "gzip" in spelt:
        body = zlib.decompressobj(47).decompress(body)
    assert (fault.fired, body.count(b"data: {"), body.endswith(b"\n")) == (1, 2, True)


ENDS = ("closed-mid-stream", "reset-mid-stream", "no-last-chunk", "linger", "held-back")


@pytest.mark.parametrize("name", ENDS)
def test_the_end_of_a_stream_with_trailers_is_found(name: str, desk: Any) -> None:
    desk.backend.armoury.add("trailers")
    desk.backend.armoury.add(name)
    said = desk.chat(NAME, "x", agent="paced")
    assert said.plan.about.faults == ("trailers", name)
    data = [write.data for write in said.plan.writes]
    if name == "linger":
        assert data[-1] == b"0\r\nX-Chatproof-Trailer: here\r\n\r\n"
        assert said.plan.writes[-1].due_s == said.plan.writes[-2].due_s + 5
    elif name != "held-back":
        assert b"Trailer" not in b"".join(data)


@pytest.mark.parametrize("name", [name for name in ENDS if name != "no-last-chunk"])
def test_a_stream_that_ends_with_its_connection_is_cut_too(name: str, desk_of: Callable[..., Any]) -> None:
    desk = desk_of(variant="close-delimited", fault=name)
    assert desk.chat(NAME, "x", agent="paced").plan.about.faults == (name,)
    plain = desk.chat(NAME, "x", agent="paced", stream=False)
    assert plain.plan.about.faults == ()
    assert plain.json["response"]


def test_a_stream_without_that_many_events_is_whole(desk: Any) -> None:
    arm(desk, "closed-mid-stream", after=50)
    assert desk.chat(NAME, "a b").raw.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: aim(agnet="x"), "did you mean 'agent'"),
        (lambda: aim(times=0), "times: expected a whole number from 1, got 0"),
        (lambda: aim(nth=True), "nth: expected"),
        (lambda: aim(probability=2), "probability: expected a number from 0 to 1, got 2"),
        (lambda: aim(begins=-1), "begins: expected seconds from 0, or a time of day as 17:30, got -1"),
        (lambda: aim(ends=True), "ends: expected seconds from 0, or a time of day as 17:30, got True"),
        (lambda: aim(ends="24:00"), "ends: expected seconds from 0"),
        (lambda: aim(begins=10, ends=5), "ends: expected later than begins=10, got 5"),
        (lambda: aim(begins="17:30", ends="17:30:00"), "ends: expected later than begins=17:30, got '17:30:00'"),
        (lambda: aim(key=5), "key: expected text, got 5"),
        (lambda: aim(contains=["x"]), "contains: expected text, got"),
        (lambda: aim(headers="x"), "headers: expected names and their values as text"),
        (lambda: aim(headers={1: "x"}), "headers: expected names and their values as text"),
        (lambda: aim(headers={"x": 1}), "headers: expected names and their values as text"),
        (lambda: Armoury(0).add("no-blank-lin"), "did you mean 'no-blank-line'"),
        (lambda: Armoury(0).add("text-lost", after=2), "'text-lost' takes no parameter 'after'; it takes none"),
        (
            lambda: Armoury(0).add("closed-mid-stream", after=-1),
            "after: expected a whole number of events from 0, got -1",
        ),
    ],
)
def test_a_mistake_is_told(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("crlf;dialect=gide", "dialect: there is no 'gide' (did you mean 'guide'?)"),
        ("crlf;operation=sent", "operation: there is no 'sent' (did you mean 'send'?)"),
        ("crlf;operation=x", "operation: there is no 'x'; there are chat, send, stream, create_key"),
    ],
)
def test_a_place_that_there_is_not_is_told_however_it_is_asked_for(told: str, says: str, desk_of: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        desk_of(fault=told)
    desk = desk_of()
    with pytest.raises(ValueError, match=re.escape(says)):
        desk.backend.armoury.add(told)
    said = desk.send("/guide/chat", b'{"agent_id": "echo", "message": "x"}', headers={"x-chatproof-fault": told})
    assert said.status == 400
    assert says in said.json["detail"]


def test_every_fault_can_be_armed_and_says_when_it_strikes(desk_of: Callable[..., Any]) -> None:
    """As at the start, so at run time: the same bytes."""
    for name in FAULTS:
        early, late = desk_of(NAME, fault=name), desk_of(NAME)
        late.backend.armoury.add(name, Aim())
        for message in ("Hi there", "a b c"):
            assert early.chat(NAME, message).raw == late.chat(NAME, message).raw
