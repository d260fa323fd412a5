"""What is said: seeded text, or conversations from a file. A conversation is a row of messages, each with what has to come back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Literal

from ..conformance import transcript
from ..spec import BadFile
from ..spec.files import Problem
from .canary import word

WORDS = re.findall(
    "[a-z]+",
    """order parcel return refund price delivery address account invoice size colour stock warranty repair manual battery screen
    cable window kitchen garden train ticket seat hotel room breakfast weather winter summer morning evening question answer please
    could would explain compare describe list find change cancel book send open close early late cheap quiet""",
)
MOST_PROMPTS = 100_000
MOST_TEXTS = 1024
"""So many different texts are made up; what is said in front of the word of a conversation comes again after that."""
NONCE = "{nonce}"

Proof = Literal["both", "echo", "recall", "watch", "off"]
"""What canary words can prove: the agent repeats what it is told (echo), it knows it later when asked (recall), both, or neither, so
that only a foreign word would tell (watch). ``off``: there are none."""
AT_ONCE: dict[Proof, Proof] = {"both": "echo", "recall": "watch"}
"""What is left of a proof where nothing is asked later."""
ECHOES, RECALLS = ("both", "echo"), ("both", "recall")


def provable(proof: Proof, turns: int, conversations: Sequence[Sequence[str]] = ()) -> Proof:
    """What is left of what an agent can prove, by what it is told: words are asked for after the first of several turns, and stand in texts
    from a file where these say so.
    """
    if not conversations:
        return proof if turns > 1 else AT_ONCE.get(proof, proof)
    if not any(NONCE in row for rows in conversations for row in rows):
        return "off"
    return "echo" if proof in ECHOES else proof if proof == "off" else "watch"


@dataclass(frozen=True)
class Prompts:
    """Where messages come from. ``conversations``: from a file, each a row of messages; none: seeded text of about ``words`` words.

    ``tell`` and ``ask``: how an agent is told its word and asked for it, where it ``recall``s.
    """

    seed: int
    turns: int = 1
    proof: Proof = "watch"
    words: int = 12
    conversations: tuple[tuple[str, ...], ...] = ()
    tell: str = ""
    ask: str = ""

    def messages(self, conversation: int) -> list[tuple[str, bool]]:
        """The messages of a conversation, and of each whether the reply has to bear its word."""
        own = word(self.seed, conversation)
        echoes = self.proof in ECHOES
        if self.conversations:
            rows = self.conversations[conversation % len(self.conversations)]
            return [(row.replace(NONCE, own), echoes and NONCE in row) for row in rows]
        asks = self.proof in RECALLS and self.turns > 1
        said: list[tuple[str, bool]] = []
        for turn in range(self.turns):
            if asks and turn == 0:
                said.append((self.tell.replace(NONCE, own), echoes))
            elif asks and turn == self.turns - 1:
                said.append((self.ask.replace(NONCE, own), True))
            else:
                text = _text(self.seed, (conversation * self.turns + turn) % MOST_TEXTS, self.words)
                said.append((text if self.proof == "off" else f"{text} (reference {own})", echoes))
        return said


@lru_cache(MOST_TEXTS)
def _text(seed: int, number: int, words: int) -> str:
    """About so many words: the length varies as people's messages do, many short and few long."""
    random = Random((seed << 32) + number)
    count = max(1, min(round(random.lognormvariate(0.0, 0.5) * words), words * 6))
    return " ".join(random.choices(WORDS, k=count))


def load_prompts(path: Path) -> tuple[tuple[str, ...], ...]:
    """Conversations from a file: a recorded transcript, or JSON Lines of texts, ``{"message": …}`` or ``{"messages": […]}``.

    ``BadFile`` names the first line that is neither.
    """
    if _is_transcript(path):
        return _recorded(path)
    found: list[tuple[str, ...]] = []
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            found.append(_conversation(path, number, line))
    if not found:
        raise BadFile(path, [Problem(1, 1, "expected a conversation a line, got none")])
    return tuple(found[:MOST_PROMPTS])


def load_times(path: Path) -> list[float]:
    """The times at which the requests of a recording were sent, in seconds: a transcript, or one number a line."""
    if _is_transcript(path):
        return [exchange.sent_at for one in transcript.load(path) for exchange in one.exchanges]
    times: list[float] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            times += [_finite(line)] if line.strip() else []
        except ValueError:
            raise BadFile(
                path, [Problem(number, 1, f"expected a number of seconds, got {line.strip()[:40]!r}")]
            ) from None
    return times


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise BadFile(path, [Problem(1, 1, f"cannot be read: {reason}")]) from None


def _is_transcript(path: Path) -> bool:
    return _lines(path)[0].startswith('{"transcript"')


def _conversation(path: Path, number: int, line: str) -> tuple[str, ...]:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise BadFile(
            path, [Problem(number, 1, f'expected JSON, such as "a text" or {{"message": "a text"}}: {error}')]
        ) from None
    if isinstance(value, dict):
        value = value.get("messages", value.get("message"))
    rows = [value] if isinstance(value, str) else value
    if not isinstance(rows, list) or not rows or not all(isinstance(row, str) for row in rows):
        wanted = 'expected a text, {"message": text} or {"messages": [text, …]}'
        raise BadFile(path, [Problem(number, 1, f"{wanted}, got {line[:60]}")])
    return tuple(rows)


def _recorded(path: Path) -> tuple[tuple[str, ...], ...]:
    """What was said in a recording, by session; what named no session is a conversation of its own."""
    by_session: dict[str, list[str]] = {}
    for index, exchange in enumerate(each for one in transcript.load(path) for each in one.exchanges):
        message = exchange.asked.get("message")
        if isinstance(message, str) and message and exchange.asked.get("valid", True):
            by_session.setdefault(str(exchange.asked.get("session") or f"#{index}"), []).append(message)
    if not by_session:
        raise BadFile(path, [Problem(1, 1, "nothing was said in this recording")])
    return tuple(tuple(rows) for rows in by_session.values())


def shortest(conversations: Sequence[Sequence[str]]) -> int:
    """The number of turns of the shortest conversation."""
    return min(map(len, conversations))
