"""Latencies and ways to cut, as people write them: in a script, in a test, in a control body or after ``--latency``.

A time that varies is written ``uniform(200ms, 400ms)``, or as data ``{uniform: [200ms, 400ms]}``; a whole latency as a mapping, or in one
line: ``first=300ms gap=normal(20ms, 5ms) stall.after=3 stall.for=2s``. All mistakes are found at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..spec import did_you_mean
from .cutting import BY_WORD, LONGEST_CHARACTER, WHOLE, Chunk
from .latency import Latency, Load, Rate, Spread, Stall

T = TypeVar("T")
Path = tuple[str | int, ...]

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
LONGEST_S = 86_400.0
SPREADS: dict[str, tuple[str, ...]] = {
    "fixed": ("time",),
    "uniform": ("least", "most"),
    "normal": ("mean", "deviation"),
    "lognormal": ("p50", "p99"),
    "recorded": (),
}
"""What a time that varies is called, and the names of its values; none: any number of them."""
RATES = {"words": "words", "units": "words", "characters": "characters"}
CHUNKS = ("words", "characters", "bytes", "recorded")
"""Ways to cut that take sizes."""
PLAIN = {"word": BY_WORD, "character": Chunk("character"), "whole": WHOLE, "recorded": WHOLE}
SINGULAR = {"words": "word", "characters": "character"}
MOST = 1_000_000
"""The largest count of anything here."""
DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)?")
RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)/s")
OPEN_CALL = re.compile(r"([A-Za-z_]\w*)\([^)]*")
CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
OPENED = re.compile(r"[A-Za-z_]\w*")
A_TIME = "a duration such as 300ms, or uniform(200ms, 400ms), normal(…), lognormal(…), recorded(…)"
A_CUT = "word, character, whole, recorded, words(1, 4), characters(n), bytes(7) or recorded(5, 3, 8)"


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


def latency(said: str | Mapping[str, Any] | Latency) -> Latency:
    """The latency in a line of words or a mapping; ``BadPace`` with every mistake."""
    if isinstance(said, Latency):
        return said
    if isinstance(said, str):
        said = _nested(said)
    if not isinstance(said, Mapping):
        raise _bad((), f"expected first=300ms gap=20ms …, or a mapping of those, got {said!r}")
    read: dict[str, Callable[[Any], Any]] = {
        "first": spread,
        "gap": spread,
        "rate": _rate,
        "stall": _stall,
        "load": _load,
    }
    return Latency(**_members(said, read))


def under(name: str, read: Callable[[Any], T], said: Any) -> T:
    """``read(said)``, whose mistakes are told of ``name``."""
    try:
        return read(said)
    except BadPace as bad:
        raise BadPace([Mistake((name, *one.path), one.message, one.key, one.word) for one in bad.mistakes]) from None


def spread(said: Any) -> Spread:
    """A time, or how it varies; ``BadPace``."""
    if isinstance(said, Spread):
        return said
    found = _called(said)
    if found is None:
        return Spread("fixed", (_seconds(said),))
    kind, given = found
    if kind not in SPREADS:
        raise _bad((), f"no spread {kind!r}{did_you_mean(kind, list(SPREADS)) or _one_of(SPREADS)}", word=kind)
    values = _values(kind, given)
    if kind == "uniform" and values[0] > values[1]:
        raise _bad((), "uniform: the least time is longer than the most")
    if kind == "lognormal" and not 0 < values[0] <= values[1]:
        raise _bad((), "lognormal: expected p50 above 0, and p99 no shorter")
    return Spread(kind, values)  # type: ignore[arg-type]


def chunk(said: Any) -> Chunk:
    """A way to cut; ``BadPace``."""
    if isinstance(said, Chunk):
        return said
    if isinstance(said, str) and said in PLAIN:
        return PLAIN[said]
    found = _called(said)
    if found is None or found[0] not in CHUNKS:
        word = found[0] if found else str(said)
        near = did_you_mean(word, [*PLAIN, *CHUNKS])
        raise _bad((), f"expected {A_CUT}, got {said!r}{near}", word=word if found else "")
    unit, given = found
    sizes = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    least = LONGEST_CHARACTER if unit == "bytes" else 1
    if not sizes or (unit != "recorded" and len(sizes) > 2):
        raise _bad(
            (),
            f"{unit}: expected {'one size or more' if unit == 'recorded' else 'one size, or the least and the most'}",
        )
    counts = tuple(_count(size, least, unit) for size in sizes)
    if unit != "recorded" and counts[0] > counts[-1]:
        raise _bad((), f"{unit}: the least, {counts[0]}, is more than the most, {counts[-1]}")
    return Chunk(SINGULAR.get(unit, unit), counts)  # type: ignore[arg-type]


def _stall(said: Any) -> Stall:
    if not isinstance(said, Mapping):
        raise _bad((), f"expected after, for and, if it is not sure, chance; got {said!r}")
    read: dict[str, Callable[[Any], Any]] = {"after": lambda one: _count(one, 0), "for": spread, "chance": _probability}
    made = _members(said, read, ("after", "for"))
    return Stall(made["after"], made["for"], made.get("chance", 1.0))


def _load(said: Any) -> Load:
    if not isinstance(said, Mapping):
        raise _bad((), f"expected slots, and slowdown or queue; got {said!r}")
    if "slowdown" in said and "queue" in said:
        raise _bad(("queue",), "beside 'slowdown': a turn too many waits, or is slower; not both", key=True)
    read: dict[str, Callable[[Any], Any]] = {"slots": lambda one: _count(one, 1), "slowdown": _positive, "queue": _flag}
    return Load(**_members(said, read, ("slots",)))


def _rate(said: Any) -> Rate:
    if isinstance(said, Rate):
        return said
    found = RATE.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None or float(found[1]) == 0:
        raise _bad((), f"expected 40 words/s or 200 characters/s, got {said!r}")
    if found[2] not in RATES:
        raise _bad((), f"no unit {found[2]!r}{did_you_mean(found[2], list(RATES)) or _one_of(RATES)}", word=found[2])
    return Rate(float(found[1]), RATES[found[2]])  # type: ignore[arg-type]


def _members(
    said: Mapping[str, Any], read: Mapping[str, Callable[[Any], Any]], needed: Sequence[str] = ()
) -> dict[str, Any]:
    """Each member of ``said`` read by its own function; what is wrong in all of them is told together."""
    made, wrong = {}, []
    for name, value in said.items():
        if name not in read:
            near = did_you_mean(str(name), list(read)) or _one_of(read)
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


def _values(kind: str, given: Any) -> tuple[float, ...]:
    names = SPREADS[kind]
    if isinstance(given, Mapping):
        read = dict.fromkeys(names, _seconds)
        made = _members(given, read, names)
        return tuple(made[name] for name in names)
    rows = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if not rows or (names and len(rows) != len(names)):
        raise _bad((), f"{kind}: expected {' and '.join(names) or 'one time or more'}, got {len(rows)} values")
    return tuple(_seconds(row) for row in rows)


def _called(said: Any) -> tuple[str, Any] | None:
    """``name(a, b)``, ``name(x=a)`` or ``{name: …}`` as its name and what it is given; ``None`` for anything else."""
    if isinstance(said, Mapping):
        if len(said) != 1:
            raise _bad((), f"expected one of {', '.join((*SPREADS, *CHUNKS[:3]))} in a mapping, got {len(said)} keys")
        return next(iter((str(name), given) for name, given in said.items()))
    found = CALL.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None and isinstance(said, str) and OPEN_CALL.fullmatch(said.strip()):
        raise _bad(
            (), f"{said!r} is not closed; in a mapping of one line, write {{uniform: [1s, 2s]}}, or quotes around it"
        )
    if found is None:
        return None
    parts = [part.strip() for part in found[2].split(",")] if found[2].strip() else []
    if any("=" in part for part in parts):
        pairs = [part.partition("=") for part in parts]
        return found[1], {name.strip(): value.strip() for name, _, value in pairs}
    return found[1], [_number(part) for part in parts]


def _seconds(said: Any) -> float:
    found = None
    if isinstance(said, str):
        found = DURATION.fullmatch(said.strip())
        value = float(found[1]) * UNITS[found[2] or "s"] if found else math.nan
    elif isinstance(said, int | float) and not isinstance(said, bool):
        value = float(said)
    else:
        value = math.nan
    if math.isnan(value):
        near = did_you_mean(word[0], list(SPREADS)) if isinstance(said, str) and (word := OPENED.match(said)) else ""
        raise _bad((), f"expected {A_TIME}, got {said!r}{near}")
    if not 0 <= value <= LONGEST_S:
        raise _bad((), f"expected a time from 0 to {LONGEST_S:.0f} s, got {said!r}")
    return value


def _count(said: Any, least: int, what: str = "") -> int:
    if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= MOST:
        why = " (the longest character has four)" if what == "bytes" else ""
        raise _bad((), f"{what and f'{what}: '}expected a whole number from {least} to {MOST}{why}, got {said!r}")
    return said


def _probability(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 1:
        raise _bad((), f"expected a number from 0 to 1, got {said!r}")
    return float(said)


def _positive(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= MOST:
        raise _bad((), f"expected a number above 0, got {said!r}")
    return float(said)


def _flag(said: Any) -> bool:
    if not isinstance(said, bool):
        raise _bad((), f"expected true or false, got {said!r}")
    return said


def _nested(line: str) -> dict[str, Any]:
    """``first=300ms stall.after=3`` as a mapping of mappings."""
    data: dict[str, Any] = {}
    for word in _words(line):
        name, equals, value = word.partition("=")
        outer, dot, inner = name.partition(".")
        if not equals or not name:
            raise _bad((), f"expected name=value, as in first=300ms gap=20ms, got {word!r}")
        place = data.setdefault(outer, {}) if dot else data
        at = inner if dot else outer
        if not isinstance(place, dict) or at in place:
            raise _bad((), f"{name!r} is given twice")
        place[at] = _number(value)
    if not data:
        raise _bad((), "expected name=value, as in first=300ms gap=20ms, got nothing")
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


def _number(text: str) -> Any:
    """What a bare word is in YAML: a number, true or false, or text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text) else text


def _bad(path: Path, message: str, *, key: bool = False, word: str = "") -> BadPace:
    return BadPace([Mistake(path, message, key, word)])


def _one_of(names: Mapping[str, Any]) -> str:
    return f"; there are {', '.join(names)}"
