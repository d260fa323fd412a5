"""A worker's part in a run, of what the master sent along with the order to start."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from .plan import Plan

LATE = 1_000_000
"""How far apart those begin to count their conversations who come when a run is under way."""


def share_of(whole: int, place: int, places: int) -> int:
    """What one of several workers may have of a number that is for all; one at least, or it could do nothing."""
    return max(whole // places + (place < whole % places), min(whole, 1))


def part(options: Namespace, client_id: str, worker_index: int) -> tuple[Plan, int, int]:
    """The plan, this worker's place in it, and how many places there were when it began. ``worker_index`` is what Locust counts.

    Who came later has a place behind those, and conversations of its own; in a schedule there is nothing left for it.
    """
    plan = Plan.of_json(options.chatproof_plan)
    places: dict[str, int] | None = getattr(options, "chatproof_places", None)
    if places is None:
        return plan, worker_index, options.chatproof_workers
    place = places.get(client_id, len(places) + worker_index)
    late = place >= len(places)
    return replace(plan, first=LATE * (place + 1)) if late else plan, place, len(places)
