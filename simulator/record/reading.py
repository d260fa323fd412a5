"""From an exchange to what was said in it, by the table of its dialect; or why no script can have it. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...spec import Dialect, Done, Failure, Usage
from ...spec.model import ErrorRow
from ..request import HttpRequest, Mistake, bearer, read_body, wants_stream
from ..routes import Route, Routes
from . import decode
from .exchange import Exchange, Heard, LeftOut, Piece, Refused, Timed
from .stream import blocks

SCRIPTABLE = (
    "unauthorized", "invalid_request", "agent_not_found", "wrong_agent", "rate_limited", "insufficient_balance", "too_large",
    "unsupported_media", "internal_error", "unavailable",
)  # fmt: skip
"""The refusals that a rule of a script can make."""
SHOWN = 80
INFLATED = {"gzip": 47, "x-gzip": 47, "deflate": 47}
"""Content codings that are read, with zlib's window bits (47: gzip or zlib, as it finds them)."""
LONGEST_WAIT_S = 86_400


def read(exchange: Exchange, routes: Routes) -> Heard | LeftOut:
    """What was said. Nothing is guessed: what the table has no place for is left out, and said to be."""
    route = find(exchange.asked, routes)
    if route is None:
        return LeftOut(exchange.number, "no chat in any dialect that is recorded")
    assert route.operation is not None
    if route.operation.mode == "keys":
        return LeftOut(exchange.number, "it makes a key, and is no chat")
    asked = read_body(route.dialect, route.operation, exchange.asked.body)
    if isinstance(asked, Mistake):
        why = f"its body asks nothing ({asked.field}: {asked.problem}); the fake backend refuses such bodies by itself"
        return LeftOut(exchange.number, why)
    agent = route.agent or str(asked.roles.get("agent", ""))
    key, session = bearer(exchange.asked.headers), asked.session
    wrong = next((word for word in (agent, asked.message, session or "", key or "") if not _unicode(word)), None)
    if wrong is not None or not agent:
        return LeftOut(exchange.number, "it names no agent" if not agent else "it holds half a character (a surrogate)")
    streamed = wants_stream(route.dialect, route.operation, asked, exchange.asked.headers)
    streams = route.dialect.request.switch.default if streamed is None else streamed
    heard = Heard(exchange.number, route.dialect.name, agent, key, session, asked.message, streams)
    found = _answered(exchange, route.dialect, heard)
    if isinstance(found, Heard) and not _unicode(found.session or ""):
        return LeftOut(exchange.number, "its session's id holds half a character (a surrogate)")
    if isinstance(found, Heard) and found.refused is None and found.streamed != streams:
        kinds = ("whole", "stream")
        note = (
            f"a {kinds[streams]} reply was asked for by the documents, and the answer was a {kinds[found.streamed]} one"
        )
        return replace(found, notes=(*found.notes, note))
    return found


def find(asked: HttpRequest, routes: Routes) -> Route | None:
    """The operation that a request means, wherever the server has mounted it; ``None`` if it is none."""
    path, mark, query = asked.target.partition("?")
    segments = path.split("/")
    for first in range(1, len(segments)):
        target = "/" + "/".join(segments[first:]) + mark + query
        route = routes.find(asked._replace(target=target))
        if route.operation is not None:
            return route
    return None


def body_of(exchange: Exchange) -> bytes:
    """The body of the response without its content coding; as it is, where that cannot be read here."""
    try:
        pieces = _plain(exchange)
    except ValueError:
        pieces = list(exchange.pieces)
    return b"".join(data for _, data in pieces)


def value_of(exchange: Exchange) -> Any:
    """The JSON value of the response; ``None`` if it is none."""
    return _value(body_of(exchange))


def _answered(exchange: Exchange, dialect: Dialect, heard: Heard) -> Heard | LeftOut:
    if exchange.broken:
        return LeftOut(exchange.number, exchange.broken)
    try:
        pieces = _plain(exchange)
    except ValueError as error:
        return LeftOut(exchange.number, str(error))
    if exchange.status >= 400:
        return _refused(exchange, dialect, heard, b"".join(data for _, data in pieces))
    if exchange.status != 200:
        return LeftOut(exchange.number, f"the answer is a {exchange.status}, which is neither a reply nor a refusal")
    if exchange.header("content-type").partition(";")[0].strip().lower() == "text/event-stream":
        return _streamed(dialect, replace(heard, streamed=True), pieces)
    return _whole(exchange, dialect, heard, b"".join(data for _, data in pieces))


