"""What a backend has decided to say, before it has bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..spec import Dialect, Event, Shape
from .request import Mistake

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Refusal:
    """Why there is no reply: a name of ``spec.model.REFUSALS``, with what its message mentions. ``retry_after``: seconds.

    ``words``: in place of the documented message. ``note``: what this backend adds in a header of its own (one line of any text).
    ``reason``: what it is in the log and the journal, where ``name`` is only the nearest of the dialect's.
    """

    name: str
    agent: str = ""
    mistake: Mistake | None = None
    retry_after: int | None = None
    words: str | None = None
    note: str | None = None
    reason: str = ""

    @property
    def known_as(self) -> str:
        """Its name for whoever looks at the backend from behind."""
        return self.reason or self.name


class Beat(NamedTuple):
    """One event of a reply and when it is due, in seconds of the backend's clock after the request."""

    due_s: float
    event: Event


@dataclass(frozen=True)
class Reply:
    """One response in meaning. ``beats`` are an agent's reply, as a stream or gathered into one JSON body of ``shape``.

    ``fields``: further roles of that body, or all of them when there are no beats (an error, a new key). ``said``: for the log.
    """

    dialect: Dialect
    status: int
    shape: Shape
    fields: Mapping[str, Any] = field(default_factory=dict)
    beats: tuple[Beat, ...] = ()
    streamed: bool = False
    headers: Headers = ()
    refusal: Refusal | None = None
    said: str = ""
