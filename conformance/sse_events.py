"""What a stream of Server-Sent Events was read as: the dispatched events, and the slips that the reader noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SLIPS = {
    "bom-at-start": "Legal: browsers strip one byte order mark. Line-by-line clients miss the first line.",
    "bom-inside": "Only the first mark is stripped; this one becomes part of the field name and the line is ignored.",
    "bad-utf8": "Browsers put U+FFFD in its place; strict decoders raise.",
    "cr-line-end": "Legal. Clients that split on LF see no line end at all.",
    "crlf-line-end": "Legal. Clients that split on LF keep a CR at the end of each line; JSON parsers skip it.",
    "mixed-line-ends": "Legal. Clients that guess one line end from the first line misread the rest.",
    "unknown-field": "Ignored by browsers and by clients that look for 'data: '.",
    "field-name-case": "Names are case-sensitive: the line is ignored.",
    "space-before-colon": "A space before the name or after it belongs to the name, so the line is ignored.",
    "no-space-after-colon": "Legal. Clients that look for 'data: ' miss the line.",
    "extra-space-after-colon": "One space is stripped, the others are data. JSON parsers skip them.",
    "no-colon": "The field has an empty value. Clients that look for 'data: ' miss the line.",
    "multiple-data-lines": "Legal: joined by LF into one event. Line-by-line clients see several broken ones.",
    "empty-data": "Browsers dispatch an event with empty data; JSON parsers fail on it.",
    "block-without-data": "Browsers dispatch nothing for it, and forget its event name.",
    "settings-alone": "Legal, nothing is dispatched: the usual way to send `retry`, or an `id` without an event.",
    "event-name": "Browsers do not call onmessage for it, only listeners of that name; line-by-line clients ignore the name.",
    "id-with-nul": "The id is ignored.",
    "bad-retry": "Only ASCII digits count: the line is ignored.",
    "comment": "Legal, ignored; the usual heartbeat.",
    "unterminated-event": "The stream ended before the blank line: browsers discard the event; line-by-line clients take it.",
    "unterminated-line": "The stream ended inside a line.",
    "raw-separator": "Legal. Python clients that use str.splitlines (httpx.iter_lines) break the line in two here.",
    "nul": "Legal outside ids. Kept as data; JSON parsers refuse it unescaped.",
}  # fmt: skip
"""Every kind of slip, and what browsers and simple clients make of it. Most are legal; which matter is the checks' business."""


@dataclass(frozen=True, order=True)
class Slip:
    """Something noticed at that byte of the body. ``kind`` is a key of ``SLIPS``.

    Line ends are reported once a stream, ``multiple-data-lines`` once an event, all others once a line.
    """

    offset: int
    kind: str
    text: str


class SseEvent(NamedTuple):
    """One dispatched event; a tuple because streams have many. Offsets count in the body.

    ``start``: its first field's first byte. ``end``: just past the byte that completed the blank line (of CRLF, the CR),
    so byte ``end - 1`` is the one whose arrival let a browser dispatch. ``data_lines``: where each data value stands.
    """

    type: str
    data: str
    id: str
    start: int
    end: int
    data_lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Stream:
    """A whole body read. ``lines`` counts them, an unterminated last one included; ``retry`` is the last valid one, in ms."""

    events: tuple[SseEvent, ...]
    slips: tuple[Slip, ...]
    lines: int
    retry: int | None

    def slips_of(self, *kinds: str) -> tuple[Slip, ...]:
        """The slips of these kinds, in order of offset."""
        unknown = set(kinds) - SLIPS.keys()
        if unknown:
            raise KeyError(f"no such kind of slip: {', '.join(sorted(unknown))}")
        return tuple(slip for slip in self.slips if slip.kind in kinds)
