"""A session id that was made for two conversations is noticed, in one process or between two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.load import sessions as sessions_module
from chatproof.load.ledger import Ledger
from chatproof.load.sessions import Sessions


def test_a_session_belongs_to_the_conversation_it_was_made_for() -> None:
    sessions = Sessions()
    heard = [("s", 1), ("s", 1), ("t", 2), ("s", 2)]
    assert [sessions.hear(*one) for one in heard] == [None, None, None, 1]


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "KEPT", 2)
    sessions = Sessions()
    assert [sessions.hear(name, number) for number, name in enumerate("abca")] == [None] * 4


def told(made: dict[str, int], *, final: bool) -> Any:
    """What a worker sends that saw these."""
    ledger = Ledger(1.0, "service")
    for session, conversation in made.items():
        ledger.session(session, conversation)
    return json.loads(json.dumps(ledger.to_data(final=final)))


def test_one_id_from_two_workers_is_given_again() -> None:
    ledger = Ledger(1.0, "service")
    for made in ({"a" * 500: 0, "b": 2}, {"b": 3, "\ud800": 5}, {"\ud800": 5}):
        ledger.merge(told(made, final=True))
    assert ledger.duplicates == {"one session id for conversations 2 and 3": 1}
    assert ledger.breaches == 1


def test_what_was_seen_of_sessions_is_told_at_the_end_alone() -> None:
    ledger = Ledger(1.0, "service")
    for conversation in (1, 2):
        ledger.merge(told({"b": conversation}, final=False))
    assert not ledger.duplicates
