"""The journal as a test reads it: look up, wait, assert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .journal import Entry, Journal
from .journal_file import har
from .match import matching

WAIT_S = 5.0
SHOWN = 10
"""How many requests a message lists."""


class Requests:
    """The requests of one scope, oldest first.

    The words that choose requests are those of ``match.WORDS``, and all must hold: ``agent``, ``session``, ``key``,
    ``dialect``, ``status`` (a number, or ``"4xx"``), ``refusal``, ``fault``, ``contains`` and more; ``ValueError`` names them.
    Keys are masked in everything that is read here; ``key`` takes the key itself.
    """

    def __init__(self, journal: Journal, mine: Callable[[Entry], bool]) -> None:
        self._journal, self._mine = journal, mine

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.find())

    def __len__(self) -> int:
        return len(self.find())

    def __getitem__(self, at: int) -> Entry:
        return self.find()[at]

    def find(self, **match: Any) -> list[Entry]:
        """The requests that match, those under way included."""
        fits = matching(**match)
        return [entry for entry in self._journal.entries() if self._mine(entry) and fits(entry)]

    def count(self, **match: Any) -> int:
        return len(self.find(**match))

    def last(self, **match: Any) -> Entry:
        """The newest that matches; ``AssertionError`` if none does."""
        found = self.find(**match)
        if not found:
            raise AssertionError(f"no request{_words(match)}{self._listed()}")
        return found[-1]

    def wait_for(self, count: int = 1, within_s: float = WAIT_S, **match: Any) -> list[Entry]:
        """The requests that match, once ``count`` of them are over; ``AssertionError`` if that takes too long (real seconds)."""
        until = time.monotonic() + within_s
        while True:
            heard = self._journal.ends
            found = [entry for entry in self.find(**match) if entry.over]
            if len(found) >= count:
                return found
            with self._journal.changed:
                more = self._journal.changed.wait_for(lambda: self._journal.ends != heard, until - time.monotonic())  # noqa: B023
            if not more:
                raise AssertionError(
                    f"expected {count} finished requests{_words(match)} within {within_s} s{self._listed()}"
                )

    async def arrived(self, count: int = 1, within_s: float = WAIT_S, **match: Any) -> list[Entry]:
        """As ``wait_for``, while the event loop of the caller goes on."""
        return await asyncio.to_thread(self.wait_for, count, within_s, **match)

    def assert_count(
        self, exactly: int | None = None, *, at_least: int | None = None, at_most: int | None = None, **match: Any
    ) -> None:
        """So many requests match; ``AssertionError`` lists what came instead."""
        if (exactly, at_least, at_most) == (None, None, None):
            at_least = 1
        low, high = (exactly, exactly) if exactly is not None else (at_least, at_most)
        found = self.count(**match)
        if (low is not None and found < low) or (high is not None and found > high):
            wanted = f"{exactly}" if exactly is not None else _range(low, high)
            raise AssertionError(f"expected {wanted} requests{_words(match)}, got {found}{self._listed()}")

    def assert_order(self, *matches: Mapping[str, Any]) -> None:
        """A request for each, in this order; others may come between. ``AssertionError`` names the first that is missing."""
        found = iter(self.find())
        for number, match in enumerate(matches, 1):
            fits = matching(**match)
            if not any(fits(entry) for entry in found):
                behind = f" after the {number - 1} before it" if number > 1 else ""
                raise AssertionError(f"number {number}: no request{_words(match)}{behind}{self._listed()}")

    @property
    def unmatched(self) -> list[Entry]:
        """The requests that no rule of their agent's script fits; ``entry.unmatched`` says of each why."""
        return self.find(unmatched=True)

    def clear(self) -> int:
        """Forget them; how many they were."""
        return self._journal.forget(self._mine)

    def har(self) -> dict[str, Any]:
        """Them as an HTTP Archive 1.2, ready for ``json.dump``."""
        return har(self.find())

    def __str__(self) -> str:
        return "\n".join(map(str, self.find()))

    def _listed(self) -> str:
        entries = self.find()
        if not entries:
            return "; there were no requests at all"
        left = f"\n  ({len(entries) - SHOWN} before these)" if len(entries) > SHOWN else ""
        return f"; there were:{left}" + "".join(f"\n  {entry}" for entry in entries[-SHOWN:])


def _words(match: Mapping[str, Any]) -> str:
    shown = {word: "[masked]" if word == "key" else value for word, value in match.items()}
    return " with " + ", ".join(f"{word}={value!r}" for word, value in shown.items()) if shown else ""


def _range(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"
