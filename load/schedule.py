"""When turns are due: rate curves, and the pure iterators of due times that follow them.

A schedule is a row of segments, in each of which the rate runs straight from one value to another. Due times are where the area
under the curve passes a whole number; with Poisson arrivals, where it passes sums of exponential steps. So every kind of schedule
is one inversion, the same seed gives the same times, and any worker can walk the whole of it and keep its share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from ..spec import did_you_mean

KINDS = {
    "constant": "constant:50, evenly spaced",
    "poisson": "poisson:50, independent arrivals",
    "ramp": "ramp:1-50, rising or falling straight",
    "step": "step:10,20,40, equal dwell on each",
    "spike": "spike:10,200, the second rate in the middle fifth",
    "soak": "soak:20, a tenth of the time to warm up to it, then steady",
}
"""Kind of phase -> how it is written; ``/30s`` behind it says how long. ``replay:FILE`` stands alone."""
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(us|ms|s|m|h|)")
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Segment:
    """So many seconds in which the rate (turns a second) runs straight from ``start`` to ``end``."""

    seconds: float
    start: float
    end: float
    poisson: bool = False

    @property
    def turns(self) -> float:
        """The area under it."""
        return self.seconds * (self.start + self.end) / 2

    def time(self, area: float) -> float:
        """When the area under it has reached that much, in seconds from its start."""
        if area <= 0:
            return 0.0
        slope = (self.end - self.start) / self.seconds if self.seconds else 0.0
        root = math.sqrt(max(self.start**2 + 2 * slope * area, 0.0))
        divisor = self.start + root
        return min(2 * area / divisor, self.seconds) if divisor > 0 else self.seconds


@dataclass(frozen=True)
class Schedule:
    """A rate curve, or recorded due times (``replay``). ``text``: as it was written."""

    text: str
    segments: tuple[Segment, ...] = ()
    replay: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.replay[-1] if self.replay else sum(segment.seconds for segment in self.segments)

    @property
    def lasts(self) -> float:
        """How long a run of it is: behind the last turn of a recording there is as much time as there is between two of them, or a second of them all."""
        number = len(self.replay)
        return max(self.seconds * number / max(number - 1, 1), 1.0) if self.replay else self.seconds

    @property
    def turns(self) -> int:
        """About how many turns are due in all."""
        return len(self.replay) if self.replay else round(sum(segment.turns for segment in self.segments))

    @property
    def peak(self) -> float:
        """The highest rate, turns a second; of a replay the most in any one second."""
        if self.replay:
            counts = [0] * (int(self.replay[-1]) + 1)
            for due in self.replay:
                counts[int(due)] += 1
            return float(max(counts))
        return max((max(segment.start, segment.end) for segment in self.segments), default=0.0)

    def rate(self, at: float) -> float:
        """The rate asked for at that second."""
        for segment in self.segments:
            if at < segment.seconds:
                return segment.start + (segment.end - segment.start) * at / segment.seconds
            at -= segment.seconds
        return 0.0

    def due(self, seed: int = 0) -> Iterator[float]:
        """The due times, in seconds from the start, rising; the same for the same seed."""
        if self.replay:
            yield from self.replay
            return
        random, base, target = Random(f"{seed}/arrivals"), 0.0, 0.0
        if self.segments and self.segments[0].poisson:
            target = random.expovariate(1.0)
        for segment in self.segments:
            while target < segment.turns - 1e-9:
                yield base + segment.time(target)
                target += random.expovariate(1.0) if segment.poisson else 1.0
            target -= segment.turns
            base += segment.seconds

    def curve(self, width: int = 60) -> str:
        """The rate over time as one line of blocks."""
        step = self.seconds / width if self.seconds else 1.0
        if self.replay:
            values = [0.0] * width
            for due in self.replay:
                values[min(int(due / step), width - 1)] += 1 / step
        else:
            values = [self.rate((index + 0.5) * step) for index in range(width)]
        top = max(values) or 1.0
        return "".join(BLOCKS[math.ceil(value / top * (len(BLOCKS) - 1))] for value in values)


def parse_schedule(text: str, duration: float) -> Schedule:
    """A schedule from its words, phases joined by ``+``; ``ValueError`` says in one line what was expected.

    Phases without a length of their own share what is left of ``duration`` (seconds) evenly.
    """
    phases = [_Phase.parse(part) for part in text.split("+")]
    told = sum(phase.seconds or 0.0 for phase in phases)
    open_ended = sum(phase.seconds is None for phase in phases)
    left = duration - told
    if open_ended and left <= 0:
        raise ValueError(f"--schedule: its phases take {told:g} s, and nothing of the run's {duration:g} s is left")
    segments: list[Segment] = []
    for phase in phases:
        length = left / open_ended if phase.seconds is None else phase.seconds
        segments += MAKERS[phase.kind](phase.rates, length)
    return Schedule(text, tuple(segments))


def replayed(text: str, times: Sequence[float]) -> Schedule:
    """The due times of a recording, from its first on."""
    if not times:
        raise ValueError("--schedule: the recording has no times")
    ordered = sorted(times)
    return Schedule(text, (), tuple(time - ordered[0] for time in ordered))


@dataclass(frozen=True)
class _Phase:
    kind: str
    rates: tuple[float, ...]
    seconds: float | None

    @classmethod
    def parse(cls, text: str) -> _Phase:
        kind, colon, rest = text.strip().partition(":")
        if kind not in KINDS or not colon:
            known = ", ".join((*KINDS, "replay"))
            hint = did_you_mean(kind, [*KINDS, "replay"]) if kind not in KINDS else f", as {KINDS[kind]}"
            raise ValueError(f"--schedule: expected KIND:RATE, got {text.strip()!r}{hint}; kinds: {known}")
        words, slash, length = rest.partition("/")
        rates = tuple(_rate(word, kind) for word in words.replace("-", ",").split(","))
        wanted = {
            "constant": (1, 1),
            "poisson": (1, 1),
            "soak": (1, 1),
            "ramp": (2, 2),
            "spike": (2, 2),
            "step": (1, 99),
        }
        least, most = wanted[kind]
        if not least <= len(rates) <= most:
            raise ValueError(f"--schedule: {text.strip()!r} has {len(rates)} rates; write {KINDS[kind]}")
        return cls(kind, rates, duration_of(length, "--schedule") if slash else None)


def duration_of(text: str, flag: str) -> float:
    """Seconds from ``90``, ``90s``, ``1.5m``; ``ValueError`` names the flag."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{flag}: expected a duration such as 500ms, 30s or 5m, got {text!r}")
    value = float(match[1]) * UNITS[match[2]]
    if value <= 0:
        raise ValueError(f"{flag}: expected a duration above 0, got {text!r}")
    return value


def _rate(word: str, kind: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise ValueError(f"--schedule: expected turns a second, got {word!r}; write {KINDS[kind]}")
    return value


def _spike(rates: tuple[float, ...], length: float) -> list[Segment]:
    base, peak = rates
    return [Segment(length * 2 / 5, base, base), Segment(length / 5, peak, peak), Segment(length * 2 / 5, base, base)]


MAKERS: dict[str, Callable[[tuple[float, ...], float], list[Segment]]] = {
    "constant": lambda rates, length: [Segment(length, rates[0], rates[0])],
    "poisson": lambda rates, length: [Segment(length, rates[0], rates[0], poisson=True)],
    "ramp": lambda rates, length: [Segment(length, rates[0], rates[1])],
    "step": lambda rates, length: [Segment(length / len(rates), rate, rate) for rate in rates],
    "spike": _spike,
    "soak": lambda rates, length: [
        Segment(length / 10, 0.0, rates[0]),
        Segment(length * 9 / 10, rates[0], rates[0]),
    ],
}
