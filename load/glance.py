"""A response read quickly, for a generator that has to read thousands a second beside sending them.

``glance`` reads what is entirely ordinary: one head, chunks or a length, events of one ``data: `` line each. Whatever is not,
it leaves to ``thorough``, which asks the judge's own reader (``conformance.seen``); a law in the tests holds the two equal on
all golden bytes and on every legal variant. Both run after the turn, on recorded bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..conformance import reading
from ..conformance.exchange import End, Exchange
from ..conformance.profile import Profile
from ..conformance.seen import Seen
from ..spec import Delta, Dialect, Done, Failure, Row

HEAD = b"HTTP/1.1 "
EVENT = b"data: "


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
    headers: dict[str, str] = {}
    for line in raw[:end].decode("latin-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in headers or not name or name[-1] == " " or name[0] in " \t":
            return None
        headers[name] = value.strip(" \t")
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
    roles = reading.roles(value, dialect.reply)
    return _of_reply(found, roles, exchange.reads[-1].at_ns)


def _of_reply(found: Glimpse, roles: Mapping[str, Any], at: int) -> Glimpse:
    text, session = roles.get("text"), roles.get("session")
    usage = reading.usage(roles)
    found.text = text if isinstance(text, str) else ""
    found.problem = None if isinstance(text, str) else "the reply has no text where the dialect has it"
    found.session = session if isinstance(session, str) else None
    found.units, found.total_units = usage.output, _total(usage.input, usage.output, usage.total)
    found.terminal_at = at
    return found


def _total(first: int | None, second: int | None, total: int | None) -> int | None:
    if total is not None:
        return total
    return None if first is None or second is None else first + second


def _stream(exchange: Exchange, found: Glimpse, body: bytes, pieces: Pieces, dialect: Dialect) -> Glimpse | None:
    """Events of one ``data: `` line each, ended by LF LF. The time of each is that of the read that brought its last byte."""
    if b"\r" in body or not body.endswith(b"\n\n"):
        return None
    found.streamed = True
    arrived = _arrivals(exchange, pieces)
    text_of, literals = _readers(dialect)
    blocks = body[:-2].split(b"\n\n")
    values = _values(blocks, literals)
    if values is None:
        return None
    texts: list[str] = []
    at = -1
    for block, value in zip(blocks, values, strict=True):
        at += len(block) + 2
        text = text_of(value) if type(value) is dict else None
        if found.terminals or (text is None and not _other(found, value, dialect, arrived(at))):
            return None
        if text:
            texts.append(text)
            found.texts.append(arrived(at))
    found.events = len(blocks)
    found.text = "".join(texts)
    return found


def _values(blocks: list[bytes], literals: Mapping[bytes, Row]) -> list[Any] | None:
    """The JSON value of each event, or its row where that is a literal; ``None`` where an event is not one plain object.

    All objects are read in one go, as an array; each has to look like one object, so that they cannot lean on each other.
    """
    places: list[tuple[int, Row]] = []
    parts: list[bytes] = []
    for index, block in enumerate(blocks):
        part = block[6:]
        if block[:6] != EVENT or part[:1] != b"{" or part[-1:] != b"}" or b"\n" in block or b"},{" in block:
            if block[:6] != EVENT or part not in literals:
                return None
            places.append((index, literals[part]))
        else:
            parts.append(part)
    try:
        values: list[Any] = json.loads((b"[" + b",".join(parts) + b"]").decode())
    except (ValueError, RecursionError):
        return None
    if len(values) != len(parts):
        return None
    for index, row in places:
        values.insert(index, row)
    return values


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
    if len(reads) == 1:
        only = reads[0].at_ns
        return lambda offset: only
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


def _readers(dialect: Dialect) -> Readers:
    """See ``_compile``; made once for a dialect, whose folder is its identity."""
    found = _COMPILED.get(dialect.folder)
    if found is None:
        found = _COMPILED[dialect.folder] = _compile(dialect)
    return found


Readers = tuple[Callable[[dict[str, Any]], str | None], dict[bytes, Row]]
_COMPILED: dict[Path, Readers] = {}


def _compile(dialect: Dialect) -> Readers:
    """A function that gives the text of a JSON event that is surely a text, else ``None``; and the literal rows by their data."""
    literals = {row.literal.encode(): row for row in dialect.stream if row.literal is not None}
    rows = [row for row in dialect.stream if row.literal is None]
    delta = next((row for row in rows if row.event == "delta"), None)
    pointers = delta.shape.roles.get("text", ()) if delta else ()
    constants = dict(delta.shape.constants) if delta else {}
    plain = all(pointer.count("/") == 1 and "~" not in pointer for pointer in (*pointers, *constants))
    if (
        delta is None
        or len(pointers) != 1
        or not plain
        or len(constants) > 1
        or (not constants and delta is not rows[0])
    ):
        return lambda value: None, literals
    text_key = pointers[0][1:]
    if not constants:
        return lambda value: text if type(text := value.get(text_key)) is str else None, literals
    ((pointer, wanted),) = constants.items()
    kind_key = pointer[1:]

    def read(value: dict[str, Any]) -> str | None:
        text = value.get(text_key)
        return text if type(text) is str and value.get(kind_key) == wanted else None

    return read, literals


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
