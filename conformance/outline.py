"""What a plain head says of its body, at a glance: for the many responses that say it in the usual words.

A head in which any line is unusual is left to ``head.read_head`` and ``head.delimit``; a test holds the two equal. It matters to a
generator of load, that looks for the end of thousands of responses a second.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .response import Delimiter

PLAIN = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) [^\r\n]*\r\n((?:[A-Za-z0-9-]+: [^\r\n]*\r\n)+)\r\n")
FRAMING = re.compile(rb"^(content-length|transfer-encoding|connection): +([^\r]*)", re.MULTILINE)
BODYLESS = (204, 304)
LONGEST_LENGTH = 18


class Outline(NamedTuple):
    """Status, what ends the body, its length where that is what ends it, and whether the connection stays."""

    status: int
    delimiter: Delimiter
    length: int
    keep_alive: bool


def outline(head: bytes, method: str) -> Outline | None:
    """The outline of a whole head, blank line included; ``None`` where it takes a closer look."""
    plain = PLAIN.fullmatch(head)
    if plain is None or method == "HEAD":
        return None
    found: dict[bytes, bytes] = {}
    for name, value in FRAMING.findall(plain[2].lower()):
        if name in found:
            return None
        found[name] = value.strip(b" \t")
    status, coding, length = int(plain[1]), found.get(b"transfer-encoding"), found.get(b"content-length")
    if status in BODYLESS or (coding is None) == (length is None):
        return None
    keep_alive = b"close" not in found.get(b"connection", b"")
    if coding is not None:
        return Outline(status, "chunked", 0, keep_alive) if coding == b"chunked" else None
    if length is None or not length.isdigit() or len(length) > LONGEST_LENGTH:
        return None
    return Outline(status, "length", int(length), keep_alive)
