"""From a reply to the bytes of its response, in four stages, each of which a layer may change:

    Rules -> what is decided       Reply -> what is said      JSON values, text -> how it is spelt
    Message -> HTTP headers and the pieces of a body          Plan -> writes, when each is due, and how it ends

A plan is all that the socket needs to know. Times are seconds of the backend's clock after the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from ..spec import Delta
from . import encode
from .reply import Headers, Reply
from .request import HttpRequest
from .rules import Rules

if TYPE_CHECKING:
    from .script.play import Trial

T = TypeVar("T")

End = Literal["keep-alive", "close", "reset", "doomed"]
"""``doomed``: kept like any other, and reset when the next request comes on it."""
Framing = Literal["length", "chunked", "close"]
LAST_CHUNK = b"0\r\n\r\n"
STREAM_HEADERS = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no"))
JSON_HEADERS = (("Content-Type", "application/json"),)


class Write(NamedTuple):
    """Bytes handed to the transport at once, and when."""

    due_s: float
    data: bytes


class About(NamedTuple):
    """What a request was about, as the backend understood it: for the journal, never for the wire.

    ``session``: the one it was answered in. ``key``: the credential it came with, in full. ``created``: a key that it made.
    ``faults`` and ``variant``: what bent the answer. ``warnings``: what a person should know of it. ``error``: a traceback.
    ``trial``: what a scripted turn was decided by. ``unmatched``: whether no rule of the script fits.
    """

    dialect: str = ""
    operation: str = ""
    agent: str = ""
    session: str | None = None
    key: str | None = None
    created: str | None = None
    streamed: bool = False
    refusal: str | None = None
    faults: tuple[str, ...] = ()
    variant: str | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""
    trial: Trial | None = None
    unmatched: bool = False


class Plan(NamedTuple):
    """A whole response. ``ticket`` names the request to ``Backend.finished``; ``status``, ``said`` and ``about`` are for the journal."""

    writes: Sequence[Write]
    end: End
    status: int = 200
    said: str = ""
    ticket: int = 0
    about: About = About()


@dataclass(frozen=True)
class Message:
    """An HTTP response before its framing. ``apart``: every piece is a write of its own, even when due at the same time."""

    status: int
    headers: Headers
    pieces: tuple[Write, ...]
    framing: Framing
    apart: bool = False


@dataclass(frozen=True)
class Layer:
    """One way in which a backend departs from the plain one: a change to any of the stages. Layers compose in order."""

    rules: Callable[[Rules], Rules] | None = None
    reply: Callable[[Reply], Reply] | None = None
    value: Callable[[Any], Any] | None = None
    text: Callable[[str], str] | None = None
    message: Callable[[Message], Message] | None = None
    plan: Callable[[Plan], Plan] | None = None


def build(
    reply: Reply,
    request: HttpRequest,
    now: float,
    layers: Sequence[Layer] = (),
    ticket: int = 0,
    about: About = About(),  # noqa: B008  (a tuple, and cannot change)
) -> Plan:
    """The plan of ``reply`` to ``request``, through every layer."""
    reply = through(reply, (layer.reply for layer in layers))
    message = through(spell(reply, now, layers), (layer.message for layer in layers))
    return through(frame(message, request, reply.said, ticket, about), (layer.plan for layer in layers))


def through(value: T, changes: Iterable[Callable[[T], T] | None]) -> T:
    """``value`` after every change that is one."""
    for change in changes:
        if change is not None:
            value = change(value)
    return value


def spell(reply: Reply, now: float, layers: Sequence[Layer] = ()) -> Message:
    """Headers and body of a reply: one block an event, or one JSON text due with the last event."""
    date = ("Date", http_date(int(now)))
    if reply.streamed:
        pieces = tuple(_blocks(reply, layers))
        return Message(reply.status, (date, *STREAM_HEADERS, *reply.headers), pieces, "chunked")
    fields = {**reply.fields, **encode.gather(reply.beats)} if reply.beats else reply.fields
    body = _text(encode.fill(reply.shape, fields), layers).encode("utf-8", "surrogatepass")
    due = reply.beats[-1].due_s if reply.beats else 0.0
    return Message(reply.status, (date, *JSON_HEADERS, *reply.headers), (Write(due, body),), "length")


def frame(
    message: Message,
    request: HttpRequest,
    said: str = "",
    ticket: int = 0,
    about: About = About(),  # noqa: B008  (as above)
) -> Plan:
    """Framing by RFC 9112: a length for what is whole, chunks for a stream, the connection's end for HTTP/1.0 streams."""
    framing: Framing = message.framing
    if framing == "chunked" and request.version < (1, 1):
        framing = "close"
    end: End = "keep-alive" if request.keep_alive and framing != "close" else "close"
    headers = list(message.headers)
    if framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    elif framing == "length":
        headers.append(("Content-Length", str(sum(len(piece.data) for piece in message.pieces))))
    if end == "close":
        headers.append(("Connection", "close"))
    elif request.version < (1, 1):
        headers.append(("Connection", "keep-alive"))
    starts = message.pieces[0].due_s if framing == "length" and message.pieces else 0.0
    writes = [Write(starts, head(message.status, headers))]
    if request.method != "HEAD":
        if framing == "chunked":
            writes += [Write(piece.due_s, chunk(piece.data)) for piece in message.pieces]
            writes.append(Write(writes[-1].due_s, LAST_CHUNK))
        else:
            writes += message.pieces
    return Plan(tuple(writes) if message.apart else joined(writes), end, message.status, said, ticket, about)


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """A status line and header lines, up to and with the empty line."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {_reason(status)}\r\n{lines}\r\n".encode("latin-1", "replace")


def chunk(data: bytes) -> bytes:
    """One chunk of RFC 9112, 7.1; nothing for no bytes, since an empty chunk is the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def joined(writes: Iterable[Write]) -> tuple[Write, ...]:
    """Neighbours that are due together as one write each: a burst costs one call to the transport."""
    bursts: list[tuple[float, list[bytes]]] = []
    for write in writes:
        if bursts and bursts[-1][0] == write.due_s:
            bursts[-1][1].append(write.data)
        else:
            bursts.append((write.due_s, [write.data]))
    return tuple(Write(due, b"".join(parts)) for due, parts in bursts)


