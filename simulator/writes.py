"""The many writes of a long stream, small: times and bytes in two rows, in place of an object for each write that memory and the
garbage collector would have to carry for as long as the journal keeps the stream."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, overload

from .plan import Write

MANY = 8
"""From how many writes on they are kept small."""


class Writes(Sequence[Write]):
    """A sequence of writes, equal to a tuple of the same. Times that come as an array are not copied, and must stay as they are."""

    __slots__ = ("_data", "_dues")

    def __init__(self, dues: Iterable[float], data: Iterable[bytes]) -> None:
        self._dues = dues if type(dues) is array else array("d", dues)
        self._data = tuple(data)

    def __len__(self) -> int:
        return len(self._data)

    @overload
    def __getitem__(self, at: int) -> Write: ...
    @overload
    def __getitem__(self, at: slice) -> Writes: ...
    def __getitem__(self, at: int | slice) -> Write | Writes:
        if isinstance(at, slice):
            return Writes(self._dues[at], self._data[at])
        return Write(self._dues[at], self._data[at])

    def __iter__(self) -> Iterator[Write]:
        return map(Write, self._dues, self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def in_a_row(dues: Sequence[float], data: Sequence[bytes]) -> Sequence[Write]:
    """These writes, kept small where they are many."""
    return tuple(map(Write, dues, data)) if len(data) < MANY else Writes(dues, data)


class Middle(NamedTuple):
    """Writes without what the first of them begins with and the last ends with: what many answers may have in common."""

    dues: Sequence[float]
    data: Sequence[bytes]

    def within(self, opening: bytes, closing: bytes) -> Sequence[Write]:
        """The writes, whole."""
        dues, data = self
        if len(data) == 1:
            return (Write(dues[0], b"".join([opening, data[0], closing])),)
        return in_a_row(dues, (opening + data[0], *data[1:-1], data[-1] + closing))


def together(waits: Sequence[float], parts: Sequence[bytes], end_s: float) -> Middle:
    """Nothing at once, each of ``parts`` after its wait, and nothing again ``end_s`` later.

    What nothing is waited for goes with what stands before it. A part of no bytes is no write: its wait goes to the next.
    """
    if not any(waits) and not end_s:
        return Middle([0.0], [b"".join(parts)])
    dues = [0.0, *accumulate([*waits, end_s])]
    if all(parts) and len(set(dues)) == len(dues):
        return _middle(dues, [b"", *parts, b""])
    due, dues, data, last = 0.0, [0.0], list[bytes](), list[bytes]()
    for wait, part in zip((*waits, end_s), (*parts, None), strict=True):
        due += wait
        if part == b"":
            continue
        if due != dues[-1]:
            dues.append(due)
            data.append(b"".join(last))
            last = []
        last.append(part or b"")
    return _middle(dues, [*data, b"".join(last)])


def _middle(dues: Sequence[float], data: Sequence[bytes]) -> Middle:
    return Middle(dues if len(data) < MANY else array("d", dues), data)


def size(writes: Sequence[Write]) -> int:
    """The bytes of all writes."""
    if isinstance(writes, Writes):
        return sum(map(len, writes._data))
    total = 0
    for write in writes:
        total += len(write.data)
    return total


def columns(writes: Sequence[Write]) -> tuple[Sequence[float], Sequence[bytes]]:
    """The times and the bytes of writes, apart."""
    if isinstance(writes, Writes):
        return writes._dues, writes._data
    return [write.due_s for write in writes], [write.data for write in writes]
