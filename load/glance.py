"""A response read quickly, for a generator that has to read thousands a second beside sending them.

``glance`` reads what is entirely ordinary: one head, chunks or a length, events of one ``data: `` line each. Whatever is not,
it leaves to ``thorough``, which asks the judge's own reader (``conformance.seen``); a law in the tests holds the two equal on
all golden bytes and on every legal variant. Both run after the turn, on recorded bytes.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, NoReturn

from ..conformance import reading
from ..conformance.exchange import End, Exchange
from ..conformance.framer import whole_chunks
from ..conformance.outline import outline
from ..conformance.profile import Profile
from ..conformance.seen import Seen
from ..spec import Delta, Dialect, Done, Failure, Row
from .compiled import Compiled, Stated, compiled
from .heard import Heard
from .maker import Maker

COMPLETE = End.COMPLETE
EVENT = "data: "
NEXT_EVENT = "\n\n" + EVENT
USAGE = ("input_tokens", "output_tokens", "total_tokens")
NOTHING_STATED = Stated()


@dataclass(slots=True)
class Glimpse:
    """What a response says. ``stated``: the headers that tell of limits. ``texts``: when each non-empty piece came.

    ``problem``: why it could not be read, or what followed the stream's end. ``started``: a byte came at all.
    ``whole``: the framing was kept to its end.
    """

    status: int | None = None
    stated: Stated = NOTHING_STATED
    started: bool = False
    whole: bool = False
    streamed: bool = False
    texts: Sequence[int] = ()
    text: str = ""
    session: str | None = None
    units: int | None = None
    total_units: int | None = None
    terminals: int = 0
    terminal_at: int | None = None
    events: int = 0
    failure: str | None = None
    problem: str | None = None


class Body(NamedTuple):
    """The body of a recorded response as it was cut; ``at``: where it begins. One piece, where its length was told and it is not ``chunked``."""

    heard: Heard
    at: int
    chunked: bool
    chunks: list[bytes]


def look(heard: Heard, maker: Maker) -> Glimpse:
    """What a response says, the quick way where that is enough."""
    found = glance(heard, maker.dialect) if heard.end is COMPLETE else None
    return thorough(heard.exchange(maker.base), maker.dialect, maker.profile) if found is None else found


def glance(heard: Heard, dialect: Dialect) -> Glimpse | None:
    """What an ordinary response says that came to its end; ``None`` where anything about it is not ordinary."""
    raw = heard.raw
    end = raw.find(b"\r\n\r\n") + 4
    head = raw[:end]
    said = outline(head, "POST")
    if said is None or said.fields is None or "content-encoding" in said.fields:
        return None
    tables = compiled(dialect)
    found = Glimpse(said.status, tables.stated(head, said.fields), True, True)
    if not 200 <= said.status < 300:
        return found
    chunked = said.delimiter == "chunked"
    chunks = (heard.chunks or _chunks(raw, end)) if chunked else [raw[end:]]
    media = said.fields.get("content-type")
    if chunks is None or media is None or (not chunked and len(chunks[0]) != said.length):
        return None
    kind = head[media].partition(b";")[0].rstrip(b" \t").lower()
    if kind == b"application/json":
        return _reply(heard, found, b"".join(chunks), tables)
    return _stream(Body(heard, end, chunked, chunks), found, tables, dialect) if kind == b"text/event-stream" else None


def _chunks(raw: bytes, at: int) -> list[bytes] | None:
    """The chunks of a whole body, the last and empty one left out."""
    chunks = whole_chunks(raw, at)
    return chunks[:-1] if chunks and not chunks[-1] else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse)


def _value(text: str) -> Any:
    """The JSON value that a text is; ``ValueError`` if it is none, or not by itself."""
    try:
        value, end = DECODER.raw_decode(text)
    except RecursionError:
        raise ValueError("no JSON") from None
    if end != len(text):
        raise ValueError("more than a value")
    return value


def _reply(heard: Heard, found: Glimpse, body: bytes, tables: Compiled) -> Glimpse | None:
    try:
        value = _value(body.decode().strip(" \t\r\n"))
    except ValueError:
        return None
    return _of_reply(found, tables.roles_of(value), heard.reads[-1].at_ns)


def _of_reply(found: Glimpse, roles: Mapping[str, Any], at: int) -> Glimpse:
    text, session = roles.get("text"), roles.get("session")
    if isinstance(text, str):
        found.text = text
    else:
        found.problem = "the reply has no text where the dialect has it"
    used_in, used_out, total = (_whole(roles, role) for role in USAGE)
    found.session = session if isinstance(session, str) else None
    found.units, found.total_units, found.terminal_at = used_out, _total(used_in, used_out, total), at
    return found


def _whole(roles: Mapping[str, Any], role: str) -> int | None:
    count = roles.get(role)
    return count if type(count) is int else None


def _total(first: int | None, second: int | None, total: int | None) -> int | None:
    if total is not None:
        return total
    return None if first is None or second is None else first + second


def _stream(body: Body, found: Glimpse, tables: Compiled, dialect: Dialect) -> Glimpse | None:
    """Events of one ``data: `` line each, ended by LF LF. The time of each is that of the read that brought its last byte.

    Those that are a text and nothing else are taken by a pattern, up to the first that is not; from there on they are read as JSON.
    """
    data = b"".join(body.chunks)
    if b"\r" in data or not data.endswith(b"\n\n"):
        return None
    try:
        told = data.decode()
        texts, rest = tables.texts(told)
    except ValueError:
        return None
    values = _values(rest, tables.literals) if rest else []
    if values is None:
        return None
    found.streamed, found.events = True, len(texts) + len(values)
    times = _times(body, data, found.events)
    came = times[: len(texts)]
    for value, at in zip(values, times[len(texts) :], strict=True):
        text = tables.text_of(value) if type(value) is dict else None
        if found.terminals or (text is None and not _other(found, value, tables, dialect, at)):
            return None
        if text is not None:
            texts.append(text)
            came.append(at)
    found.text = "".join(texts)
    found.texts = came if all(texts) else [at for text, at in zip(texts, came, strict=True) if text]
    return found


def _times(body: Body, data: bytes, events: int) -> list[int]:
    """When each event's last byte came. ``data``: the body without its framing."""
    reads = body.heard.reads
    if len(reads) == 1:
        return [reads[0].at_ns] * events
    raw_ends = _raw_ends(body, [len(block) + 2 for block in data[:-2].split(b"\n\n")])
    read_ends = list(accumulate(len(read.data) for read in reads))
    return [reads[bisect_left(read_ends, end)].at_ns for end in raw_ends]


