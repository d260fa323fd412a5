"""JSON as RFC 8259 has it, in every body that says it is JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..check import Finding, Note, each
from ..exchange import NotJson
from ..reading import MISSING
from ..seen import Seen

SURROGATE = re.compile(r"[\ud800-\udfff]")


def _says_json(seen: Seen) -> bool:
    return seen.sound and seen.exchange.content_type == "application/json" and seen.exchange.request.method != "HEAD"


def _problem(seen: Seen) -> NotJson | None:
    try:
        seen.exchange.json()
    except NotJson as problem:
        return problem
    return None


KINDS = {
    "no_bom": ("byte order mark", "JSON does not begin with a byte order mark (8.1)."),
    "utf8": ("not UTF-8", "JSON is sent as UTF-8 (8.1)."),
    "numbers": ("which JSON does not have", "No number is NaN or Infinity (6)."),
}
"""Check -> the words of the reader's complaint that are its matter."""


def _register(name: str, words: str, statement: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        problem = _problem(seen)
        if problem is not None and words in str(problem):
            yield Finding("JSON", f"{problem} in {seen.exchange.content[:120]!r}", seen, problem.offset)

    judge.__doc__ = statement
    each("answers", name=name, when=_says_json)(judge)


for _name, (_words, _statement) in KINDS.items():
    _register(_name, _words, _statement)


@each("answers", when=_says_json)
def valid(seen: Seen) -> Iterator[Note]:
    """A body of media type application/json is one JSON text and nothing else (2)."""
    problem = _problem(seen)
    if problem is not None and not any(words in str(problem) for words, _ in KINDS.values()):
        yield Finding("one JSON text", f"{problem} in {seen.exchange.content[:120]!r}", seen, problem.offset)


@each("answers", when=_says_json)
def unique_names(seen: Seen) -> Iterator[Note]:
    """No JSON object of a body has two members of one name (4)."""
    if _problem(seen) is None:
        for name in seen.exchange.duplicate_names:
            yield Finding("each name once in an object", f"{name!r} twice", seen)


@each("answers", when=lambda seen: seen.asked["step"] != "surrogate" and (_says_json(seen) or seen.is_stream))
def well_formed_text(seen: Seen) -> Iterator[Note]:
    """No text holds half of a surrogate pair (8.2), nor does the text of one event of a stream."""
    if seen.is_stream:
        for event in seen.events:
            if "\\u" in event.wire.data and event.value is not MISSING and _has_half(event.value):
                yield Finding(
                    "whole characters", f"half a surrogate pair in {event.wire.data[:120]!r}", seen, event.wire.start
                )
    elif _problem(seen) is None and _has_half(seen.json):
        yield Finding("whole characters", f"half a surrogate pair in {seen.exchange.content[:120]!r}", seen)


def _has_half(value: Any) -> bool:
    return SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None
