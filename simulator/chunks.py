"""Where the bytes of a chunked body stand on the wire (RFC 9112, 7.1), in what this backend wrote itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

CHUNK = re.compile(rb"([0-9a-fA-F]+)(?:;[^\r\n]*)?\r\n")
CHUNKED = re.compile(rb"^transfer-encoding:[^\r\n]*chunked", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length:", re.IGNORECASE | re.MULTILINE)
EVENTS = b"text/event-stream"
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Places:
    """Where the bytes of a body stand on the wire: offsets from each first one to each one behind the last, in order."""

    runs: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, number: int) -> int:
        """The offset of that byte of the body; ``IndexError``."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        at = bisect_right(self._starts, number) - 1
        return self.runs[at][0] + number - self._starts[at]

    def of(self, wire: bytes) -> bytes:
        """The body."""
        return b"".join(wire[first:behind] for first, behind in self.runs)

    @cached_property
    def _starts(self) -> list[int]:
        """How many bytes of the body stand before each run, and how many there are."""
        return [0, *accumulate(behind - first for first, behind in self.runs)]


def places(wire: bytes) -> Places:
    """The bytes of a chunked body; none if the response is not chunked. Stops where the chunks are broken."""
    start = wire.find(HEAD_END) + len(HEAD_END)
    if start < len(HEAD_END) or not CHUNKED.search(wire, 0, start):
        return Places()
    found: list[tuple[int, int]] = []
    while (size := CHUNK.match(wire, start)) is not None:
        ends = size.end() + int(size[1], 16)
        if size.end() < min(ends, len(wire)):
            found.append((size.end(), min(ends, len(wire))))
        start = ends + 2
    return Places(tuple(found))


def rest(wire: bytes) -> Places:
    """All that stands behind the head."""
    return Places(((wire.find(HEAD_END) + len(HEAD_END), len(wire)),))


def size_lines(wire: bytes) -> list[tuple[int, int]]:
    """Where the size of each chunk stands, the last one included, without its extensions; none if the response is not chunked."""
    start = wire.find(HEAD_END) + len(HEAD_END)
    if start < len(HEAD_END) or not CHUNKED.search(wire, 0, start):
        return []
    found: list[tuple[int, int]] = []
    while (size := CHUNK.match(wire, start)) is not None:
        found.append(size.span(1))
        start = size.end() + int(size[1], 16) + 2
        if not int(size[1], 16):
            break
    return found


def stream(wire: bytes) -> Places:
    """The bytes of a stream's body, in chunks or until the connection ends; none if it is no stream."""
    start = wire.find(HEAD_END) + len(HEAD_END)
    open_ended = EVENTS in wire[:start].lower() and not LENGTH.search(wire, 0, start)
    return places(wire) or (rest(wire) if open_ended else Places())


def end(wire: bytes) -> int | None:
    """Where what ends a stream begins: its last chunk, trailers included, or its connection's end; ``None`` if it is no stream that is whole."""
    lines = size_lines(wire)
    if lines:
        start, stop = lines[-1]
        return start if not int(wire[start:stop], 16) else None
    return len(wire) if stream(wire) else None
