"""Regular expressions of scripts: Python's, with an end to how long one may search.

Python's own engine cannot be stopped, and some expressions take some messages for ever; while one does, nobody is answered.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from .template import ScriptError

LONGEST_S = 0.1
"""How long one search may take, in seconds of the processor's time: a busy machine makes no expression a bad one."""
BRACE = re.compile(r"(\\N\{[^}]*\}|\\.)|\{(?!\d+(?:,\d*)?\}|,\d*\})", re.DOTALL)
"""An opening brace that Python takes as it stands, and the engine used here for a repetition with mistakes in it."""


class TooLong(ScriptError):
    """A search that did not end in time."""


class BadPattern(ValueError):
    """What is wrong with a regular expression."""


@dataclass(frozen=True)
class Pattern:
    """``source``: as the script has it. ``place``: ``file:line:column``."""

    source: str
    place: str
    compiled: Any = field(repr=False, compare=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of its groups."""
        return tuple(self.compiled.groupindex)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match in ``text``; ``TooLong``."""
        try:
            found: re.Match[str] | None = self.compiled.search(text, timeout=LONGEST_S)
        except TimeoutError:
            took = f"its regular expression searched a message of {len(text)} characters for more than {LONGEST_S:g} s of processor time"
            raise TooLong(self.place, took) from None
        return found


def pattern(source: str, case: bool, place: str) -> Pattern:
    """The expression in ``source``, which is one of Python's; ``case``: whether case matters. ``BadPattern``."""
    engine = import_module("regex")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(source, 0 if case else re.IGNORECASE)
            flags = engine.VERSION0 | (0 if case else engine.IGNORECASE)
            compiled = engine.compile(BRACE.sub(lambda found: found[1] or r"\{", source), flags)
    except (re.error, engine.error, RecursionError, OverflowError, MemoryError) as error:
        at = getattr(error, "pos", None)
        where = "" if at is None else f" at character {at + 1}"
        raise BadPattern(f"is not a regular expression: {getattr(error, 'msg', error)}{where}") from None
    return Pattern(source, place, compiled)
