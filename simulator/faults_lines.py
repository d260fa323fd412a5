"""Further spellings of the same events: line ends, spaces, comments, characters, compression. Most are legal; readers differ."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

from ..spec import Delta, Row
from .fault import Fault, Given, Kind
from .faults_bytes import each
from .faults_events import tables
from .faults_replies import inserted
from .layers import body, each_block, headers, streamed_events
from .parameter import Parameter
from .plan import Layer, Message, Write
from .reply import Beat, Headers

LITERAL = "[DONE]"
"""The end of a stream that is no JSON, as several APIs have it."""
ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u(2028|2029|0085|feff)")
ENDS = (b"\n", b"\r\n")
ALL_ENDS = (b"\n", b"\r\n", b"\r")
GZIP = 16 + zlib.MAX_WBITS
GZIP_TAKEN = re.compile(r"(?:^|,)\s*(?:x-)?gzip\s*(?!;\s*q=0(?:\.0*)?\s*(?:,|$))(?:;|,|$)", re.IGNORECASE)
"""What accepts gzip: its name, unless with a weight of 0 (RFC 9110, 12.4.2 and 12.5.3)."""


def _mixed(given: Given) -> Layer:
    """Each line has the next kind of end; a CR is never followed by an LF of another line's end."""

    def message(plain: Message) -> Message:
        ends = cycle(ALL_ENDS if given.values["cr"] == "yes" else ENDS)
        pieces, last = [], b""
        for piece in plain.pieces:
            made = b""
            for line in piece.data.split(b"\n")[:-1]:
                end = next(ends)
                if not line and last == b"\r" and end == b"\n":
                    end = b"\r\n"
                made += line + end
                last = end
            pieces.append(Write(piece.due_s, made))
        return body(plain, pieces)

    return Layer(message=message)


def _separators(text: str) -> str:
    return ESCAPED.sub(lambda found: found[1] + chr(int(found[2], 16)), text)


def _ends(change: Callable[[Row], Row]) -> Layer:
    return tables(lambda row: change(row) if row.event == "done" else row)


def _as_literal(row: Row) -> Row:
    return row if row.literal else replace(row, literal=LITERAL)


def _as_event(row: Row) -> Row:
    return replace(row, literal=None, shape=replace(row.shape, constants={"/type": "done"})) if row.literal else row


def _no_final_newline(plain: Message) -> Message:
    if not plain.pieces:
        return plain
    *rest, last = plain.pieces
    return body(plain, (*rest, Write(last.due_s, last.data.rstrip(b"\n"))))


def _latin(plain: Headers) -> Headers:
    return tuple((name, f"{value}; charset=iso-8859-1" if name == "Content-Type" else value) for name, value in plain)


def _zipped(wanted: bool) -> Callable[[Given], Layer]:
    """Compressed where the client says that it can (RFC 9110, 12.5.3), or just where it does not."""

    def make(given: Given) -> Layer:
        asked = GZIP_TAKEN.search(given.case.request.headers.get("accept-encoding", "")) is not None
        return Layer(message=_gzip) if asked == wanted else Layer()

    return make


def _gzip(plain: Message) -> Message:
    """Flushed behind each piece, so that events still come when they happen."""
    packer = zlib.compressobj(wbits=GZIP)
    pieces = [Write(p.due_s, packer.compress(p.data) + packer.flush(zlib.Z_SYNC_FLUSH)) for p in plain.pieces]
    if not pieces:
        return plain
    pieces[-1] = Write(pieces[-1].due_s, pieces[-1].data + packer.flush())
    told = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return replace(plain, headers=(*plain.headers, *told), pieces=tuple(pieces))


def _broken_pair(beats: tuple[Beat, ...]) -> tuple[Beat, ...]:
    return tuple(Beat(b.due_s, Delta("\ud83d" + b.event.text)) if isinstance(b.event, Delta) else b for b in beats)


def _fault(name: str, kind: Kind, breaks: str, how: Layer | Callable[[Given], Layer], *parameters: Parameter) -> Fault:
    layer, make = (how, None) if isinstance(how, Layer) else (Layer(), how)
    return Fault(name, "encoding", (breaks,), layer, kind, parameters, make)


FAULTS: tuple[Fault, ...] = (
    _fault("mixed-line-ends", "legal", "all lines end alike", _mixed,
        Parameter("cr", "no", "whether a bare CR is among them", choices=("no", "yes"))),
    _fault("two-spaces", "legal", "one space stands before the data", each(b"data: {", b"data:  {")),
    _fault("multi-line-data", "legal", "an event's data is one line", each(b"data: {", b"data: {\ndata: ")),
    _fault("comment-in-event", "legal", "an event is its data line", each_block(lambda b: b.replace(b"\n", b"\n: within\n", 1))),
    _fault("ping-events", "legal", "every block has data", each_block(lambda block: b"event: ping\n\n" + block)),
    _fault("line-separators", "legal", "line-by-line clients know what a line is", Layer(text=_separators)),
    _fault("literal-without-space", "legal", "a space stands before the literal end", each(b"data: [", b"data:[")),
    _fault("empty-data", "violation", "an event's data is JSON", inserted(lambda dialect: b"data:\n\n")),
    _fault("lone-surrogate", "violation", "text is Unicode", streamed_events(_broken_pair)),
    _fault("raw-nul", "violation", "JSON escapes control characters", each(b'"}', b'\0"}')),
    _fault("no-final-newline", "violation", "the last event ends", Layer(message=_no_final_newline)),
    _fault("done-literal", "violation", "the end of a stream is an event", _ends(_as_literal)),
    _fault("done-event", "violation", "the end of a stream is the literal", _ends(_as_event)),
    _fault("charset-latin-1", "violation", "the charset named is the one used", headers(_latin)),
    _fault("gzip", "legal", "a body is plain when compression was offered", _zipped(True)),
    _fault("gzip-unasked", "violation", "a body is plain when no compression was offered", _zipped(False)),
)  # fmt: skip
