"""Faults that are put in and taken out while a backend runs: which of them bend a request, and how often each has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations
from typing import Any, get_args

from .aim import Aim, nowhere
from .fault import Fault, Given, LayerName
from .ids import Tape
from .plan import Layer
from .refusals import Case
from .request import Asked, bearer
from .watched import watched
from .worded import Armament, armament, listed

LAYERS: tuple[LayerName, ...] = get_args(LayerName)
"""From what is decided down to the wire: in this order faults are composed, whenever they were added."""
SCRIPT = "script"
"""By what a fault of a script is in force."""
REMEMBERED = 500
"""Of how many faults that requests asked for themselves it is remembered how often they were."""
CONVERSATIONS = 10_000
"""Of how many conversations a fault knows how often it has drawn in them."""


@dataclass
class Armed:
    """A fault in force. ``fitted``: requests that it was aimed at; ``fired``: answers that it changed.

    ``by``: how requests ask for it, empty for one that was put in force. ``since``: when it was, in seconds since the epoch;
    ``None`` until a clock is known.
    """

    id: str
    fault: Fault
    aim: Aim
    values: Mapping[str, Any] = field(default_factory=dict)
    since: float | None = None
    by: str = ""
    fitted: int = 0
    fired: int = 0
    drawn: OrderedDict[str, int] = field(default_factory=OrderedDict, repr=False, compare=False)

    @property
    def spent(self) -> bool:
        return self.aim.times is not None and self.fired >= self.aim.times

    def layer(self, case: Case, draw: Callable[[str], float]) -> Layer:
        """What it does to that request. ``draw``: the number that chance has under a name."""
        if self.fault.make is None:
            return self.fault.layer
        return self.fault.make(Given(self.values, case, self.fitted, lambda n: draw(f"/{n}")))

    def again(self, conversation: str) -> int:
        """Which of that conversation's requests it is that it draws for, from 1."""
        count = self.drawn[conversation] = self.drawn.pop(conversation, 0) + 1
        if len(self.drawn) > CONVERSATIONS:
            self.drawn.popitem(last=False)
        return count


