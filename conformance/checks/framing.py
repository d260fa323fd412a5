"""Framing: whether a stream's bytes are Server-Sent Events that lose nothing (WHATWG HTML 9.2.5 and 9.2.6).

The reader notices; the table below says which of its notices break what. Offsets count in the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..check import Finding, Note, Steps, Unclear, Unverified, each, of
from ..scenarios.talk import INJECTED, MARK
from ..seen import Seen

SLIPS: dict[str, tuple[tuple[str, ...], str]] = {
    "utf8": (("bad-utf8",), "UTF-8 to the last byte"),
    "bom_start": (("bom-at-start",), "no byte order mark, which line-based clients take for the field's name"),
    "bom_inside": (("bom-inside",), "no U+FEFF at the start of a line: it makes the field unknown and loses the event"),
    "field_name": (("field-name-case", "space-before-colon", "no-colon"), "the field name `data`, exactly so"),
    "one_space": (("no-space-after-colon", "extra-space-after-colon"), "one space after `data:`, as the documented clients need"),
    "one_data_line": (("multiple-data-lines",), "one data line an event"),
    "line_ends": (("cr-line-end", "mixed-line-ends"), "LF (or CRLF) line ends throughout"),
    "separators": (("raw-separator",), "U+2028, U+2029, U+0085, VT and FF escaped, since line-based clients split there"),
    "empty_data": (("empty-data", "block-without-data"), "no event without data"),
    "event_name": (("event-name",), "no `event` field other than `message`, or onmessage never fires"),
    "id": (("id-with-nul",), "no NUL in an `id`, for which it would be ignored"),
    "retry": (("bad-retry",), "ASCII digits alone in a `retry`"),
    "unknown_field": (("unknown-field",), "no field but data, event, id and retry"),
}  # fmt: skip
"""Check -> the reader's notices that break it, and what was expected."""


def _register(name: str, kinds: tuple[str, ...], expected: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        for slip in seen.exchange.stream.slips:
            if slip.kind in kinds:
                yield Finding(expected, f"{slip.kind} at byte {slip.offset}: {slip.text}", seen, slip.offset)

    judge.__doc__ = f"Every stream has {expected}."
    each("streams", name=name)(judge)


for _name, (_kinds, _expected) in SLIPS.items():
    _register(_name, _kinds, _expected)


@each("streams")
def status(seen: Seen) -> Iterator[Note]:
    """A stream answers 200; a browser fails the connection on any other status (WHATWG HTML 9.2.3)."""
    if seen.status != 200:
        yield Finding("status 200", f"status {seen.status}", seen)


@each("streams")
def content_type(seen: Seen) -> Iterator[Note]:
    """The media type of a stream is text/event-stream."""
    if seen.exchange.content_type != "text/event-stream":
        got = seen.exchange.header("content-type")
        yield Finding("Content-Type: text/event-stream", f"Content-Type: {got}" if got else "no Content-Type", seen)


@each("streams")
def charset(seen: Seen) -> Iterator[Note]:
    """If a stream's Content-Type names a charset, it is utf-8: there is no other for event streams."""
    parameters = (seen.exchange.header("content-type") or "").lower().split(";")[1:]
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') != "utf-8":
            yield Finding("charset=utf-8", parameter.strip(), seen)


@each("streams")
def blank_line(seen: Seen) -> Iterator[Note]:
    """A blank line ends every event, the last one included; what follows the last blank line is lost."""
    for slip in seen.exchange.stream.slips:
        if slip.kind in ("unterminated-event", "unterminated-line") and seen.arrived_whole:
            yield Finding("a blank line after the last event", slip.text, seen, slip.offset)
            break
    for event in seen.events:
        lines = event.wire.data.split("\n")
        if event.kind is None and len(lines) > 1 and all(_payload(line, seen) for line in lines):
            got = f"{len(lines)} payloads run together into one event: {event.wire.data[:80]!r}"
            yield Finding("a blank line after every event", got, seen, event.wire.start)


@each("streams")
def one_payload(seen: Seen) -> Iterator[Note]:
    """The data of every event is one JSON object, or the documented literal."""
    for event in seen.events:
        lines = event.wire.data.split("\n")
        one = event.kind is not None or isinstance(event.value, dict)
        if not one and not (len(lines) > 1 and all(_payload(line, seen) for line in lines)):
            yield Finding("one JSON object", f"{event.wire.data[:120]!r}", seen, event.wire.start)


@of("stream")
def escaped(steps: Steps) -> Iterator[Note]:
    """Text that looks like the end of an event stays text: it opens no event, sets no id and ends no stream."""
    seen = steps["hostile"]
    if not seen.is_stream:
        yield Unverified("no stream came back")
        return
    ordinary = steps["new"]
    if ordinary.is_stream and not ordinary.legible:
        yield Unclear("ordinary streams cannot be read either; the other `sse` requirements say why")
        return
    for event in seen.events:
        wire = event.wire
        if wire.data == INJECTED or MARK in (wire.type, wire.id) or not _payload(wire.data, seen):
            got = f"text that became an event of its own, or a part of one: {wire.data[:80]!r}"
            yield Finding("line ends in the text escaped", got, seen, wire.start)
            return
    if any(slip.kind == "no-colon" for slip in seen.exchange.stream.slips):
        yield Finding("line ends in the text escaped", "lines of text that are no fields", seen)
    elif "three" not in (seen.text or ""):
        yield Unverified("the agent does not repeat what it is told, so no text could break out")


def _payload(data: str, seen: Seen) -> bool:
    if any(row.literal == data for row in seen.dialect.stream):
        return True
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False
