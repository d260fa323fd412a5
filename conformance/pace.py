"""When the pieces of a stream came: as they were made, or held back and sent in bursts."""

from __future__ import annotations

from itertools import pairwise

from .seen import Seen

GAP_S = 0.1
"""How far apart the pieces of a paced stream are made, at least."""
SPREAD = 0.5
"""Of a paced stream's due duration, at least this share must lie between its first and last piece."""
VISIBLE_S, MOMENTS = 0.02, 0.5
"""Pieces further apart than this came at two moments, and a paced stream's come at half as many as there are pieces."""


def bunched(seen: Seen) -> tuple[str, str] | None:
    """What was expected of a paced stream and what came, in words; ``None`` if its pieces came as they were made.

    Legal variants send two pieces in one chunk, and a busy machine reads late: so half of the moments is enough.
    """
    arrivals = [seen.exchange.arrived_ns(event.wire.end - 1) / 1e9 for event in seen.events if event.kind == "delta"]
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    due, moments = GAP_S * len(gaps), 1 + sum(gap > VISIBLE_S for gap in gaps)
    if sum(gaps) < SPREAD * due:
        return f"{len(arrivals)} pieces over about {due:.1f} s", f"all of them within {sum(gaps):.3f} s"
    if moments < MOMENTS * len(arrivals):
        return f"{len(arrivals)} pieces, each as it is made", f"all of them at {moments} moments"
    return None
