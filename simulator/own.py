"""Agents that a test writes: a function from a turn to what is said, or fixed replies, one a turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from ..spec import Delta, Event, Failure, ToolCall, ToolResult
from . import pace_words
from .agents import Agent, Answer, Turn, says
from .cutting import Chunk
from .latency import Latency
from .pace_values import under

EVENTS = (Delta, ToolCall, ToolResult, Failure)
NO_LIST = (bytes, dict)

LatencyWords: TypeAlias = str | Mapping[str, Any] | Latency
ChunkWords: TypeAlias = str | Mapping[str, Any] | Chunk
Piece: TypeAlias = str | Event | float
"""A text, an event, or a pause in seconds."""
Said: TypeAlias = Piece | Answer | Iterable[Piece]
"""What an agent may say: a text (word by word, if streamed), an event, a list of pieces as they are, or a whole ``Answer``."""


def spoken(said: Said) -> Answer:
    """What was said as an answer; ``TypeError`` for what cannot be said."""
    if isinstance(said, Answer):
        return said
    if isinstance(said, str):
        return says(said)
    if isinstance(said, (int, float, *EVENTS)):
        return _pieces([said])
    if isinstance(said, Iterable) and not isinstance(said, NO_LIST):
        return _pieces(said)
    raise TypeError(f"an agent says text, events, pauses in seconds, or a list of them; not {said!r}")


def agent(
    *says: Said | Callable[[Turn], Said], latency: LatencyWords | None = None, chunk: ChunkWords | None = None
) -> Agent:
    """An agent out of one function, or of a reply for each turn; ``TypeError`` for anything else.

    ``latency`` and ``chunk``: how long its answers take and how its texts are cut, unless an ``Answer`` says so itself; ``ValueError``.
    """
    functions = [said for said in says if callable(said)]
    if functions and len(says) > 1:
        raise TypeError("an agent is one function, or replies; not both")
    made = calling(functions[0]) if functions else replying(*(said for said in says if not callable(said)))
    return paced(made, latency, chunk)


def paced(plain: Agent, latency: LatencyWords | None, chunk: ChunkWords | None) -> Agent:
    """The same agent with that latency and that way to cut; ``ValueError`` for bad words."""
    if latency is None and chunk is None:
        return plain
    takes = None if latency is None else under("latency", pace_words.latency, latency)
    cut = None if chunk is None else under("chunk", pace_words.chunk, chunk)

    def answering(turn: Turn) -> Answer:
        answer = plain(turn)
        return replace(answer, latency=answer.latency or takes, chunk=answer.chunk or cut)

    return answering


def replying(*replies: Said) -> Agent:
    """Says the first in the first turn of a session, the second in the second, and the last from then on."""
    if not replies:
        raise TypeError("an agent needs something to say: replies, or a function")
    answers = [spoken(reply) for reply in replies]
    return lambda turn: answers[min(turn.number, len(answers)) - 1]


def calling(function: Callable[[Turn], Said]) -> Agent:
    """Says what the function returns. It runs on the thread that serves: nothing is answered meanwhile."""
    if inspect.iscoroutinefunction(function):
        raise TypeError("an agent's function cannot be async: it answers at once, and pauses are part of what it says")
    return lambda turn: spoken(function(turn))


def _pieces(said: Iterable[Piece]) -> Answer:
    steps: list[tuple[float, Event]] = []
    wait = 0.0
    for piece in said:
        if isinstance(piece, str):
            piece = Delta(piece)
        if isinstance(piece, EVENTS):
            steps.append((wait, piece))
            wait = 0.0
        elif isinstance(piece, int | float) and not isinstance(piece, bool) and 0 <= piece < float("inf"):
            wait += piece
        else:
            raise TypeError(f"expected text, an event, or a pause in seconds, got {piece!r}")
    return Answer(tuple(steps), end_s=wait)
