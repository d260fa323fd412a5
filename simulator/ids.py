"""Ids out of the seed: the same seed and the same requests give the same ids, whatever else the process does."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import Protocol, TypeVar

T = TypeVar("T")


class Tape(Protocol):
    """Hears of every decision of chance, and may put another in its place; see ``decisions.py``."""

    def decide(self, name: str, made: T) -> T:
        """``made``, or what was decided under that name before."""
        ...


class Ids:
    """Named streams of ids; ``scope`` keeps two users of one seed apart. ``tape``: hears of what is decided."""

    def __init__(self, seed: int, scope: str, tape: Tape | None = None) -> None:
        self._root = f"{seed}/{scope}"
        self.tape = tape
        self._drawn: Counter[str] = Counter()

    def forget(self, stream: str) -> None:
        """Nothing of that stream will be drawn any more."""
        self._drawn.pop(stream, None)

    def draw(self, stream: str) -> str:
        """The next id of that stream, as 16 hexadecimal digits."""
        self._drawn[stream] += 1
        made = self.at(stream, self._drawn[stream])
        return made if self.tape is None else self.tape.decide(f"id {stream.partition('/')[0]}", made)

    def decide(self, name: str, made: T) -> T:
        """``made``, as long as no tape says otherwise. ``name``: what it is, without any key."""
        return made if self.tape is None else self.tape.decide(name, made)

    def at(self, stream: str, number: int) -> str:
        """That id of that stream, whatever has been drawn from it."""
        return blake2b(f"{self._root}/{stream}/{number}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
