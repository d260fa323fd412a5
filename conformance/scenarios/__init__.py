"""The conversations. Importing this package fills ``SCENARIOS``; ``ORDER`` is the order of a run."""

from __future__ import annotations

from ..scenario import SCENARIOS, Scenario
from . import agents, contract, limits, plans, refusals, renewal, sessions, switch, talk

ORDER = tuple(room.__name__ for room in (switch, talk, sessions, refusals, contract, agents, limits, renewal, plans))
"""What a target's streams and sessions are like is learnt first; limits are used up last."""


def in_order() -> list[Scenario]:
    """Every scenario in the order of a run."""
    return sorted(SCENARIOS.values(), key=lambda scenario: (scenario.last, ORDER.index(scenario.play.__module__)))