def _streamed(dialect: Dialect, heard: Heard, pieces: Sequence[Piece]) -> Heard | LeftOut:
    events: list[Timed] = []
    notes: list[str] = []
    for number, (at_s, piece, data) in enumerate(blocks(pieces), 1):
        event = decode.event(dialect, data)
        if event is None:
            notes.append(f"event {number} is none that {dialect.name} documents, and is left out: {data[:SHOWN]}")
        elif isinstance(event, Done):
            session = heard.session or event.session
            return replace(
                heard,
                events=tuple(events),
                done_s=at_s,
                done_piece=piece,
                usage=event.usage,
                session=session,
                notes=tuple(notes),
            )
        else:
            events.append(Timed(at_s, piece, event))
            if isinstance(event, Failure):
                return replace(heard, events=tuple(events), notes=tuple(notes))
    told = len(events)
    return LeftOut(
        heard.number, f"the stream ends without its last event, after {told} event{'' if told == 1 else 's'}"
    )


def _whole(exchange: Exchange, dialect: Dialect, heard: Heard, data: bytes) -> Heard | LeftOut:
    value = _value(data)
    found = decode.reply(dialect, value)
    if found is None:
        return LeftOut(exchange.number, f"the reply has no text where {dialect.name} documents it: {_shown(data)}")
    events, done = found
    at_s = exchange.pieces[-1][0] if exchange.pieces else exchange.ended_s
    timed = tuple(Timed(at_s, 0, event) for event in events)
    session = heard.session or done.session
    return replace(heard, streamed=False, events=timed, done_s=at_s, usage=done.usage, session=session)


def _refused(exchange: Exchange, dialect: Dialect, heard: Heard, data: bytes) -> Heard | LeftOut:
    value = _value(data)
    rows = [row for row in dialect.errors.values() if exchange.status in (row.status, *row.accept)]
    named = [row for row in rows if row.code is not None and decode.at(value, row.shape.roles["code"]) == row.code]
    row = next(iter(sorted(named or rows, key=lambda one: not one.documented)), None)
    if row is None or row.refusal not in SCRIPTABLE:
        return LeftOut(exchange.number, f"no refusal of {dialect.name} is a {exchange.status}: {_shown(data)}")
    message = decode.at(value, row.shape.roles.get("message", ()))
    words = _own_words(row, message) if isinstance(message, str) and _unicode(message) else None
    code = decode.at(value, row.shape.roles.get("code", ()))
    notes = [
        f"its {what} {came!r} is played as {played!r}"
        for what, came, played in (("status", exchange.status, row.status), ("code", code, row.code))
        if came != played and came is not decode.ABSENT
    ]
    if words is None and message is decode.ABSENT:
        notes.append(
            f"it has no words where {dialect.name} documents them, and is played with the documented ones: {_shown(data)}"
        )
    at_s = exchange.pieces[-1][0] if exchange.pieces else exchange.ended_s
    refused = Refused(row.refusal, words, _wait(exchange, dialect, row, value))
    return replace(heard, streamed=False, refused=refused, done_s=at_s, notes=tuple(notes))


def _own_words(row: ErrorRow, message: str) -> str | None:
    """What a script's rule has to say for a refusal to read like ``message``: only what the table does not say by itself."""
    if message == row.message:
        return None
    if row.refusal != "invalid_request":
        return message
    before, _, _ = row.message.partition("{problem}")
    return message.removeprefix(before.format(field="message", Field="Message"))


def _wait(exchange: Exchange, dialect: Dialect, row: ErrorRow, value: Any) -> int | None:
    """Whole seconds until a retry is worth it, from the body or the header; ``None`` where neither says."""
    told = decode.at(value, row.shape.roles.get("retry_after", ()))
    if not isinstance(told, int) or isinstance(told, bool):
        header = exchange.header(dialect.limits.retry_after.lower()).strip()
        told = int(header) if header.isascii() and header.isdigit() and len(header) < 10 else -1
    return told if 0 <= told <= LONGEST_WAIT_S else None


def _plain(exchange: Exchange) -> list[Piece]:
    coding = exchange.header("content-encoding").strip().lower()
    if coding in ("", "identity"):
        return list(exchange.pieces)
    if coding not in INFLATED:
        raise ValueError(f"its content coding {coding!r} is not read here; a client that asks for none is recorded")
    return list(_inflated(exchange.pieces, INFLATED[coding]))


def _inflated(pieces: Sequence[Piece], bits: int) -> Iterator[Piece]:
    machine = zlib.decompressobj(bits)
    for at_s, data in pieces:
        try:
            yield at_s, machine.decompress(data)
        except zlib.error as error:
            raise ValueError(f"its body cannot be decompressed: {error}") from None


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _unicode(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _shown(data: bytes) -> str:
    return data[:SHOWN].decode("utf-8", "replace") or "nothing"


def said(heard: Heard) -> str:
    """What it was, in a word or two, for the log."""
    if heard.refused is not None:
        return heard.refused.name
    return f"stream {heard.agent}, {len(heard.events)} events" if heard.streamed else f"json {heard.agent}"


def counted(usage: Usage) -> dict[str, int]:
    """The figures that were told, in the words of a script."""
    figures = {"input": usage.input, "output": usage.output, "total": usage.total}
    return {name: count for name, count in figures.items() if count is not None}
