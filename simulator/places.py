"""Where a response can be cut: inside what readers take for whole, and behind so many events. Offsets of bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from . import chunks
from .plan import Plan, Write

EVENT = re.compile(rb".*?(?>\r\n|\n|\r){2}", re.DOTALL)
DATA = re.compile(rb"^(?:\xef\xbb\xbf)?data", re.MULTILINE | re.IGNORECASE)
GZIPPED = re.compile(rb"^content-encoding:[ \t]*gzip", re.IGNORECASE | re.MULTILINE)
FLUSHED = b"\0\0\xff\xff"
"""What ends a piece that was compressed and flushed by itself (RFC 1951, 3.2.4)."""
INSIDE: dict[str, re.Pattern[bytes]] = {
    "character": re.compile(rb"[\xc2-\xf4](?=[\x80-\xbf])"),
    "name": re.compile(rb"^da(?=ta)", re.MULTILINE),
    "colon": re.compile(rb"^data:(?= )", re.MULTILINE),
    "crlf": re.compile(rb"\r(?=\n)"),
    "blank-line": re.compile(rb"\n(?=\r?\n)|\r(?=\r)"),
    "escape": re.compile(rb'\\(?=["\\/bfnrtu])'),
    "line": re.compile(rb"^[^\r\n]{8}(?=[^\r\n]{2})", re.MULTILINE),
}
"""What a cut can be inside of: a UTF-8 character, the name of a field, before the space behind its colon, CR LF, the two line ends
of a blank line, a JSON escape, a line. Each pattern ends where the cut is."""


def inside(data: bytes, what: str) -> list[int]:
    """Every offset at which a cut is inside one of those."""
    return [found.end() for found in INSIDE[what].finditer(data)]


def cut_inside(wire: bytes, what: str) -> int | None:
    """Where to cut a whole response inside one of those, in the second event if it can be so; ``None`` if there is none."""
    places = chunks.places(wire) or chunks.rest(wire)
    body = places.of(wire)
    found = inside(body, what)
    first = EVENT.match(body)
    late = [at for at in found if first is not None and at > first.end()]
    at = next(iter(late or found), None)
    return None if at is None else places[at]


def behind(wire: bytes, events: int) -> int | None:
    """Where that many events of a stream have ended, their chunk's end included; ``None`` if there are no more than that.

    A comment is no event. A compressed stream is cut behind the piece that has the last of them.
    """
    places = chunks.stream(wire)
    body = places.of(wire)
    zipped = _inflated(body) if GZIPPED.search(wire, 0, wire.find(chunks.HEAD_END)) else None
    plain = body if zipped is None else b"".join(text for _, text in zipped)
    ends = [0, *(block.end() for block in EVENT.finditer(plain) if DATA.search(block[0]))]
    if not places or len(ends) <= events + 1:
        return None
    last = ends[events] if zipped is None else _zipped_end(zipped, ends[events])
    cut = places[last - 1] + 1 if events else wire.index(chunks.HEAD_END) + len(chunks.HEAD_END)
    return cut + 2 * wire.startswith(b"\r\n", cut)


def _inflated(body: bytes) -> list[tuple[int, bytes]]:
    """The flushed pieces of a compressed body: where each ends in it, and its text. What is not to be read counts as nothing."""
    machine, at, found = zlib.decompressobj(16 + zlib.MAX_WBITS), 0, []
    for piece in body.split(FLUSHED):
        stop = min(at + len(piece) + len(FLUSHED), len(body))
        try:
            found.append((stop, machine.decompress(body[at:stop])))
        except zlib.error:
            break
        at = stop
    return found


def _zipped_end(pieces: Sequence[tuple[int, bytes]], plain: int) -> int:
    """Where the piece ends that brings the text to that length."""
    for stop, text in pieces:
        plain -= len(text)
        if plain <= 0:
            return stop
    return 0


def middle(wire: bytes, share: float = 0.5) -> int:
    """That share of the bytes after the head."""
    start = wire.index(chunks.HEAD_END) + len(chunks.HEAD_END)
    return start + int((len(wire) - start) * share)


def wire_of(plan: Plan) -> bytes:
    """All bytes of a plan."""
    return b"".join(write.data for write in plan.writes)


def first_bytes(writes: Sequence[Write], limit: int) -> tuple[Write, ...]:
    """The writes up to that many bytes."""
    kept: list[Write] = []
    for write in writes:
        kept.append(Write(write.due_s, write.data[: max(0, limit)]))
        limit -= len(write.data)
    return tuple(write for write in kept if write.data)


def split(writes: Sequence[Write], at: int) -> tuple[tuple[Write, ...], tuple[Write, ...]]:
    """The writes before and behind that offset; one that spans it is cut in two."""
    before, behind_it = first_bytes(writes, at), list[Write]()
    for write in writes:
        rest = write.data[max(0, at) :]
        at -= len(write.data)
        if rest:
            behind_it.append(Write(write.due_s, rest))
    return before, tuple(behind_it)
