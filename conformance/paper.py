"""A run on paper: the same scenarios against a channel that answers as a good target would, to count what it would cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..spec import Dialect, Plan, Requirement
from .ask import Ask, compose
from .exchange import Chunk, End, Exchange
from .plans import second_plan
from .profile import Profile
from .run import Options, chosen_scenarios, missing
from .scenario import Scene, drive


@dataclass(frozen=True)
class Cost:
    """What a run would send, by scenario and by the key that pays for it."""

    by_scenario: dict[str, int]
    by_key: dict[str, int]
    waiting_s: float = 0.0
    """How long it would wait for sessions to expire and windows to end, in seconds; pacing comes on top of it."""

    @property
    def requests(self) -> int:
        return sum(self.by_scenario.values())


@dataclass
class PaperChannel:
    """Answers every request with the documented reply, and a spent limit with 429; nothing is sent."""

    dialect: Dialect
    profile: Profile
    asks: list[Ask] = field(default_factory=list)
    waited_s: float = 0.0
    _spent: Counter[str] = field(default_factory=Counter)

    @property
    def _second(self) -> Plan | None:
        return second_plan(self.dialect)

    def send(self, ask: Ask) -> Exchange:
        self.asks.append(ask)
        request, asked = compose(ask, self.dialect, self.profile)
        key = ask.key or ""
        self._spent[key] += 1
        limits = self.profile.limits
        limit = {
            "limited": limits.requests_per_minute,
            "daily": limits.requests_per_day,
            "brief": limits.brief_requests or limits.requests_per_minute,
            "pro": self._second.requests_per_minute if self._second else None,
        }.get(key)
        status = 429 if limit is not None and self._spent[key] > limit else 200
        body = json.dumps(self._reply(ask)).encode()
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        return Exchange(
            "paper", ask.step, request, self.waited_s, 0, (Chunk(0, head + body),), End.COMPLETE, asked=asked
        )

    def open(self, ask: Ask) -> Ask:
        return ask

    def finish(self, held: Ask) -> Exchange:
        return self.send(held)

    def leave(self, held: Ask) -> Exchange:
        return self.send(held)

    def wait(self, seconds: float) -> None:
        """Whatever was spent is whole again."""
        self.waited_s += seconds
        self._spent.clear()

    def done(self) -> None:
        return None

    def _reply(self, ask: Ask) -> dict[str, Any]:
        keys = self.dialect.operation("keys")
        shape = self.dialect.key_reply if keys is not None and ask.operation == keys.id else self.dialect.reply
        body: dict[str, Any] = {}
        for pointers in (shape.roles if shape else {}).values():
            at = body
            *parents, last = pointers[0].split("/")[1:]
            for parent in parents:
                at = at.setdefault(parent, {})
            at[last] = ask.session or "paper"
        return body


def cost(profile: Profile, dialect: Dialect, rows: Sequence[Requirement], options: Options) -> Cost:
    """What verifying these rows would send, the preflight included."""
    by_scenario: dict[str, int] = {"preflight": 1}
    by_key: Counter[str] = Counter(valid=1)
    waiting_s = 0.0
    for scenario in chosen_scenarios(rows):
        if missing(scenario, profile) is not None:
            continue
        channel = PaperChannel(dialect, profile)
        drive(scenario.play(Scene(dialect, profile, options.seed or 0, scenario.name)), scenario.name, channel)
        by_scenario[scenario.name] = len(channel.asks)
        waiting_s += channel.waited_s
        by_key.update(ask.key or "none" for ask in channel.asks)
    return Cost(by_scenario, dict(by_key), waiting_s)