def with_header(headers: Headers, name: str, value: str | None) -> Headers:
    """``headers`` with that one replaced in its place (or taken away, for ``None``); unchanged where there is none."""
    edited = ((known, value if known.lower() == name.lower() else old) for known, old in headers)
    return tuple((known, new) for known, new in edited if new is not None)


@lru_cache(maxsize=4)
def http_date(now: int) -> str:
    """IMF-fixdate (RFC 9110, 5.6.7) of a whole second since the epoch."""
    return formatdate(now, usegmt=True)


def _blocks(reply: Reply, layers: Sequence[Layer]) -> Iterator[Write]:
    """The blocks of a stream. Text comes through a template, which is the same bytes for less work."""
    ends = encode.delta_ends(reply.dialect) if not any(layer.value or layer.text for layer in layers) else None
    for due, event in reply.beats:
        if ends is not None and type(event) is Delta:
            yield Write(due, f"{ends[0]}{encode.dumps(event.text)}{ends[1]}".encode())
            continue
        value = encode.event_value(reply.dialect, event)
        if isinstance(value, encode.Literal):
            yield Write(due, encode.block(value.text))
        elif value is not None:
            yield Write(due, encode.block(_text(value, layers)))


def _text(value: Any, layers: Sequence[Layer]) -> str:
    if not layers:
        return encode.dumps(value)
    return through(encode.dumps(through(value, (layer.value for layer in layers))), (layer.text for layer in layers))


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
