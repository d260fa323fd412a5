"""One turn over a kept connection: a request made quickly, what came back, and what became of it.

It reads like blocking code, and blocks the greenlet that calls it: many of them take their turns at once, and a test takes one by itself.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

from ..conformance.exchange import Exchange
from .canary import MARK, owners, word
from .glance import Glimpse, look
from .heard import Heard
from .line import Line
from .maker import Maker
from .outcome import outcome
from .timeline import Timeline


class Turn(NamedTuple):
    """What became of one turn. ``number`` is unique in a run, ``at`` counts the turns of its ``conversation`` from 0.

    ``foreign``: the conversation whose word the answer bore. ``reconnected``: the kept connection had ended and a new one was made.
    """

    number: int
    conversation: int
    at: int
    outcome: str
    why: str
    timeline: Timeline
    heard: Heard
    seen: Glimpse
    foreign: int | None = None
    reconnected: bool = False


def take(
    line: Line,
    maker: Maker,
    number: int,
    conversation: int,
    at: int,
    message: str,
    session: str | None,
    intended_ns: int,
    seed: int,
    expects_word: bool,
) -> Turn:
    """Send one turn, read what came, and say what became of it."""
    started = time.monotonic_ns()
    heard, reconnected = line.send(maker.base, maker.body(message, session))
    seen = look(heard, maker)
    result, why = outcome(heard.end, seen)
    foreign = (
        next((owner for owner in owners(seed, seen.text) if owner != conversation), None) if MARK in seen.text else None
    )
    if foreign is not None:
        result, why = "mixup", f"the word of conversation {foreign} in an answer to conversation {conversation}"
    elif result == "ok":
        result, why = _right(seen, maker, session, word(seed, conversation) if expects_word else None)
    times = _timeline(heard, seen, min(intended_ns, started), started)
    return Turn(number, conversation, at, result, why, times, heard, seen, foreign, reconnected)


def _right(seen: Glimpse, maker: Maker, session: str | None, expected: str | None) -> tuple[str, str]:
    """Whether a whole answer is the right one, as far as can be told."""
    if seen.streamed is not maker.stream:
        wanted, came = ("a stream", "JSON") if maker.stream else ("JSON", "a stream")
        return "malformed", f"asked for {wanted}, got {came}"
    if not seen.text:
        return "wrong_answer", "no text"
    if session is not None and seen.session not in (None, session):
        return "wrong_answer", "it names another session than the one that was continued"
    if expected is not None and expected not in seen.text:
        return "wrong_answer", "its conversation's word did not come back"
    return "ok", ""


def _timeline(heard: Heard, seen: Glimpse, intended: int, started: int) -> Timeline:
    reads = heard.reads
    ended = reads[-1].at_ns if reads else time.monotonic_ns()
    return Timeline(
        intended,
        started,
        heard.sent_ns,
        ended,
        reads[0].at_ns if reads else None,
        tuple(seen.texts),
        seen.terminal_at,
        seen.streamed,
        len(seen.text),
        seen.units,
    )


def labelled(turn: Turn, maker: Maker, message: str, session: str | None) -> Exchange:
    """The exchange of a turn as the judge wants it: with a name, and what was meant by it."""
    asked = {**maker.asked, "message": message, "session": session}
    return replace(turn.heard.exchange(maker.base), id=f"turn-{turn.number}", label="load", asked=asked)
