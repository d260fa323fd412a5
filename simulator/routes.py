"""Which dialect and operation a request means: by the dialect's mount, or at the shared root by path and body (AMB-01, AMB-14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..spec import Dialect, Operation
from .request import HttpRequest, knows, parse_json

if TYPE_CHECKING:
    from .express import Errand

AGENT = "{agent}"
KEPT, KEPT_LENGTH = 1024, 200
"""How many targets are remembered with where they go, and how long one may be."""


@dataclass(frozen=True)
class Route:
    """Where a request goes. ``operation`` is ``None`` where no path or no method fits; then ``allow`` lists the methods, if any."""

    dialect: Dialect
    operation: Operation | None = None
    agent: str | None = None
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Template:
    dialect: Dialect
    operation: Operation
    segments: tuple[str, ...]


class Routes:
    """The routing table of some dialects. One dialect alone lives at the root only; several also have their mounts.

    ``errands``: what the express remembers of heads, which holds as long as this table does.
    """

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self.dialects = tuple(dialects)
        self._mounts = {d.mount: d for d in dialects} if len(dialects) > 1 else {}
        self._known: dict[tuple[str, str], tuple[Route, ...]] = {}
        self.errands: dict[int, Errand] = {}
        self._templates = {d.name: tuple(_templates(d)) for d in dialects}

    def base_path(self, dialect: Dialect) -> str:
        """What stands before that dialect's own paths."""
        return dialect.mount if self._mounts else ""

    def find(self, request: HttpRequest) -> Route:
        """Always a route; at the root a path that nobody knows is answered in the first dialect."""
        found = self._remembered(request.method, request.target)
        return found[0] if len(found) == 1 else _by_body(found, request.body)

    def only(self, request: HttpRequest) -> Route | None:
        """The route, if the body has no say in it."""
        found = self._remembered(request.method, request.target)
        return found[0] if len(found) == 1 else None

    def _remembered(self, method: str, target: str) -> tuple[Route, ...]:
        asked = method, target
        found = self._known.get(asked)
        if found is None:
            found = self._find(method, target)
            if len(target) <= KEPT_LENGTH:
                if len(self._known) >= KEPT:
                    self._known.clear()
                self._known[asked] = found
        return found

    def _find(self, method: str, target: str) -> tuple[Route, ...]:
        """The route, or those among which the body decides."""
        path = _path(target)
        mounted = self._mounts.get("/" + path.split("/", 2)[1])
        if mounted is not None:
            fits = self._fits(mounted, path[len(mounted.mount) :])
            return _able(fits, method) if fits else (Route(mounted),)
        fits = [fit for dialect in self.dialects for fit in self._fits(dialect, path)]
        return _able(_literal_first(fits), method) if fits else (Route(self.dialects[0]),)

    def _fits(self, dialect: Dialect, path: str) -> list[tuple[_Template, str | None]]:
        segments = tuple(path.split("/"))
        found = [(t, _match(t.segments, segments)) for t in self._templates[dialect.name]]
        return [(template, agent or None) for template, agent in found if agent is not None]


def _templates(dialect: Dialect) -> list[_Template]:
    return [
        _Template(dialect, operation, tuple(path.split("/")))
        for operation in dialect.operations
        for path in (operation.path, *operation.aliases)
    ]


def _path(target: str) -> str:
    path = target.partition("?")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path if path.startswith("/") else "/" + path


def _match(template: tuple[str, ...], segments: tuple[str, ...]) -> str | None:
    """The agent in the path, ``""`` where the path names none, ``None`` where it does not fit."""
    if len(template) != len(segments):
        return None
    agent = ""
    for wanted, got in zip(template, segments, strict=True):
        if wanted == AGENT and got:
            agent = unquote(got)
        elif wanted != got:
            return None
    return agent


def _literal_first(fits: list[tuple[_Template, str | None]]) -> list[tuple[_Template, str | None]]:
    return [fit for fit in fits if fit[1] is None] or fits


def _able(fits: list[tuple[_Template, str | None]], method: str) -> tuple[Route, ...]:
    """Those that take the method; if none does, one that says which do."""
    able = [Route(t.dialect, t.operation, agent) for t, agent in fits if t.operation.method == method]
    return tuple(able) or (Route(fits[0][0].dialect, allow=tuple(sorted({t.operation.method for t, _ in fits}))),)


def _by_body(fits: Sequence[Route], body: bytes) -> Route:
    """The dialect whose prefix the agent's name has, else the one that knows the form of this body, else one without a prefix."""
    try:
        value = parse_json(body)
    except ValueError:
        return fits[0]
    for fit in fits:
        prefix = fit.dialect.agent_prefix
        if prefix and _agent(fit.dialect, value).startswith(prefix):
            return fit
    return max(fits, key=lambda fit: _known(fit.dialect, value))


def _agent(dialect: Dialect, value: Any) -> str:
    found = knows(value, dialect.request.chat.get("agent", ()))
    return found[1] if found and isinstance(found[1], str) else ""


def _known(dialect: Dialect, value: Any) -> tuple[int, bool]:
    roles = dialect.request.chat
    return sum(knows(value, roles[role]) is not None for role in dialect.request.required), not dialect.agent_prefix
