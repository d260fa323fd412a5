"""Turns at the same time: what a mix-up looks like, and what only looks like one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chatproof.conformance.ask import Ask
from chatproof.conformance.check import Finding, Note, Reading, Unclear, Unverified
from chatproof.conformance.exchange import End, Exchange
from chatproof.conformance.profile import Recall
from chatproof.conformance.scenario import SCENARIOS, Scene, drive
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

from .recorded import exchange, known, of, over, response, see, stream

ONE, TWO = (Recall().tell.format(nonce=nonce) for nonce in ("kestrel", "plover"))
MUTE, FORGOT = "Noted.", "I know of none."


def turn(step: str, text: str, message: str = Recall().ask, status: int = 200, session: str | None = "s") -> Seen:
    return see(response(status, {"response": text, "session_id": session}), step=step, message=message, session=session)


def turns(*texts: str, **more: Any) -> list[Note]:
    told = turn("tell-one", texts[0], ONE), turn("tell-two", texts[1], TWO)
    return of("turns.apart", *told, turn("ask-one", texts[2], **more), turn("ask-two", texts[3], **more))


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ((MUTE, MUTE, "It is kestrel.", "It is plover."), []),
        ((ONE, TWO, FORGOT, FORGOT), []),
        ((MUTE, MUTE, FORGOT, FORGOT), [Unclear]),
        ((TWO, MUTE, FORGOT, FORGOT), [Finding]),
        ((MUTE, MUTE, "It is plover.", "It is plover."), [Finding]),
        ((MUTE, MUTE, FORGOT, "It is plover."), [Finding]),
    ],
)
def test_two_sessions(texts: tuple[str, ...], wanted: list[type[Note]]) -> None:
    assert [type(note) for note in turns(*texts)] == wanted


def test_without_a_session_or_an_answer_nothing_is_proved() -> None:
    assert [type(note) for note in turns(MUTE, MUTE, FORGOT, "It is plover.", session=None)] == [Unclear]
    assert [type(note) for note in turns(MUTE, MUTE, FORGOT, "It is plover.", status=409)] == [Unclear]


@pytest.mark.parametrize(
    ("second", "findings", "reading"),
    [
        (turn("same-2", "x"), 0, "answered"),
        (turn("same-2", "x", status=409), 0, "refused"),
        (turn("same-2", "x", status=500), 1, None),
        (see(b"", step="same-2", end=End.FIRST_BYTE_TIMEOUT), 1, None),
    ],
)
def test_two_turns_of_one_session(second: Seen, findings: int, reading: str | None) -> None:
    steps = turn("same-1", "x"), second, turn("same-after", "x")
    assert len(of("turns.survives", *steps)) == findings
    (note,) = of("turns.one_session", *steps)
    assert isinstance(note, Reading if reading else Unverified)
    assert not isinstance(note, Reading) or note.value == reading


LEFT = see(stream({"type": "token", "content": "Hi"}), step="left", stream=True, end=End.LEFT)
ENDED = see(stream({"type": "token", "content": "Hi"}), step="left", stream=True)
BUSY = turn("free-0", "x", status=409), turn("free-1", "x", status=409)


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ((LEFT, turn("free-0", "x")), []),
        ((LEFT, turn("free-0", "x", status=423), turn("free-1", "x")), []),
        ((LEFT, *BUSY, turn("elsewhere", "x")), [Finding]),
        ((LEFT, *BUSY, turn("elsewhere", "x", status=429)), [Unclear]),
        ((LEFT, turn("free-0", "x", status=500)), [Finding]),
        ((LEFT, see(b"", step="free-0", end=End.FIRST_BYTE_TIMEOUT)), [Finding]),
        ((ENDED, turn("free-0", "x", status=500)), [Unverified]),
        ((turn("left", "x", status=404), turn("free-0", "x", status=404)), [Unclear]),
    ],
)
def test_a_session_whose_client_hung_up(steps: tuple[Seen, ...], wanted: list[type[Note]]) -> None:
    assert [type(note) for note in of("turns.free_again", *steps)] == wanted


@dataclass
class Locked:
    """A channel whose session is busy for so many seconds after a hang-up. ``told``: the steps, and how long was waited."""

    for_s: float
    told: list[str] = field(default_factory=list)
    waited_s: float = 0.0

    def send(self, ask: Ask) -> Exchange:
        self.told.append(ask.step)
        status = 409 if ask.step.startswith("free-") and self.waited_s < self.for_s else 200
        return exchange(response(status, {"response": "x", "session_id": "s"}), step=ask.step)

    def open(self, ask: Ask) -> Ask:
        return ask

    def finish(self, held: Ask) -> Exchange:
        return self.send(held)

    def leave(self, held: Ask) -> Exchange:
        return self.send(held)

    def wait(self, seconds: float) -> None:
        self.waited_s += seconds

    def done(self) -> None:
        return None


@pytest.mark.parametrize(
    ("for_s", "last", "waited_s"), [(0, "free-0", 0), (1, "free-1", 1), (5, "free-5", 5), (99, "elsewhere", 6)]
)  # fmt: skip
def test_a_busy_session_is_asked_again(for_s: float, last: str, waited_s: float) -> None:
    channel = Locked(for_s)
    drive(SCENARIOS["together"].play(Scene(dialect("guide"), known(), 1, "together")), "together", channel)
    assert (channel.told[-1], channel.waited_s) == (last, waited_s)


@pytest.mark.parametrize(
    ("elsewhere", "value"),
    [
        (turn("elsewhere", FORGOT), "apart"),
        (turn("elsewhere", "It is kestrel."), "shared"),
        (turn("elsewhere", "x", status=404), "404"),
    ],
)
def test_two_agents(elsewhere: Seen, value: str) -> None:
    (note,) = of("session.agents_apart", turn("tell", MUTE, ONE), turn("ask", "It is kestrel."), elsewhere)
    assert isinstance(note, Reading)
    assert note.value == value
    assert [type(n) for n in of("session.agents_apart", turn("tell", MUTE, ONE), turn("ask", FORGOT), elsewhere)] == (
        [Unclear] if value == "apart" else [Reading]
    )


def test_another_agent_need_not_go_on_with_the_session() -> None:
    """A target whose sessions belong to agents may begin a new one there (AMB-24)."""
    replaced = see(response(body={"response": "x", "session_id": "new"}), step="elsewhere", session="s", agent="other")
    assert over("reply.session_echoed", replaced) == []
    assert len(over("reply.session_echoed", see(replaced.exchange.raw, step="known", session="s"))) == 1
