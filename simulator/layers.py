"""Ways to make a layer, for variants and faults alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .plan import Layer, Message, Write, with_header
from .reply import Beat, Headers, Refusal, Reply
from .rules import Rules

Beats = tuple[Beat, ...]
MOST_PARTS = 50_000
"""How many parts a response is cut into at most: of a larger one the parts are larger, so that it holds up nobody for long."""


def least(pieces: Iterable[Write]) -> int:
    """How many bytes a part has to have, 1 at least, so that these pieces are cut into ``MOST_PARTS`` about at most."""
    return max(1, -(-sum(len(piece.data) for piece in pieces) // MOST_PARTS))


def body(plain: Message, pieces: Iterable[Write]) -> Message:
    """A stream with other pieces; any other body as it was."""
    return replace(plain, pieces=tuple(pieces)) if plain.framing == "chunked" else plain


def each_block(change: Callable[[bytes], bytes]) -> Layer:
    """Changes every block of a stream."""
    return Layer(message=lambda plain: body(plain, (Write(p.due_s, change(p.data)) for p in plain.pieces)))


def headers(change: Callable[[Headers], Headers]) -> Layer:
    """Changes the headers of every response, before those of its framing."""
    return Layer(message=lambda plain: replace(plain, headers=change(plain.headers)))


def events(change: Callable[[Beats], Beats]) -> Layer:
    """Changes the events of every agent's reply, streamed or not."""
    return Layer(reply=lambda plain: replace(plain, beats=change(plain.beats)) if plain.beats else plain)


def streamed_events(change: Callable[[Beats], Beats]) -> Layer:
    """Changes the events of streams only."""
    return Layer(reply=lambda plain: replace(plain, beats=change(plain.beats)) if plain.streamed else plain)


def limit_header(role: str, change: Callable[[int, int], int]) -> Layer:
    """Changes one limit header (``limit``, ``remaining`` or ``reset``), given its value and that of the limit."""

    def reply(plain: Reply) -> Reply:
        names = plain.dialect.limits
        told = dict(plain.headers)
        name = str(getattr(names, role))
        if name not in told:
            return plain
        value = change(int(told[name]), int(told[names.limit]))
        return replace(plain, headers=with_header(plain.headers, name, str(value)))

    return Layer(reply=reply)


def no_limit_headers(where: Callable[[Reply], bool]) -> Layer:
    """Takes the limit headers away from the replies that ``where`` picks."""

    def reply(plain: Reply) -> Reply:
        if not where(plain):
            return plain
        names = plain.dialect.limits
        left = plain.headers
        for name in (names.limit, names.remaining, names.reset):
            left = with_header(left, name, None)
        return replace(plain, headers=left)

    return Layer(reply=reply)


def refusals(change: Callable[[Refusal], Refusal | None]) -> Layer:
    """Changes what is refused; ``None`` lets the request pass."""
    return Layer(rules=lambda rules: replace(rules, refuse=change))


def never(name: str) -> Layer:
    """A backend that does not know that refusal."""
    return refusals(lambda refusal: None if refusal.name == name else refusal)


def rules(change: Callable[[Rules], Rules]) -> Layer:
    """Bends the decisions themselves."""
    return Layer(rules=change)