@dataclass
class Strike:
    """The faults that bend one request. ``yielded``: warnings about those that had to give way to another on their layer.

    ``layers``: what they do, in their order.
    """

    armed: tuple[Armed, ...] = ()
    yielded: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    struck: set[str] = field(default_factory=set)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that changed something."""
        return tuple(one.fault.name for one in self.armed if one.id in self.struck)

    def mark(self, one: Armed) -> Callable[[], None]:
        def mark() -> None:
            if one.id not in self.struck:
                self.struck.add(one.id)
                one.fired += 1

        return mark


NOTHING = Strike()


class Armoury:
    """The faults of one backend, in the order in which they were added; on each layer the last that fits wins.

    ``places``: the dialects and operations that a fault can be aimed at, if that is known. ``triggered``: those that requests have asked for themselves, by how and in which words; they win over those in force.
    """

    def __init__(self, seed: int, places: Mapping[str, Sequence[str]] | None = None) -> None:
        self.seed = seed
        self.places = places or {}
        self.tape: Tape | None = None
        self.triggered: OrderedDict[str, Armed] = OrderedDict()
        self._armed: dict[str, Armed] = {}
        self._last = 0
        self._now: float | None = None
        self._scripted: tuple[Armament, ...] = ()

    def __iter__(self) -> Iterator[Armed]:
        return iter(tuple(self._armed.values()))

    def __len__(self) -> int:
        return len(self._armed)

    def has(self, name: str) -> bool:
        """Whether a fault of that name is in force."""
        return any(one.fault.name == name for one in self._armed.values())

    def begin(self, now: float) -> None:
        """What is in force now has been since then, in seconds since the epoch, unless a moment is known."""
        self._now = now
        for one in self._armed.values():
            one.since = now if one.since is None else one.since

    def add(
        self,
        told: str | Armament,
        at: Aim | None = None,
        after: int | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        now: float | None = None,
    ) -> Armed:
        """Put a fault in force: its name, perhaps with parameters and words of its aim (``worded``). ``ValueError`` for a bad one.

        ``after``: one of its parameters, for a fault that cuts a stream. ``now``: in seconds since the epoch.
        """
        more = {**(parameters or {}), **({} if after is None else {"after": after})}
        meant = told if isinstance(told, Armament) else armament(told, more)
        meant = meant if at is None else meant._replace(aim=at)
        wrong = nowhere(meant.aim, self.places)
        if wrong is not None:
            raise ValueError(wrong[1])
        return self._put(meant, self._now if now is None else now)

    def _put(self, meant: Armament, since: float | None, by: str = "") -> Armed:
        self._last += 1
        armed = Armed(f"f{self._last}", meant.fault, meant.aim, meant.values, since, by)
        self._armed[armed.id] = armed
        return armed

    def warnings(self, armed: Armed) -> list[str]:
        """Where it may meet another fault on its layer."""
        others = [one for one in self._armed.values() if one is not armed]
        return [warning for one in others for warning in _meeting(one, armed)]

    def meetings(self) -> list[str]:
        """Where any two of them may meet."""
        return [warning for one, later in combinations(self._armed.values(), 2) for warning in _meeting(later, one)]

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

    def perform(self, faults: Sequence[Armament]) -> None:
        """Put the faults of a script in force, in the place of those of the script before."""
        self._scripted = tuple(faults)
        self._armed = {id: one for id, one in self._armed.items() if one.by != SCRIPT}
        for meant in self._scripted:
            self._put(meant, self._now, SCRIPT)

    def reset(self, start: Iterable[str | Armament]) -> None:
        """Take all out of force and put in those, and those of the script, uncounted, as at the start."""
        self._armed.clear()
        self.triggered.clear()
        self._last = 0
        for told in start:
            self.add(told)
        self.perform(self._scripted)

    def strike(self, case: Case, asked: Sequence[tuple[str, str]] = ()) -> Strike:
        """What bends this request; asking counts it. ``asked``: what it asks for itself, how and in words; ``ValueError``."""
        if not self._armed and not asked:
            return NOTHING
        wanted = [(by, text) for by, told in asked for text in listed(told)]
        return self.struck([*self._armed.values(), *(self._triggered(by, text) for by, text in wanted)], case)

    def struck(self, armed: Iterable[Armed], case: Case, marks: set[str] | None = None) -> Strike:
        """What those of them do to a request that are aimed at it; on each layer the last. ``marks``: where to say which fired."""
        by_layer: dict[LayerName, tuple[Armed, Callable[[str], float]]] = {}
        yielded: list[str] = []
        for one in armed:
            draw = self._chance(one, case)
            if not self._aimed(one, case, draw):
                continue
            loser = by_layer.get(one.fault.on)
            if loser is not None:
                yielded.append(
                    f"{loser[0].fault.name} gives way to {one.fault.name}: both are on the layer {one.fault.on}"
                )
            by_layer[one.fault.on] = one, draw
        ordered = [by_layer[name] for name in LAYERS if name in by_layer]
        strike = Strike(tuple(one for one, _ in ordered), tuple(yielded))
        strike.struck = strike.struck if marks is None else marks
        strike.layers = tuple(watched(one.layer(case, draw), strike.mark(one)) for one, draw in ordered)
        return strike

    def reseed(self, seed: int) -> None:
        """All draws begin again, under that seed."""
        self.seed = seed
        for one in (*self._armed.values(), *self.triggered.values()):
            one.drawn.clear()

    def _chance(self, one: Armed, case: Case) -> Callable[[str], float]:
        """The draws for one request, named by its conversation and its place there: what others do changes nothing."""
        stream = ""

        def draw(name: str) -> float:
            nonlocal stream
            if not stream:
                who = conversation(case)
                stream = f"{self.seed}/fault/{one.id}/{who}/{one.again(who)}"
            return drawn(stream + name, self.tape)

        return draw

    def _triggered(self, by: str, text: str) -> Armed:
        try:
            return self.remembered(by, text)
        except ValueError as error:
            raise ValueError(f"{by}: {text}: {error}") from None

    def remembered(self, by: str, text: str, meant: Armament | None = None) -> Armed:
        """The one that is asked for so, so that it knows how often it was; ``text`` tells it, or names what is meant."""
        id = f"{by}: {text}"
        one = self.triggered.get(id)
        if one is None or (meant is not None and (one.fault, one.values, one.aim) != meant):
            told = meant or armament(text)
            wrong = None if meant else nowhere(told.aim, self.places)
            if wrong is not None:
                raise ValueError(wrong[1])
            one = self.triggered[id] = Armed(id, told.fault, told.aim, told.values, by=by)
            if len(self.triggered) > REMEMBERED:
                self.triggered.popitem(last=False)
        self.triggered.move_to_end(id)
        return one

    def _aimed(self, one: Armed, case: Case, draw: Callable[[str], float]) -> bool:
        if one.since is None:
            one.since = case.now
        if one.spent or not one.aim.fits(case) or not one.aim.open(case.now, one.since):
            return False
        one.fitted += 1
        if one.aim.nth is not None and one.fitted != one.aim.nth:
            return False
        if one.aim.probability is None:
            return True
        return draw("") < one.aim.probability


def _meeting(one: Armed, armed: Armed) -> list[str]:
    if one.fault.on != armed.fault.on or not one.aim.meets(armed.aim):
        return []
    both = f"{armed.id} {armed.fault.name} and {one.id} {one.fault.name}"
    return [f"{both} are both on the layer {one.fault.on}: where they meet, the one added last wins"]


def conversation(case: Case) -> str:
    """Whose request it is: the dialect, the key, and where it names them the agent and the session."""
    asked = case.asked if case.route.operation is not None else None
    named = (case.agent_asked, asked.session or "") if isinstance(asked, Asked) else ("", "")
    return "/".join((case.route.dialect.name, bearer(case.request.headers) or "", *named))


def drawn(stream: str, tape: Tape | None) -> float:
    """What that stream says, or what a tape has of it."""
    made = chance(stream)
    return made if tape is None else tape.decide("fault", made)


def chance(stream: str) -> float:
    """A number in [0, 1) that is the same for the same words."""
    return int.from_bytes(blake2b(stream.encode("utf-8", "surrogatepass"), digest_size=7).digest()) / (1 << 56)
