"""When each event of an answer is due: the pauses it has of its own, the latency of whoever says it, and how its texts are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from ..spec import Delta, Event
from .agents import Answer
from .cutting import BY_WORD, Chunk, pieces
from .ids import Ids
from .latency import DIGITS, Latency, waits
from .reply import Beat
from .rules import Spot

ORDINARY = 4096
"""Characters of a text whose pieces are worth remembering: they come again."""
_delta = lru_cache(maxsize=4096)(Delta)


@dataclass(frozen=True)
class Tempo:
    """The chance of one turn of one session: what it draws depends on the seed, the session and the turn, and on nothing that others do."""

    ids: Ids
    spot: Spot
    turn: int

    def chance(self, part: str) -> Callable[[], float]:
        """The numbers of one sub-stream, from its beginning."""
        return Random(int(self.ids.at(f"pace/{'/'.join(self.spot)}/{self.turn}/{part}", 0), 16)).random

    def cutter(self) -> Callable[[str, Chunk], Sequence[str]]:
        """What cuts the texts of this turn, one after the other."""
        draw = None

        def cut(text: str, chunk: Chunk) -> Sequence[str]:
            nonlocal draw
            if not chunk.varies:
                return pieces(text, chunk)
            draw = draw or self.chance("cut")
            made = pieces(text, chunk, _sizes(chunk, draw))
            lengths = self.ids.decide("cut", [len(piece) for piece in made])
            return made if sum(lengths) != len(text) else pieces(text, Chunk("recorded", tuple(lengths)))

        return cut

    def waits(self, latency: Latency, events: Sequence[Event], factor: float) -> Sequence[float]:
        """The seconds before each event."""
        made = waits(latency, events, self.turn, self.chance, factor)
        decided = self.ids.decide("wait", made)
        return decided if len(decided) == len(made) else made


def beats(
    answer: Answer,
    end: Event | None,
    tempo: Tempo,
    *,
    cut: bool,
    latency: Latency | None = None,
    factor: float = 1.0,
    lead_s: float = 0.0,
) -> tuple[Beat, ...]:
    """The steps of an answer at absolute times, and ``end`` behind them, unless the answer broke off and there is none.

    ``cut``: whether its texts are, where they may be. ``factor``: how much slower than its latency it is. ``lead_s``: what it waits for
    before anything else.
    """
    steps = list(_steps(answer, tempo, cut))
    if end is not None:
        steps.append((answer.end_s, end))
    more = tempo.waits(latency, [event for _, event in steps], factor) if latency is not None else None
    made: list[Beat] = []
    due = lead_s
    for at, (wait, event) in enumerate(steps):
        due = due + wait if more is None else round(due + wait + more[at], DIGITS)
        made.append(Beat(due, event))
    return tuple(made)


def _steps(answer: Answer, tempo: Tempo, cut: bool) -> Iterator[tuple[float, Event]]:
    if not (cut and answer.by_word):
        yield from answer.steps
        return
    chunk = answer.chunk or BY_WORD
    cutting = tempo.cutter()
    for wait, event in answer.steps:
        if not isinstance(event, Delta):
            yield wait, event
            continue
        make = _delta if len(event.text) < ORDINARY else Delta
        for piece in cutting(event.text, chunk):
            yield wait, make(piece)
            wait = 0.0


def _sizes(chunk: Chunk, draw: Callable[[], float]) -> Iterator[int]:
    while True:
        yield chunk.size(draw())
