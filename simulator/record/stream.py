"""Server-Sent Events out of bytes (WHATWG HTML, 9.2.5 and 9.2.6), each with the time at which it was whole.

A reader of its own: the judge has another, and the two share nothing, so that neither covers up for the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .exchange import Piece

BOM = b"\xef\xbb\xbf"
LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r)")


class Block(NamedTuple):
    """The data of one event, and when its blank line came: seconds, and the number of the piece, from 0."""

    at_s: float
    piece: int
    data: str


@dataclass
class _Reader:
    rest: bytes = b""
    begun: bool = False
    after_cr: bool = False
    data: list[bytes] = field(default_factory=list)

    def lines(self, more: bytes) -> Iterator[bytes]:
        """The lines that are whole. A CR ends its line at once; an LF that comes behind it later is its other half."""
        if self.after_cr and more:
            more, self.after_cr = more.removeprefix(b"\n"), False
        self.rest += more
        if not self.begun and len(self.rest) >= len(BOM):
            self.rest, self.begun = self.rest.removeprefix(BOM), True
        at = 0
        while (found := LINE.match(self.rest, at)) is not None:
            at = found.end()
            self.after_cr = found[2] == b"\r" and at == len(self.rest)
            yield found[1]
        self.rest = self.rest[at:]

    def block(self, line: bytes) -> str | None:
        """The data of the event that this line ends; comments, other fields and events without data give nothing."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self.data.append(value.removeprefix(b" "))
            return None
        lines, self.data = self.data, []
        return b"\n".join(lines).decode("utf-8", "replace") if lines else None


def blocks(pieces: Iterable[Piece]) -> Iterator[Block]:
    """The events of a stream. One that no blank line ends was never sent, says the standard, and does not come."""
    reader = _Reader()
    for number, (at_s, data) in enumerate(pieces):
        for line in reader.lines(data):
            text = reader.block(line)
            if text is not None:
                yield Block(at_s, number, text)
