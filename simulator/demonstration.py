"""One command for each fault that shows it: the first request of a table whose answer it changes as the catalogue says.

Nothing is sent to find it. Two backends in memory, one with the fault and one without, are asked the same.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from ..spec import Dialect, FrozenClock, dialect, names
from .backend import Backend
from .catalogue import words
from .fault import Fault
from .journal import Journal
from .magic import HEADER
from .pointer import put
from .population import KEY_ROLES, UNKNOWN_AGENT
from .request import HttpRequest
from .routes import AGENT
from .scopes import RESETS, Scope

BASE = "http://127.0.0.1:8080"
"""Where ``chatproof serve`` serves unless it is told otherwise."""
TRICKY = 'Gr\u00fc\u00dfe \U0001f30d "quoted"'


@dataclass(frozen=True)
class Shown:
    """One request, or several of the same. ``key``: ``None`` for none. ``stream``: ``None`` to say nothing. ``body``: in place of all that."""

    agent: str = "echo"
    message: Any = "one two three"
    key: str | None = KEY_ROLES["valid"]
    session: str | None = None
    stream: bool | None = True
    body: str | None = None
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    times: int = 1


TWICE = Shown("memory", session="s-1", stream=False, times=2)
SPENT = Shown(key=KEY_ROLES["brief"], stream=False, times=6)
TELL = Shown("default", "Remember this code: XK-42", session="s-1", stream=False)
ASK = Shown("other", "What code did I ask you to remember?", session="s-1", stream=False)
REQUESTS: tuple[tuple[Shown, ...], ...] = (
    (Shown(),),
    (Shown(stream=False),),
    (Shown(message=TRICKY),),
    (Shown(session="s-1"),),
    (Shown("tools"),),
    (Shown("tools", stream=False),),
    (Shown("failing"),),
    (Shown("unicode"),),
    (Shown("paced"),),
    (Shown(key="nobody", stream=False),),
    (Shown(key=None, stream=False),),
    (Shown(key=KEY_ROLES["broke"], stream=False),),
    (Shown(key=KEY_ROLES["other_agent"], stream=False),),
    (Shown(UNKNOWN_AGENT, stream=False),),
    (Shown("unavailable", stream=False),),
    (Shown(message=12, stream=False),),
    (Shown(body="{"),),
    (Shown(body="{}"),),
    (Shown(method="GET"),),
    (Shown(stream=None),),
    (Shown(headers=(("Accept-Encoding", "gzip"),)),),
    (TWICE,),
    (replace(TWICE, times=1), replace(TWICE, key=KEY_ROLES["other_customer"], times=1)),
    (replace(TWICE, times=1), replace(TWICE, session="s-2", times=1)),
    (TELL, ASK),
    (SPENT,),
)
"""What is tried, in this order; several requests are sent one after the other by the same command."""
WITH = {
    "hang": "seconds=2",
    "slow-headers": "seconds=2",
    "stall": "seconds=2",
    "linger": "seconds=2",
    "trickle": "bytes=100",
    "huge-event": "bytes=4000",
    "tool-result-huge": "bytes=4000",
}
"""Parameters that are easier to watch than the defaults."""
AGAIN = ("sessions", "limits", "balances", "faults", "seed")
"""What is put back before anything is asked."""
ALONE = {"reset-on-reuse": (replace(TWICE, agent="echo"),)}
"""What shows only on a connection that is used again."""


@dataclass(frozen=True)
class Demonstration:
    """A fault in words, and the requests that show it in a dialect."""

    told: str
    dialect: Dialect
    base_path: str
    requests: tuple[Shown, ...]
    raw: bool = False

    def curl(self, base: str = BASE) -> str:
        """The command, for a backend of all packaged dialects at ``base``."""
        return shlex.join(["curl", *self._words(base)])

    def _words(self, base: str) -> Iterator[str]:
        for number, shown in enumerate(self.requests):
            if number:
                yield "--next"
            target, headers, body = composed(self.dialect, shown, self.told)
            yield from ("-sNi", *(["--raw"] if self.raw else []))
            yield base + self.base_path + target + (f"?n=[1-{shown.times}]" if shown.times > 1 else "")
            if shown.method != "POST":
                yield from ("-X", shown.method)
            for name, value in headers:
                yield from ("--compressed",) if name == "Accept-Encoding" else ("-H", f"{name}: {value}")
            if body:
                yield from ("-d", body)


def composed(of: Dialect, shown: Shown, told: str) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """The path, the headers and the body of a request in that dialect's form that asks for that fault."""
    operation = of.operation("stream", "switched", "json") if shown.stream else of.operation("switched", "json")
    assert operation is not None
    prefix = of.agent_prefix or ""
    value: dict[str, Any] = {}
    said = (
        ("agent", prefix + shown.agent),
        ("message", shown.message),
        ("session", shown.session),
        ("stream", shown.stream),
    )
    for role, what in said:
        if what is not None and role in of.request.chat and (role != "stream" or operation.mode == "switched"):
            put(value, of.request.chat[role][0], what)
    body = json.dumps(value, ensure_ascii=False) if shown.body is None else shown.body
    key = () if shown.key is None else (("Authorization", f"Bearer {shown.key}"),)
    headers = (*key, ("Content-Type", "application/json"), *shown.headers, ("X-Chatproof-Fault", told))
    return operation.path.replace(AGENT, quote(prefix + shown.agent)), headers, "" if shown.method == "GET" else body


def demonstration(fault: Fault) -> Demonstration:
    """The first requests that show it, in the first dialect where they do; ``LookupError`` if none does, which a test forbids."""
    more = WITH.get(fault.name)
    told = f"{fault.name};{more}" if more else fault.name
    scope = _stage()
    for requests in (ALONE[fault.name],) if fault.name in ALONE else REQUESTS:
        for one in scope.backend.routes.dialects:
            bent, plain = _asked(scope, one, requests, told), _asked(scope, one, requests, None)
            if bent != plain and holds(fault.name, bent[0], plain[0]):
                return Demonstration(told, one, scope.backend.routes.base_path(one), requests, fault.on == "framing")
    raise LookupError(f"no request of the table shows {fault.name}")


def holds(name: str, bent: bytes, plain: bytes) -> bool:
    """Whether the bytes are as the catalogue says, with the fault and without it."""
    row = words()[name]
    see, gone = row.get("see"), row.get("gone")
    fits = see is None or (_has(see, bent) and not _has(see, plain))
    return fits and (gone is None or (_has(gone, plain) and not _has(gone, bent)))


def _has(pattern: str, wire: bytes) -> bool:
    return re.search(pattern, wire.decode("latin-1")) is not None


@cache
def _stage() -> Scope:
    """A backend of all packaged dialects, and its clock."""
    return Scope("", Backend([dialect(name) for name in names()]), FrozenClock())


def _asked(scope: Scope, one: Dialect, requests: Sequence[Shown], told: str | None) -> tuple[bytes, list[Any]]:
    """All bytes of the answers of a backend that nobody has asked before, and their writes and ends."""
    for word in AGAIN:
        RESETS[word](scope, Journal(0))
    backend, base, wire, plans = scope.backend, scope.backend.routes.base_path(one), b"", list[Any]()
    for shown in requests:
        target, pairs, body = composed(one, shown, told or "")
        headers = {name.lower(): value for name, value in pairs if told or name.lower() != HEADER}
        for _ in range(shown.times):
            plan = backend.reply(HttpRequest(shown.method, base + target, headers, body.encode()), scope.clock.now())
            backend.finished(plan)
            wire += b"".join(write.data for write in plan.writes)
            plans.append((plan.writes, plan.end))
    return wire, plans
