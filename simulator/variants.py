"""Legal ways to say the same: a judge must be silent, and a client must work, under every one of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import groupby
from typing import Any

from .chunks import HEAD_END
from .fault import Fault, LayerName
from .layers import body, each_block, headers, least
from .plan import Layer, Message, Plan, Write
from .reply import Headers

HEARTBEAT = b": still here\n\n"
EXTRA_HEADERS = (("X-Request-Id", "6b1f"), ("Vary", "Accept"), ("Server", "simulated"))
EXTRA_FIELDS = {"x_trace": {"span": 7}, "x_note": None}


HEADER_NAME = re.compile(rb"(?<=\r\n)[^:\r\n]+:")


def _variant(name: str, on: LayerName, breaks: str, layer: Layer) -> tuple[str, Fault]:
    return name, Fault(name, on, (breaks,), layer, "legal")


def _numbered(plain: Message) -> Message:
    return body(plain, (Write(p.due_s, b"id: %d\n%b" % (n, p.data)) for n, p in enumerate(plain.pieces, 1)))


def _leading_comment(plain: Message) -> Message:
    first, *rest = plain.pieces
    return body(plain, (Write(first.due_s, b": welcome\n\n" + first.data), *rest))


def _one_byte(plain: Message) -> Message:
    size = least(plain.pieces)
    bytes_ = (Write(p.due_s, p.data[at : at + size]) for p in plain.pieces for at in range(0, len(p.data), size))
    return replace(plain, pieces=tuple(bytes_), apart=True)


def _single_write(plain: Message) -> Message:
    together = groupby(plain.pieces, key=lambda piece: piece.due_s)
    return body(plain, (Write(due, b"".join(p.data for p in pieces)) for due, pieces in together))


def _pairs(plain: Message) -> Message:
    """Two events in each chunk, due with the later one; each chunk is a write of its own."""
    pairs = [plain.pieces[at : at + 2] for at in range(0, len(plain.pieces), 2)]
    merged = body(plain, (Write(pair[-1].due_s, b"".join(p.data for p in pair)) for pair in pairs))
    return replace(merged, apart=True)


def _torn(plain: Message) -> Message:
    """Each event in two chunks, cut in its middle: inside a character as often as not."""
    halves = (
        Write(p.due_s, half) for p in plain.pieces for half in (p.data[: len(p.data) // 2], p.data[len(p.data) // 2 :])
    )
    return replace(body(plain, halves), apart=True)


def _extra_fields(value: Any) -> Any:
    return {**value, **EXTRA_FIELDS}


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in reversed(value)}
    return value


def _ascii(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)


def _charset(plain: Headers) -> Headers:
    return tuple((name, f"{value}; charset=utf-8" if name == "Content-Type" else value) for name, value in plain)


def _lower_case(plain: Plan) -> Plan:
    """Those of the framing too, which only a plan has."""
    first, *rest = plain.writes
    head, end, body = first.data.partition(HEAD_END)
    lowered = HEADER_NAME.sub(lambda found: found[0].lower(), head)
    return plain._replace(writes=(Write(first.due_s, lowered + end + body), *rest))


def _close(plain: Message) -> Message:
    return replace(plain, framing="close")


VARIANTS: dict[str, Fault] = dict((
    _variant("crlf", "encoding", "lines end in LF", each_block(lambda block: block.replace(b"\n", b"\r\n"))),
    _variant("heartbeats", "encoding", "every block is an event", each_block(lambda block: HEARTBEAT + block)),
    _variant("leading-comment", "encoding", "a stream begins with an event", Layer(message=_leading_comment)),
    _variant("event-message", "encoding", "an event is its data line", each_block(lambda block: b"event: message\n" + block)),
    _variant("id-lines", "encoding", "an event is its data line", Layer(message=_numbered)),
    _variant("retry-line", "encoding", "an event is its data line", each_block(lambda block: b"retry: 3000\n" + block)),
    _variant("one-byte-writes", "framing", "a read has more than one byte", Layer(message=_one_byte)),
    _variant("torn-events", "framing", "a read ends where an event ends", Layer(message=_torn)),
    _variant("single-write", "framing", "a read is one event", Layer(message=_single_write)),
    _variant("multi-event-writes", "framing", "a read is one event", Layer(message=_pairs)),
    _variant("close-delimited", "framing", "a connection can be used again", Layer(message=_close)),
    _variant("charset", "encoding", "a media type has no parameters", headers(_charset)),
    _variant("extra-headers", "decision", "all headers are known", headers(lambda plain: (*plain, *EXTRA_HEADERS))),
    _variant("lower-case-headers", "framing", "header names have their usual case", Layer(plan=_lower_case)),
    _variant("extra-fields", "events", "all members of an object are known", Layer(value=_extra_fields)),
    _variant("reordered-keys", "encoding", "members of an object come in order", Layer(value=_reordered)),
    _variant("ascii-escapes", "encoding", "text in JSON reads as it is", Layer(text=_ascii)),
    _variant("compact-json", "encoding", "JSON has spaces", Layer(
        text=lambda text: json.dumps(json.loads(text), separators=(",", ":")))),
))  # fmt: skip
