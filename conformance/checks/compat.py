"""Would the documents' own kinds of reader read this stream? Shown beside the standard's verdict (AMB-12).

Models of the two kinds, written for this: one reads lines over the whole body, one splits each read by itself and carries
nothing over. Both look for lines that begin with ``data: ``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from ...spec import Delta
from ..check import Finding, Note, each
from ..reading import Unreadable, event
from ..seen import Seen

SHORT = 4_096
"""Of a longer body it is the network and not the server that decides where a read ends."""
LINES = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
"""Where a line-by-line reader in Python ends a line: more places than the standard has."""


@each("streams", legible=True, when=lambda seen: seen.arrived_whole)
def python(seen: Seen) -> Iterator[Note]:
    """A reader that takes line by line gets all the text."""
    text = seen.exchange.content.decode("utf-8", "replace")
    yield from _compare(seen, LINES.split(text), "line by line")


@each("streams", legible=True, when=lambda seen: seen.arrived_whole and len(seen.exchange.content) <= SHORT)
def javascript(seen: Seen) -> Iterator[Note]:
    """A reader that splits each read by itself gets all the text, in the pieces that arrived."""
    pieces = (piece.decode("utf-8", "replace") for piece in _pieces(seen))
    yield from _compare(seen, (line for piece in pieces for line in piece.split("\n")), "read by read")


def _pieces(seen: Seen) -> Iterator[bytes]:
    """The body cut where one ``recv`` ended and the next began."""
    body, response = seen.exchange.content, seen.exchange.response
    start = 0
    for raw_end, _ in response.arrivals if response is not None and response.coding is None else ():
        end = bisect_left(range(len(body)), raw_end, key=response.raw_offset) if response else 0
        if end > start:
            yield body[start:end]
            start = end
    yield body[start:]


def _compare(seen: Seen, lines: Iterable[str], how: str) -> Iterator[Note]:
    found_data = [line[6:].rstrip("\r") for line in lines if line.startswith("data: ")]
    if found_data == [event.wire.data for event in seen.events]:
        return
    text = ""
    for data in found_data:
        try:
            found = event(data, seen.dialect)
        except Unreadable:
            if not _is_json(data):
                yield Finding("a reader as printed gets every event", f"reading {how} it fails on {data[:100]!r}", seen)
                return
            continue
        text += found.text if isinstance(found, Delta) else ""
    if text != (seen.text or ""):
        yield Finding(f"{(seen.text or '')[:120]!r}", f"reading {how}: {text[:120]!r}", seen)


def _is_json(data: str) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
