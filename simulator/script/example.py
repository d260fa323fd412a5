"""The commented script that ``init --script`` writes, and a conversation that its first agent can hold."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "assets" / "script.yaml"
SAID = ("Where is my order?", "It is 12345")
"""Two turns: the second is understood only after the first."""