def _raw_ends(body: Body, sizes: list[int]) -> Iterator[int]:
    """Where in the raw bytes each of these parts of a body ends, which together are all of it. ``sizes``: of each part."""
    raw, at, shift, chunk_end = body.heard.raw, body.at, body.at, 0
    chunks = iter(body.chunks)
    for end in accumulate(sizes):
        while body.chunked and chunk_end < end:
            size = len(next(chunks))
            start = raw.index(b"\r\n", at) + 2
            at, shift, chunk_end = start + size + 2, start - chunk_end, chunk_end + size
        yield end + shift


def _other(found: Glimpse, value: Any, tables: Compiled, dialect: Dialect, at: int) -> bool:
    """An event that is no plain text; whether it could be read."""
    roles = tables.done_of(value) if type(value) is dict else None
    if roles is not None:
        used_in, used_out, total = (_whole(roles, role) for role in USAGE)
        _end(found, roles.get("session"), used_in, used_out, total, at)
        return True
    try:
        event = reading.meaning(value, None) if isinstance(value, Row) else reading.meaning(*_row_of(value, dialect))
    except reading.Unreadable:
        return False
    if isinstance(event, Done):
        _end(found, event.session, event.usage.input, event.usage.output, event.usage.total, at)
    return not isinstance(event, Delta | Failure)


def _end(found: Glimpse, session: Any, used_in: int | None, used_out: int | None, total: int | None, at: int) -> None:
    found.terminals, found.terminal_at = 1, at
    found.session = session if isinstance(session, str) else None
    found.units, found.total_units = used_out, _total(used_in, used_out, total)


def _row_of(value: Any, dialect: Dialect) -> tuple[Row, Any]:
    """The row of an event's JSON; the judge's way where the constants of the rows do not decide it by themselves."""
    for row in dialect.stream:
        constants = row.shape.constants
        if constants and all(value.get(pointer[1:]) == wanted for pointer, wanted in constants.items()):
            return row, value
    return reading.row_of(json.dumps(value), dialect)


def _values(body: str, literals: Mapping[str, Row]) -> list[Any] | None:
    """The JSON value of each event, or its row where that is a literal; ``None`` where an event is not one plain object.

    All objects are read in one go, as an array; each has to look like one object, so that they cannot lean on each other.
    """
    for literal, row in literals.items():
        last = f"{EVENT}{literal}\n\n"
        if body.endswith(last):
            before = _values(body[: -len(last)], literals) if len(body) > len(last) else []
            return None if before is None else [*before, row]
    events = body.count("}\n\n")
    alike = body.startswith(EVENT + "{") and body.count(NEXT_EVENT + "{") == events - 1
    if not alike or body.count("\n") != 2 * events or "},{" in body:
        return None
    try:
        values: list[Any] = _value(f"[{body[len(EVENT) : -2].replace(NEXT_EVENT, ',')}]")
    except ValueError:
        return None
    return values if len(values) == events else None


def thorough(exchange: Exchange, dialect: Dialect, profile: Profile) -> Glimpse:
    """What any response says, by the judge's own reader."""
    seen = Seen(exchange, dialect, profile)
    said = Stated(*map(exchange.header, compiled(dialect).stating))
    found = Glimpse(exchange.status, said, started=bool(exchange.reads), whole=seen.arrived_whole)
    if not seen.ok:
        return found
    if not seen.is_stream:
        found = _of_reply(found, seen.roles, exchange.reads[-1].at_ns)
        if seen.json is reading.MISSING:
            found.problem = "the reply is not JSON"
        return found
    found.streamed = True
    texts: list[int] = []
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
                texts.append(at)
        elif isinstance(event.event, Failure):
            found.failure = found.failure or event.event.message or "no words"
        elif isinstance(event.event, Done) and not found.terminals:
            used = event.event.usage
            _end(found, event.event.session, used.input, used.output, used.total, at)
    found.texts = texts
    if not seen.framed:
        found.problem = found.problem or "events are lost to their own framing"
    return found
