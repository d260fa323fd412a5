"""A response read quickly, for a generator that has to read thousands a second beside sending them.

``glance`` reads what is entirely ordinary: one head, chunks or a length, events of one ``data: `` line each. Whatever is not,
it leaves to ``thorough``, which asks the judge's own reader (``conformance.seen``); a law in the tests holds the two equal on
all golden bytes and on every legal variant. Both run after the turn, on recorded bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from ..conformance import reading
from ..conformance.exchange import End, Exchange
from ..conformance.profile import Profile
from ..conformance.seen import Seen
from ..spec import Delta, Dialect, Done, Failure, Row
from .compiled import compiled

HEAD = b"HTTP/1.1 "
FIELD = re.compile(r"\r\n([!#-'*-.0-9A-Z^-z|~]+): (?![ \t])([^\r\n]*(?<![ \t]))(?=\r\n|$)")
"""A header as nearly everybody writes it: one space, nothing to strip."""
EVENT = b"data: "
NEXT_EVENT = b"\n\n" + EVENT


@dataclass(slots=True)
class Glimpse:
    """What a response says. ``headers``: by lower-case name, the first of each. ``texts``: when each non-empty piece came.

    ``problem``: why it could not be read, or what followed the stream's end. ``started``: a byte came at all.
    ``whole``: the framing was kept to its end.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    started: bool = False
    whole: bool = False
    streamed: bool = False
    texts: list[int] = field(default_factory=list)
    text: str = ""
    session: str | None = None
    units: int | None = None
    total_units: int | None = None
    terminals: int = 0
    terminal_at: int | None = None
    events: int = 0
    failure: str | None = None
    problem: str | None = None


def look(exchange: Exchange, dialect: Dialect, profile: Profile) -> Glimpse:
    """What an exchange's response says, the quick way where that is enough."""
    found = glance(exchange, dialect) if exchange.end is End.COMPLETE else None
    return thorough(exchange, dialect, profile) if found is None else found


def glance(exchange: Exchange, dialect: Dialect) -> Glimpse | None:
    """What an ordinary response says; ``None`` where anything about it is not ordinary."""
    raw = exchange.reads[0].data if len(exchange.reads) == 1 else exchange.raw
    end = raw.find(b"\r\n\r\n")
    if end < 0 or not raw.startswith(HEAD):
        return None
    lines = FIELD.findall(raw[:end].decode("latin-1"))
    headers = {name.lower(): value for name, value in lines}
    if len(headers) != raw.count(b"\n", 0, end):
        return None
    status = raw[9:12]
    if not status.isdigit() or status[:1] == b"1" or "content-encoding" in headers:
        return None
    code = int(status)
    found = Glimpse(code, headers, started=True, whole=True)
    if not 200 <= code < 300:
        return found
    media = headers.get("content-type", "").partition(";")[0].strip(" \t").lower()
    body = _body(raw, end + 4, headers)
    if body is None:
        return None
    if media == "text/event-stream":
        return _stream(exchange, found, body[0], body[1], dialect)
    return _reply(exchange, found, body[0], dialect) if media == "application/json" else None


Pieces = list[tuple[int, int]]
"""For each chunk: where in the body it begins, and where in the raw bytes."""


def _body(raw: bytes, at: int, headers: Mapping[str, str]) -> tuple[bytes, Pieces] | None:
    length = headers.get("content-length")
    if headers.get("transfer-encoding") is None:
        if length is None or not length.isdecimal() or len(raw) - at != int(length):
            return None
        return raw[at:], [(0, at)]
    if length is not None or headers["transfer-encoding"].lower() != "chunked":
        return None
    parts: list[bytes] = []
    pieces: Pieces = []
    size_so_far = 0
    while True:
        line_end = raw.find(b"\r\n", at)
        try:
            size = int(raw[at:line_end], 16)
        except ValueError:
            return None
        at = line_end + 2
        if size <= 0:
            return (b"".join(parts), pieces) if size == 0 and raw[at:] == b"\r\n" else None
        pieces.append((size_so_far, at))
        parts.append(raw[at : at + size])
        size_so_far += size
        at += size
        if raw[at : at + 2] != b"\r\n":
            return None
        at += 2


def _reply(exchange: Exchange, found: Glimpse, body: bytes, dialect: Dialect) -> Glimpse | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _of_reply(found, compiled(dialect).roles_of(value), exchange.reads[-1].at_ns)


def _of_reply(found: Glimpse, roles: Mapping[str, Any], at: int) -> Glimpse:
    text, session = roles.get("text"), roles.get("session")
    if isinstance(text, str):
        found.text = text
    else:
        found.problem = "the reply has no text where the dialect has it"
    found.session = session if isinstance(session, str) else None
    found.units = _whole(roles, "output_tokens")
    found.total_units = _total(_whole(roles, "input_tokens"), found.units, _whole(roles, "total_tokens"))
    found.terminal_at = at
    return found


def _whole(roles: Mapping[str, Any], role: str) -> int | None:
    count = roles.get(role)
    return count if type(count) is int else None


def _total(first: int | None, second: int | None, total: int | None) -> int | None:
    if total is not None:
        return total
    return None if first is None or second is None else first + second


