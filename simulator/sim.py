"""What a test holds of a running backend: ``sim``. All that it changes is changed between two requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..spec import did_you_mean
from . import own, population
from .agents import Turn
from .app import Running
from .armed import Armed
from .own_keys import own_key
from .own_keys import units as whole_units
from .requests import Requests
from .scopes import RESETS, Scope
from .worded import armament

if TYPE_CHECKING:
    from .replay import Replay

T = TypeVar("T")
PATIENCE_S = 30.0
"""How long a change may wait for its turn on the thread that serves; in real seconds."""


class Sim:
    """A running backend, or one scope of it: the same words for both. From any thread, and from an agent's function."""

    def __init__(self, server: Running, scope: Scope) -> None:
        self._server, self._scope = server, scope
        self._made = count(1)
        self.name = scope.name
        self.base_url = server.base_url + scope.prefix
        self.journal = Requests(server.journal, lambda entry: entry.scope == scope.name)
        self.clock = SimClock(self)

    @property
    def replay(self) -> Replay | None:
        """The decision log that is replayed: ``told`` has what departed from it, ``same`` how many answers are as in it."""
        from .replay import Replay

        return self._server.course if isinstance(self._server.course, Replay) else None

    def url(self, dialect: str) -> str:
        """The base URL of that dialect's own paths; ``ValueError`` if it is not served."""
        realms = self._scope.backend.realms
        if dialect not in realms:
            raise ValueError(
                f"{dialect!r} is not served{did_you_mean(dialect, list(realms))}; served: {', '.join(realms)}"
            )
        return self.base_url + self._scope.backend.routes.base_path(realms[dialect].dialect)

    def key(self, role: str = "valid", *, plan: str | None = None) -> str:
        """The key of a role: valid, limited, brief, daily, pro, broke, metered, revoked, other_customer, other_agent, account. ``ValueError``.

        ``plan``: instead one on that plan (Free, Pro, Enterprise), always the same.
        """
        if plan is not None:
            if role != "valid":
                raise ValueError(f"a key has a role or a plan, not both: {role!r}, plan={plan!r}")
            text = f"key-plan-{plan}"
            known_keys = self.call(lambda: [text in realm.keys for realm in self._realms()])
            return self._scope.key(text) if all(known_keys) else self.new_key(text, plan=plan)
        known = {**population.KEY_ROLES, "metered": population.METERED_KEY}
        if role not in known:
            raise ValueError(f"no key is {role!r}{did_you_mean(role, list(known))}; known: {', '.join(known)}")
        return self._scope.key(known[role])

    def new_key(
        self,
        name: str | None = None,
        *,
        plan: str | None = None,
        requests_per_minute: int | None = None,
        requests_per_day: int | None = None,
        concurrent: int | None = None,
        balance: int | None = None,
        agent: str | None = None,
    ) -> str:
        """A key with limits of its own, none by default, in every dialect; the text to send. ``agent``: the only one it opens.

        ``plan``: Free, Pro or Enterprise, by each dialect's own figures where its document has some; limits given beside it go
        before the plan's. ``ValueError``.
        """
        text = name or f"key-own-{next(self._made)}"
        limits = {
            "requests_per_minute": requests_per_minute,
            "requests_per_day": requests_per_day,
            "concurrent": concurrent,
        }
        realms = list(self._realms())
        made = [own_key(realm.dialect, text, plan, limits, agent, balance) for realm in realms]
        self.call(lambda: [realm.add(key) for realm, key in zip(realms, made, strict=True)])
        return self._scope.key(text)

    def rule(self, rulings: Mapping[str, str]) -> None:
        """Follow these readings of open questions from now on, as ``{"AMB-09": "404"}``, and no others beside those of the start.

        ``ValueError`` for one that there is not, or that cannot be switched.
        """
        given = {question: str(name) for question, name in rulings.items()}
        self.call(lambda: self._scope.backend.rule(given))

    def top_up(self, key: str, units: int) -> None:
        """Add to a key's balance, in every dialect; ``ValueError`` for a key that has none, and for less than 1."""
        name, more = key.removesuffix(self._scope.key("")), whole_units(units)

        def add() -> None:
            found = [realm for realm in self._realms() if name in realm.balances]
            if not found:
                raise ValueError("that key has no balance: there is none of that name, or it never ends")
            for realm in found:
                realm.balances[name] += more

        self.call(add)

    def agent(
        self,
        name: str,
        *says: own.Said | Callable[[Turn], own.Said],
        latency: own.LatencyWords | None = None,
        chunk: own.ChunkWords | None = None,
    ) -> str:
        """Let an agent exist, in every dialect; its name, as a request gives it.

        ``says``: one function from a ``Turn`` to what is said, or a reply for each turn of a session, of which the last is
        repeated. What is said is a text, an event, a pause in seconds, a list of those, or an ``Answer``. A function that
        raises is an internal error of the dialect; its traceback is in the journal, and in the log. ``TypeError``.

        ``latency``: how long its answers take, as ``"first=300ms gap=uniform(10ms, 30ms)"`` or a mapping of the same words. ``chunk``: how
        a stream cuts its texts, as ``"character"`` or ``"words(1, 4)"``. ``ValueError`` for bad words.
        """
        made = own.agent(*says, latency=latency, chunk=chunk)
        self.call(lambda: [realm.agents.update({name: made}) for realm in self._realms()])
        return name

    def fault(
        self, name: str, *, after: int | None = None, parameters: Mapping[str, Any] | None = None, **aimed: Any
    ) -> SimFault:
        """Put a fault in force (``chatproof faults`` lists them) until it is removed; as a context manager, to its end.

        ``name``: perhaps with words, as ``"http-429;in=body;times=2"``. ``parameters``: those of the fault; ``after`` is one of them.
        ``aimed``: ``times`` (so often, then fine), ``nth``, ``turn`` (of the session), ``probability``, ``key``, ``agent``,
        ``session``, ``dialect``, ``operation``, ``contains`` (in the message), ``headers``, ``begins`` and ``ends`` (seconds from
        now, or times of day). ``ValueError`` for a bad name or word.
        """
        if aimed.get("key") is not None:
            aimed["key"] = str(aimed["key"]).removesuffix(self._scope.key(""))
        meant = armament(name, {**(parameters or {}), **({} if after is None else {"after": after})}, aimed)
        armed = self.call(lambda: self._scope.backend.armoury.add(meant, now=self._scope.clock.now()))
        return SimFault(self, armed, self.call(lambda: self._scope.backend.armoury.warnings(armed)))

    def faults(self) -> list[Armed]:
        """The faults in force, and those that requests asked for themselves, with how often each has fired."""
        armoury = self._scope.backend.armoury
        return self.call(lambda: [replace(armed) for armed in (*armoury, *armoury.triggered.values())])

    def in_force(self) -> list[Armed]:
        """As ``faults``, without waiting for the thread that serves: for who reports on a backend that may hang."""
        return list(self._scope.backend.armoury)

    def remove_fault(self, id: str) -> None:
        """Take a fault out of force; nothing if there is none of that id."""
        self.call(lambda: self._scope.backend.armoury.discard(id))

    def reset(self, *what: str) -> None:
        """Put back to how it was at the start: journal, sessions, keys, limits, balances, agents, script, faults, rulings, seed; all, if none is
        named."""
        for word in what:
            if word not in RESETS:
                raise ValueError(
                    f"{word!r} cannot be reset{did_you_mean(word, list(RESETS))}; known: {', '.join(RESETS)}"
                )
        self.call(lambda: [RESETS[word](self._scope, self._server.journal) for word in what or RESETS])

    def scope(self, name: str) -> Sim:
        """A world of its own on the same server, as this one was at its start; a context manager, which closes it."""
        return Sim(self._server, self.call(lambda: self._server.scopes.open(name)))

    def close(self) -> None:
        """Close this scope, and forget its requests; the server itself is closed by its own ``with``."""
        if self.name:
            self.call(lambda: self._server.scopes.close(self.name))
            self.journal.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def call(self, change: Callable[[], T]) -> T:
        """Run that on the thread that serves, between two requests, and wait for what it gives."""
        if threading.get_ident() == self._server.thread:
            return change()
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(change())
            except BaseException as error:  # noqa: BLE001  (it is the caller's)
                done.set_exception(error)

        try:
            self._server.loop.call_soon_threadsafe(run)
        except RuntimeError:
            raise RuntimeError("the simulator has stopped") from None
        return done.result(PATIENCE_S)

    def _realms(self) -> Iterable[Any]:
        return self._scope.backend.realms.values()


class SimClock:
    """The clock of a scope."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._sim._scope.clock.now()

    def advance(self, seconds: float) -> None:
        """Let time pass for windows, sessions and day caps; forward only. Pauses under way are not cut short."""
        self._sim.call(lambda: self._sim._scope.clock.advance(seconds))


class SimFault:
    """A fault that was put in force. ``warnings``: the faults on its layer that it may meet."""

    def __init__(self, sim: Sim, armed: Armed, warnings: Sequence[str]) -> None:
        self._sim, self._armed, self.warnings = sim, armed, tuple(warnings)

    @property
    def id(self) -> str:
        return self._armed.id

    @property
    def fired(self) -> int:
        """How many answers it has changed."""
        return self._armed.fired

    @property
    def fitted(self) -> int:
        """How many requests it was aimed at."""
        return self._armed.fitted

    def remove(self) -> None:
        """Take it out of force; nothing if it is out already."""
        self._sim.remove_fault(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()
