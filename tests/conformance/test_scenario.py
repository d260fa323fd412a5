"""Scenarios are driven over anything that can send, and leave nothing open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chatproof.conformance import scenarios
from chatproof.conformance.ask import Ask
from chatproof.conformance.exchange import Exchange
from chatproof.conformance.scenario import SCENARIOS, Finish, Leave, Open, Scene, Script, Wait, drive, scenario
from chatproof.conformance.transcript import Transcript
from chatproof.spec import dialect, names

from .recorded import exchange, known, response


@dataclass
class Tape:
    """A channel that answers everything alike and remembers what it was told."""

    told: list[str] = field(default_factory=list)
    fails_at: str = ""

    def send(self, ask: Ask) -> Exchange:
        self.told.append(f"send {ask.step}")
        if ask.step == self.fails_at:
            raise RuntimeError(ask.step)
        return exchange(response(body={"response": "x", "session_id": "s1"}), step=ask.step)

    def open(self, ask: Ask) -> str:
        self.told.append(f"open {ask.step}")
        return ask.step

    def finish(self, held: Any) -> Exchange:
        self.told.append(f"finish {held}")
        return exchange(b"", step=str(held))

    def leave(self, held: Any) -> Exchange:
        self.told.append(f"leave {held}")
        return exchange(b"", step=str(held))

    def wait(self, seconds: float) -> None:
        self.told.append(f"wait {seconds:g}")

    def done(self) -> None:
        self.told.append("done")


def test_answers_come_back_and_are_kept_in_the_order_in_which_they_ended() -> None:
    seen: list[Any] = []

    def script() -> Script:
        first = yield Open(Ask("one"))
        seen.append((yield Ask("two")))
        yield Wait(1.5)
        yield Leave(first)

    tape = Tape()
    transcript = drive(script(), "x", tape)
    assert tape.told == ["open one", "send two", "wait 1.5", "leave one", "done"]
    assert [one.label for one in transcript.exchanges] == ["two", "one"]
    assert seen == [transcript.exchanges[0]]
    assert transcript.scenario == "x"


def test_what_is_left_open_is_hung_up() -> None:
    def script() -> Script:
        yield Open(Ask("one"))
        yield Open(Ask("two"))

    tape = Tape()
    assert [one.label for one in drive(script(), "x", tape).exchanges] == ["one", "two"]
    assert tape.told[-3:] == ["leave one", "leave two", "done"]


def test_also_when_something_breaks() -> None:
    def script() -> Script:
        yield Open(Ask("one"))
        yield Ask("two")

    tape = Tape(fails_at="two")
    with pytest.raises(RuntimeError):
        drive(script(), "x", tape)
    assert tape.told[-2:] == ["leave one", "done"]


def test_what_was_recorded_until_then_is_kept() -> None:
    def script() -> Script:
        yield Ask("one")
        yield Ask("two")

    kept: list[Transcript] = []
    with pytest.raises(RuntimeError):
        drive(script(), "x", Tape(fails_at="two"), kept.append)
    assert [one.label for transcript in kept for one in transcript.exchanges] == ["one"]


def test_an_open_stream_may_be_read_to_its_end() -> None:
    def script() -> Script:
        held = yield Open(Ask("one"))
        yield Ask("two")
        yield Finish(held)

    tape = Tape()
    assert [one.label for one in drive(script(), "x", tape).exchanges] == ["two", "one"]
    assert tape.told == ["open one", "send two", "finish one", "done"]


def test_words_are_the_same_for_a_seed_and_another_for_each_scenario() -> None:
    def words(seed: int, name: str) -> list[str]:
        scene = Scene(dialect("guide"), known(), seed, name)
        return [scene.word() for _ in range(3)]

    assert words(1, "a") == words(1, "a")
    assert len({*words(1, "a"), *words(1, "b"), *words(2, "a")}) == 9


def test_nobody_is_the_profiles_or_has_the_dialects_prefix() -> None:
    assert Scene(dialect("guide"), known(agents={"unknown": "gone"}), 1, "a").nobody() == "gone"
    assert Scene(dialect("reference"), known("reference"), 1, "a").nobody().startswith("ag_missing-")


def test_two_scenarios_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two scenarios are called 'reply'"):
        scenario("reply")(lambda scene: iter(()))  # type: ignore[arg-type, return-value]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_scenario_plays_to_its_end_whatever_it_is_answered(name: str) -> None:
    """Steps have names of their own, since checks find them by name."""
    everyone = dict.fromkeys(
        ("valid", "limited", "daily", "brief", "pro", "broke", "revoked", "other_customer", "other_agent", "account"),
        "k" * 9,
    )
    full = known(
        name,
        credentials=everyone,
        limits={"requests_per_minute": 2, "concurrent": 1, "requests_per_day": 2},
        session_expiry="1s",
    )
    for one in scenarios.in_order():
        tape = Tape()
        steps = [x.label for x in drive(one.play(Scene(dialect(name), full, 1, one.name)), one.name, tape).exchanges]
        assert len(steps) == len(set(steps)), one.name
        assert tape.told[-1] == "done"


def test_limits_are_used_up_last_and_the_switch_is_learnt_first() -> None:
    order = scenarios.in_order()
    assert order[0].name == "switch"
    assert [one.last for one in order] == sorted(one.last for one in order)
    assert {one.name for one in order} == set(SCENARIOS)
