"""A dialect's table read backwards: JSON values and the data of events to what they mean. Pure.

A value that the table has no place for is ``None``; a place that holds something else than it should counts as empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...spec import Delta, Dialect, Done, Event, Failure, ToolCall, ToolResult, Usage
from ...spec.model import Row
from ..pointer import parts
from ..request import knows

Fields = Mapping[str, Any]
ABSENT = object()


def event(dialect: Dialect, data: str) -> Event | None:
    """The event of that ``data:``, by the first row of the table that it fits; ``None`` for what the table does not know."""
    value = _json(data)
    for row in dialect.stream:
        if row.literal is not None:
            if data == row.literal:
                return _event(row.event, {})
        elif isinstance(value, dict) and _fits(row, value):
            return _event(row.event, fields(value, {**row.shape.roles, **row.shape.optional}))
    return None


def reply(dialect: Dialect, value: Any) -> tuple[tuple[Event, ...], Done] | None:
    """The events of a JSON reply, tool calls first, and what its end would say; ``None`` where it has no text."""
    found = fields(value, {**dialect.reply.roles, **dialect.reply.optional})
    if not isinstance(found.get("text"), str):
        return None
    calls = found.get("tool_calls")
    events: list[Event] = []
    for call in calls if isinstance(calls, list) else ():
        events += _called(call)
    return (*events, Delta(found["text"])), _done(found)


def fields(value: Any, roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What stands at the places of these roles, for those that are there."""
    found = {role: at(value, pointers) for role, pointers in roles.items()}
    return {role: one for role, one in found.items() if one is not ABSENT}


def at(value: Any, pointers: Sequence[str]) -> Any:
    """What stands at the first of ``pointers`` that exists, lists included; ``ABSENT`` where none does."""
    for pointer in pointers:
        here = value
        for part in parts(pointer):
            if isinstance(here, list) and part.isdigit() and int(part) < len(here):
                here = here[int(part)]
            else:
                here = here.get(part, ABSENT) if isinstance(here, dict) else ABSENT
        if here is not ABSENT:
            return here
    return ABSENT


def _json(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _fits(row: Row, value: dict[str, Any]) -> bool:
    constants = row.shape.constants
    if constants:
        return all((found := knows(value, (pointer,))) and found[1] == one for pointer, one in constants.items())
    return all(knows(value, pointers) for pointers in row.shape.roles.values())


def _event(kind: str, found: Fields) -> Event | None:
    name = found.get("name")
    match kind:
        case "delta":
            return Delta(found["text"]) if isinstance(found.get("text"), str) else None
        case "tool_call":
            args = found.get("args", {})
            return ToolCall(name, args) if isinstance(name, str) and name and isinstance(args, dict) else None
        case "tool_result":
            return ToolResult(name, found.get("result")) if isinstance(name, str) and name else None
        case "failure":
            return Failure(str(found.get("message", "")))
    return _done(found)


def _done(found: Fields) -> Done:
    session = found.get("session")
    counts = (_count(found.get(role)) for role in ("input_tokens", "output_tokens", "total_tokens"))
    return Done(session if isinstance(session, str) and session else None, Usage(*counts))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _called(call: Any) -> list[Event]:
    """One member of a reply's list of calls, which may have its result in it."""
    if not isinstance(call, dict):
        return []
    made = _event("tool_call", call)
    if made is None:
        return []
    return [made, ToolResult(call["name"], call["result"])] if "result" in call else [made]
