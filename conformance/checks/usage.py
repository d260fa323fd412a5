"""Usage: what a reply says it cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...spec import Shape
from .. import reading
from ..check import Finding, Note, Steps, Unclear, each, of
from ..seen import Seen

COUNTS = ("input_tokens", "output_tokens", "total_tokens")


def _register(name: str, role: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        if seen.json is not reading.MISSING:
            yield from _count(seen, seen.dialect.reply, seen.roles, role)

    judge.__doc__ = f"A reply reports its {role.replace('_', ' ')} as a whole number that is not negative."
    each("replies", name=name)(judge)


for _name, _role in (("input", "input_tokens"), ("output", "output_tokens"), ("total", "total_tokens")):
    _register(_name, _role)


@each("streams", legible=True)
def in_streams(seen: Seen) -> Iterator[Note]:
    """The event that ends a stream reports input and output as whole numbers that are not negative."""
    yield from _in_streams(seen, COUNTS[:2])


@each("streams", legible=True)
def total_present_in_streams(seen: Seen) -> Iterator[Note]:
    """The event that ends a stream reports the total as a whole number that is not negative, and the sum of the others."""
    yield from _in_streams(seen, COUNTS[2:])
    yield from total_in_streams(seen)


@each("replies")
def total_in_replies(seen: Seen) -> Iterator[Note]:
    """A reply's total is the sum of its input and output."""
    yield from _sum(seen, seen.roles)


@each("streams", legible=True)
def total_in_streams(seen: Seen) -> Iterator[Note]:
    """A total in the event that ends a stream is the sum of its input and output."""
    shape = _done_shape(seen)
    for event in seen.of_kind("done"):
        if shape is not None:
            yield from _sum(seen, reading.roles(event.value, shape), event.wire.start)


@of("same")
def same_usage(steps: Steps) -> Iterator[Note]:
    """A stream and a JSON reply to the same message report the same usage."""
    whole, pieces = steps["json"], steps["stream"]
    shape = _done_shape(pieces)
    if not (whole.is_reply and pieces.is_stream and whole.legible and pieces.legible and pieces.done and shape):
        yield Unclear("one of the two did not come back readable")
        return
    streamed = reading.roles(pieces.of_kind("done")[0].value, shape)
    for role in COUNTS:
        if role in streamed and role in whole.roles and streamed[role] != whole.roles[role]:
            yield Finding(f"{role} {whole.roles[role]} as in the JSON reply", f"{streamed[role]}", pieces)


def _done_shape(seen: Seen) -> Shape | None:
    return next((row.shape for row in seen.dialect.stream if row.event == "done" and row.literal is None), None)


def _in_streams(seen: Seen, roles: tuple[str, ...]) -> Iterator[Note]:
    shape = _done_shape(seen)
    for event in seen.of_kind("done"):
        for role in roles if shape is not None else ():
            yield from _count(
                seen, shape or Shape(), reading.roles(event.value, shape or Shape()), role, event.wire.start
            )


def _count(seen: Seen, shape: Shape, found: dict[str, Any], role: str, offset: int | None = None) -> Iterator[Note]:
    pointers = shape.roles.get(role) or shape.optional.get(role)
    if pointers is None or (role not in shape.roles and role not in found):
        return
    value = found.get(role, reading.MISSING)
    if value is reading.MISSING:
        yield Finding(f"a count at {pointers[0]}", "nothing there", seen, offset)
    elif not _is_count(value):
        yield Finding(f"a whole number, 0 or more, at {pointers[0]}", f"{value!r:.60}", seen, offset)


def _is_count(value: Any) -> bool:
    """A whole number that is not negative; JSON knows no integers, so ``45.0`` is one."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
        and value >= 0
        and value == int(value)
    )


def _sum(seen: Seen, found: dict[str, Any], offset: int | None = None) -> Iterator[Note]:
    counts = [found.get(role) for role in COUNTS]
    if all(_is_count(count) for count in counts):
        first, second, total = (int(count or 0) for count in counts)
        if first + second != total:
            yield Finding(f"total {first} + {second} = {first + second}", f"{total}", seen, offset)
