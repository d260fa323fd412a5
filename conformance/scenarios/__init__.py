"""The conversations. Importing this package fills ``SCENARIOS``; their order here is the order of a run."""

from __future__ import annotations

from . import agents, limits, refusals, sessions, switch, talk  # noqa: F401  (the order is the order of a run)
