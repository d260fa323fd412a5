"""The many writes of a long stream, small: times and bytes in two rows, in place of an object for each write that memory and the
garbage collector would have to carry for as long as the journal keeps the stream."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from .plan import Write

MANY = 8
"""From how many writes on they are kept small."""


class Writes(Sequence[Write]):
    """A sequence of writes, equal to a tuple of the same."""

    __slots__ = ("_data", "_dues")

    def __init__(self, dues: Iterable[float], data: Iterable[bytes]) -> None:
        self._dues, self._data = array("d", dues), tuple(data)

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


def together(waits: Sequence[float], opening: bytes, parts: Sequence[bytes]) -> Sequence[Write]:
    """``opening``, and each of ``parts`` after its wait; what nothing is waited for goes with what stands before it."""
    if not any(waits):
        return (Write(0.0, b"".join([opening, *parts])),)
    if not waits[-1]:
        waits, parts = waits[:-1], [*parts[:-2], parts[-2] + parts[-1]]
    if all(waits):
        return in_a_row([0.0, *accumulate(waits)], [opening, *parts])
    due, dues, data, last = 0.0, [0.0], [], [opening]
    for wait, part in zip(waits, parts, strict=True):
        if wait:
            due += wait
            dues.append(due)
            data.append(b"".join(last))
            last = []
        last.append(part)
    return in_a_row(dues, [*data, b"".join(last)])


def columns(writes: Sequence[Write]) -> tuple[Sequence[float], Sequence[bytes]]:
    """The times and the bytes of writes, apart."""
    if isinstance(writes, Writes):
        return writes._dues, writes._data
    return [write.due_s for write in writes], [write.data for write in writes]
