"""The documents as data: four dialects, the inherited web standards, the rulings. Imports nothing of ours.

>>> dialect("guide").mount
'/guide'
"""

from __future__ import annotations

from .clock import Clock, FrozenClock, ScaledClock, parse_clock
from .events import Delta, Done, Event, Failure, ToolCall, ToolResult, Usage
from .files import BadFile, did_you_mean
from .load import ambiguities, dialect, known_as, names, presets, requirements, vectors
from .model import (
    Ambiguity,
    Citation,
    Dialect,
    ErrorRow,
    EventKind,
    Limits,
    Operation,
    Plan,
    Reading,
    Request,
    Requirement,
    Roles,
    Row,
    Shape,
    Switch,
    Vector,
)

__all__ = [
    "Ambiguity",
    "BadFile",
    "Citation",
    "Clock",
    "Delta",
    "Dialect",
    "Done",
    "ErrorRow",
    "Event",
    "EventKind",
    "Failure",
    "FrozenClock",
    "Limits",
    "Operation",
    "Plan",
    "Reading",
    "Request",
    "Requirement",
    "Roles",
    "Row",
    "ScaledClock",
    "Shape",
    "Switch",
    "ToolCall",
    "ToolResult",
    "Usage",
    "Vector",
    "ambiguities",
    "dialect",
    "did_you_mean",
    "known_as",
    "names",
    "parse_clock",
    "presets",
    "requirements",
    "vectors",
]
