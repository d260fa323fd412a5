"""Bytes to meaning: who asks, and what. Nothing here knows whether the key or the agent exists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ..spec import Dialect, Operation
from ..spec.model import Request
from .once import by_identity
from .pointer import parts

BODY_LIMIT = 1 << 20
"""The largest body taken, in bytes."""
TAKEN_LIMIT = 1 << 22
"""The same where odd input is taken (AMB-20)."""

TYPES: dict[str, tuple[type, str, str]] = {
    "agent": (str, "must be a string", "string_type"),
    "message": (str, "must be a string", "string_type"),
    "session": (str, "must be a string", "string_type"),
    "user": (str, "must be a string", "string_type"),
    "name": (str, "must be a string", "string_type"),
    "stream": (bool, "must be a boolean", "bool_type"),
    "metadata": (dict, "must be an object", "dict_type"),
}

ABSENT = object()


class HttpRequest(NamedTuple):
    """One request as it came. ``headers``: names in lower case. ``body`` may be cut off right above the limit."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    version: tuple[int, int] = (1, 1)
    keep_alive: bool = True


@dataclass(frozen=True)
class Mistake:
    """Why a body is refused: the field's name, the problem in words, and its kind as one word."""

    field: str
    problem: str
    kind: str
    location: tuple[str, ...] = ("body",)


class Asked(NamedTuple):
    """A valid body: its roles. A role left out, or given as an allowed ``null``, is not there."""

    roles: Mapping[str, Any]

    @property
    def message(self) -> str:
        return str(self.roles.get("message", ""))

    @property
    def session(self) -> str | None:
        return self.roles.get("session") or None


def bearer(headers: Mapping[str, str]) -> str | None:
    """The credential of an ``Authorization: Bearer`` header (RFC 6750, 2.1), its scheme in any case; else ``None``."""
    value = headers.get("authorization")
    return None if value is None else _credential(value)


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether the body claims to be JSON, or claims nothing (AMB-20)."""
    return _is_json(headers.get("content-type", ""))


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, by RFC 8259: UTF-8, no ``NaN``, no name twice. ``ValueError`` for anything else."""
    try:
        text = body.decode("utf-8")
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            return _decode(text)
        return value if end == len(text) else _decode(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def read_body(dialect: Dialect, operation: Operation, body: bytes) -> Asked | Mistake:
    """What the body of a request to ``operation`` says, by the dialect's table of roles."""
    try:
        value = parse_json(body)
    except ValueError:
        return Mistake("body", "is not valid JSON", "json_invalid")
    if not isinstance(value, dict):
        return Mistake("body", "must be an object", "dict_type")
    roles: dict[str, Any] = {}
    for role, key, wanted, lone, place in _places(dialect.request)[operation.mode == "keys"]:
        at = value.get(key, ABSENT)
        if at is ABSENT and lone:
            continue
        if type(at) is not wanted:
            found = _role(value, place)
            if isinstance(found, Mistake):
                return found
            at = found
        if at is not ABSENT:
            roles[role] = at
    return Asked(roles)


def odd_message(dialect: Dialect, message: str) -> Mistake | None:
    """What is odd about a message that is text: nothing in it, or half of a surrogate pair (AMB-20)."""
    pointer = dialect.request.chat["message"][0]
    if not message:
        return Mistake(*_named(pointer, "must not be empty", "string_too_short"))
    if any("\ud800" <= char <= "\udfff" for char in message):
        return Mistake(*_named(pointer, "must be well-formed text", "string_unicode"))
    return None


class _Place(NamedTuple):
    """Where a role stands."""

    role: str
    pointers: Sequence[str]
    required: bool
    nullable: bool


class _First(NamedTuple):
    """Where a role is looked for first. ``key``: the member of the body that is its first place; ``None``, which is no name, if that
    is deeper. ``lone``: it has no other place and need not be there.
    """

    role: str
    key: str | None
    wanted: type
    lone: bool
    place: _Place


@by_identity
def _places(request: Request) -> tuple[tuple[_First, ...], tuple[_First, ...]]:
    """The places of a chat request, and those of a request for a key."""
    chat = tuple(
        _place(role, at, role in request.required, role in request.nullable) for role, at in request.chat.items()
    )
    keys = tuple(_place(role, at, False, role in request.nullable) for role, at in request.keys.items())
    return chat, keys


def _place(role: str, pointers: Sequence[str], required: bool, nullable: bool) -> _First:
    top = parts(pointers[0])
    key = top[0] if len(top) == 1 else None
    lone = key is not None and len(pointers) == 1 and not required
    return _First(role, key, TYPES[role][0], lone, _Place(role, pointers, required, nullable))


def wants_stream(dialect: Dialect, operation: Operation, asked: Asked, headers: Mapping[str, str]) -> bool | None:
    """Whether this request asks for a stream; ``None`` if it says nothing and the default decides."""
    if operation.mode != "switched":
        return operation.mode == "stream"
    if "stream" in asked.roles:
        return bool(asked.roles["stream"])
    if dialect.request.switch.accept and "text/event-stream" in headers.get("accept", "").lower():
        return True
    return None


def knows(value: Any, pointers: Sequence[str]) -> tuple[str, Any] | None:
    """The first of ``pointers`` that exists in a JSON value, and what stands there."""
    for pointer in pointers:
        at = value
        for part in parts(pointer):
            at = at.get(part, ABSENT) if isinstance(at, dict) else ABSENT
        if at is not ABSENT:
            return pointer, at
    return None


def _role(value: Any, place: _Place) -> Any:
    role, pointers, required, nullable = place
    found = knows(value, pointers) or _no_object(value, pointers)
    pointer, at = found if found else (pointers[0], ABSENT)
    if at is None and nullable:
        at = ABSENT
    if at is ABSENT:
        return Mistake(*_named(pointer, "is required", "missing")) if required else ABSENT
    wanted, problem, kind = TYPES[role] if pointer in pointers else (dict, "must be an object", "dict_type")
    return at if isinstance(at, wanted) else Mistake(*_named(pointer, problem, kind))


def _no_object(value: Any, pointers: Sequence[str]) -> tuple[str, Any] | None:
    """Where an object should hold one of ``pointers`` and something else stands, and what that is."""
    for pointer in pointers:
        at, path = value, ""
        for part in pointer.split("/")[1:-1]:
            at, path = at.get(*parts(f"/{part}"), ABSENT), f"{path}/{part}"
            if not isinstance(at, dict):
                break
        if at is not ABSENT and not isinstance(at, dict):
            return path, at
    return None


@cache
def _named(pointer: str, problem: str, kind: str) -> tuple[str, str, str, tuple[str, ...]]:
    path = parts(pointer)
    return ".".join(path), problem, kind, ("body", *path)


@lru_cache(maxsize=256)
def _credential(value: str) -> str | None:
    scheme, _, credential = value.strip().partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None


@lru_cache(maxsize=256)
def _is_json(value: str) -> bool:
    media = value.partition(";")[0].strip().lower()
    return media in ("", "application/json") or media.endswith("+json")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice")
    return value


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)
_decode = _decoder.decode
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]
"""Reads a value that nothing stands before; what is rarer ``_decode`` reads, and tells what is wrong with it."""
