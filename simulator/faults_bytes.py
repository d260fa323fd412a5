"""Right events in wrong bytes: Server-Sent Events, JSON, HTTP framing, the connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from . import chunks
from .fault import Fault, Given, Kind, LayerName
from .layers import body, each_block, headers
from .parameter import Parameter
from .places import behind, first_bytes, middle, split, wire_of
from .plan import LAST_CHUNK, End, Layer, Message, Plan, Write, with_header

IN_STRING = b'": "'
AFTER = Parameter("after", None, "behind how many events; in the middle of the bytes if left out", int, "events", 0)
BOM = b"\xef\xbb\xbf"


def _fault(on: LayerName, name: str, breaks: str, layer: Layer, kind: Kind = "violation") -> Fault:
    return Fault(name, on, (breaks,), layer, kind)


def each(old: bytes, new: bytes) -> Layer:
    """In every block of a stream, the first ``old`` becomes ``new``."""
    return each_block(lambda block: block.replace(old, new, 1))


def streams(change: Callable[[Plan], Plan]) -> Layer:
    """Changes the plans of chunked responses."""
    return Layer(plan=lambda plain: change(plain) if plain.writes[-1].data.endswith(LAST_CHUNK) else plain)


def whole_streams(change: Callable[[Plan, int], Plan]) -> Layer:
    """Changes the plans of streams that come to their end, in chunks or with their connection; ``change`` is told where that begins."""

    def plan(plain: Plan) -> Plan:
        end = chunks.end(wire_of(plain))
        return plain if end is None else change(plain, end)

    return Layer(plan=plan)


def in_head(pattern: bytes, change: Callable[[re.Match[bytes]], bytes]) -> Layer:
    """Changes the first match of ``pattern`` in the first write of every plan."""

    def plan(plain: Plan) -> Plan:
        first, *rest = plain.writes
        return plain._replace(writes=(Write(first.due_s, re.sub(pattern, change, first.data, count=1)), *rest))

    return Layer(plan=plan)


def media(old: str, new: str) -> Layer:
    """``Content-Type: new`` where ``old`` belongs."""
    return headers(lambda h: with_header(h, "Content-Type", new) if ("Content-Type", old) in h else h)


def _first(plain: Message, change: Callable[[bytes], bytes]) -> Message:
    if not plain.pieces:
        return plain
    first, *rest = plain.pieces
    return body(plain, (Write(first.due_s, change(first.data)), *rest))


def _last(plain: Message, change: Callable[[bytes], bytes]) -> Message:
    if not plain.pieces:
        return plain
    *rest, last = plain.pieces
    return body(plain, (*rest, Write(last.due_s, change(last.data))))


def _two_in_one(plain: Message) -> Message:
    pairs = [plain.pieces[at : at + 2] for at in range(0, len(plain.pieces), 2)]
    return body(plain, (Write(pair[-1].due_s, b"\n".join(p.data[:-2] for p in pair) + b"\n\n") for pair in pairs))


def _whole_stream_is_one(plain: Message) -> Message:
    return body(plain, [Write(p.due_s, p.data[:-1] if p is not plain.pieces[-1] else p.data) for p in plain.pieces])


def _held_back(plain: Plan, end: int) -> Plan:
    due = plain.writes[-1].due_s
    return plain._replace(writes=(Write(due, b"".join(write.data for write in plain.writes)),))


def cut_at(at: Callable[[bytes], int | None], end: End) -> Layer:
    """Responses end at that offset of theirs, where there is one."""

    def plan(plain: Plan) -> Plan:
        cut = at(wire_of(plain))
        return plain if cut is None else plain._replace(writes=first_bytes(plain.writes, cut), end=end)

    return Layer(plan=plan)


def cut_after(events: int, end: End) -> Layer:
    """Streams end behind that many events; a stream that has no more is sent whole. A comment is no event."""
    return cut_at(lambda wire: behind(wire, events), end)


def _cut(end: End) -> Callable[[Given], Layer]:
    """In the middle of the bytes after the head, or behind so many events."""
    half = cut_at(lambda wire: middle(wire) if chunks.stream(wire) else None, end)
    return lambda given: half if given.values["after"] is None else cut_after(given.values["after"], end)


def _bad_size(plain: Plan) -> Plan:
    total = b"".join(write.data for write in plain.writes)
    return plain._replace(writes=(Write(0.0, re.sub(rb"\r\n\r\n[0-9a-f]+\r\n", b"\r\n\r\nZZ\r\n", total, count=1)),))


def _without_last_chunk(plain: Plan, end: int) -> Plan:
    before, rest = split(plain.writes, end)
    return plain._replace(writes=before, end="close") if rest else plain


def _closed(layer: Layer) -> Layer:
    """The same, with the connection closed after it, so that a client waiting for more bytes finds the end."""
    change = layer.plan

    def plan(plain: Plan) -> Plan:
        changed = change(plain) if change else plain
        return changed._replace(end="close") if changed != plain else plain

    return Layer(plan=plan)


def _lengthened(by: int) -> Layer:
    return _closed(in_head(rb"Content-Length: (\d+)", lambda found: b"Content-Length: %d" % max(0, int(found[1]) + by)))


FAULTS: tuple[Fault, ...] = (
    _fault("encoding", "no-blank-line", "a blank line ends each event", Layer(message=_whole_stream_is_one)),
    _fault("encoding", "last-event-unterminated", "a blank line ends the last event", Layer(
        message=lambda plain: _last(plain, lambda block: block[:-1]))),
    _fault("encoding", "capital-data", "the field is named data", each(b"data:", b"Data:")),
    _fault("encoding", "no-space", "line-by-line clients find their data", each(b"data: ", b"data:"), "legal"),
    _fault("encoding", "bare-cr", "line-by-line clients find their lines", each_block(
        lambda block: block.replace(b"\n", b"\r")), "legal"),
    _fault("encoding", "bom", "line-by-line clients find the first event", Layer(
        message=lambda plain: _first(plain, lambda block: BOM + block)), "legal"),
    _fault("encoding", "bom-in-every-event", "events begin with data", each_block(lambda block: BOM + block)),
    _fault("encoding", "raw-newline", "an event's data is one line", each(IN_STRING, IN_STRING + b"\n")),
    _fault("encoding", "invalid-utf-8", "a stream is UTF-8", each(IN_STRING, IN_STRING + b"\xff")),
    _fault("encoding", "named-events", "events have the default type", each_block(lambda b: b"event: update\n" + b)),
    _fault("encoding", "two-payloads-in-one-event", "an event is one JSON value", Layer(message=_two_in_one)),
    _fault("encoding", "not-quite-json", "data is JSON", Layer(text=lambda text: repr(json.loads(text)))),
    _fault("encoding", "truncated-json", "JSON is whole", Layer(text=lambda text: text[:-1])),
    _fault("encoding", "stream-as-text", "a stream says what it is", media("text/event-stream", "text/plain")),
    _fault("encoding", "json-as-text", "JSON says what it is", media("application/json", "text/html")),
    _fault("framing", "length-too-long", "Content-Length is the length", _lengthened(7)),
    _fault("framing", "length-too-short", "Content-Length is the length", _lengthened(-7)),
    _fault("framing", "bad-chunk-size", "chunk sizes are hexadecimal", _closed(streams(_bad_size))),
    _fault("framing", "bad-status-line", "the status line has a status", _closed(
        in_head(rb"HTTP/1.1 \d+", lambda _: b"HTTP/1.1"))),
    _fault("transport", "no-last-chunk", "a stream's body ends", whole_streams(_without_last_chunk)),
    Fault("closed-mid-stream", "transport", ("a stream is sent whole",), parameters=(AFTER,), make=_cut("close")),
    Fault("reset-mid-stream", "transport", ("a stream is sent whole",), parameters=(AFTER,), make=_cut("reset")),
    _fault("transport", "held-back", "events come when they happen", whole_streams(_held_back)),
)  # fmt: skip