def _stream(exchange: Exchange, found: Glimpse, body: bytes, pieces: Pieces, dialect: Dialect) -> Glimpse | None:
    """Events of one ``data: `` line each, ended by LF LF. The time of each is that of the read that brought its last byte."""
    if b"\r" in body or not body.endswith(b"\n\n"):
        return None
    found.streamed = True
    readers = compiled(dialect)
    text_of = readers.text_of
    values = _values(body, readers.literals)
    if values is None:
        return None
    texts: list[str] = []
    for value, at in zip(values, _times(exchange, pieces, body, len(values)), strict=True):
        text = text_of(value) if type(value) is dict else None
        if found.terminals or (text is None and not _other(found, value, dialect, at)):
            return None
        if text:
            texts.append(text)
            found.texts.append(at)
    found.events = len(values)
    found.text = "".join(texts)
    return found


def _times(exchange: Exchange, pieces: Pieces, body: bytes, events: int) -> list[int]:
    """When each event's last byte came."""
    if len(exchange.reads) == 1:
        return [exchange.reads[0].at_ns] * events
    arrived = _arrivals(exchange, pieces)
    ends = accumulate(len(block) + 2 for block in body[:-2].split(b"\n\n"))
    return [arrived(end - 1) for end in ends]


def _values(body: bytes, literals: Mapping[bytes, Row]) -> list[Any] | None:
    """The JSON value of each event, or its row where that is a literal; ``None`` where an event is not one plain object.

    All objects are read in one go, as an array; each has to look like one object, so that they cannot lean on each other.
    """
    for literal, row in literals.items():
        last = b"%b%b\n\n" % (EVENT, literal)
        if body.endswith(last):
            before = _values(body[: -len(last)], literals) if len(body) > len(last) else []
            return None if before is None else [*before, row]
    events = body.count(b"}\n\n")
    alike = body.startswith(EVENT + b"{") and body.count(NEXT_EVENT + b"{") == events - 1
    if not alike or body.count(b"\n") != 2 * events or b"},{" in body:
        return None
    try:
        values: list[Any] = json.loads(f"[{body[len(EVENT) : -2].replace(NEXT_EVENT, b',').decode()}]")
    except (ValueError, RecursionError):
        return None
    return values if len(values) == events else None


def _other(found: Glimpse, value: Any, dialect: Dialect, at: int) -> bool:
    """An event that is no plain text; whether it could be read."""
    try:
        event = reading.meaning(value, None) if isinstance(value, Row) else reading.meaning(*_row_of(value, dialect))
    except reading.Unreadable:
        return False
    if isinstance(event, Failure):
        return False
    if isinstance(event, Done):
        found.terminals, found.terminal_at, found.session = 1, at, event.session
        found.units = event.usage.output
        found.total_units = _total(event.usage.input, event.usage.output, event.usage.total)
    return not isinstance(event, Delta)


def _row_of(value: Any, dialect: Dialect) -> tuple[Row, Any]:
    """The row of an event's JSON; the judge's way where the constants of the rows do not decide it by themselves."""
    for row in dialect.stream:
        constants = row.shape.constants
        if constants and all(value.get(pointer[1:]) == wanted for pointer, wanted in constants.items()):
            return row, value
    return reading.row_of(json.dumps(value), dialect)


def _arrivals(exchange: Exchange, pieces: Pieces) -> Callable[[int], int]:
    """When a byte of the body came; asked for with rising offsets."""
    reads = exchange.reads
    piece, read, read_end = 0, 0, len(reads[0].data)
    last = len(pieces) - 1

    def arrived(offset: int) -> int:
        nonlocal piece, read, read_end
        while piece < last and pieces[piece + 1][0] <= offset:
            piece += 1
        raw_at = pieces[piece][1] + offset - pieces[piece][0]
        while read_end <= raw_at:
            read += 1
            read_end += len(reads[read].data)
        return reads[read].at_ns

    return arrived


def thorough(exchange: Exchange, dialect: Dialect, profile: Profile) -> Glimpse:
    """What any response says, by the judge's own reader."""
    seen = Seen(exchange, dialect, profile)
    headers: dict[str, str] = {}
    for name, value in exchange.headers:
        headers.setdefault(name.lower(), value)
    found = Glimpse(exchange.status, headers, started=bool(exchange.reads), whole=seen.arrived_whole)
    if not seen.ok:
        return found
    if not seen.is_stream:
        found = _of_reply(found, seen.roles, exchange.reads[-1].at_ns)
        if seen.json is reading.MISSING:
            found.problem = "the reply is not JSON"
        return found
    found.streamed = True
    for event in seen.events:
        found.events += 1
        at = exchange.arrived_ns(event.wire.end - 1)
        if event.problem is not None or event.event is None:
            found.problem = found.problem or event.problem
        elif found.terminals and not isinstance(event.event, Failure):
            found.problem = found.problem or "something follows the event that ends the stream"
        if isinstance(event.event, Delta):
            found.text += event.event.text
            if event.event.text and not found.terminals:
                found.texts.append(at)
        elif isinstance(event.event, Failure):
            found.failure = found.failure or event.event.message or "no words"
        elif isinstance(event.event, Done) and not found.terminals:
            found.terminals, found.terminal_at, found.session = 1, at, event.event.session
            found.units = event.event.usage.output
            found.total_units = _total(event.event.usage.input, event.event.usage.output, event.event.usage.total)
    if not seen.framed:
        found.problem = found.problem or "events are lost to their own framing"
    return found
