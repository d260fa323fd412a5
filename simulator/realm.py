"""The state of one dialect's backend: its keys, sessions, limits and balances. The dialects share nothing."""

from __future__ import annotations

from ..spec import Dialect
from . import population
from .agents import Agent, Answer, Turn
from .examples import Examples, examples
from .ids import Ids
from .limits import Limiter
from .population import Key
from .sessions import Sessions


class Realm:
    """Everything that changes from request to request in one dialect."""

    def __init__(self, dialect: Dialect, seed: int) -> None:
        self.dialect = dialect
        self.examples: Examples = examples(dialect)
        self.ids = Ids(seed, dialect.name)
        self.sessions = Sessions(dialect.session_expiry_s)
        self.keys: dict[str, Key] = {}
        self.balances: dict[str, int] = {}
        self.agents: dict[str, Agent] = {}
        self._limiters: dict[str, Limiter] = {}
        self.reset_keys()
        self.public = frozenset(self.keys)

    def reset_keys(self) -> None:
        """The keys as at the start, with what they had and nothing used of it."""
        self.keys.clear()
        self.balances.clear()
        self._limiters.clear()
        self._last_key_id = max((key.id for key in self.examples.created_keys.values()), default=0)
        self._documented = dict(self.examples.created_keys)
        for key in population.keys(self.dialect, self.examples).values():
            self.add(key)

    def renew(self, key: Key) -> None:
        """Nothing of that key's plan is used; requests under way are not counted against it any more."""
        self._limiters.pop(key.name, None)

    def agent_name(self, asked: str) -> str | None:
        """The name under which an agent lives, for the name a request gave: one that was added goes before a built-in one."""
        bare = asked.removeprefix(self.dialect.agent_prefix or "")
        own = next((name for name in (asked, bare) if name in self.agents), None)
        return own or population.agent_name(self.dialect, self.examples, asked)

    def answer(self, name: str, turn: Turn) -> Answer:
        """What the agent of that name says."""
        own = self.agents.get(name)
        return own(turn) if own else population.answer(self.examples, name, turn)

    def add(self, key: Key) -> None:
        """Let a key exist from now on."""
        self.keys[key.name] = key
        if key.balance is not None:
            self.balances[key.name] = key.balance

    def limiter(self, key: Key) -> Limiter:
        """What that key has used of its plan."""
        limiter = self._limiters.get(key.name)
        if limiter is None:
            limiter = self._limiters[key.name] = Limiter(key.plan)
        return limiter

    def create_key(self, creator: Key, agent: str, name: str) -> tuple[int, str]:
        """A new key for that agent, on its creator's plan: its id and text. The first of a documented name is the documented one."""
        documented = self._documented.get(name)
        if documented is not None and self.examples.agent_keys.get(documented.key) == agent:
            del self._documented[name]
            return documented.id, documented.key
        self._last_key_id += 1
        text = self.examples.key_prefix + self.ids.draw(f"key/{creator.name}")
        self.add(Key(text, creator.plan, agent=agent))
        return self._last_key_id, text

    def spend(self, key: Key, units: int) -> None:
        """Take units off a key's balance, if it has one."""
        if key.name in self.balances:
            self.balances[key.name] -= units
