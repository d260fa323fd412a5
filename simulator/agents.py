"""What the built-in agents say: pure functions from a turn to an answer. No dialect, no bytes, no clock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from ..spec import Delta, Event, Failure, ToolCall, ToolResult, Usage
from .cutting import Chunk, words
from .latency import Latency
from .once import once

LONG_DELTAS = 2_000
LONG_BURST, LONG_GAP_S = 100, 0.005
PACED_DELTAS, PACED_GAP_S = 8, 0.12
LONGER = 5
SLOW_FIRST_S, SLOW_GAP_S = 1.5, 0.25
NO_CODE = "I do not remember any code."
UNICODE = (
    "Gr\u00fc\u00dfe aus ", "\u5317\u4eac ", "\U0001f30d", "\U0001f468\u200d\U0001f469\u200d\U0001f467 ", "e\u0301 ", "\u05e9\u05dc\u05d5\u05dd ",
    "tab\there ", "line\nbreak\r\n", "quote\" back\\slash ", "data: not a field\n\n", "nul\u0000 ", "nel\u0085 ", "ls\u2028 ", "ps\u2029 ", "bom\ufeff ", "end.",
)  # fmt: skip
"""Pieces that a careless reader of streams loses or splits."""

_CODE = re.compile(r"code:\s*(\S+)", re.IGNORECASE)
_ASKS = re.compile(r"\bwhat code\b", re.IGNORECASE)
_ASKS_LONG = re.compile(r"\blong\b", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """What an agent is told: the message, what the user said before in this session, the request's metadata, the session's id.

    ``said``: the newest ``said.KEPT_MESSAGES``, oldest first. ``earlier``: how many there were in all, where that is more.
    """

    message: str
    said: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    session: str = ""
    earlier: int | None = field(default=None, compare=False)

    @property
    def number(self) -> int:
        """Which turn of its session this is, from 1."""
        return 1 + (len(self.said) if self.earlier is None else self.earlier)


@dataclass(frozen=True)
class Answer:
    """``steps``: pauses in seconds, each before its event; no ``Done`` among them. ``end_s``: the pause before that one.

    ``by_word``: a stream of it sends its texts a word at a time, or as ``chunk`` says.

    ``usage``: ``None`` to be measured.
    ``refusal``: a refusal's name, where this agent gives no answer at all.
    ``latency``: how long its events take, beside those pauses; ``None`` for that of the backend.
    """

    steps: tuple[tuple[float, Event], ...] = ()
    usage: Usage | None = None
    refusal: str | None = None
    end_s: float = 0.0
    by_word: bool = False
    chunk: Chunk | None = None
    latency: Latency | None = None

    @once
    def known(self) -> dict[int, Any]:
        """What has been made of it so far, by whom: an answer may be given again and again."""
        return {}


Agent = Callable[[Turn], Answer]


def says(text: str) -> Answer:
    """That text, at once, word by word if it is streamed."""
    return Answer(((0.0, Delta(text)),), by_word=True)


def paces(pieces: Iterable[str], gap_s: float = 0.0, first_s: float = 0.0) -> Answer:
    """These pieces, ``first_s`` before the first, ``gap_s`` before each of the others and before the end."""
    steps = tuple((gap_s if index else first_s, Delta(piece)) for index, piece in enumerate(pieces))
    return Answer(steps, end_s=gap_s)


def echo(turn: Turn) -> Answer:
    """The message word for word, and the metadata if there is any."""
    told = f" You told me: {json.dumps(turn.metadata, ensure_ascii=False)}." if turn.metadata else ""
    return says(f"You said: {turn.message}{told}")


def default(turn: Turn) -> Answer:
    """An echo that also knows the code it was told in this session."""
    return says(_recall(turn)) if _ASKS.search(turn.message) else echo(turn)


def memory(turn: Turn) -> Answer:
    """As ``default``, and it repeats what was said just before."""
    if _ASKS.search(turn.message) or not turn.said:
        return default(turn)
    return replace(echo(turn), steps=(*echo(turn).steps, (0.0, Delta(f" Before that you said: {turn.said[-1]}"))))


def tools(turn: Turn) -> Answer:
    """Text, two tool calls each with its result, text."""
    return Answer(
        (
            (0.0, Delta("Let me look that up.")),
            (0.0, ToolCall("lookup_order", {"query": turn.message})),
            (0.0, ToolResult("lookup_order", {"status": "shipped"})),
            (0.0, ToolCall("lookup_weather", {"city": "Z\u00fcrich"})),
            (0.0, ToolResult("lookup_weather", "sunny")),
            (0.0, Delta(" It has been shipped, and the sun shines.")),
        )
    )


def slow(turn: Turn) -> Answer:
    """An echo that takes its time before the first word and between words."""
    return paces(words(f"You said: {turn.message}"), SLOW_GAP_S, SLOW_FIRST_S)


def paced(turn: Turn) -> Answer:
    """Events so far apart that a reader can tell whether they were held back; more of them for who wants to hear something long."""
    return _paced(PACED_DELTAS * (LONGER if _ASKS_LONG.search(turn.message) else 1))


def long(_turn: Turn) -> Answer:
    """Thousands of events, in bursts that a reader takes in at once."""
    return _long()


def unicode(_turn: Turn) -> Answer:
    """Characters of every kind that breaks readers."""
    return paces(UNICODE)


def failing(_turn: Turn) -> Answer:
    """Breaks off after two words."""
    return Answer(
        ((0.0, Delta("I")), (0.0, Delta(" begin")), (0.0, Failure("The agent failed while it was answering")))
    )


def unavailable(_turn: Turn) -> Answer:
    """Never there."""
    return Answer(refusal="unavailable")


@cache
def _paced(count: int) -> Answer:
    return paces((f"piece {index} " for index in range(1, count + 1)), PACED_GAP_S)


@cache
def _long() -> Answer:
    gaps = (LONG_GAP_S if index % LONG_BURST == 0 else 0.0 for index in range(LONG_DELTAS))
    return Answer(tuple((gap, Delta(f"Sentence {index} of a long story. ")) for index, gap in enumerate(gaps, 1)))


def _recall(turn: Turn) -> str:
    for said in reversed(turn.said):
        codes = _CODE.findall(said)
        if codes:
            return f"The code is {codes[-1]}"
    return NO_CODE
