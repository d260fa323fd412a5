"""JSON -> roles: the dialect's tables read backwards. Written from the documents alone; the simulator has its own writer.

Reading never raises for what a target sent: what cannot be read is absent, and the checks say what that means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonpointer import EndOfList, JsonPointer, JsonPointerException

from ..spec import Delta, Dialect, Done, Event, Failure, Row, Shape, ToolCall, ToolResult, Usage

MISSING = object()
"""No such place in the JSON; told apart from ``null``."""


class Unreadable(ValueError):
    """A stream event's data that fits no row of the dialect; the text says why, ``value`` is its JSON if it has any."""

    def __init__(self, why: str, value: Any = MISSING) -> None:
        super().__init__(why)
        self.value = value


def at(value: Any, pointers: tuple[str, ...]) -> Any:
    """What stands at the first of ``pointers`` that exists in ``value``, else ``MISSING``."""
    for pointer in pointers:
        found = value
        try:
            for part in _parsed(pointer).parts:
                found = found[part] if type(found) is dict else _parsed(pointer).walk(found, part)
        except (JsonPointerException, TypeError, KeyError):
            continue
        if not isinstance(found, EndOfList):
            return found
    return MISSING


_parsed = cache(JsonPointer)


def roles(value: Any, shape: Shape) -> dict[str, Any]:
    """Role -> value for every role of ``shape`` that is there."""
    found = {role: at(value, pointers) for role, pointers in (*shape.roles.items(), *shape.optional.items())}
    return {role: item for role, item in found.items() if item is not MISSING}


def row_of(data: str, dialect: Dialect) -> tuple[Row, Any]:
    """The row whose literal or constants this event's data has, and its JSON; ``Unreadable`` if there is none."""
    for row in dialect.stream:
        if row.literal is not None and row.literal == data:
            return row, None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"its data is not JSON ({error})") from None
    candidates = [row for row in dialect.stream if row.literal is None and _matches(value, row.shape)]
    if not candidates:
        raise Unreadable("it is of no documented type", value)
    return candidates[0], value


def _matches(value: Any, shape: Shape) -> bool:
    if shape.constants:
        return all(at(value, (pointer,)) == wanted for pointer, wanted in shape.constants.items())
    return isinstance(value, dict) and any(at(value, pointers) is not MISSING for pointers in shape.roles.values())


def event(data: str, dialect: Dialect) -> Event:
    """One event of a stream by meaning; ``Unreadable`` where it has no documented type or lacks what its type needs."""
    return meaning(*row_of(data, dialect))


def meaning(row: Row, value: Any) -> Event:
    """What an event of that row and with that JSON means; ``Unreadable`` where it lacks what its type needs."""
    found = roles(value, row.shape)
    match row.event:
        case "delta":
            return Delta(_text(found, "text"))
        case "tool_call":
            return ToolCall(_text(found, "name"), found.get("args") or {})
        case "tool_result":
            return ToolResult(_text(found, "name"), found.get("result"))
        case "failure":
            return Failure(_text(found, "message"))
        case "done":
            return Done(_session(found), usage(found))


def usage(found: Mapping[str, Any]) -> Usage:
    """The usage among roles already read; what is no whole number is left out here and judged by the usage checks."""
    counts = (found.get(role) for role in ("input_tokens", "output_tokens", "total_tokens"))
    return Usage(*(count if isinstance(count, int) and not isinstance(count, bool) else None for count in counts))


def _text(found: Mapping[str, Any], role: str) -> str:
    value = found.get(role)
    if not isinstance(value, str):
        raise Unreadable(f"its {role} is missing or not text")
    return value


def _session(found: Mapping[str, Any]) -> str | None:
    value = found.get("session")
    return value if isinstance(value, str) else None
