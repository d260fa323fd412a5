"""Pieces as they are made, and pieces in bursts; whose fault a burst is."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from chatproof.conformance.ask import Ask
from chatproof.conformance.check import Finding, Unclear
from chatproof.conformance.lateness import Witness
from chatproof.conformance.scenario import SCENARIOS, Scene
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

from .recorded import arriving, known, of

EVENT = b'data: {"type": "token", "content": "a"}\n\n'
LAST = b'data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 1, "output_tokens": 1}}\n\n'


@pytest.mark.parametrize(
    ("gap", "findings"), [(0.12, 0), (0.06, 0), (0.04, 1), (0.0, 1)]
)  # fmt: skip
def test_pieces_arrive_as_they_are_made(gap: float, findings: int) -> None:
    parts = [(n * gap, EVENT) for n in range(6)]
    seen = arriving(*parts, (6 * gap, LAST), (6 * gap, b""), step="stream")
    assert len(of("stream.progressive", seen)) == findings


@pytest.mark.parametrize(
    ("moments", "findings"),
    [
        ((0, 0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6), 0),
        ((0, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7), 1),
        ((0, 0, 0, 0, 0.7, 0.7, 0.7, 0.7), 1),
        ((0, 0, 0, 0.35, 0.35, 0.35, 0.7, 0.7), 0),
        ((0, 0.1, 0.2, 0.3, 0.7, 0.7, 0.7, 0.7), 1),
    ],
    ids=["pairs", "the first, then all", "two bursts", "threes: events may share a write", "half at the end"],
)
def test_a_few_bursts_are_not_pieces_as_they_are_made(moments: tuple[float, ...], findings: int) -> None:
    seen = arriving(*((at, EVENT) for at in moments), (0.8, LAST), (0.8, b""), step="stream")
    assert len(of("stream.progressive", seen)) == findings


@pytest.mark.parametrize(("late", "kind"), [(0.0, Finding), (0.05, Finding), (0.3, Unclear)])
def test_what_this_machine_read_late_accuses_nobody(late: float, kind: type[Finding | Unclear]) -> None:
    moments = (0, 0.1, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7)
    seen = arriving(*((at, EVENT) for at in moments), (0.8, LAST), (0.8, b""), step="stream")
    seen = replace(seen, exchange=replace(seen.exchange, asked={**seen.exchange.asked, "late_s": late}))
    assert [type(note) for note in of("stream.progressive", seen)] == [kind]


def test_no_lateness_explains_a_reply_that_was_held_back() -> None:
    """All of it at once would take as long a sleep as half the reply."""
    seen = arriving(*((0.7, EVENT) for _ in range(8)), (0.8, LAST), (0.8, b""), step="stream")
    seen = replace(seen, exchange=replace(seen.exchange, asked={**seen.exchange.asked, "late_s": 0.3}))
    assert [type(note) for note in of("stream.progressive", seen)] == [Finding]


@pytest.mark.slow
def test_a_witness_notices_that_nobody_could_read() -> None:
    """For a third of a second one thread keeps the interpreter to itself."""
    usual = sys.getswitchinterval()
    with Witness() as witness:
        sys.setswitchinterval(60)
        try:
            begun = time.monotonic()
            while time.monotonic() < begun + 0.3:
                pass
        finally:
            sys.setswitchinterval(usual)
    assert witness.late_s > 0.2


def test_a_stream_that_was_read_late_is_asked_for_again() -> None:
    """Thrice at most, and once whole is enough."""

    def played(*streams: Seen) -> list[str]:
        script, steps = SCENARIOS["paced"].play(Scene(dialect("guide"), known(), 1, "paced")), []
        ask = next(script)
        with suppress(StopIteration):
            for seen in streams:
                assert isinstance(ask, Ask)
                steps.append(ask.step)
                ask = script.send(seen.exchange)
        return steps

    late = arriving(*((at, EVENT) for at in (0, 0.7, 0.7, 0.7, 0.7, 0.7)), (0.8, LAST), (0.8, b""), step="stream")
    good = arriving(*((at, EVENT) for at in (0, 0.2, 0.4, 0.6)), (0.8, LAST), (0.8, b""), step="again-1")
    assert played(good, good) == ["stream"]
    assert played(late, good, good) == ["stream", "again-1"]
    assert played(late, late, late, late) == ["stream", "again-1", "again-2"]
    assert of("stream.progressive", late, good) == []
    assert len(of("stream.progressive", late)) == 1


def test_too_few_pieces_show_nothing() -> None:
    assert [type(note) for note in of("stream.progressive", arriving((0, EVENT), (0, b""), step="stream"))] == [Unclear]
