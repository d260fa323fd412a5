"""A desk at which tests ask a backend in memory, and read what a plan says without any of the simulator's own code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatproof import Sim, Simulator
from chatproof.simulator.backend import Backend
from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest
from chatproof.spec import FrozenClock, dialect, names

AGENT_IN_PATH = "{agent}"


@dataclass(frozen=True)
class Said:
    """A plan as its reader sees it."""

    plan: Plan

    @property
    def raw(self) -> bytes:
        return b"".join(write.data for write in self.plan.writes)

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in re.findall(r"\r\n([^:]+): ([^\r]*)", self.head)}

    @property
    def body(self) -> bytes:
        rest = self.raw.partition(b"\r\n\r\n")[2]
        if self.headers.get("transfer-encoding") != "chunked":
            return rest
        parts = []
        while True:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size, 16)
            parts.append(rest[:count])
            assert rest[count : count + 2] == b"\r\n"
            rest = rest[count + 2 :]
            if count == 0:
                assert rest == b""
                return b"".join(parts)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> list[str]:
        """What stands on the ``data:`` line of each event."""
        blocks = self.body.decode().split("\n\n")
        assert blocks.pop() == ""
        assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
        return [block.removeprefix("data: ") for block in blocks]


@dataclass
class Desk:
    """A backend of all dialects (or of those given) under a frozen clock."""

    backend: Backend = field(default_factory=lambda: Backend([dialect(name) for name in names()], seed=7))
    clock: FrozenClock = field(default_factory=FrozenClock)

    def send(self, target: str, body: bytes, key: str | None = "key-valid", hold: bool = False, **more: Any) -> Said:
        """One POST; its place is given back at once unless ``hold``."""
        headers = {"content-type": "application/json", **more.pop("headers", {})}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        request = HttpRequest(more.pop("method", "POST"), target, headers, body, **more)
        plan = self.backend.reply(request, self.clock.now())
        if not hold:
            self.backend.finished(plan)
        return Said(plan)

    def chat(
        self, name: str, message: str = "Hello", key: str | None = "key-valid", hold: bool = False, **roles: Any
    ) -> Said:
        """One chat in that dialect's own form, at its mount. ``roles`` go where its table says; unknown ones nowhere."""
        api = self.backend.realms[name].dialect
        mode = roles.pop("mode", None)
        operation = api.operation(mode) if mode else api.operation("switched", "stream", "json")
        assert operation is not None
        agent = roles.pop("agent", "default")
        said = {"message": message, "agent": agent, **roles}
        body = {at[0].lstrip("/"): said[role] for role, at in api.request.chat.items() if role in said}
        path = operation.path.replace(AGENT_IN_PATH, agent)
        return self.send(self.backend.routes.base_path(api) + path, json.dumps(body).encode(), key, hold)

    def text(self, name: str, message: str, **roles: Any) -> str:
        """The text of a JSON reply."""
        reply = self.chat(name, message, stream=False, **roles).json
        return str(dig(reply, self.backend.realms[name].dialect.reply.roles["text"][0]))


def dig(value: Any, pointer: str) -> Any:
    """What stands at a JSON Pointer; ``KeyError`` if nothing does."""
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def desk_of() -> Callable[..., Desk]:
    """Makes a desk: of those dialects (all for none), bent as the keywords say."""

    def make(*chosen: str, seed: int = 7, **bent: Any) -> Desk:
        return Desk(Backend([dialect(name) for name in chosen or names()], seed, **bent))

    return make


@pytest.fixture
def at() -> Callable[[Any, str], Any]:
    """The value at a JSON Pointer."""
    return dig


@pytest.fixture(scope="session")
def server() -> Iterator[Sim]:
    with Simulator(seed=7, clock="frozen") as sim:
        yield sim


@pytest.fixture
def sim(server: Sim, request: pytest.FixtureRequest) -> Iterator[Sim]:
    with server.scope(f"s{id(request)}") as scope:
        yield scope
