"""When the pieces of a stream came: as they were made, or held back and sent in bursts."""

from __future__ import annotations

from itertools import pairwise

from .seen import Seen

GAP_S = 0.1
"""How far apart the pieces of a paced stream are made, at least."""
SPREAD = 0.5
"""Of a paced stream's due duration, at least this share must lie between its first and last piece."""
ASLEEP = 0.9
"""Of the time in which pieces were made that came at once, a reader who explains it must have been late by this share."""
FEWEST = 3
"""Of fewer pieces nothing can be told."""
VISIBLE_S, MOST_AT_ONCE = 0.02, 0.5
"""Pieces closer together than this came at once, and of a paced stream less than half of them do."""


def bunched(seen: Seen) -> tuple[str, str] | None:
    """What was expected of a paced stream and what came, in words; ``None`` if its pieces came as they were made, or are too few.

    Several pieces in a write are legal, and a busy machine reads late; but not half of the reply.
    """
    gaps = _gaps(seen)
    pieces, due = len(gaps) + 1, GAP_S * len(gaps)
    if pieces < FEWEST:
        return None
    if sum(gaps) < SPREAD * due:
        return f"{pieces} pieces over about {due:.1f} s", f"all of them within {sum(gaps):.3f} s"
    if _most_at_once(gaps) >= MOST_AT_ONCE * pieces:
        return f"{pieces} pieces, each as it is made", f"{_most_at_once(gaps)} of them at once"
    return None


def read_late(seen: Seen) -> float | None:
    """By how many seconds this process was late itself, if that may be why pieces came at once; else ``None``."""
    gaps = _gaps(seen)
    late = float(seen.asked.get("late_s", 0.0))
    return late if late > 0 and late >= ASLEEP * GAP_S * (_most_at_once(gaps) - 1) else None


def _gaps(seen: Seen) -> list[float]:
    arrivals = [seen.exchange.arrived_ns(event.wire.end - 1) / 1e9 for event in seen.events if event.kind == "delta"]
    return [later - earlier for earlier, later in pairwise(arrivals)]


def _most_at_once(gaps: list[float]) -> int:
    bursts = [1]
    for gap in gaps:
        bursts[-1:] = [bursts[-1], 1] if gap > VISIBLE_S else [bursts[-1] + 1]
    return max(bursts)
