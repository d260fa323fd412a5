"""Worlds side by side on one server: each scope has its own keys, sessions, agents, faults and clock, and meets no other.

A request belongs to a scope by the first part of its path (``/@name/...``) or by the end of its key (``...@name``), so that
a client needs no header to say where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass

from ..spec import Clock, FrozenClock
from .backend import Backend
from .journal import Journal
from .request import HttpRequest, bearer
from .sessions import Sessions

MARK = "@"
PREFIX = re.compile(r"/@([A-Za-z0-9_-]{1,64})(?=/|\?|$)")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(eq=False)
class Scope:
    """One world: ``name`` is empty for the server itself."""

    name: str
    backend: Backend
    clock: Clock

    @property
    def prefix(self) -> str:
        """What stands before every path of it."""
        return f"/{MARK}{self.name}" if self.name else ""

    def key(self, text: str) -> str:
        """That key with its scope in it, which works with the prefix and without."""
        return f"{text}{MARK}{self.name}" if self.name else text


class Scopes:
    """The server itself, and the scopes that are open on it."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self.root = Scope("", backend, clock)
        self._open: dict[str, Scope] = {}

    def __iter__(self) -> Iterator[Scope]:
        return iter((self.root, *self._open.values()))

    @property
    def alone(self) -> bool:
        """Whether there is nothing but the server itself."""
        return not self._open

    def named(self, name: str) -> Scope:
        """An open scope, the server itself for ``""``; ``KeyError``."""
        return self._open[name] if name else self.root

    def open(self, name: str) -> Scope:
        """A new world like that of the server at its start; ``ValueError`` for a bad name or one in use."""
        if not NAME.fullmatch(name):
            raise ValueError(f"a scope's name has letters, digits, - and _, 64 at most; not {name!r}")
        if name in self._open:
            raise ValueError(f"the scope {name!r} is open already")
        plain, clock = self.root.backend, self.root.clock
        own = FrozenClock(clock.now()) if isinstance(clock, FrozenClock) else copy(clock)
        scope = self._open[name] = Scope(name, plain.twin(), own)
        scope.backend.armoury.begin(own.now())
        return scope

    def close(self, name: str) -> None:
        """Forget that scope; nothing if there is none."""
        self._open.pop(name, None)

    def find(self, asked: HttpRequest) -> tuple[Scope, HttpRequest]:
        """The scope of a request, and the request as it reads there."""
        if not self._open:
            return self.root, asked
        scope = self.root
        found = PREFIX.match(asked.target)
        if found and found[1] in self._open:
            scope = self._open[found[1]]
            asked = asked._replace(target=asked.target[found.end() :] or "/")
        key, mark, name = (bearer(asked.headers) or "").rpartition(MARK)
        if mark and name in self._open and scope in (self.root, self._open[name]):
            scope = self._open[name]
            asked = asked._replace(headers={**asked.headers, "authorization": f"Bearer {key}"})
        return scope, asked


def _sessions(scope: Scope, _: Journal) -> None:
    for realm in scope.backend.realms.values():
        realm.sessions = Sessions(realm.dialect.session_expiry_s)


def _keys(scope: Scope, _: Journal) -> None:
    for realm in scope.backend.realms.values():
        realm.reset_keys()


def _limits(scope: Scope, _: Journal) -> None:
    for realm in scope.backend.realms.values():
        for key in realm.keys.values():
            realm.renew(key)


def _balances(scope: Scope, _: Journal) -> None:
    for realm in scope.backend.realms.values():
        realm.balances.update({key.name: key.balance for key in realm.keys.values() if key.balance is not None})


def _agents(scope: Scope, _: Journal) -> None:
    for realm in scope.backend.realms.values():
        realm.agents.clear()


def _faults(scope: Scope, _: Journal) -> None:
    scope.backend.armoury.reset(scope.backend.start_faults)


def _rulings(scope: Scope, _: Journal) -> None:
    scope.backend.rule({})


def _seed(scope: Scope, _: Journal) -> None:
    scope.backend.reseed(scope.backend.start_seed)


def _script(scope: Scope, _: Journal) -> None:
    if scope.backend.script is not scope.backend.start_script:
        scope.backend.perform(scope.backend.start_script)


def _journal(scope: Scope, journal: Journal) -> None:
    journal.forget(lambda entry: entry.scope == scope.name)


RESETS: dict[str, Callable[[Scope, Journal], None]] = {
    "journal": _journal,
    "sessions": _sessions,
    "script": _script,
    "keys": _keys,
    "limits": _limits,
    "balances": _balances,
    "agents": _agents,
    "faults": _faults,
    "rulings": _rulings,
    "seed": _seed,
}
"""What can be put back to how it was at the start; a clock cannot, it moves forward only."""
