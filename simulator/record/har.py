"""Exchanges out of an HTTP Archive (HAR 1.2): one that a browser saved, or one of our own journal.

A browser tells when the first byte of a body came and when the last, and nothing of those between: the pieces of a stream are
taken to have come with the first, its last event with the last. Our own archives have every write.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...spec import BadFile
from ...spec.files import Problem, text_of
from .. import chunks
from ..request import HttpRequest
from .exchange import Exchange, Piece

TEXT = {"type": "string"}
NUMBER = {"type": "number", "maximum": 86_400_000}
"""A time in milliseconds: no answer takes a day."""
NAMED = {
    "type": "array",
    "items": {"type": "object", "required": ["name", "value"], "properties": {"name": TEXT, "value": TEXT}},
}
CONTENT = {"type": "object", "properties": {"text": TEXT, "encoding": TEXT}}
REQUEST = {
    "type": "object",
    "required": ["method", "url", "headers"],
    "properties": {"method": TEXT, "url": TEXT, "headers": NAMED, "postData": CONTENT},
}
RESPONSE = {
    "type": "object",
    "required": ["status", "headers", "content"],
    "properties": {"status": {"type": "integer"}, "headers": NAMED, "content": CONTENT},
}
WRITES = {
    "type": "array",
    "items": {"type": "object", "required": ["ms", "bytes"], "properties": {"ms": NUMBER, "bytes": TEXT}},
}
ENTRY = {
    "type": "object",
    "required": ["request", "response"],
    "properties": {
        "request": REQUEST,
        "response": RESPONSE,
        "time": {**NUMBER, "type": ["number", "null"]},
        "timings": {
            "type": "object",
            "additionalProperties": True,
            "properties": {"wait": NUMBER, "send": NUMBER, "receive": NUMBER},
        },
        "_chatproof": {"type": "object", "properties": {"writes": WRITES, "closed": TEXT}},
    },
}
LOG = {"type": "object", "required": ["entries"], "properties": {"entries": {"type": "array", "items": ENTRY}}}
SCHEMA = {"type": "object", "required": ["log"], "properties": {"log": LOG}}
"""What is read of an archive; whatever else it has is left alone."""
CUT_SHORT = {
    "client": "the client left before the end",
    "reset": "the connection was reset",
    "stopped": "the server stopped before the end",
}
BLANK = (b"\n\n", b"\r\n\r\n", b"\r\r")

Data = Mapping[str, Any]


def exchanges(path: Path) -> list[Exchange]:
    """All of them, in the archive's order. ``BadFile``, or ``ValueError`` that names the place by its JSON Pointer."""
    data = _read(path)
    return [
        _exchange(number, entry, f"{path}: /log/entries/{number - 1}")
        for number, entry in enumerate(data["log"]["entries"], 1)
    ]


def _read(path: Path) -> Data:
    try:
        data = json.loads(text_of(path).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise BadFile(path, [Problem(error.lineno, error.colno, f"is not JSON: {error.msg}")]) from None
    except RecursionError:
        raise BadFile(path, [Problem(1, 1, "is nested too deeply")]) from None
    from jsonschema import Draft202012Validator

    wrong = next(iter(Draft202012Validator(SCHEMA).iter_errors(data)), None)
    if wrong is not None:
        pointer = "".join(f"/{part}" for part in wrong.absolute_path)
        raise ValueError(f"{path}: {pointer or '/'}: this is no HAR: {_short(wrong.message)}")
    return dict(data)


def _exchange(number: int, entry: Data, place: str) -> Exchange:
    asked, answer = entry["request"], entry["response"]
    own = entry.get("_chatproof", {})
    headers = [(one["name"].lower(), one["value"]) for one in answer["headers"]]
    took = max(0.0, _ms(entry.get("time")))
    broken = CUT_SHORT.get(own.get("closed", ""), "")
    if own.get("writes"):
        pieces = tuple(_written(own["writes"]))
    else:
        headers = [(name, value) for name, value in headers if name != "content-encoding"]
        pieces = tuple(_pieces(entry, _bytes(answer["content"], f"{place}/response/content")))
        broken = broken or ("" if answer["status"] > 0 else "it has no response")
        if not broken and "text" not in answer["content"]:
            broken = "the archive has no body of its response"
    request = HttpRequest(
        asked["method"],
        _target(asked["url"], f"{place}/request/url"),
        {one["name"].lower(): one["value"] for one in asked["headers"] if not one["name"].startswith(":")},
        _bytes(asked.get("postData", {}), f"{place}/request/postData"),
    )
    return Exchange(number, request, answer["status"], tuple(headers), pieces, took, broken)


def _written(writes: list[Data]) -> Iterator[Piece]:
    """The body's bytes of each write, head and framing taken away."""
    made = [(one["ms"] / 1000, one["bytes"].encode("latin-1", "replace")) for one in writes]
    wire = b"".join(data for _, data in made)
    body = chunks.places(wire) or chunks.rest(wire)
    start = 0
    for at_s, data in made:
        first, last = bisect_left(body, start), bisect_left(body, start + len(data))
        if first < last:
            yield at_s, bytes(wire[body[number]] for number in range(first, last))
        start += len(data)


def _pieces(entry: Data, body: bytes) -> Iterator[Piece]:
    """What came with the first byte, and what came at the end."""
    timings = entry.get("timings", {})
    first = _ms(timings.get("send")) + _ms(timings.get("wait"))
    last = first + _ms(timings.get("receive"))
    shown = body.rstrip(b"\r\n")
    cut = max(shown.rfind(blank) + len(blank) if blank in shown else 0 for blank in BLANK)
    if cut and last > first:
        yield first, body[:cut]
        yield last, body[cut:]
    elif body:
        yield max(first, last) if not cut else first, body


def _bytes(content: Data, place: str) -> bytes:
    text = content.get("text", "")
    if content.get("encoding", "") != "base64":
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{place}/text: is not base64: {error}") from None


def _target(url: str, place: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{place}: {url!r} is no URL: {error}") from None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _ms(value: float | None) -> float:
    """Seconds of a time in milliseconds; none where it is not known (-1)."""
    return max(0.0, value or 0.0) / 1000


def _short(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:80]} … {message[-70:]}"
