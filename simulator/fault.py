"""The noun of a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .plan import Layer

LayerName = Literal["decision", "events", "encoding", "framing", "transport"]


@dataclass(frozen=True)
class Fault:
    """One violation a backend can be made to commit. ``breaks``: what a client can no longer rely on, in plain words."""

    name: str
    on: LayerName
    breaks: tuple[str, ...]
    layer: Layer
    legal: bool = False
