"""Latencies and ways to cut, as people write them: in a script, in a test, in a control body or after ``--latency``.

A time that varies is written ``uniform(200ms, 400ms)``, or as data ``{uniform: [200ms, 400ms]}``; a whole latency as a mapping, or in one
line: ``first=300ms gap=normal(20ms, 5ms) stall.after=3 stall.for=2s``. All mistakes are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..spec import did_you_mean
from .cutting import BY_WORD, LONGEST_CHARACTER, WHOLE, Chunk
from .latency import Latency, Load, Rate, Spread, Stall
from .pace_values import bad, called, count, flag, members, nested, one_of, positive, probability, seconds

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
RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)/s")
A_CUT = "word, character, whole, recorded, words(1, 4), characters(n), bytes(7) or recorded(5, 3, 8)"


def latency(said: str | Mapping[str, Any] | Latency) -> Latency:
    """The latency in a line of words or a mapping; ``BadPace`` with every mistake."""
    if isinstance(said, Latency):
        return said
    if isinstance(said, str):
        said = nested(said)
    if not isinstance(said, Mapping):
        raise bad((), f"expected first=300ms gap=20ms …, or a mapping of those, got {said!r}")
    read: dict[str, Callable[[Any], Any]] = {
        "first": spread,
        "gap": spread,
        "rate": _rate,
        "stall": _stall,
        "load": _load,
    }
    return Latency(**members(said, read))


def spelt(said: Latency) -> dict[str, Any]:
    """A latency as data that ``latency`` reads again, for a file."""

    def shown(time: Spread) -> dict[str, Any]:
        return {time.kind: list(time.values)}

    data: dict[str, Any] = {name: shown(time) for name, time in (("first", said.first), ("gap", said.gap)) if time}
    if said.rate is not None:
        data["rate"] = f"{said.rate.per_s:.6f} {said.rate.unit}/s"
    if said.stall is not None:
        data["stall"] = {"after": said.stall.after, "for": shown(said.stall.lasts), "chance": said.stall.chance}
    if said.load is not None:
        how = {"queue": True} if said.load.queue else {"slowdown": said.load.slowdown}
        data["load"] = {"slots": said.load.slots, **how}
    return data


def spread(said: Any) -> Spread:
    """A time, or how it varies; ``BadPace``."""
    if isinstance(said, Spread):
        return said
    found = called(said)
    if found is None:
        return Spread("fixed", (seconds(said),))
    kind, given = found
    if kind not in SPREADS:
        raise bad((), f"no spread {kind!r}{did_you_mean(kind, list(SPREADS)) or one_of(SPREADS)}", word=kind)
    values = _values(kind, given)
    if kind == "uniform" and values[0] > values[1]:
        raise bad((), "uniform: the least time is longer than the most")
    if kind == "lognormal" and not 0 < values[0] <= values[1]:
        raise bad((), "lognormal: expected p50 above 0, and p99 no shorter")
    return Spread(kind, values)  # type: ignore[arg-type]


def chunk(said: Any) -> Chunk:
    """A way to cut; ``BadPace``."""
    if isinstance(said, Chunk):
        return said
    if isinstance(said, str) and said in PLAIN:
        return PLAIN[said]
    found = called(said)
    if found is None or found[0] not in CHUNKS:
        word = found[0] if found else str(said)
        near = did_you_mean(word, [*PLAIN, *CHUNKS])
        raise bad((), f"expected {A_CUT}, got {said!r}{near}", word=word if found else "")
    unit, given = found
    sizes = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    least = LONGEST_CHARACTER if unit == "bytes" else 1
    if not sizes or (unit != "recorded" and len(sizes) > 2):
        raise bad(
            (),
            f"{unit}: expected {'one size or more' if unit == 'recorded' else 'one size, or the least and the most'}",
        )
    counts = tuple(count(size, least, unit) for size in sizes)
    if unit != "recorded" and counts[0] > counts[-1]:
        raise bad((), f"{unit}: the least, {counts[0]}, is more than the most, {counts[-1]}")
    return Chunk(SINGULAR.get(unit, unit), counts)  # type: ignore[arg-type]


def _stall(said: Any) -> Stall:
    if not isinstance(said, Mapping):
        raise bad((), f"expected after, for and, if it is not sure, chance; got {said!r}")
    read: dict[str, Callable[[Any], Any]] = {"after": lambda one: count(one, 0), "for": spread, "chance": probability}
    made = members(said, read, ("after", "for"))
    return Stall(made["after"], made["for"], made.get("chance", 1.0))


def _load(said: Any) -> Load:
    if not isinstance(said, Mapping):
        raise bad((), f"expected slots, and slowdown or queue; got {said!r}")
    if "slowdown" in said and "queue" in said:
        raise bad(("queue",), "beside 'slowdown': a turn too many waits, or is slower; not both", key=True)
    read: dict[str, Callable[[Any], Any]] = {"slots": lambda one: count(one, 1), "slowdown": positive, "queue": flag}
    return Load(**members(said, read, ("slots",)))


def _rate(said: Any) -> Rate:
    if isinstance(said, Rate):
        return said
    found = RATE.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None or float(found[1]) == 0:
        raise bad((), f"expected 40 words/s or 200 characters/s, got {said!r}")
    if found[2] not in RATES:
        raise bad((), f"no unit {found[2]!r}{did_you_mean(found[2], list(RATES)) or one_of(RATES)}", word=found[2])
    return Rate(float(found[1]), RATES[found[2]])  # type: ignore[arg-type]


def _values(kind: str, given: Any) -> tuple[float, ...]:
    names = SPREADS[kind]
    if isinstance(given, Mapping):
        read = dict.fromkeys(names, seconds)
        made = members(given, read, names)
        return tuple(made[name] for name in names)
    rows = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if not rows or (names and len(rows) != len(names)):
        raise bad((), f"{kind}: expected {' and '.join(names) or 'one time or more'}, got {len(rows)} values")
    return tuple(seconds(row) for row in rows)
