"""What a fault is aimed at: which requests, and how many of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..spec import did_you_mean
from .refusals import Case
from .request import Asked, bearer

APART = ("key", "agent", "dialect", "operation", "session")
"""What a request has one of: two aims at different ones never meet."""


@dataclass(frozen=True)
class Aim:
    """All that is given must hold; nothing given is every request.

    ``headers``: names in lower case and their values, ``None`` for any. ``contains``: in the message. ``nth``: only that one of
    the requests that fit, counted from 1. ``probability``: of each that fits, by the seed. ``times``: so often, and then no more.
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
        )

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
    for name in ("nth", "times"):
        count = given.get(name)
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ValueError(f"{name}: expected a whole number from 1, got {count!r}")
    chance = given.get("probability")
    if chance is not None and not (isinstance(chance, int | float) and 0 <= chance <= 1):
        raise ValueError(f"probability: expected a number from 0 to 1, got {chance!r}")
    headers = given.get("headers") or {}
    return Aim(**{**given, "headers": {name.lower(): value for name, value in headers.items()}})


def _has(headers: Mapping[str, str], name: str, value: str | None) -> bool:
    return name in headers and value in (None, headers[name])
