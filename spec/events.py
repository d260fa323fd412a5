"""The events of a reply, in no dialect: what an agent says, before a dialect gives it bytes and after one has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Usage:
    """Reported model usage, in the provider's own units. ``None`` means: this place on the wire did not say."""

    input: int | None = None
    output: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of the reply's text; the pieces joined in order are the whole text."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """The agent calls a tool."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    """The tool of that name has answered; always after its ``ToolCall``."""

    name: str
    result: Any = None


@dataclass(frozen=True)
class Done:
    """The reply is complete. ``session`` is ``None`` where the dialect's last event names none (AMB-06, AMB-07)."""

    session: str | None = None
    usage: Usage = Usage()


@dataclass(frozen=True)
class Failure:
    """The reply broke off after it had begun."""

    message: str


Event = Delta | ToolCall | ToolResult | Done | Failure
