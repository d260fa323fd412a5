"""The bytes of an exchange, made ready to be looked at: windows around an offset, where reads and chunks began, and when they came.

Everything comes from the report's JSON (``$defs/exchange`` in the schema). A long body is there in slices, so a window may end
where its slice does.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from .text import counted

ROW = 16
HEX_BEFORE, HEX_AFTER = 48, 64
TEXT_BEFORE, TEXT_AFTER = 160, 160
"""Bytes shown on either side of an offset."""
SEPARATORS = {"": " ", "chunk": ":", "read": "|", "both": "‖"}
"""What stands in front of a byte: nothing began there, a chunk of the target's, a read of ours, or both."""
STRIP = 1000.0
"""Width of an arrival strip, in units of its own."""
BEGINNING = 1_500
"""Characters of a body that an exchange shows without being asked for more."""


@dataclass(frozen=True)
class Part:
    """A piece of text, and what it is: ``""``, ``mark`` (the byte in question), ``chunk``, ``read`` or ``both``."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class HexRow:
    """Sixteen bytes: their offset, the bytes in hexadecimal with what began between them, and their ASCII."""

    offset: str
    cells: tuple[Part, ...]
    text: tuple[Part, ...]


@dataclass(frozen=True)
class Tick:
    """One read on the strip: ``x`` of ``STRIP``, ``height`` 0 to 1 by its size, and whether it brought the byte in question."""

    x: float
    height: float
    marked: bool
    label: str


@dataclass(frozen=True)
class Piece:
    """Bytes that stand together, and where."""

    at: int
    data: bytes

    @property
    def end(self) -> int:
        return self.at + len(self.data)


def pieces(told: Mapping[str, Any]) -> list[Piece]:
    """The slices of a body."""
    return [Piece(one["at"], base64.b64decode(one["data"])) for one in told["slices"]]


def text_of(told: Mapping[str, Any], most: int | None = None) -> str:
    """A body as text, gaps named; what is no UTF-8 as ``\\xff``. ``most``: characters, the rest counted."""
    parts, at = [], 0
    for piece in pieces(told):
        parts += [f"\n… {piece.at - at} bytes …\n"] if piece.at > at else []
        parts.append(piece.data.decode("utf-8", "backslashreplace"))
        at = piece.end
    parts += [f"\n… {told['size'] - at} bytes more"] if told["size"] > at else []
    text = "".join(parts)
    return text if most is None or len(text) <= most else f"{text[:most]}\n… the whole is below, under its exchange"


def hex_rows(exchange: Mapping[str, Any], finding: Mapping[str, Any]) -> list[HexRow]:
    """The bytes around a finding's offset; none if the exchange does not tell them."""
    at = finding["offset"]
    body, starts = _sought(exchange, finding)
    found = None if body is None or at is None else _around(body, at, HEX_BEFORE, HEX_AFTER)
    if found is None:
        return []
    first = -(-found.at // ROW) * ROW if found.at else 0
    rows = range(max(first, (at - HEX_BEFORE) // ROW * ROW), found.end, ROW)
    return [_row(found.data[row - found.at :][:ROW], row, at, starts) for row in rows]


def _row(data: bytes, offset: int, marked: int, starts: Mapping[int, str]) -> HexRow:
    cells = []
    for number, byte in enumerate(data):
        here = offset + number
        began = starts.get(here, "")
        cells += [Part(SEPARATORS[began], began), Part(f"{byte:02x}", "mark" if here == marked else "")]
    cells.append(Part("   " * (ROW - len(data))))
    text = [
        Part(chr(byte) if 32 <= byte < 127 else ".", "mark" if offset + n == marked else "")
        for n, byte in enumerate(data)
    ]
    return HexRow(f"{offset:06x}", _joined(cells), _joined(text))


def text_window(exchange: Mapping[str, Any], finding: Mapping[str, Any]) -> tuple[Part, ...]:
    """The same bytes as text: before, the character in question, after. Line ends are shown, and kept."""
    at = finding["offset"]
    body, _ = _sought(exchange, finding)
    found = None if body is None or at is None else _around(body, at, TEXT_BEFORE, TEXT_AFTER)
    if found is None:
        return ()
    cut, size = at - found.at, _character(found.data, at - found.at)
    parts = found.data[:cut], found.data[cut : cut + size], found.data[cut + size :]
    before, mark, after = (_shown(part.decode("utf-8", "backslashreplace")) for part in parts)
    return Part(before), Part(mark.rstrip("\n") or "end of the body", "mark"), Part("\n" * mark.endswith("\n") + after)


def _sought(exchange: Mapping[str, Any], finding: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, dict[int, str]]:
    """The bytes that a finding's offset counts in, and what began where in them."""
    if finding["within"] == "response":
        ends = [0]
        for read in exchange["reads"]:
            ends.append(ends[-1] + read["size"])
        return exchange["raw"], dict.fromkeys(ends[:-1], "read")
    response = exchange["response"]
    if response is None:
        return None, {}
    came = [0, *(read["body"] for read in exchange["reads"] if read["body"] is not None)]
    reads = {start for start, end in pairwise(came) if end > start}
    chunks = set(response["chunks"])
    both = dict.fromkeys(reads & chunks, "both")
    return response["body"], {**dict.fromkeys(chunks, "chunk"), **dict.fromkeys(reads, "read"), **both}


def _around(body: Mapping[str, Any], at: int, before: int, after: int) -> Piece | None:
    """The bytes around an offset, as far as they are told. An offset just behind the last byte is the end of the body."""
    for piece in pieces(body):
        if piece.at <= at < piece.end or at == piece.end == body["size"]:
            start, end = max(piece.at, at - before - ROW), min(piece.end, at + after)
            return Piece(start, piece.data[start - piece.at : end - piece.at])
    return None


def _character(data: bytes, at: int) -> int:
    """How many bytes the UTF-8 character there has; one where it is none."""
    lead = data[at : at + 1]
    size = 1 if not lead or lead[0] < 0xC0 else 2 if lead[0] < 0xE0 else 3 if lead[0] < 0xF0 else 4
    try:
        data[at : at + size].decode("utf-8")
    except UnicodeDecodeError:
        return 1
    return size


def _shown(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n\n").replace("\t", "\\t")


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Neighbours of the same kind as one."""
    return tuple(
        Part("".join(one.text for one in run), kind) for kind, run in groupby(parts, key=lambda part: part.kind)
    )


def ticks(exchange: Mapping[str, Any], finding: Mapping[str, Any] | None = None) -> list[Tick]:
    """Every read of the exchange on its strip; the one that brought the finding's byte is marked."""
    reads: Sequence[Mapping[str, Any]] = exchange["reads"]
    whole = max((read["at_ms"] for read in reads), default=0.0) or 1.0
    largest = max((read["size"] for read in reads), default=1) or 1
    bearer = next(_bearers(exchange, finding), None) if finding else None
    return [
        Tick(
            round(read["at_ms"] / whole * STRIP, 1),
            round(0.25 + 0.75 * read["size"] / largest, 2),
            number == bearer,
            f"{read['at_ms']:.1f} ms: {read['size']} bytes",
        )
        for number, read in enumerate(reads)
    ]


def _bearers(exchange: Mapping[str, Any], finding: Mapping[str, Any]) -> Iterator[int]:
    """The reads by whose end the finding's byte was there."""
    at, came = finding["offset"], 0
    for number, read in enumerate(exchange["reads"]):
        came += read["size"]
        there = came if finding["within"] == "response" else read["body"]
        if at is not None and there is not None and there > at:
            yield number


def arrivals(exchange: Mapping[str, Any], finding: Mapping[str, Any] | None = None) -> str:
    """The strip in words."""
    reads = exchange["reads"]
    if not reads:
        return f"Nothing came; ended: {exchange['end']}."
    size = sum(read["size"] for read in reads)
    text = f"{counted(len(reads), 'read')}, {size:,} bytes, the first after {reads[0]['at_ms']:.1f} ms, the last after {reads[-1]['at_ms']:.1f} ms"
    bearer = next(_bearers(exchange, finding), None) if finding else None
    where = "" if bearer is None else f"; byte {finding['offset']} came with read {bearer + 1}" if finding else ""
    return f"{text}{where}; ended: {exchange['end']}."
