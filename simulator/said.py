"""What the user has said in one session: the newest messages, and views of them that cost the same however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

KEPT_MESSAGES = 1_000
"""How many messages a session remembers."""
KEPT_CHARACTERS = 4 << 20
"""How many characters they may have together; the newest message is kept whatever its size."""


class Said(Sequence[str]):
    """Messages, oldest first. Only whoever owns it appends; a view that was taken before does not change.

    ``total``: how many there have been, those that are forgotten included. ``characters``: of those that are kept.
    """

    __slots__ = ("_start", "_stop", "_texts", "characters", "total")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: list[str] = []
        self._start = self._stop = self.total = self.characters = 0
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Remember one message more, and forget the oldest where there are too many."""
        self._texts.append(text)
        self._stop += 1
        self.total += 1
        self.characters += len(text)
        kept = self._stop - self._start
        while kept > 1 and (kept > KEPT_MESSAGES or self.characters > KEPT_CHARACTERS):
            self.characters -= len(self._texts[self._start])
            self._start += 1
            kept -= 1
        if self._start > KEPT_MESSAGES:
            self._texts = self._texts[self._start :]
            self._start, self._stop = 0, len(self._texts)

    def view(self) -> Said:
        """These messages as they are now, without a copy."""
        seen = Said.__new__(Said)
        seen._texts, seen._start, seen._stop = self._texts, self._start, self._stop
        seen.total, seen.characters = self.total, self.characters
        return seen

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        place = range(self._start, self._stop)[at]
        return self._texts[place] if isinstance(place, int) else tuple(self._texts[one] for one in place)

    def __len__(self) -> int:
        return self._stop - self._start

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return repr(list(self))
