"""Turns at the same time: what a mix-up looks like, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.conformance.check import Finding, Note, Reading, Unclear, Unverified
from chatproof.conformance.exchange import End
from chatproof.conformance.profile import Recall
from chatproof.conformance.seen import Seen

from .recorded import of, response, see

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
