"""What h11 thinks of a response that we have read ourselves: two readers written apart are seldom wrong in the same place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import h11

from .response import FramedChunk, FramingProblem

WORDS = re.compile(rb"[0-9A-Za-z]+")
Alike = tuple[bytes, int, str, bool, str, bool]
"""A head without its letters and digits, and what was read of it: the grammar of HTTP tells no two of one kind apart."""
_UNDOUBTED: set[Alike] = set()
MOST_KNOWN = 10_000
MOST_ASKED = 64
"""Of a long response so many chunks are shown to h11 as well."""
LONGEST_EVENT = 1 << 20


def doubts(alike: Alike, raw: bytes, method: str, ended: bool) -> list[FramingProblem]:
    """What h11 thinks of a response in which we found nothing; not asked again where only letters and digits differ."""
    if alike in _UNDOUBTED:
        return []
    found = opinion(raw, method, ended)
    if not found and len(_UNDOUBTED) < MOST_KNOWN:
        _UNDOUBTED.add(alike)
    return found


def first_chunks(raw: bytes, chunks: Sequence[FramedChunk]) -> bytes:
    """The response as if it ended after its first chunks: h11 takes each by itself, and thousands are framed alike."""
    if len(chunks) <= MOST_ASKED:
        return raw
    last = chunks[MOST_ASKED - 1]
    return raw[: last.raw_offset + last.size] + b"\r\n0\r\n\r\n"


def opinion(raw: bytes, method: str, ended: bool) -> list[FramingProblem]:
    """What h11 thinks of the same bytes."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_EVENT)
    try:
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "h11")]))
        connection.send(h11.EndOfMessage())
    except h11.LocalProtocolError:
        return []
    try:
        connection.receive_data(raw)
        waiting = False
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA and ended and not waiting:
                connection.receive_data(b"")
                waiting = True
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return []
    except h11.RemoteProtocolError as error:
        return [FramingProblem(0, "h11", str(error))]
