"""The nouns of a recording: an exchange as it went over the wire, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...spec import Event, Usage
from ..request import HttpRequest

Piece = tuple[float, bytes]
"""Seconds after the request, and the bytes of a body that arrived together then."""


@dataclass(frozen=True)
class Exchange:
    """One request and the response to it. ``number``: where the journal (or the HAR) has it, from 1.

    ``headers``: of the response, names in lower case. ``pieces``: its body without framing, in the order of arrival.
    ``ended_s``: when it was over. ``broken``: in words why the response is not whole, else empty.
    """

    number: int
    asked: HttpRequest
    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    ended_s: float
    broken: str = ""

    def header(self, name: str) -> str:
        """The first value of a response header, empty if there is none."""
        return next((value for known, value in self.headers if known == name), "")


class Timed(NamedTuple):
    """An event and when it had arrived whole, in seconds after the request. ``piece``: the number of the bytes that ended it."""

    at_s: float
    piece: int
    event: Event


@dataclass(frozen=True)
class Refused:
    """A refusal by its name in ``spec.model.REFUSALS``, in the words of the server."""

    name: str
    message: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True)
class Heard:
    """One turn of a conversation. ``session``: the request's, else the one that the reply names, else ``None``.

    ``key``: the credential, in full. ``events``: without the last, whose time is ``done_s``, which ended in the bytes ``done_piece`` and
    whose figures are ``usage``;
    ``None`` where the reply broke off with a ``Failure``. ``notes``: what of it could not be kept, in words.
    """

    number: int
    dialect: str
    agent: str
    key: str | None
    session: str | None
    message: str
    streamed: bool
    events: tuple[Timed, ...] = ()
    done_s: float | None = None
    done_piece: int = 0
    usage: Usage = field(default_factory=Usage)
    refused: Refused | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """An exchange that no script can have, and why."""

    number: int
    why: str
