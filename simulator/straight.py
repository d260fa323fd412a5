"""From a reply to its plan where no layer is in force: the bytes that ``plan.build`` would give, for a fifth of its work.

Text is put into templates that are made once for each shape, and what is due together is joined as text and encoded once.
What is rare (HTTP/1.0, HEAD) takes the longer way. ``tests/laws/test_straight.py`` holds the two ways against each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..spec import Delta, Dialect, Done, Event, Shape
from . import encode, meter
from .agents import Answer
from .cutting import PIECES, pieces
from .once import by_identity
from .plan import JSON_HEADERS, LAST_CHUNK, STREAM_HEADERS, About, Plan, Write, build, chunk, head, http_date
from .reply import Reply
from .request import HttpRequest
from .writes import MANY, Middle, in_a_row, together

Template = tuple[str, tuple[str, ...]]
"""JSON text with a ``%s`` for each role, and the roles in that order."""
MARKED = re.compile(r'"\\u0000(\w+)\\u0000"')
SHORT, SPELT = 32, 4096
"""Characters of a piece of text whose chunk is remembered, and how many of them are."""
TABLES = 16
"""For how many dialects, or readings of one, the bytes of an answer are remembered."""
CLOSE = "Connection: close\r\n"
TEXT_ROLES = ("agent", "model", "session", "input_tokens", "output_tokens", "total_tokens", "text", "tool_calls")
"""What a reply of nothing but text says."""


def straight(reply: Reply, request: HttpRequest, now: float, ticket: int, about: About) -> Plan:
    """The plan of ``reply`` to ``request``."""
    if request.version < (1, 1) or request.method == "HEAD":
        return build(reply, request, now, (), ticket, about)
    lines = [_opening(reply.status, reply.streamed, int(now))]
    lines += [f"{name}: {value}\r\n" for name, value in reply.headers]
    closing = "" if request.keep_alive else CLOSE
    if reply.streamed:
        lines.append(f"Transfer-Encoding: chunked\r\n{closing}\r\n")
        writes: Sequence[Write] = _stream(reply, "".join(lines).encode("latin-1", "replace"))
    else:
        fields = {**reply.fields, **encode.gather(reply.beats)} if reply.beats else reply.fields
        body = said(reply.shape, fields).encode("utf-8", "surrogatepass")
        lines.append(f"Content-Length: {len(body)}\r\n{closing}\r\n")
        due = reply.beats[-1].due_s if reply.beats else 0.0
        writes = (Write(due, "".join(lines).encode("latin-1", "replace") + body),)
    return Plan(writes, "keep-alive" if request.keep_alive else "close", reply.status, reply.said, ticket, about)


def text_reply(dialect: Dialect, spelt: Mapping[str, Any], lines: str, now: float) -> bytes:
    """The response to a plain text, as JSON. ``spelt``: its ``TEXT_ROLES``, as JSON; ``lines``: further headers."""
    body = (_told(dialect).reply % spelt).encode("utf-8", "surrogatepass")
    opening = f"{_opening(200, False, int(now))}{lines}Content-Length: {len(body)}\r\n\r\n"
    return opening.encode("latin-1", "replace") + body


class Spoken(NamedTuple):
    """An answer of nothing but texts as a stream, without what is its own each time it is given. ``words``: how many it has."""

    middle: Middle
    words: int


def spoken(dialect: Dialect, answer: Answer) -> Spoken | None:
    """What an answer says in a stream, if it is nothing but texts. A long one that is given again and again is put into bytes once."""
    if len(answer.steps) < MANY:
        return _spoken(dialect, answer)
    known = answer.known.get(id(dialect))
    if known is None:
        if len(answer.known) >= TABLES:
            answer.known.clear()
        known = answer.known[id(dialect)] = (dialect, _spoken(dialect, answer))
    return known[1]


def _spoken(dialect: Dialect, answer: Answer) -> Spoken | None:
    texts = texts_of(answer)
    if texts is None:
        return None
    spelt, shapes, _, done = _told(dialect)
    if spelt is None:
        parts = [b"".join([_chunk(shapes, Delta(piece)) for piece in _cut(answer, text)]) for text in texts]
    elif answer.by_word:
        parts = [spelt.by_word(text) for text in texts]
    else:
        parts = [spelt[text] for text in texts]
    waits = [wait for wait, _ in answer.steps]
    end_s = 0.0 if done is None else answer.end_s
    return Spoken(together(waits, parts, end_s), meter.words("".join(texts)))


def texts_of(answer: Answer) -> Sequence[str] | None:
    """The texts of an answer that has nothing but texts, and pauses of its own."""
    steps = answer.steps
    if answer.refusal or answer.latency or answer.chunk or answer.usage:
        return None
    if len(steps) == 1:
        event = steps[0][1]
        return (event.text,) if type(event) is Delta else None
    texts = [event.text for _, event in steps if type(event) is Delta]
    return texts if len(texts) == len(steps) else None


def text_stream(dialect: Dialect, middle: Middle, spelt: Mapping[str, Any], lines: str, now: float) -> Sequence[Write]:
    """What is spoken as a whole response. ``spelt``: the roles of its last event at least, as JSON; ``lines``: further headers."""
    opening = f"{_opening(200, True, int(now))}{lines}Transfer-Encoding: chunked\r\n\r\n"
    done = _told(dialect).done
    closing = LAST_CHUNK if done is None else chunk(encode.block(done % spelt)) + LAST_CHUNK
    return middle.within(opening.encode("latin-1", "replace"), closing)


def _cut(answer: Answer, text: str) -> Sequence[str]:
    return pieces(text) if answer.by_word else (text,)


def said(shape: Shape, fields: Mapping[str, Any]) -> str:
    """The JSON text of ``encode.fill``."""
    text, roles = _template(shape, fields)
    return text % tuple([encode.dumps(fields[role]) for role in roles])


def _stream(reply: Reply, opening: bytes) -> Sequence[Write]:
    """The head and the chunks of a stream, one write for all that is due together."""
    spelt, shapes, _, _ = _told(reply.dialect)
    dues, writes = [0.0], []
    at, parts = 0.0, [opening]
    for due, event in reply.beats:
        if type(event) is Delta and spelt is not None:
            piece = spelt[event.text]
        elif not (piece := _chunk(shapes, event)):
            continue
        if due != at:
            writes.append(b"".join(parts))
            dues.append(due)
            parts, at = [], due
        parts.append(piece)
    parts.append(LAST_CHUNK)
    writes.append(b"".join(parts))
    return in_a_row(dues, writes)


class _Pieces(dict[str, bytes]):
    """The chunk of each piece of text; short ones come again, and are remembered. ``lead``: stands before each piece."""

    def __init__(self, ends: tuple[str, str, int], lead: str = "") -> None:
        super().__init__()
        self._ends, self._lead = ends, lead
        self._spaced = None if lead else _Pieces(ends, " ")

    def by_word(self, text: str) -> bytes:
        """The chunks of a text word by word, as ``pieces`` cuts it; where one space is between all words, splitting it does."""
        words = text.split()
        if self._spaced is None or not 0 < len(words) <= PIECES or " ".join(words) != text:
            return b"".join(map(self.__getitem__, pieces(text)))
        return b"".join([self[words[0]], *map(self._spaced.__getitem__, words[1:])])

    def __missing__(self, text: str) -> bytes:
        before, behind, size = self._ends
        json = encode.dumps(self._lead + text)
        size += len(json) if json.isascii() else len(json.encode())
        piece = f"{size:x}\r\n{before}{json}{behind}".encode()
        if len(text) <= SHORT:
            if len(self) >= SPELT:
                self.clear()
            self[text] = piece
        return piece


def _chunk(shapes: Mapping[type, Shape | str], event: Event) -> bytes:
    return _block(shapes.get(type(event)), encode.event_fields(event))


def _block(shape: Shape | str | None, fields: Mapping[str, Any]) -> bytes:
    """The chunk of one event, out of its roles; nothing where the dialect has no such event."""
    if shape is None:
        return b""
    return chunk(encode.block(shape if isinstance(shape, str) else said(shape, fields)))


@lru_cache(maxsize=64)
def _opening(status: int, streamed: bool, second: int) -> str:
    """The status line and the headers that all responses of a kind have in one second."""
    headers = (("Date", http_date(second)), *(STREAM_HEADERS if streamed else JSON_HEADERS))
    return head(status, headers)[:-2].decode("latin-1")


class Told(NamedTuple):
    """How a dialect tells events. ``spelt``: the chunks of pieces of text; ``None`` where a text stands in no JSON object. ``shapes``: of
    each kind of event, or its text where that is no JSON. ``reply``: a plain text as JSON, and ``done``: the end of its stream, with
    ``%(role)s`` for each role; ``None`` where there is no end.
    """

    spelt: _Pieces | None
    shapes: dict[type, Shape | str]
    reply: str
    done: str | None


@by_identity
def _told(dialect: Dialect) -> Told:
    shapes = _shapes(dialect)
    end = shapes.get(Done)
    literal = end.replace("%", "%%") if isinstance(end, str) else None
    done = _named(end, encode.DONE_ROLES) if isinstance(end, Shape) else literal
    ends = _delta_ends(dialect)
    return Told(None if ends is None else _Pieces(ends), shapes, _named(dialect.reply, TEXT_ROLES), done)


def _named(shape: Shape, roles: Sequence[str]) -> str:
    return MARKED.sub(r"%(\1)s", _marked(shape, roles))


def _marked(shape: Shape, roles: Sequence[str]) -> str:
    """JSON text with a mark for each role, ready to be a template."""
    return encode.dumps(encode.fill(shape, {role: f"\0{role}\0" for role in roles})).replace("%", "%%")


def _shapes(dialect: Dialect) -> dict[type, Shape | str]:
    rows = {row.event: row for row in reversed(dialect.stream)}
    found = {kind: rows[name] for kind, name in encode.KINDS.items() if name in rows}
    return {kind: row.shape if row.literal is None else row.literal for kind, row in found.items()}


def _delta_ends(dialect: Dialect) -> tuple[str, str, int] | None:
    """What stands before and behind the text in a delta's chunk, and how many bytes of both count in its size."""
    ends = encode.delta_ends(dialect)
    if ends is None:
        return None
    return ends[0], f"{ends[1]}\r\n", len("".join(ends).encode())


@by_identity
def _made(_shape: Shape) -> dict[tuple[str, ...], Template]:
    """The templates of a shape, by the roles that are filled in."""
    return {}


def _template(shape: Shape, fields: Mapping[str, Any]) -> Template:
    made, roles = _made(shape), tuple(fields)
    found = made.get(roles)
    if found is None:
        text = _marked(shape, roles)
        found = made[roles] = (MARKED.sub("%s", text), tuple(MARKED.findall(text)))
    return found
