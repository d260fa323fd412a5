"""What a fault is aimed at: which requests, and how many of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ..spec import Dialect, did_you_mean
from .refusals import Case
from .request import Asked, bearer

APART = ("key", "agent", "dialect", "operation", "session")
"""What a request has one of: two aims at different ones never meet."""
NUMBERS = ("nth", "turn", "probability", "times", "begins", "ends")
TOLD = (*APART, "contains", *NUMBERS)
"""The words that can be told as text."""
DAY_S = 86_400
PLACES = ("dialect", "operation")
"""Those of which it is known what there are."""
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


@dataclass(frozen=True)
class Aim:
    """All that is given must hold; nothing given is every request.

    ``headers``: names in lower case and their values, ``None`` for any. ``contains``: in the message. ``nth``: only that one of
    the requests that fit, counted from 1. ``probability``: of each that fits, by the seed. ``times``: so often, and then no more.
    ``turn``: only the one of that number in its session, counted from 1; a request that begins a session is its first.
    ``begins``, ``ends``: only from then and until then, on the backend's clock: seconds after the fault was put in force, or a
    time of day as ``HH:MM`` or ``HH:MM:SS`` in UTC, every day, over midnight too.
    """

    key: str | None = None
    agent: str | None = None
    dialect: str | None = None
    operation: str | None = None
    session: str | None = None
    contains: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    nth: int | None = None
    probability: float | None = None
    times: int | None = None
    turn: int | None = None
    begins: float | str | None = None
    ends: float | str | None = None

    def fits(self, case: Case) -> bool:
        """Whether a request is one of those; ``nth``, ``probability`` and ``times`` are not asked."""
        route = case.route
        asked = case.asked if route.operation is not None and self._reads else None
        roles = asked.roles if isinstance(asked, Asked) else {}
        return (
            self.key in (None, bearer(case.request.headers))
            and self.dialect in (None, route.dialect.name)
            and self.operation in (None, route.operation.id if route.operation else "")
            and (self.agent is None or (route.operation is not None and self.agent in (case.agent_asked, case.agent)))
            and self.session in (None, roles.get("session"))
            and (self.contains is None or self.contains in str(roles.get("message", "")))
            and all(_has(case.request.headers, name, value) for name, value in self.headers.items())
            and (self.turn is None or (route.operation is not None and self.turn == case.number))
        )

    def open(self, now: float, since: float) -> bool:
        """Whether that moment is within its window; ``since``: when it was put in force. Both in seconds since the epoch."""
        begun = self.begins is None or isinstance(self.begins, str) or now - since >= self.begins
        over = self.ends is not None and not isinstance(self.ends, str) and now - since >= self.ends
        first = _of_day(self.begins) if isinstance(self.begins, str) else None
        last = _of_day(self.ends) if isinstance(self.ends, str) else None
        if first is None and last is None:
            return begun and not over
        at, first, last = now % DAY_S, first or 0.0, DAY_S if last is None else last
        daily = first <= at < last if first < last else at >= first or at < last
        return begun and not over and daily

    def meets(self, other: Aim) -> bool:
        """Whether one request could be aimed at by both."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in APART]
        return all(None in pair or pair[0] == pair[1] for pair in pairs)

    @property
    def _reads(self) -> bool:
        return self.contains is not None or self.session is not None


def aim(**given: Any) -> Aim:
    """An aim out of loose words; ``ValueError`` says which of them is none, or what is wrong with it."""
    known = [one.name for one in fields(Aim)]
    for name in given:
        if name not in known:
            raise ValueError(f"a fault is not aimed by {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}")
    for name in ("nth", "times", "turn"):
        count = given.get(name)
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ValueError(f"{name}: expected a whole number from 1, got {count!r}")
    chance = given.get("probability")
    if chance is not None and not (isinstance(chance, int | float) and 0 <= chance <= 1):
        raise ValueError(f"probability: expected a number from 0 to 1, got {chance!r}")
    for name in ("begins", "ends"):
        _moment(name, given.get(name))
    _window(given.get("begins"), given.get("ends"))
    wrong = next((name for name in (*APART, "contains") if not isinstance(given.get(name), str | None)), None)
    if wrong is not None:
        raise ValueError(f"{wrong}: expected text, got {given[wrong]!r}")
    headers = given.get("headers") or {}
    if not isinstance(headers, Mapping) or not all(map(_is_header, headers.items())):
        raise ValueError(f"headers: expected names and their values as text, None for any value, got {headers!r}")
    return Aim(**{**given, "headers": {name.lower(): value for name, value in headers.items()}})


def places(dialects: Iterable[Dialect]) -> dict[str, list[str]]:
    """What can be told of each of ``PLACES``."""
    known = list(dialects)
    operations = dict.fromkeys(operation.id for dialect in known for operation in dialect.operations)
    return {"dialect": [dialect.name for dialect in known], "operation": list(operations)}


def nowhere(aim: Aim, places: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """The first of ``PLACES`` at which that aim never hits anything, and why; ``None`` if there is none."""
    for word, known in places.items():
        told = getattr(aim, word)
        if told is not None and told not in known:
            hint = did_you_mean(told, list(known)) or f"; there are {', '.join(known)}"
            return word, f"{word}: there is no {told!r}{hint}"
    return None


def _is_header(pair: tuple[Any, Any]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], str | None)


def _window(begins: Any, ends: Any) -> None:
    """A window that is never open; one of the day may go over midnight."""
    same_kind = isinstance(begins, str) == isinstance(ends, str)
    if begins is None or ends is None or not same_kind:
        return
    first, last = (_of_day(begins), _of_day(ends)) if isinstance(begins, str) else (begins, ends)
    if first == last or (first > last and not isinstance(begins, str)):
        raise ValueError(f"ends: expected later than begins={begins}, got {ends!r}")


def _moment(name: str, told: Any) -> None:
    day = isinstance(told, str) and TIME.fullmatch(told) is not None
    seconds = isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < float("inf")
    if told is not None and not day and not seconds:
        raise ValueError(f"{name}: expected seconds from 0, or a time of day as 17:30, got {told!r}")


def _of_day(told: str) -> float:
    found = TIME.fullmatch(told)
    assert found is not None, "aims are checked when they are made"
    hours, minutes, seconds = found.groups("0")
    return int(hours) * 3600.0 + int(minutes) * 60 + int(seconds)


def _has(headers: Mapping[str, str], name: str, value: str | None) -> bool:
    return name in headers and value in (None, headers[name])
