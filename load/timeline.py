"""When the parts of a turn came: what every metric is derived from. Times are ``time.monotonic_ns()``; ``None``: it never came."""

from __future__ import annotations

from operator import sub
from typing import NamedTuple


class Timeline(NamedTuple):
    """One turn. ``intended``: when the schedule (or the end of the think time) wanted it; ``started``: when it was begun, its
    connection included; ``sent``: the last moment before its first byte left.

    ``texts``: when each non-empty piece of text could be read. ``terminal``: when the event that ends a stream could be, or the
    whole of a JSON reply. ``ended``: when the response was over. ``characters`` of text; ``units`` of output as the target reports them.
    """

    intended: int
    started: int
    sent: int
    ended: int
    first_byte: int | None = None
    texts: tuple[int, ...] = ()
    terminal: int | None = None
    streamed: bool = False
    characters: int = 0
    units: int | None = None

    @property
    def first_text(self) -> int | None:
        """When the first non-empty piece of a stream's text came; a JSON reply has none."""
        return self.texts[0] if self.streamed and self.texts else None

    @property
    def gaps(self) -> list[int]:
        """The time between one piece of text and the next, for each but the first."""
        texts = self.texts
        return list(map(sub, texts[1:], texts))
