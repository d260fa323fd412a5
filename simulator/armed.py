"""Faults that are put in and taken out while a backend runs: which of them bend a request, and how often each has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeVar, get_args

from ..spec import did_you_mean
from .aim import Aim
from .fault import Fault, LayerName
from .faults import FAULTS
from .faults_bytes import CUTS, cut_after
from .ids import Tape
from .plan import Layer
from .refusals import Case
from .reply import Refusal
from .rules import Rules, Spot

T = TypeVar("T")
EVERYTHING = Aim()
LAYERS: tuple[LayerName, ...] = get_args(LayerName)
"""From what is decided down to the wire: in this order faults are composed, whenever they were added."""


@dataclass
class Armed:
    """A fault in force. ``fitted``: requests that it was aimed at; ``fired``: answers that it changed."""

    id: str
    fault: Fault
    aim: Aim
    after: int | None = None
    fitted: int = 0
    fired: int = 0

    @property
    def spent(self) -> bool:
        return self.aim.times is not None and self.fired >= self.aim.times


@dataclass
class Strike:
    """The faults that bend one request. ``yielded``: warnings about those that had to give way to another on their layer."""

    armed: tuple[Armed, ...] = ()
    yielded: tuple[str, ...] = ()
    struck: set[str] = field(default_factory=set)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(watched(one.fault.layer, self._mark(one)) for one in self.armed)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that changed something."""
        return tuple(one.fault.name for one in self.armed if one.id in self.struck)

    def _mark(self, one: Armed) -> Callable[[], None]:
        def mark() -> None:
            if one.id not in self.struck:
                self.struck.add(one.id)
                one.fired += 1

        return mark


NOTHING = Strike()


class Armoury:
    """The faults of one backend, in the order in which they were added; on each layer the last that fits wins."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.tape: Tape | None = None
        self._armed: dict[str, Armed] = {}
        self._last = 0

    def __iter__(self) -> Iterator[Armed]:
        return iter(tuple(self._armed.values()))

    def add(self, name: str, at: Aim = EVERYTHING, after: int | None = None) -> Armed:
        """Put a fault in force. ``after``: for one that cuts a stream, behind that many events. ``ValueError`` for a bad name."""
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}{did_you_mean(name, list(FAULTS))}")
        fault = FAULTS[name]
        if after is not None:
            if name not in CUTS:
                raise ValueError(f"after: {name!r} cuts no stream; these do: {', '.join(CUTS)}")
            if isinstance(after, bool) or not isinstance(after, int) or after < 0:
                raise ValueError(f"after: expected a number of events, got {after!r}")
            fault = replace(fault, layer=cut_after(after, CUTS[name]))
        self._last += 1
        armed = self._armed[f"f{self._last}"] = Armed(f"f{self._last}", fault, at, after)
        return armed

    def warnings(self, armed: Armed) -> list[str]:
        """Where it may meet another fault on its layer."""
        others = [one for one in self._armed.values() if one is not armed and one.fault.on == armed.fault.on]
        return [
            f"{armed.id} {armed.fault.name} and {one.id} {one.fault.name} are both on the layer {one.fault.on}: "
            "where they meet, the one added last wins"
            for one in others
            if one.aim.meets(armed.aim)
        ]

    def remove(self, id: str) -> Armed:
        """Take it out of force; ``KeyError`` if there is none of that id."""
        return self._armed.pop(id)

    def discard(self, id: str) -> None:
        """Take it out of force, if it is in force."""
        self._armed.pop(id, None)

    def clear(self) -> int:
        """Take all out of force; how many they were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def reset(self, start: Iterable[str]) -> None:
        """Take all out of force and put in those, uncounted, as at the start."""
        self._armed.clear()
        self._last = 0
        for name in start:
            self.add(name)

    def strike(self, case: Case) -> Strike:
        """What bends this request; asking counts it."""
        if not self._armed:
            return NOTHING
        by_layer: dict[LayerName, Armed] = {}
        yielded: list[str] = []
        for one in self._armed.values():
            if not self._aimed(one, case):
                continue
            loser = by_layer.get(one.fault.on)
            if loser is not None:
                yielded.append(
                    f"{loser.fault.name} gives way to {one.fault.name}: both are on the layer {one.fault.on}"
                )
            by_layer[one.fault.on] = one
        return Strike(tuple(by_layer[name] for name in LAYERS if name in by_layer), tuple(yielded))

    def _aimed(self, one: Armed, case: Case) -> bool:
        if one.spent or not one.aim.fits(case):
            return False
        one.fitted += 1
        if one.aim.nth is not None and one.fitted != one.aim.nth:
            return False
        if one.aim.probability is None:
            return True
        drawn = chance(f"{self.seed}/fault/{one.id}/{one.fitted}")
        return (self.tape.decide("fault", drawn) if self.tape else drawn) < one.aim.probability


def chance(stream: str) -> float:
    """A number in [0, 1) that is the same for the same words."""
    return int.from_bytes(blake2b(stream.encode(), digest_size=7).digest()) / (1 << 56)


def watched(layer: Layer, mark: Callable[[], None]) -> Layer:
    """The same layer, which calls ``mark`` when it changes anything."""

    def watch(change: Callable[[T], T] | None) -> Callable[[T], T] | None:
        if change is None:
            return None

        def watching(plain: T) -> T:
            changed = change(plain)
            if changed is not plain and changed != plain:
                mark()
            return changed

        return watching

    return Layer(
        _watched_rules(layer.rules, mark),
        watch(layer.reply),
        watch(layer.value),
        watch(layer.text),
        watch(layer.message),
        watch(layer.plan),
    )


def _watched_rules(
    change: Callable[[Rules], Rules] | None, mark: Callable[[], None]
) -> Callable[[Rules], Rules] | None:
    """Rules that mark when they decide otherwise; what is no function counts as soon as it is in force."""
    if change is None:
        return None

    def watching(plain: Rules) -> Rules:
        bent = change(plain)
        if replace(bent, refuse=plain.refuse, spot=plain.spot) != plain:
            mark()

        def refuse(refusal: Refusal) -> Refusal | None:
            said = bent.refuse(refusal)
            if said != plain.refuse(refusal):
                mark()
            return said

        def spot(place: Spot) -> Spot:
            found = bent.spot(place)
            if found != plain.spot(place):
                mark()
            return found

        return replace(bent, refuse=refuse, spot=spot)

    return watching
