"""Sessions: when an agent's answer proves that it remembers, when it proves that it does not, and when it proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance.check import Finding, Note, Reading, Unclear
from chatproof.conformance.profile import Recall
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

from .recorded import SENT_AT, exchange, got, known, of, response, see

TELL = Recall().tell.format(nonce="kestrel")
ASK = Recall().ask
KNOWS, FORGOT, REPEATS, ALWAYS = "It is kestrel.", "I know of none.", f"You said: {ASK}", f"You said: {TELL}"


def turn(
    step: str, text: str | None, message: str = ASK, status: int = 200, session: str = "s", vouched: bool = False
) -> Seen:
    body = {} if text is None else {"response": text, "session_id": session}
    recall: dict[str, Any] = {"recall": {"tell": Recall().tell, "ask": ASK}} if vouched else {}
    raw = exchange(response(status, body), step=step, message=message, session="s")
    return Seen(raw, dialect("guide"), known("guide", **recall))


def kinds(notes: list[Note]) -> list[type[Note]]:
    return [type(note) for note in notes]


@pytest.mark.parametrize(
    ("told", "asked", "vouched", "wanted"),
    [
        ("Noted.", KNOWS, False, []),
        ("Noted.", FORGOT, False, [Finding]),
        (ALWAYS, REPEATS, False, [Unclear]),
        (ALWAYS, REPEATS, True, [Finding]),
        ("Hello!", "Hello!", False, [Unclear]),
        ("Hello!", "Hello!", True, [Finding]),
        (None, KNOWS, False, [Unclear]),
        ("Noted.", None, True, [Unclear]),
    ],
)
def test_what_was_said_is_known_later(
    told: str | None, asked: str | None, vouched: bool, wanted: list[type[Note]]
) -> None:
    """An agent that only repeats, or always says the same, cannot be blamed, unless the profile vouches for it."""
    steps = turn("tell", told, TELL, vouched=vouched), turn("ask", asked, vouched=vouched)
    assert kinds(of("session.remembers", *steps)) == wanted


def later(at: float, seen: Seen, expiry: str = "10s") -> Seen:
    """The same turn, sent that many seconds after the first, to a target whose sessions live so long idle."""
    moved = replace(seen.exchange, sent_at=SENT_AT + at)
    return Seen(moved, seen.dialect, known("guide", session_expiry=expiry))


@pytest.mark.parametrize(
    ("between", "at", "wanted"),
    [((), 9, [Finding]), ((), 11, [Unclear]), ((6,), 12, [Finding]), ((11,), 12, [Unclear]), ((1,), 12, [Unclear])],
)
def test_a_target_that_is_slower_than_its_sessions_live_is_not_forgetful(
    between: tuple[float, ...], at: float, wanted: list[type[Note]]
) -> None:
    turns = [later(moment, turn("between-1", "x")) for moment in between]
    steps = later(0, turn("tell", "Noted.", TELL)), *turns, later(at, turn("ask", FORGOT))
    assert kinds(of("session.remembers", *steps)) == wanted


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [(KNOWS, KNOWS, []), (KNOWS, FORGOT, [Finding]), (FORGOT, KNOWS, [Finding]), (FORGOT, FORGOT, [Finding])],
)
def test_a_session_in_use_lives_on(first: str, second: str, wanted: list[type[Note]]) -> None:
    told, asked = later(0, turn("tell", "Noted.", TELL)), later(0, turn("ask", KNOWS))
    steps = told, asked, later(6, turn("ask-1", first)), later(12, turn("ask-2", second))
    assert kinds(of("session.idle", *steps)) == wanted


def test_a_refused_question_proves_nothing() -> None:
    assert kinds(of("session.remembers", turn("tell", "Noted.", TELL), turn("ask", FORGOT, status=500))) == [Unclear]


@pytest.mark.parametrize(
    ("asked", "elsewhere", "wanted"),
    [
        (KNOWS, FORGOT, []),
        (KNOWS, KNOWS, [Finding]),
        (FORGOT, FORGOT, [Unclear]),
        (FORGOT, KNOWS, [Finding]),
    ],
)
def test_what_was_said_is_not_known_elsewhere(asked: str, elsewhere: str, wanted: list[type[Note]]) -> None:
    """Not recalling it elsewhere proves something only of an agent that recalls it where it should."""
    steps = turn("tell", "Noted.", TELL), turn("ask", asked), turn("elsewhere", elsewhere)
    assert kinds(of("session.apart", *steps)) == wanted


def test_a_leak_is_one_wherever_in_the_body_it_stands() -> None:
    leak = see(response(404, {"detail": "session of kestrel"}), step="foreign", message=ASK)
    steps = turn("tell", "Noted.", TELL), turn("ask", KNOWS), leak, turn("foreign-stream", FORGOT)
    assert kinds(of("session.foreign", *steps)) == [Finding]


def test_the_profiles_own_sentence_may_name_the_word_twice() -> None:
    recall = {"tell": "Code {nonce}! (again: {nonce}) [ok?]", "ask": "Code?"}
    steps = [
        Seen(
            exchange(response(body={"response": text}), step=step, message=message, session="s"),
            dialect("guide"),
            known(recall=recall),
        )
        for step, message, text in (("tell", recall["tell"].format(nonce="owl"), "Noted."), ("ask", "Code?", "owl"))
    ]
    assert of("session.remembers", *steps) == []


@pytest.mark.parametrize(
    ("first", "second", "wanted"), [("a", "b", []), ("a", "a", [Finding]), ("", "b", [Unclear])]
)  # fmt: skip
def test_new_sessions_have_ids_of_their_own(first: str, second: str, wanted: list[type[Note]]) -> None:
    steps = turn("tell", "Noted.", TELL, session=first), turn("elsewhere", FORGOT, session=second)
    assert kinds(of("session.new_each_time", *steps)) == wanted


@pytest.mark.parametrize(
    ("check", "step", "seen", "value"),
    [
        ("chosen", "chosen", {"status": 200, "session": "s"}, "created"),
        ("chosen", "chosen", {"status": 200, "session": "t"}, "replaced"),
        ("chosen", "chosen", {"status": 404}, "404"),
        ("foreign_answer", "foreign", {"status": 200}, "fresh"),
        ("foreign_answer", "foreign", {"status": 403}, "403"),
    ],
)
def test_readings(check: str, step: str, seen: dict[str, Any], value: str) -> None:
    (note,) = of(f"session.{check}", turn(step, "x", **seen))
    assert isinstance(note, Reading)
    assert note.value == value


def test_a_reply_names_its_new_session() -> None:
    assert of("session.created", turn("new", "x")) == []
    assert got(of("session.created", turn("new", "x", session=""))) != []
    assert kinds(of("session.created", turn("new", "x", status=500))) == [Unclear]
