"""Legal ways to say the same: a judge must be silent, and a client must work, under every one of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from .layers import body, each_block, headers
from .plan import Layer, Message, Write
from .reply import Headers

HEARTBEAT = b": still here\n\n"
EXTRA_HEADERS = (("X-Request-Id", "6b1f"), ("Vary", "Accept"), ("Server", "simulated"))
EXTRA_FIELDS = {"x_trace": {"span": 7}, "x_note": None}


@dataclass(frozen=True)
class Variant:
    """A legal difference: what it does in words, and how."""

    says: str
    layer: Layer


def _numbered(plain: Message) -> Message:
    return body(plain, (Write(p.due_s, b"id: %d\n%b" % (n, p.data)) for n, p in enumerate(plain.pieces, 1)))


def _leading_comment(plain: Message) -> Message:
    first, *rest = plain.pieces
    return body(plain, (Write(first.due_s, b": welcome\n\n" + first.data), *rest))


def _one_byte(plain: Message) -> Message:
    bytes_ = (Write(p.due_s, p.data[at : at + 1]) for p in plain.pieces for at in range(len(p.data)))
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


def _close(plain: Message) -> Message:
    return replace(plain, framing="close")


VARIANTS: dict[str, Variant] = {
    "crlf": Variant("lines end in CR LF", each_block(lambda block: block.replace(b"\n", b"\r\n"))),
    "heartbeats": Variant("a comment before every event", each_block(lambda block: HEARTBEAT + block)),
    "leading-comment": Variant("a comment before the first event", Layer(message=_leading_comment)),
    "event-message": Variant("events are named message", each_block(lambda block: b"event: message\n" + block)),
    "id-lines": Variant("events are numbered", Layer(message=_numbered)),
    "retry-line": Variant("a retry line in every event", each_block(lambda block: b"retry: 3000\n" + block)),
    "one-byte-writes": Variant("every byte is a chunk and a write", Layer(message=_one_byte)),
    "torn-events": Variant("every event is cut in two chunks", Layer(message=_torn)),
    "single-write": Variant("all that is due together is one chunk", Layer(message=_single_write)),
    "multi-event-writes": Variant("two events to a chunk", Layer(message=_pairs)),
    "close-delimited": Variant("a body ends with its connection", Layer(message=_close)),
    "charset": Variant("the media type names its charset", headers(_charset)),
    "extra-headers": Variant("headers nobody asked for", headers(lambda plain: (*plain, *EXTRA_HEADERS))),
    "lower-case-headers": Variant("header names in lower case", headers(lambda h: tuple((n.lower(), v) for n, v in h))),
    "extra-fields": Variant("JSON objects with unknown members", Layer(value=_extra_fields)),
    "reordered-keys": Variant("JSON members in another order", Layer(value=_reordered)),
    "ascii-escapes": Variant("JSON in ASCII", Layer(text=_ascii)),
    "compact-json": Variant(
        "JSON without spaces", Layer(text=lambda t: json.dumps(json.loads(t), separators=(",", ":")))
    ),
}
