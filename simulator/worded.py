"""A fault in words: ``name;word=value;word=value``, as flags, headers, queries, keys and messages tell it.

A word is a parameter of the fault, or else one of its aim. Values may be percent-encoded, so that a comma can be in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..spec import did_you_mean
from .aim import NUMBERS, TOLD, Aim, aim
from .fault import Fault
from .faults import known
from .parameter import taken

LONGEST, MOST = 1000, 10
"""How many characters are read of a text from a request, and how many faults in it."""


class Armament(NamedTuple):
    """A fault with the values of its parameters, and what it is aimed at."""

    fault: Fault
    values: Mapping[str, Any]
    aim: Aim


def listed(text: str) -> list[str]:
    """The faults of a list that commas separate; ``ValueError`` for too many."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if len(found) > MOST:
        raise ValueError(f"expected {MOST} faults at most, got {len(found)}")
    return found


def armament(
    text: str, parameters: Mapping[str, Any] | None = None, aimed: Mapping[str, Any] | None = None
) -> Armament:
    """The fault that ``text`` tells, with further parameters and words of an aim; ``ValueError`` says what is wrong."""
    name, *pairs = (part.strip() for part in text.split(";"))
    fault = known(name)
    mine, at = dict(parameters or {}), dict(aimed or {})
    names = [one.name for one in fault.parameters]
    for pair in pairs:
        word, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise ValueError(f"{name}: expected word=value, got {pair!r}")
        into = mine if word in names else at
        if word in into:
            raise ValueError(f"{name}: {word!r} is told twice")
        if into is at and word not in TOLD:
            hint = did_you_mean(word, [*names, *TOLD]) or f"; it takes {', '.join([*names, *TOLD])}"
            raise ValueError(f"{name!r} takes no word {word!r}{hint}")
        into[word] = unquote(value) if into is mine else _value(word, unquote(value))
    return Armament(fault, taken(name, fault.parameters, mine), aim(**at))


def in_a_message(text: str) -> str:
    """``!fault name word=value, name2`` as people type it, in the form above; only its first line counts."""
    first = text.split("\n", 1)[0]
    return ",".join(re.sub(r"[;\s]+(?=[\w-]+=)", ";", part.strip()) for part in first.split(","))


def _value(word: str, text: str) -> Any:
    """Numbers of an aim as numbers; what is none stays text, and is refused as such."""
    if word in NUMBERS:
        for of in (int, float):
            try:
                return of(text)
            except ValueError:
                continue
    return text
