"""The times of one answer: the latency that holds for it, and what those under way at the same time do to it."""

from __future__ import annotations

from dataclasses import dataclass

from ..spec import Event
from .agents import Answer
from .beats import Tempo, beats
from .crowd import EVERYBODY, Crowd
from .latency import Latency
from .refusals import Case
from .reply import Beat
from .rules import Spot


@dataclass(frozen=True)
class Timing:
    """What an answer's times depend on beside itself. ``latency``: of whoever has none; ``crowd``: the turns under way."""

    ticket: int
    spot: Spot
    latency: Latency | None
    crowd: Crowd


def timed(case: Case, answer: Answer, end: Event | None, timing: Timing, streamed: bool) -> tuple[Beat, ...]:
    """The answer's events, and ``end`` behind them, at their times. A JSON reply takes as long as its stream would."""
    tempo = Tempo(case.realm.ids, timing.spot, case.turn)
    latency = answer.latency or timing.latency
    if latency is None:
        return beats(answer, end, tempo, cut=streamed)
    if latency.load is None:
        return beats(answer, end, tempo, cut=True, latency=latency)
    group = (case.route.dialect.name, timing.spot[1]) if answer.latency else EVERYBODY
    others = timing.crowd.ends(group)
    factor, lead_s = latency.load.factor(len(others) + 1), latency.load.wait(others, case.now)
    found = beats(answer, end, tempo, cut=True, latency=latency, factor=factor, lead_s=lead_s)
    timing.crowd.join(group, timing.ticket, case.now + found[-1].due_s)
    return found
