"""The state of one dialect's backend: its keys, sessions, limits and balances. The dialects share nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..spec import Dialect
from . import population
from .agents import Agent, Answer, Turn
from .examples import Examples, examples
from .ids import Ids
from .limits import Limiter
from .population import Key
from .sessions import Sessions

if TYPE_CHECKING:
    from .script.stage import Stage


MOST_CREATED = 10_000
"""How many keys that were made through the API live at a time; the oldest goes first."""


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
        self.windows, self.limits = "fixed", True
        self._built_in = population.keys(dialect, self.examples)
        self._created: dict[str, Key] = {}
        self.stage: Stage | None = None
        self.former_names: dict[str, set[str]] = {}
        self.stand_in: Callable[[str], Key | None] | None = None
        self.stand_for: Callable[[str], str | None] | None = None
        self.reset_keys()
        self.public = frozenset(self.keys)

    def key(self, text: str) -> Key | None:
        """The key of that text; one that only stands for a fault is as good as any."""
        return self.keys.get(text) or (self.stand_in(text) if self.stand_in else None)

    def reset_keys(self) -> None:
        """The keys as at the start, with what they had and nothing used of it."""
        self.keys.clear()
        self.balances.clear()
        self._limiters.clear()
        self._last_key_id = max((key.id for key in self.examples.created_keys.values()), default=0)
        self._documented = dict(self.examples.created_keys)
        self._created.clear()
        for key in self._at_start().values():
            self.add(key)

    def perform(self, stage: Stage | None) -> None:
        """Play that script from now on, or none. Keys that stay the same keep what they have used; sessions under way keep their agents."""
        for asked, name in self.stage.names.items() if self.stage else ():
            self.former_names.setdefault(asked, set()).add(name)
        self.stage = stage
        everyone = {**self._at_start(), **self._created}
        self._keep({name: key for name, key in everyone.items() if self.keys.get(name) == key})
        for name, key in everyone.items():
            if name not in self.keys:
                self.add(key)

    def _at_start(self) -> dict[str, Key]:
        """The keys that exist before the first request, those of the script among them."""
        if self.stage is None:
            return self._built_in
        return {**({} if self.stage.replace else self._built_in), **self.stage.keys}

    def _keep(self, keys: Mapping[str, Key]) -> None:
        """Let these keys exist, and of the others nothing."""
        self.keys = dict(keys)
        self.balances = {name: left for name, left in self.balances.items() if name in keys}
        self._limiters = {name: used for name, used in self._limiters.items() if name in keys}

    def renew(self, key: Key) -> None:
        """Nothing of that key's plan is used; requests under way are not counted against it any more."""
        self._limiters.pop(key.name, None)

    def settle(self, dialect: Dialect, windows: str, limits: bool) -> None:
        """Go by that table from now on, with windows of that kind. Where the kind changes, all windows begin again.

        ``limits``: whether anybody is held to a plan or a balance.
        """
        self.dialect = dialect
        if (windows, limits) != (self.windows, self.limits):
            self.windows, self.limits = windows, limits
            self._limiters.clear()

    def agent_name(self, asked: str) -> str | None:
        """The name under which an agent lives, for the id a request gave; ``None`` if there is no such agent.

        Where there is none, one that only stands for a fault may still be answered for.
        """
        found = self._agent_name(asked)
        if found is None and self.stand_for is not None:
            found = self.stand_for(asked.removeprefix(self.dialect.agent_prefix or ""))
        return found

    def _agent_name(self, asked: str) -> str | None:
        """One that was added goes before one of the script, and that before a built-in one."""
        if self.agents:
            bare = asked.removeprefix(self.dialect.agent_prefix or "")
            own = next((name for name in (asked, bare) if name in self.agents), None)
            if own is not None:
                return own
        if self.stage is None:
            return population.agent_name(self.dialect, self.examples, asked)
        name = self.stage.names.get(asked)
        if name is not None or self.stage.replace:
            return name
        built_in = population.agent_name(self.dialect, self.examples, asked)
        return None if built_in in self.stage.agents else built_in

    def answer(self, name: str, turn: Turn) -> Answer:
        """What the agent of that name says, unless it is one of the script."""
        own = self.agents.get(name)
        return own(turn) if own else population.answer(self.examples, name, turn)

    @property
    def scripted(self) -> bool:
        """Whether a script is played, or was before, so that sessions under way may go on with it."""
        return self.stage is not None or bool(self.former_names)

    @property
    def anyone(self) -> Key:
        """The key that stands in for a caller without one, where a fault lets such a caller pass."""
        valid = self.keys.get(population.KEY_ROLES["valid"])
        return valid or next(iter(self.keys.values()), Key("", population.GENEROUS))

    def add(self, key: Key) -> None:
        """Let a key exist from now on; one of that name is another from then on, with nothing used."""
        if self.keys.get(key.name, key) != key:
            self._limiters.pop(key.name, None)
            self.balances.pop(key.name, None)
        self.keys[key.name] = key
        if key.balance is not None:
            self.balances[key.name] = key.balance

    def limiter(self, key: Key) -> Limiter:
        """What that key has used of its plan."""
        limiter = self._limiters.get(key.name)
        if limiter is None:
            limiter = self._limiters[key.name] = Limiter(key.plan, self.windows, self.limits)
        return limiter

    def create_key(self, creator: Key, agent: str, name: str) -> tuple[int, str]:
        """A new key for that agent, on its creator's plan: its id and text. The first of a documented name is the documented one."""
        documented = self._documented.get(name)
        if documented is not None and self.examples.agent_keys.get(documented.key) == agent:
            del self._documented[name]
            return documented.id, documented.key
        self._last_key_id += 1
        text = self.examples.key_prefix + self.ids.draw(f"key/{creator.name}")
        self._created[text] = Key(text, creator.plan, agent=agent)
        self.add(self._created[text])
        if len(self._created) > MOST_CREATED:
            self._drop(next(iter(self._created)))
        return self._last_key_id, text

    def new_session(self, key: Key) -> str:
        """The id of a session that has none."""
        return self.examples.session_prefix + self.ids.draw(f"session/{key.name}")

    def _drop(self, name: str) -> None:
        """Let a created key be forgotten, with all that was kept of it but its sessions, which expire by themselves."""
        del self._created[name]
        self.keys.pop(name, None)
        self.balances.pop(name, None)
        self._limiters.pop(name, None)
        self.ids.forget(f"session/{name}")

    def spend(self, key: Key, units: int) -> None:
        """Take units off a key's balance, if it has one."""
        if key.name in self.balances and self.limits:
            self.balances[key.name] -= units
