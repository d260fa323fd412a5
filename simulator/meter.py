"""What a reply costs: words, counted the same way every time."""

from __future__ import annotations

from collections.abc import Iterable

from ..spec import Delta, Event, Usage


def measure(message: str, events: Iterable[Event]) -> Usage:
    """Words in and words out, at least one each, and their sum; however the text is cut into pieces."""
    text = "".join([event.text for event in events if type(event) is Delta])
    used_in, used_out = counted(message, text)
    return Usage(used_in, used_out, used_in + used_out)


def counted(message: str, text: str) -> tuple[int, int]:
    """Words in and words out, at least one each."""
    return words(message), words(text)


def words(text: str) -> int:
    """Its words, at least one."""
    return len(text.split()) or 1


def cost(usage: Usage) -> int:
    """The units that a reply takes off a balance: its total, or the sum of its parts."""
    return usage.total if usage.total is not None else (usage.input or 0) + (usage.output or 0)
