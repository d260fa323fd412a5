"""What a check is: a pure function from what was seen to findings; and the table of all of them.

A check yields ``Finding`` (the target is wrong), ``Reading`` (the documents leave it open: this is what the target does),
``Unclear`` (something got in the way) or ``Unverified`` (no evidence). Yielding nothing means: looked, and it was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .seen import Seen

Over = Literal["streams", "replies", "refusals", "answers", "keys", "requests"]


@dataclass(frozen=True)
class Finding:
    """The target broke the requirement: what was expected, what came, and where in which exchange's body.

    ``pinned``: the profile holds the target to a reading of an open question, so the finding counts whatever the level.
    ``within``: what the offset counts in; ``response`` is everything that was received, from the status line on.
    """

    expected: str
    got: str
    seen: Seen | None = None
    offset: int | None = None
    pinned: bool = False
    within: Literal["body", "response"] = "body"


@dataclass(frozen=True)
class Reading:
    """Which reading of an open question the target follows. ``value`` is what a profile's ``rulings`` may pin.

    ``also``: further names that the same evidence leaves possible, or that this row says nothing about: to pin one of them is no
    contradiction.
    """

    value: str
    text: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unclear:
    """Evidence was sought but something that is not the requirement's matter got in the way."""

    reason: str


@dataclass(frozen=True)
class Unverified:
    """There was nothing to look at."""

    reason: str


Note = Finding | Reading | Unclear | Unverified


class Steps:
    """The exchanges of one scenario by the name of their step."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self.all = tuple(seen)

    def __getitem__(self, step: str) -> Seen:
        for seen in self.all:
            if seen.asked["step"] == step:
                return _ours(seen)
        raise StepMissing(step)

    def named(self, prefix: str) -> list[Seen]:
        """Every exchange whose step begins with ``prefix``, in order."""
        return [_ours(seen) for seen in self.all if seen.asked["step"].startswith(prefix)]


def _ours(seen: Seen) -> Seen:
    if seen.asked.get("stray"):
        raise StrayLimit(seen.asked["step"])
    return seen


class StrayLimit(Exception):
    """The target's own 429 stood where an answer was wanted, and again after the wait that it named."""


class StepMissing(KeyError):
    """The scenario did not get that far, or leaves that step out in this dialect."""


EachSeen = Callable[[Seen], Iterator[Note]]
OfSteps = Callable[[Steps], Iterator[Note]]


@dataclass(frozen=True)
class Check:
    """A registered check: over every exchange of a kind, or over the steps of one scenario.

    ``control``: the step that must have succeeded first, since a refusal proves nothing when the good request fails too.
    ``reads``: the steps whose bodies must be legible, or the outcome is inconclusive.
    """

    id: str
    statement: str
    over: Over | None = None
    when: Callable[[Seen], bool] | None = None
    legible: bool = False
    judge_one: EachSeen | None = None
    scenario: str | None = None
    control: str | None = None
    reads: tuple[str, ...] = ()
    judge_steps: OfSteps | None = None


CHECKS: dict[str, Check] = {}


def each(
    over: Over, *, legible: bool = False, when: Callable[[Seen], bool] | None = None, name: str | None = None
) -> Callable[[EachSeen], EachSeen]:
    """Register a check over every exchange of that kind (and for which ``when`` holds) in the run.

    ``legible``: look only at answers whose bytes lost nothing; where all did, the outcome is inconclusive, and the requirements
    of `http`, `sse` and `json` say why. ``name`` replaces the function's own, for checks that are rows of a table.
    """

    def register(judge: EachSeen) -> EachSeen:
        _add(Check(_name(judge, name), _statement(judge), over, when, legible, judge))
        return judge

    return register


def of(
    scenario: str, *, control: str | None = None, reads: tuple[str, ...] = (), name: str | None = None
) -> Callable[[OfSteps], OfSteps]:
    """Register a check over the steps of one scenario, see ``Check``; ``name`` as for ``each``."""

    def register(judge: OfSteps) -> OfSteps:
        statement, named = _statement(judge), _name(judge, name)
        _add(Check(named, statement, scenario=scenario, control=control, reads=reads, judge_steps=judge))
        return judge

    return register


def _add(check: Check) -> None:
    if check.id in CHECKS:
        raise ValueError(f"two checks are called {check.id!r}")
    CHECKS[check.id] = check


def _name(judge: Callable[..., object], name: str | None = None) -> str:
    return f"{judge.__module__.rpartition('.')[2]}.{name or judge.__name__}"


def _statement(judge: Callable[..., object]) -> str:
    if not judge.__doc__:
        raise ValueError(f"{judge.__name__} does not say what it enforces")
    return " ".join(judge.__doc__.split())
