"""Law 1: every golden example decodes to what it means, and the writers of both sides reproduce it from that meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.conformance import reading, sse
from chatproof.conformance.ask import Ask, compose
from chatproof.conformance.profile import Profile
from chatproof.simulator.encode import dumps, fill
from chatproof.simulator.request import Asked, read_body
from chatproof.spec import (
    Delta,
    Dialect,
    Done,
    Event,
    Failure,
    Operation,
    Shape,
    ToolCall,
    ToolResult,
    Usage,
    Vector,
    vectors,
)

from .memory import all_dialects
from .scripts import stream as written

Pairs = list[Any]
COUNTS = {"input_tokens": "input", "output_tokens": "output", "total_tokens": "total"}


def of_kind(kind: str) -> Pairs:
    return [pytest.param(d, v, id=v.id) for d in all_dialects() for v in vectors(d.folder) if v.kind == kind]


def event_of(meant: dict[str, Any]) -> Event:
    """One event as ``means`` has it."""
    ((kind, roles),) = meant.items()
    match kind:
        case "delta":
            return Delta(roles)
        case "tool_call":
            return ToolCall(**roles)
        case "tool_result":
            return ToolResult(**roles)
        case "failure":
            return Failure(roles["message"])
        case _:
            usage = Usage(**{COUNTS[role]: count for role, count in roles.items() if role in COUNTS})
            return Done(roles.get("session"), usage)


@pytest.mark.parametrize(("dialect", "vector"), of_kind("stream"))
def test_a_stream_is_read_and_written(dialect: Dialect, vector: Vector) -> None:
    stream, meant = sse.read(vector.data), [event_of(row) for row in vector.means]
    assert [reading.event(event.data, dialect) for event in stream.events] == meant
    assert stream.slips == ()
    assert written(meant, dialect) == vector.data


@pytest.mark.parametrize(("dialect", "vector"), of_kind("reply"))
def test_a_reply_is_read_and_written(dialect: Dialect, vector: Vector) -> None:
    shapes = [
        shape for shape in (dialect.reply, dialect.key_reply) if shape and shape.roles.keys() == vector.means.keys()
    ]
    assert len(shapes) == 1
    assert_body(vector, shapes[0], vector.means)


@pytest.mark.parametrize(("dialect", "vector"), of_kind("error"))
def test_an_error_is_read_and_written(dialect: Dialect, vector: Vector) -> None:
    row = dialect.errors[vector.means["refusal"]]
    assert vector.means["status"] in row.accept
    assert_body(vector, row.shape, {k: v for k, v in vector.means.items() if k not in ("refusal", "status")})


@pytest.mark.parametrize(("dialect", "vector"), of_kind("request"))
def test_a_request_is_read_and_written(dialect: Dialect, vector: Vector) -> None:
    operation = operation_of(dialect, vector)
    asked = read_body(dialect, operation, vector.data)
    assert asked == Asked({role: value for role, value in vector.means.items() if value is not None})
    ask = Ask("vector", stream=None, operation=operation.id, set=vector.means, omit=omitted(dialect, vector))
    request, _ = compose(ask, dialect, Profile("http://nowhere", dialect.name, {"valid": "k"}, {"default": "a"}))
    assert json.loads(request.body) == json.loads(vector.data)


def assert_body(vector: Vector, shape: Shape, meant: dict[str, Any]) -> None:
    value = json.loads(vector.data)
    assert reading.roles(value, shape) == meant
    assert all(reading.at(value, (pointer,)) == constant for pointer, constant in shape.constants.items())
    assert json.loads(dumps(fill(shape, meant))) == value


def operation_of(dialect: Dialect, vector: Vector) -> Operation:
    creates = vector.means.keys() <= dialect.request.keys.keys()
    found = dialect.operation("keys") if creates else dialect.operation("switched", "json", "stream")
    assert found is not None
    return found


def omitted(dialect: Dialect, vector: Vector) -> tuple[str, ...]:
    return tuple({*dialect.request.chat, *dialect.request.keys} - vector.means.keys())
