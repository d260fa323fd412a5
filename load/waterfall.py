"""A turn as something to draw or to write: when each of its parts came, in milliseconds from when it was due."""

from __future__ import annotations

from typing import Any

from .turn import Turn

MOST_TEXTS = 400


def waterfall(turn: Turn, at_s: float) -> dict[str, Any]:
    """The parts of one turn; ``texts`` are thinned where there are very many, first and last kept."""
    times = turn.timeline

    def ms(at: int | None) -> float | None:
        return None if at is None else round((at - times.intended) / 1e6, 3)

    texts = times.texts
    step = max(1, len(texts) // MOST_TEXTS)
    kept = texts if step == 1 else (*texts[:-1:step], texts[-1])
    return {
        "turn": turn.number,
        "conversation": turn.conversation,
        "in_conversation": turn.at,
        "outcome": turn.outcome,
        "why": turn.why,
        "status": turn.seen.status,
        "at_s": round(at_s, 3),
        "started_ms": ms(times.started),
        "sent_ms": ms(times.sent),
        "first_byte_ms": ms(times.first_byte),
        "texts_ms": [ms(at) for at in kept],
        "texts": len(texts),
        "terminal_ms": ms(times.terminal),
        "ended_ms": ms(times.ended),
        "characters": times.characters,
        "units": times.units,
    }
