"""Meaning to bytes, by a dialect's table: roles to JSON, events to Server-Sent Events. Pure.

JSON has Python's default separators and raw UTF-8, but for the characters that some line readers take for a line's end or
that have no UTF-8 form at all: those are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from ..spec import Delta, Dialect, Done, Event, Failure, Shape, ToolCall, ToolResult
from .pointer import put
from .reply import Beat

KINDS: dict[type[Any], str] = {
    Delta: "delta",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Done: "done",
    Failure: "failure",
}
DONE_ROLES = ("session", "input_tokens", "output_tokens", "total_tokens")
MARK = "\0text\0"
"""Stands for a text that is not known yet; no table has it."""
ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")

_dumps = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True)
class Literal:
    """An event that is no JSON, such as ``[DONE]``."""

    text: str


def dumps(value: Any) -> str:
    """JSON text that any UTF-8 encoder takes and any line reader leaves whole."""
    if type(value) is str:
        text = encode_basestring(value)
    elif type(value) is int:
        return str(value)
    else:
        text = _dumps(value)
    return text if text.isascii() and "\x7f" not in text else ESCAPED.sub(_escape, text)


def fill(shape: Shape, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of ``shape``: its constants, then each role that has a field, in the table's order."""
    value: dict[str, Any] = {}
    for pointer, constant in shape.constants.items():
        put(value, pointer, constant)
    for role, pointers in shape.roles.items():
        if role in fields:
            put(value, pointers[0], fields[role])
    return value


def event_value(dialect: Dialect, event: Event) -> Any:
    """What stands on an event's ``data:`` line: a JSON value, a ``Literal``, or ``None`` where the dialect has no such event."""
    kind = KINDS[type(event)]
    for row in dialect.stream:
        if row.event == kind:
            return fill(row.shape, event_fields(event)) if row.literal is None else Literal(row.literal)
    return None


def event_fields(event: Event) -> dict[str, Any]:
    """The roles of one event."""
    match event:
        case Delta():
            return {"text": event.text}
        case ToolCall():
            return {"name": event.name, "args": dict(event.args)}
        case ToolResult():
            return {"name": event.name, "result": event.result}
        case Done():
            usage = event.usage
            told = (event.session, usage.input, usage.output, usage.total)
            return {role: value for role, value in zip(DONE_ROLES, told, strict=True) if value is not None}
        case Failure():
            return {"message": event.message}


def gather(beats: Iterable[Beat]) -> dict[str, Any]:
    """The roles of a JSON reply out of the same events that a stream would carry."""
    fields: dict[str, Any] = {}
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    for _, event in beats:
        if type(event) is Delta:
            texts.append(event.text)
            continue
        match event:
            case ToolCall(name, args):
                calls.append({"name": name, "args": dict(args)})
            case ToolResult(name, result):
                for call in calls:
                    if call["name"] == name and "result" not in call:
                        call["result"] = result
                        break
            case Done():
                fields |= event_fields(event)
    fields["text"] = "".join(texts)
    fields["tool_calls"] = calls
    return fields


def block(text: str) -> bytes:
    """One event of a stream (WHATWG HTML, 9.2.6): a ``data:`` line and a blank one. ``text`` is a single line."""
    return f"data: {text}\n\n".encode("utf-8", "surrogatepass")


def delta_ends(dialect: Dialect) -> tuple[str, str] | None:
    """What stands before and behind the text in a delta's block; ``None`` where that is no JSON object."""
    value = event_value(dialect, Delta(MARK))
    if not isinstance(value, dict):
        return None
    before, mark, behind = dumps(value).partition(dumps(MARK))
    return (f"data: {before}", f"{behind}\n\n") if mark else None


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
