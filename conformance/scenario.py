"""Scenarios: generators that yield what to do and receive what came back. No input or output happens in them.

``drive`` runs one against anything that can send; so the same scenario meets a server over a socket, or a fake in a test.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..spec import Dialect
from .advertised import advertised, stated_wait
from .ask import Ask
from .exchange import Exchange
from .profile import Profile
from .seen import Seen
from .transcript import Transcript

PATIENCE_S = 5
"""How long a place that somebody has left may take to be free again; asked for each second."""


@dataclass(frozen=True)
class Open:
    """Begin this stream and come back once its first bytes arrived, holding it open."""

    ask: Ask


@dataclass(frozen=True)
class Leave:
    """Hang up on an open stream."""

    held: Any


@dataclass(frozen=True)
class Finish:
    """Read an open stream to its end."""

    held: Any


@dataclass(frozen=True)
class Wait:
    """Let so many seconds pass: for an expiry, or a window."""

    seconds: float


Step = Ask | Open | Finish | Leave | Wait
Script = Generator[Step, Any, None]


class Channel(Protocol):
    """What a scenario is driven over."""

    def send(self, ask: Ask) -> Exchange: ...
    def open(self, ask: Ask) -> Any: ...
    def finish(self, held: Any) -> Exchange: ...
    def leave(self, held: Any) -> Exchange: ...
    def wait(self, seconds: float) -> None: ...
    def done(self) -> None: ...


@dataclass
class Scene:
    """What a scenario knows: the dialect, the profile, and words that no other scenario or run uses.

    ``chooses``: the target lets a client choose the id of a new session (AMB-09), as the documents' examples do.
    """

    dialect: Dialect
    profile: Profile
    seed: int
    name: str
    chooses: bool = True
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/{self.name}")

    def word(self) -> str:
        """A fresh word of eight letters, the same for the same seed."""
        return "".join(self._random.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(8))

    def session(self) -> str:
        """A session id that this run alone uses, and that no target has seen."""
        return f"sess_{self.word()}"

    def begin(self, step: str = "begin", agent: str = "default") -> Generator[Step, Any, str | None]:
        """A session to name in requests: one that the client chooses, or else one that a reply has named."""
        if self.chooses:
            return self.session()
        return self.session_of((yield Ask(step, agent=agent)))

    def tell(self) -> str:
        """Something to remember, with a word of its own."""
        return self.profile.recall.tell.format(nonce=self.word())

    def see(self, exchange: Exchange) -> Seen:
        """An answer, read in the dialect."""
        return Seen(exchange, self.dialect, self.profile)

    def some_remain(self, exchange: Exchange) -> bool:
        """Whether a refusal says that some requests remain, so that it is for something else, such as open streams (AMB-21)."""
        remaining = advertised(self.see(exchange)).remaining
        return exchange.status == 429 and remaining is not None and remaining > 0

    def stated_wait(self, exchange: Exchange) -> float | None:
        """In how many seconds a refusal says to come back."""
        return stated_wait(self.see(exchange))

    def nobody(self) -> str:
        """The id of an agent that does not exist."""
        return self.profile.agents.get("unknown") or f"{self.dialect.agent_prefix or ''}missing-{self.word()}"

    def metadata(self) -> dict[str, Any]:
        """Additional context for the agent, as roles to set: empty where the dialect has no place for it."""
        given = {"plan": self.word(), "source": "web", "nested": {"n": 1}}
        return {"metadata": given} if "metadata" in self.dialect.request.chat else {}

    def session_of(self, exchange: Exchange) -> str | None:
        """The session that an answer named."""
        return self.see(exchange).session

    def kept(self, exchange: Exchange) -> bool:
        """Whether a response came whole and left its connection open for another request."""
        seen = self.see(exchange)
        return seen.arrived_whole and not seen.announced_close

    def key_of(self, exchange: Exchange) -> str | None:
        """The key that an answer to key creation holds."""
        key = self.see(exchange).key_roles.get("key")
        return key if isinstance(key, str) and key else None

    @property
    def stream_names_session(self) -> bool:
        """Whether a stream's last event is documented to name the session."""
        return any(row.event == "done" and "session" in row.shape.roles for row in self.dialect.stream)

    @property
    def streams(self) -> bool:
        """Whether the dialect documents any stream at all."""
        return bool(self.dialect.stream)


Costs = Callable[[Profile, Dialect], int]


@dataclass(frozen=True)
class Scenario:
    """A named conversation. ``needs``: profile keys without which it cannot run; ``claim``: the capability it is about.

    ``last``: it uses up a limit, so it comes after everything else. ``imports``: modules of the extra ``verify`` that it needs.
    ``costs``: at most how many requests, for those that are left out rather than begun when the budget does not allow for them.
    """

    name: str
    play: Callable[[Scene], Script]
    needs: tuple[str, ...]
    claim: str | None
    last: bool
    imports: tuple[str, ...] = ()
    costs: Costs | None = None


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    claim: str | None = None,
    last: bool = False,
    imports: tuple[str, ...] = (),
    costs: Costs | None = None,
) -> Callable[[Callable[[Scene], Script]], Callable[[Scene], Script]]:
    """Register a generator under ``name``; checks refer to it by that name."""

    def register(play: Callable[[Scene], Script]) -> Callable[[Scene], Script]:
        if name in SCENARIOS:
            raise ValueError(f"two scenarios are called {name!r}")
        SCENARIOS[name] = Scenario(name, play, needs, claim, last, imports, costs)
        return play

    return register


def drive(
    script: Script, name: str, channel: Channel, keep: Callable[[Transcript], None] = lambda _: None
) -> Transcript:
    """Run a scenario to its end; the exchanges it caused, in the order in which they ended.

    ``keep`` is handed the transcript also when something (Ctrl-C, a spent budget) ends the scenario half-way.
    """
    exchanges: list[Exchange] = []
    held: list[Any] = []
    answer: Any = None
    try:
        while True:
            step = script.send(answer)
            match step:
                case Ask():
                    answer = channel.send(step)
                    exchanges.append(answer)
                case Open():
                    answer = channel.open(step.ask)
                    held.append(answer)
                case Finish():
                    held.remove(step.held)
                    answer = channel.finish(step.held)
                    exchanges.append(answer)
                case Leave():
                    held.remove(step.held)
                    answer = channel.leave(step.held)
                    exchanges.append(answer)
                case Wait():
                    channel.wait(step.seconds)
    except StopIteration:
        pass
    finally:
        exchanges += [channel.leave(stream) for stream in held]
        channel.done()
        transcript = Transcript(name, tuple(exchanges))
        keep(transcript)
    return transcript
