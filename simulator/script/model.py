"""The nouns of a script. Frozen, whole, and without a place in any dialect: one script serves them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...spec import Plan, Usage
from ..cutting import Chunk
from ..latency import Latency
from .pattern import Pattern
from .template import Expression, Value

Parallel = Literal["queue", "refuse"]


@dataclass(frozen=True)
class Say:
    """Text, streamed word by word (or as its rule or agent cuts it), or (``whole``) as one piece."""

    text: Value
    whole: bool = False
    after_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """A tool call; ``answered``: whether ``result`` follows, after ``takes_s`` seconds."""

    name: Value
    args: Value
    answered: bool
    result: Value
    after_s: float = 0.0
    takes_s: float = 0.0


@dataclass(frozen=True)
class Pause:
    """Nothing, for that long."""

    after_s: float


@dataclass(frozen=True)
class Fail:
    """The answer breaks off."""

    message: Value
    after_s: float = 0.0


@dataclass(frozen=True)
class Result:
    """A tool that was called before answers."""

    name: Value
    result: Value
    after_s: float = 0.0


Step = Say | Call | Result | Pause | Fail


@dataclass(frozen=True)
class Refuse:
    """A refusal by name; ``message`` in place of the documented words."""

    name: str
    retry_after: int | None = None
    message: Value | None = None


@dataclass(frozen=True)
class When:
    """What a rule asks of a turn: all that is not ``None``. Of several texts any will do."""

    exact: tuple[str, ...] | None = None
    contains: tuple[str, ...] | None = None
    regex: Pattern | None = None
    case: bool = False
    metadata: Mapping[str, Any] | None = None
    first_turn: bool | None = None
    tool: str | None = None
    result: Any = None
    any_result: bool = True
    variables: Mapping[str, Any] | None = None
    condition: Expression | None = None


@dataclass(frozen=True)
class Owner:
    """For whom a rule is meant first of all: the session of an id, the bearer of a key."""

    session: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Rule:
    """What is said, kept and where the session goes, if ``when`` holds. ``place``: ``file:line:column``; ``number`` counts from 1.

    ``chunk``: how ``say`` is cut; ``None`` for as its agent has it. ``owner``: for whom it goes before other rules that fit.
    """

    number: int
    place: str
    when: When | None
    steps: tuple[Step, ...] = ()
    refuse: Refuse | None = None
    usage: Usage | None = None
    capture: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Value] = field(default_factory=dict)
    goto: str | None = None
    chunk: Chunk | None = None
    owner: Owner | None = None


@dataclass(frozen=True)
class Agent:
    """One agent: its turns by name, each with its rules in order. ``ids`` by dialect; ``dialects``: ``None`` for all.

    ``latency``: ``None`` for the backend's. ``chunk``: how ``say`` is cut; ``None`` for by word.
    """

    name: str
    turns: Mapping[str, tuple[Rule, ...]]
    start: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dialects: tuple[str, ...] | None = None
    latency: Latency | None = None
    chunk: Chunk | None = None

    def lives_in(self, dialect: str) -> bool:
        return self.dialects is None or dialect in self.dialects


@dataclass(frozen=True)
class ScriptKey:
    """A key and the limits it was given. ``plan``: the name of one in this script or in a dialect."""

    name: str
    plan: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    balance: int | None = None
    agent: str | None = None
    revoked: bool = False


@dataclass(frozen=True)
class Script:
    """A whole file. ``replace``: whether the built-in keys and agents are gone. ``rulings``: readings of open questions. ``text``: what
    stands in it."""

    path: str
    agents: Mapping[str, Agent]
    keys: Mapping[str, ScriptKey] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    replace: bool = False
    parallel: Parallel = "queue"
    rulings: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False, compare=False)

    @property
    def size(self) -> str:
        """How much there is of it, in words."""
        turns = [rules for agent in self.agents.values() for rules in agent.turns.values()]
        counts = (("agent", len(self.agents)), ("turn", len(turns)), ("rule", sum(map(len, turns))))
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts)
