"""The values in the words of a latency: durations, counts, flags, calls such as ``uniform(1ms, 2ms)``; and mistakes in them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..spec import did_you_mean

T = TypeVar("T")
Path = tuple[str | int, ...]

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
LONGEST_S = 86_400.0
MOST = 1_000_000
"""The largest count of anything here."""
KINDS = ("uniform", "normal", "lognormal", "recorded", "words", "characters", "bytes")
"""What a mapping of one key may be."""
DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)?")
OPEN_CALL = re.compile(r"([A-Za-z_]\w*)\([^)]*")
CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
OPENED = re.compile(r"[A-Za-z_]\w*")
A_TIME = "a duration such as 300ms, or uniform(200ms, 400ms), normal(…), lognormal(…), recorded(…)"


@dataclass(frozen=True)
class Mistake:
    """``path``: where in the data. ``key``: the key there is meant, not its value. ``word``: the part of a text that is."""

    path: Path
    message: str
    key: bool = False
    word: str = ""


class BadPace(ValueError):
    """Words that say no latency, or no way to cut."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        told = (f"{'.'.join(map(str, one.path))}: {one.message}" if one.path else one.message for one in mistakes)
        super().__init__("; ".join(told))


def called(said: Any) -> tuple[str, Any] | None:
    """``name(a, b)``, ``name(x=a)`` or ``{name: …}`` as its name and what it is given; ``None`` for anything else."""
    if isinstance(said, Mapping):
        if len(said) != 1:
            raise bad((), f"expected one of {', '.join(KINDS)} in a mapping, got {len(said)} keys")
        return next(iter((str(name), given) for name, given in said.items()))
    found = CALL.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None and isinstance(said, str) and OPEN_CALL.fullmatch(said.strip()):
        raise bad(
            (), f"{said!r} is not closed; in a mapping of one line, write {{uniform: [1s, 2s]}}, or quotes around it"
        )
    if found is None:
        return None
    parts = [part.strip() for part in found[2].split(",")] if found[2].strip() else []
    if any("=" in part for part in parts):
        pairs = [part.partition("=") for part in parts]
        return found[1], {name.strip(): value.strip() for name, _, value in pairs}
    return found[1], [number(part) for part in parts]


def seconds(said: Any) -> float:
    """A duration, or a number of seconds; ``BadPace``."""
    found = None
    if isinstance(said, str):
        found = DURATION.fullmatch(said.strip())
        value = float(found[1]) * UNITS[found[2] or "s"] if found else math.nan
    elif isinstance(said, int | float) and not isinstance(said, bool):
        value = float(said)
    else:
        value = math.nan
    if math.isnan(value):
        near = did_you_mean(word[0], list(KINDS[:4])) if isinstance(said, str) and (word := OPENED.match(said)) else ""
        raise bad((), f"expected {A_TIME}, got {said!r}{near}")
    if not 0 <= value <= LONGEST_S:
        raise bad((), f"expected a time from 0 to {LONGEST_S:.0f} s, got {said!r}")
    return value


def count(said: Any, least: int, what: str = "") -> int:
    """A whole number; ``what``: of what it is the size, for messages. ``BadPace``."""
    if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= MOST:
        why = " (the longest character has four)" if what == "bytes" else ""
        raise bad((), f"{what and f'{what}: '}expected a whole number from {least} to {MOST}{why}, got {said!r}")
    return said


def probability(said: Any) -> float:
    """A number from 0 to 1; ``BadPace``."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 1:
        raise bad((), f"expected a number from 0 to 1, got {said!r}")
    return float(said)


def positive(said: Any) -> float:
    """A number above 0; ``BadPace``."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= MOST:
        raise bad((), f"expected a number above 0, got {said!r}")
    return float(said)


def flag(said: Any) -> bool:
    """True or false; ``BadPace``."""
    if not isinstance(said, bool):
        raise bad((), f"expected true or false, got {said!r}")
    return said


def nested(line: str) -> dict[str, Any]:
    """``first=300ms stall.after=3`` as a mapping of mappings."""
    data: dict[str, Any] = {}
    for word in _words(line):
        name, equals, value = word.partition("=")
        outer, dot, inner = name.partition(".")
        if not equals or not name:
            raise bad((), f"expected name=value, as in first=300ms gap=20ms, got {word!r}")
        place = data.setdefault(outer, {}) if dot else data
        at = inner if dot else outer
        if not isinstance(place, dict) or at in place:
            raise bad((), f"{name!r} is given twice")
        place[at] = number(value)
    if not data:
        raise bad((), "expected name=value, as in first=300ms gap=20ms, got nothing")
    return data


def _words(line: str) -> list[str]:
    """``line`` at its blanks, but for those in parentheses or before a word without ``=``."""
    found: list[str] = []
    for word in re.findall(r"(?:[^\s(]|\([^)]*\)?)+", line):
        if "=" in word or not found:
            found.append(word)
        else:
            found[-1] += f" {word}"
    return found


def number(text: str) -> Any:
    """What a bare word is in YAML: a number, true or false, or text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text) else text


def members(
    said: Mapping[str, Any], read: Mapping[str, Callable[[Any], Any]], needed: Sequence[str] = ()
) -> dict[str, Any]:
    """Each member of ``said`` read by its own function; what is wrong in all of them is told together."""
    made, wrong = {}, []
    for name, value in said.items():
        if name not in read:
            near = did_you_mean(str(name), list(read)) or one_of(read)
            wrong.append(Mistake((name,), f"unknown key {name!r}{near}", key=True))
            continue
        try:
            made[name] = under(name, read[name], value)
        except BadPace as bad:
            wrong += bad.mistakes
    missing = [name for name in needed if name not in said]
    if missing:
        wrong.append(Mistake((), f"missing key {', '.join(map(repr, missing))}"))
    if wrong:
        raise BadPace(wrong)
    return made


def under(name: str, read: Callable[[Any], T], said: Any) -> T:
    """``read(said)``, whose mistakes are told of ``name``."""
    try:
        return read(said)
    except BadPace as bad:
        raise BadPace([Mistake((name, *one.path), one.message, one.key, one.word) for one in bad.mistakes]) from None


def bad(path: Path, message: str, *, key: bool = False, word: str = "") -> BadPace:
    """One mistake, to be raised."""
    return BadPace([Mistake(path, message, key, word)])


def one_of(names: Mapping[str, Any]) -> str:
    """What there is, where no guess is near."""
    return f"; there are {', '.join(names)}"
