"""What a generated body is worth as evidence: when a server has no excuse to refuse it, and when none to take it.

An OpenAPI document alone says less than that. A body that fits its schema may still be odd (AMB-20), and one that does not
may mean to a lenient reader what the documents allow. Neither kind is sent: no finding may rest on it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from jsonpointer import JsonPointer

from ..spec import Dialect
from .reading import MISSING, at
from .schema import request_violations

Body = Any
"""A JSON value; or ``bytes``, to be sent as they are."""

MOST_BYTES = 2_000
MOST_EXACT = 2**53 - 1
"""The largest integer that every reader of JSON keeps (RFC 7493 2.2)."""
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
BOOLEAN_WORDS = frozenset({"0", "1", "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f"})
"""What lenient readers take for a boolean."""
PINNED = {"agent": str, "session": str, "stream": bool}
"""Roles whose valid values are not for chance to choose: only a known agent, say, can answer."""


def settle(body: Body, dialect: Dialect, values: Mapping[str, Any]) -> Body:
    """A copy with its valid agent, session and stream switch replaced by ``values``, or without those that are not there.

    What is wrong in its place stays as it is: it may be the point of the body. A stream switch is put in where none was.
    """
    body = deepcopy(body)
    for role, kind in PINNED.items():
        for pointer in dialect.request.chat.get(role, ())[:1]:
            there = at(body, (pointer,))
            if isinstance(there, kind) or (role == "stream" and there is MISSING):
                _put(body, pointer, values.get(role, MISSING))
    return body


def plainly_valid(body: Body, dialect: Dialect, operation_id: str) -> bool:
    """Whether a server has no excuse to refuse the body: it is as documented, says something, and is not odd."""
    message = at(body, dialect.request.chat["message"][:1])
    return (
        isinstance(message, str)
        and any(map(str.isalnum, message))
        and not any(map(_odd, _leaves(body)))
        and len(json.dumps(body)) <= MOST_BYTES
        and not request_violations(dialect, operation_id, body)
    )


def plainly_invalid(body: Body, dialect: Dialect, operation_id: str) -> bool:
    """Whether a server has no excuse to take the body: it is no JSON, or wrong even as a lenient reader reads it.

    Left out are bodies of another documented form (AMB-02), and what only Python writes as JSON.
    """
    if isinstance(body, bytes):
        return len(body) <= MOST_BYTES and not _is_json(body)
    others = tuple(pointer for pointers in dialect.request.chat.values() for pointer in pointers[1:])
    try:
        size = len(json.dumps(body, allow_nan=False))
    except ValueError:
        return False
    if size > MOST_BYTES or at(body, others) is not MISSING:
        return False
    return bool(request_violations(dialect, operation_id, _forgiven(body, dialect, operation_id)))


def varied(bodies: Sequence[Body], dialect: Dialect, operation_id: str) -> list[Body]:
    """The same bodies: first one of each kind, then a second of each, and so on. A few requests should show a lot."""
    seen: Counter[str] = Counter()
    ranks = []
    for body in bodies:
        kind = _kind(body, dialect, operation_id)
        ranks.append(seen[kind])
        seen[kind] += 1
    return [bodies[number] for number in sorted(range(len(bodies)), key=ranks.__getitem__)]


def _forgiven(body: Body, dialect: Dialect, operation_id: str) -> Body:
    """The body as a lenient reader takes it: what is optional and null, false, 0 or empty is nothing; ``"yes"`` is a boolean.

    A switch is not looked at where it is not documented (AMB-03), and where there is nothing to switch: the operation streams.
    """
    body = deepcopy(body)
    for place in _optional_places(dialect):
        if (there := at(body, (place,))) is not MISSING and not there:
            _put(body, place, MISSING)
    streams = any(operation.id == operation_id and operation.mode == "stream" for operation in dialect.operations)
    unread = streams or dialect.request.switch.ruling is not None
    for pointer in dialect.request.chat.get("stream", ())[:1]:
        word = str(at(body, (pointer,))).lower().removesuffix(".0")
        if unread or word in BOOLEAN_WORDS:
            _put(body, pointer, MISSING)
    return body


def _optional_places(dialect: Dialect) -> list[str]:
    """Where optional roles stand, and what holds nothing but optional roles; the outer before the inner."""
    chat, required = dialect.request.chat, dialect.request.required
    needed = set(_above(chat[role][0] for role in required if role in chat))
    return sorted(set(_above(pointers[0] for pointers in chat.values())) - needed, key=len)


def _above(pointers: Iterable[str]) -> Iterator[str]:
    """Each pointer, and every pointer to what it stands in."""
    for pointer in pointers:
        while pointer:
            yield pointer
            pointer = pointer.rpartition("/")[0]


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _odd(leaf: Any) -> bool:
    """Whether some reader may stumble over a name or a value: control characters, or what is no I-JSON (RFC 7493 2)."""
    if isinstance(leaf, str):
        return CONTROLS.search(leaf) is not None or any(map(_no_character, leaf))
    return isinstance(leaf, int | float) and not abs(leaf) <= MOST_EXACT


def _no_character(c: str) -> bool:
    """Half a surrogate pair, or a code point that is set aside as no character."""
    return 0xD800 <= ord(c) <= 0xDFFF or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE


def _leaves(value: Any) -> Iterator[Any]:
    """Every value in it that holds no others, and every name."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _kind(body: Body, dialect: Dialect, operation_id: str) -> str:
    """What is wrong with a body, or what a valid one holds."""
    if isinstance(body, bytes):
        return "bytes"
    wrong = request_violations(dialect, operation_id, body)
    places = (text if text.endswith("required property") else text.partition(": ")[0] for text in wrong)
    return " ".join(sorted(places)) or " ".join(sorted(body))


def _put(body: Body, pointer: str, value: Any) -> None:
    """Set the place in a JSON value, or remove it for ``MISSING``; nothing happens where there is no such place."""
    *parents, last = JsonPointer(pointer).parts
    for parent in parents:
        body = body.get(parent) if isinstance(body, dict) else None
    if not isinstance(body, dict):
        return
    if value is MISSING:
        body.pop(last, None)
    else:
        body[last] = value
