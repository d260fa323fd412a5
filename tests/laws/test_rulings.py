"""A reading of an open question is never a failure: whichever is in force, a run stays silent and reports that very reading.

The same reading is switched on in the backend and pinned in the profile, and a pin that is contradicted fails a run. So a
silent run under it has seen what was switched on, wherever there is a row that can see it.
"""

from __future__ import annotations

import pytest

from chatproof.conformance.run import Run
from chatproof.simulator.rules import Readings
from chatproof.simulator.rulings import PLAIN, RULINGS, Ruling
from chatproof.spec import Ambiguity, ambiguities, dialect, names

from .memory import broken, verify

NONE: frozenset[str] = frozenset()
WARNED = {
    ("AMB-04", "body"): {"limits/retry-after-header"},
    ("AMB-11", "known-keys"): {"limits/headers-unauthorized"},
    ("AMB-16", "delta"): {"limits/reset-epoch"},
    ("AMB-16", "milliseconds"): {"limits/reset-epoch"},
    ("AMB-23", "passed-over"): {"http/www-authenticate", "http/allow"},
}
"""Reading -> the SHOULDs of its own question that it misses."""
UNSEEN = {
    ("AMB-04", "body"): {"limits/retry-after-agrees"},
    ("AMB-08", "400"): {"errors/invalid-detail"},
    ("AMB-09", "404"): {"session/isolated-by-id"},
    ("AMB-09", "replaced"): {"session/isolated-by-id"},
    ("AMB-16", "delta"): {"limits/reset-within-window", "limits/remaining-renews"},
    ("AMB-16", "milliseconds"): {"limits/reset-within-window", "limits/remaining-renews"},
    ("AMB-23", "passed-over"): {"auth/challenge", "auth/challenge-plain", "auth/challenge-error"},
}
"""Reading -> what nobody can see under it."""
QUIRKS = {
    ("AMB-04", "header"): {"limits/retry-after-body": "fail"},
    ("AMB-04", "none"): {"limits/retry-after-body": "fail", "limits/retry-after-header": "warn"},
    ("AMB-21", "bucket"): {"limits/remaining-falls": "fail"},
}
"""Quirk -> what it breaks; it is none of the readings."""
NEVER_SEEN = {"http/retry-after-unavailable", "limits/free-per-day"}
UNDECIDED = ("error", "inconclusive", "skipped", "not_verified")
OPEN = [one for one in ambiguities() if any(_row for _row in RULINGS[one.id].values() if isinstance(_row, Ruling))]
CONTRADICTED = [
    ("AMB-02", "prose", "publish", "request/publish-form", "reference"),
    ("AMB-03", "accept", "body", "request/stream-true", "rest"),
    ("AMB-06", "named", "silent", "session/named-in-stream", "reference"),
    ("AMB-08", "400", "422", "errors/invalid-status", "reference"),
    ("AMB-09", "404", "created", "session/unknown-id", "slug"),
    ("AMB-09", "replaced", "404", "session/unknown-id", "slug"),
    ("AMB-10", "/detail/code", "/error/code", "errors/code-place", "rest"),
    ("AMB-14", "v1-api", "root", "request/short-path", "slug"),
    ("AMB-15", "done", "stops", "stream/failure-done", "reference"),
    ("AMB-17", "own", "same", "limits/refusal-envelope", "slug"),
    ("AMB-20", "refused", "taken", "errors/empty-message", "guide"),
    ("AMB-20", "taken", "refused", "errors/content-type", "guide"),
    ("AMB-21", "aligned", "fixed", "limits/window", "guide"),
    ("AMB-22", "403", "404", "keys/other-agent-status", "rest"),
    ("AMB-24", "shared", "apart", "session/isolated-by-agent", "guide"),
    ("AMB-26", "made", "refused", "keys/account-only", "rest"),
]
"""Question, the reading in force, another one, the row that sees it, a dialect."""


def test_the_switches_are_those_of_the_register() -> None:
    register = {one.id: [reading.name for reading in (*one.readings, *one.quirks)] for one in ambiguities()}
    assert {question: list(row) for question, row in RULINGS.items()} == register
    assert all(len(why.split()) > 4 for row in RULINGS.values() for why in row.values() if isinstance(why, str))


@pytest.mark.slow
@pytest.mark.parametrize("question", OPEN, ids=lambda one: one.id)
def test_no_reading_is_blamed_and_each_is_reported(question: Ambiguity) -> None:
    for reading in question.readings:
        if departs(RULINGS[question.id][reading.name]):
            for name in question.dialects:
                given = {question.id: reading.name}
                assert_silent(verify(dialect(name), rulings=given, pins=given), (question.id, reading.name))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_what_is_so_without_a_switch_may_be_pinned(name: str) -> None:
    plain = {
        q: reading
        for q, row in RULINGS.items()
        for reading, to in row.items()
        if isinstance(to, Ruling) and not departs(to)
    }
    finished = verify(dialect(name), rulings=plain, pins=plain)
    assert broken(finished) == {}


@pytest.mark.parametrize(("question", "in_force", "pinned", "row", "name"), CONTRADICTED)
def test_a_pin_on_another_reading_fails(question: str, in_force: str, pinned: str, row: str, name: str) -> None:
    finished = verify(dialect(name), rulings={question: in_force}, pins={question: pinned}, select=(row,))
    assert broken(finished) == {row: "fail"}


def test_a_refused_second_turn_is_seen_where_the_first_takes_its_time() -> None:
    rows = ("session/second-turn", "session/turns-at-once", "session/free-after-hang-up")
    given = {"AMB-25": "refused"}
    finished = verify(dialect("guide"), rulings=given, pins=given, select=rows, default="paced")
    assert {row.requirement.id: row.outcome for row in finished.judged} == dict(
        zip(rows, ("observed", "pass", "pass"), strict=True)
    )
    other = verify(dialect("guide"), rulings=given, pins={"AMB-25": "answered"}, select=rows, default="paced")
    assert broken(other) == {"session/second-turn": "fail"}


@pytest.mark.slow
@pytest.mark.parametrize("quirk", QUIRKS, ids="=".join)
def test_a_quirk_breaks_what_it_says(quirk: tuple[str, str]) -> None:
    assert broken(verify(dialect("guide"), rulings=dict([quirk]))) == QUIRKS[quirk]


def departs(ruling: Ruling | str) -> bool:
    """Whether it is another backend than the plain one; where a table changes, that is seen only in it."""
    if isinstance(ruling, str) or ruling == PLAIN:
        return False
    plain = Readings()
    return ruling.table is not None or any(getattr(plain, name) != value for name, value in ruling.decides.items())


def assert_silent(finished: Run, reading: tuple[str, str]) -> None:
    ids = {row.requirement.id for row in finished.judged}
    undecided = {row.requirement.id for row in finished.judged if row.outcome in UNDECIDED}
    assert broken(finished) == dict.fromkeys(WARNED.get(reading, NONE) & ids, "warn"), reading
    assert undecided - NEVER_SEEN == UNSEEN.get(reading, NONE) & ids, reading
