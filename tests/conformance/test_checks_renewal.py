"""The end of a window: any legal kind of it is kept to, a broken one is told of, and nobody waits longer than allowed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from chatproof.conformance.check import CHECKS, Finding, Note, Reading, Steps, Unclear, Unverified
from chatproof.conformance.profile import Profile
from chatproof.conformance.run import missing
from chatproof.conformance.scenario import SCENARIOS, Scene, drive
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

from .recorded import known
from .windows import KINDS, Windowed

CHECKED = ("recovers", "remaining_renews", "no_trace", "not_before")
GUIDE = dialect("guide")
BRIEF = {"limits": {"brief_requests": 4, "brief_window": "10s"}}


def target(role: str = "brief", **more: Any) -> Profile:
    return known(credentials={"valid": "k1", role: "k2"}, **{**BRIEF, **more})


def judged(server: Windowed, *, chooses: bool = True) -> dict[str, list[Note]]:
    """What the checks say after the scenario was played against that server."""
    scene = Scene(GUIDE, server.profile, 1, "renewal", chooses)
    transcript = drive(SCENARIOS["renewal"].play(scene), "renewal", server)
    steps = Steps([Seen(exchange, GUIDE, server.profile) for exchange in transcript.exchanges])
    found: dict[str, list[Note]] = {}
    for name in CHECKED:
        judge = CHECKS[f"renewal.{name}"].judge_steps
        assert judge is not None
        found[name] = list(judge(steps))
    return found


def findings(notes: dict[str, list[Note]]) -> dict[str, list[Note]]:
    return {name: found for name, found in notes.items() if any(isinstance(note, Finding) for note in found)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_window_conforms_whatever_the_time_and_the_pace(kind: str) -> None:
    for takes, offset, limit in itertools.product((0.0, 0.2, 0.9, 1.7, 3.1), (0.0, 0.4, 4.9, 9.99), (1, 4, 20)):
        limits = {"brief_requests": limit, "brief_window": "10s"}
        server = Windowed(target(limits=limits), kind, limit, 10, takes_s=takes, offset_s=offset)
        notes = judged(server)
        assert findings(notes) == {}, (takes, offset, limit)
        if limit == 4 and takes < 1:
            assert (notes["recovers"], notes["no_trace"]) == ([], []), (takes, offset)
            assert notes["not_before"], (takes, offset)


@pytest.mark.parametrize("kind", KINDS)
def test_a_burst_is_forgotten_whole_and_so_is_judged(kind: str) -> None:
    notes = judged(Windowed(target(), kind, 4, 10, offset_s=5.0 if kind == "aligned" else 0.0))
    (told,) = notes["not_before"]
    assert isinstance(told, Reading)
    assert told.value == "refused"
    assert (notes["recovers"], notes["no_trace"], notes["remaining_renews"]) == ([], [], [])


def test_the_wait_that_was_told_is_waited_and_a_second_more() -> None:
    server = Windowed(target(), "fixed", 4, 10)
    judged(server)
    assert server.waited == [4.5, 6 + 1]


def test_a_key_that_stays_shut_is_told_of() -> None:
    notes = judged(Windowed(target(), "fixed", 4, 10, stays_shut=True))
    (note,) = notes["recovers"]
    assert isinstance(note, Finding)
    assert "said to wait" in note.expected


def test_a_wait_that_is_too_short_is_told_of() -> None:
    notes = judged(Windowed(target(), "fixed", 4, 10, wait_s=2))
    assert findings(notes).keys() == {"recovers"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_message_that_is_remembered_is_told_of(kind: str) -> None:
    notes = judged(Windowed(target(), kind, 4, 10, remembers_refused=True))
    assert findings(notes).keys() == {"no_trace"}


def test_what_never_remains_again_is_told_of() -> None:
    server = Windowed(target(), "fixed", 4, 10)
    said = server._said
    server._said = lambda ask, status, body, left, reset: said(  # type: ignore[method-assign]
        ask, status, body, 0 if ask.step == "late" else left, reset
    )
    assert findings(judged(server)).keys() == {"remaining_renews"}


def test_a_window_that_was_spent_before_is_not_spent_again() -> None:
    server = Windowed(target("limited", limits={"requests_per_minute": 4}), "fixed", 4, 60)
    server.times = [server.now - 5 + number / 10 for number in range(4)]
    before = len(server.times)
    notes = judged(server)
    assert len(server.times) == before + 3, "late, and two more to see that the agent recalls at all"
    assert (notes["recovers"], notes["no_trace"], notes["remaining_renews"]) == ([], [], [])
    assert 55 < sum(server.waited) < 60


def test_without_headers_only_what_they_say_stays_open() -> None:
    notes = judged(Windowed(target(), "sliding", 4, 10, headers=False))
    assert [type(note) for note in notes.pop("remaining_renews")] == [Unverified]
    assert (notes["recovers"], notes["no_trace"]) == ([], [])


def test_an_id_that_the_client_may_not_choose_leaves_the_memory_open() -> None:
    notes = judged(Windowed(target(), "fixed", 4, 10), chooses=False)
    assert [type(note) for note in notes["no_trace"]] == [Unclear]
    assert notes["recovers"] == []


def test_no_wait_is_longer_than_the_deadline() -> None:
    profile = target(deadlines={"window": "5s"})
    server = Windowed(profile, "fixed", 4, 10)
    notes = judged(server)
    assert server.waited == []
    assert {type(note) for found in notes.values() for note in found} <= {Unverified, Unclear}
    assert "deadlines.window" in str(notes["recovers"])


@pytest.mark.parametrize(
    ("profile", "lacking"),
    [
        (target(), None),
        (target("limited", limits={"requests_per_minute": 4}), None),
        (target("other_customer"), "credentials.brief or credentials.limited"),
        (target(limits={}), "limits.brief_requests or limits.requests_per_minute"),
        (target(deadlines={"window": "0s"}), "deadlines.window"),
    ],
)
def test_what_the_profile_lacks_is_named(profile: Profile, lacking: str | None) -> None:
    absent = missing(SCENARIOS["renewal"], profile)
    assert (absent and absent.reason) == (lacking and f"needs {lacking} in the profile")
