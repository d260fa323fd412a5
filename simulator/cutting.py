"""How a text is cut into the pieces that a stream sends: by word, by character, by bytes, in recorded sizes, or not at all.

A piece is text: no cut falls inside a character, and none by ``character`` inside what a reader takes for one (a grapheme
cluster of Unicode's annex 29, such as a letter with its accent or a family in one picture).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import cycle
from typing import Any, Literal

PIECES = 10_000
"""The most pieces that one text is cut into. Of a text with more of them neighbours go together, as many as it takes."""
LONGEST_CHARACTER = 4
"""The bytes of the longest character in UTF-8: the fewest that a piece may be allowed."""
_WORDS = re.compile(r"\s*\S+|\s+")

Unit = Literal["word", "character", "bytes", "recorded", "whole"]


@dataclass(frozen=True)
class Chunk:
    """One way to cut. ``sizes``: how many units a piece has: one number, the least and the most, or for ``recorded`` the sizes in turn."""

    unit: Unit
    sizes: tuple[int, ...] = (1,)

    def size(self, chance: float) -> int:
        """A size between the least and the most; ``chance``: in [0, 1)."""
        least, most = self.sizes[0], self.sizes[-1]
        return least + int(chance * (most - least + 1))

    @property
    def varies(self) -> bool:
        """Whether chance has a say."""
        return self.unit != "recorded" and len(set(self.sizes)) > 1


BY_WORD = Chunk("word")
WHOLE = Chunk("whole")


def pieces(text: str, chunk: Chunk = BY_WORD, sizes: Iterable[int] | None = None) -> Sequence[str]:
    """``text`` in pieces that join to it again; none for no text. ``sizes``: how many units each has, where that varies."""
    if chunk is BY_WORD:
        made = _WORDS.findall(text)
    elif chunk.unit == "whole" or not text:
        return (text,) if text else ()
    else:
        made = _cut(text, chunk, sizes)
    if len(made) > PIECES:
        together = -(-len(made) // PIECES)
        made = ["".join(made[at : at + together]) for at in range(0, len(made), together)]
    return made


def _cut(text: str, chunk: Chunk, sizes: Iterable[int] | None) -> list[str]:
    units = _UNITS[chunk.unit](text, chunk)
    if chunk.unit == "bytes":
        return list(_packed(units, _each(chunk, sizes)))
    if chunk.unit == "recorded" or chunk.sizes == (1,):
        return units
    return list(_grouped(units, _each(chunk, sizes)))


def words(text: str) -> tuple[str, ...]:
    """``text`` in pieces that join to it again, a word in each with the space before it."""
    return tuple(pieces(text))


def _each(chunk: Chunk, sizes: Iterable[int] | None) -> Iterable[int]:
    return cycle(chunk.sizes[:1]) if sizes is None or not chunk.varies else sizes


def _grouped(units: Sequence[str], sizes: Iterable[int]) -> Iterator[str]:
    at = 0
    for size in sizes:
        if at >= len(units):
            return
        yield "".join(units[at : at + size])
        at += size


def _packed(units: Sequence[str], sizes: Iterable[int]) -> Iterator[str]:
    """As many whole characters a piece as its bytes allow."""
    allowed = iter(sizes)
    room = next(allowed)
    piece: list[str] = []
    for unit in units:
        size = _bytes(unit)
        if size > room and piece:
            yield "".join(piece)
            piece, room = [], next(allowed)
        piece.append(unit)
        room -= size
    if piece:
        yield "".join(piece)


def _in_bytes(text: str, chunk: Chunk) -> list[str]:
    """Clusters that fit into a piece whole, and the characters of those that do not."""
    least = min(chunk.sizes)
    if text.isascii():
        return list(text)
    found: list[str] = []
    for cluster in _clusters(text, chunk):
        found += [cluster] if _bytes(cluster) <= least else list(cluster)
    return found


def _clusters(text: str, _: Chunk) -> list[str]:
    return list(text) if text.isascii() and "\r" not in text else list(_grapheme().findall(text))


def _recorded(text: str, chunk: Chunk) -> list[str]:
    found: list[str] = []
    at = 0
    for size in cycle(chunk.sizes):
        if at >= len(text):
            break
        found.append(text[at : at + size])
        at += size
    return found


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@cache
def _grapheme() -> Any:
    return import_module("regex").compile(r"\X")


_UNITS: dict[Unit, Callable[[str, Chunk], list[str]]] = {
    "word": lambda text, _: _WORDS.findall(text),
    "character": _clusters,
    "bytes": _in_bytes,
    "recorded": _recorded,
}
