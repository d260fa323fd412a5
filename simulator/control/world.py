"""What the control API works on, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ...spec import did_you_mean
from ..app import Running
from ..metrics import Metrics
from ..scopes import Scope


class Refused(Exception):
    """A request that changes nothing. ``status``: of the answer; ``problems``: each mistake in words."""

    def __init__(self, status: int, message: str, problems: list[str] | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status, self.problems, self.more = status, problems or [], more


@dataclass(frozen=True)
class World:
    """A running backend. ``log``: hears of what is worth a line."""

    server: Running
    metrics: Metrics
    log: Callable[[str], None] = lambda line: None

    def scope(self, name: str | None) -> Scope:
        """The scope of that name, the server itself for none."""
        try:
            return self.server.scopes.named(name or "")
        except KeyError:
            names = [scope.name for scope in self.server.scopes if scope.name]
            raise Refused(404, f"no scope {name!r}{did_you_mean(name or '', names)}") from None

    def urls(self, scope: Scope) -> dict[str, str]:
        """The base URL of each dialect in that scope."""
        routes = scope.backend.routes
        return {one.name: self.server.base_url + scope.prefix + routes.base_path(one) for one in routes.dialects}


@dataclass(frozen=True)
class Call:
    """One request to the control API, valid under its operation's schemas. ``text``: the body of one that takes text.

    ``prepared``: what the operation made of it beforehand, beside the thread that serves.
    """

    world: World
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    prepared: Any = None

    @property
    def scope(self) -> Scope:
        return self.world.scope(self.query.get("scope"))


@dataclass(frozen=True)
class Answer:
    """What is answered: JSON, or text of a media type."""

    value: Any
    status: int = 200
    media: str = "application/json"


FLAGS = {"true": True, "false": False}
SHORT = {"1": True, "0": False}


def flag(call: Call, name: str, default: bool, also: Mapping[str, bool] = MappingProxyType({})) -> bool:
    """A parameter that is true or false; ``also``: further words for them."""
    text = call.query.get(name)
    if text is not None and text not in (FLAGS | dict(also)):
        raise Refused(400, f"{name}: expected true or false, got {text!r}")
    return default if text is None else (FLAGS | dict(also))[text]
