"""Where the bytes of a chunked body stand on the wire (RFC 9112, 7.1), in what this backend wrote itself."""

from __future__ import annotations

import re

CHUNK = re.compile(rb"([0-9a-fA-F]+)(?:;[^\r\n]*)?\r\n")
CHUNKED = re.compile(rb"^transfer-encoding:[^\r\n]*chunked", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length:", re.IGNORECASE | re.MULTILINE)
EVENTS = b"text/event-stream"
HEAD_END = b"\r\n\r\n"


def places(wire: bytes) -> list[int]:
    """The offset of each byte of a chunked body; none if the response is not chunked. Stops where the chunks are broken."""
    start = wire.find(HEAD_END) + len(HEAD_END)
    if start < len(HEAD_END) or not CHUNKED.search(wire, 0, start):
        return []
    found: list[int] = []
    while (size := CHUNK.match(wire, start)) is not None:
        ends = size.end() + int(size[1], 16)
        found += range(size.end(), min(ends, len(wire)))
        start = ends + 2
    return found


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


def stream(wire: bytes) -> list[int]:
    """The offset of each byte of a stream's body, in chunks or until the connection ends; none if it is no stream."""
    start = wire.find(HEAD_END) + len(HEAD_END)
    open_ended = EVENTS in wire[:start].lower() and not LENGTH.search(wire, 0, start)
    return places(wire) or (list(range(start, len(wire))) if open_ended else [])


def end(wire: bytes) -> int | None:
    """Where what ends a stream begins: its last chunk, trailers included, or its connection's end; ``None`` if it is no stream that is whole."""
    lines = size_lines(wire)
    if lines:
        start, stop = lines[-1]
        return start if not int(wire[start:stop], 16) else None
    return len(wire) if stream(wire) else None
