"""What ``serve`` prints when it accepts: where each dialect is, who lives there, and one request to paste."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..spec import Dialect
from . import population
from .pointer import put
from .routes import AGENT, Routes

if TYPE_CHECKING:
    from .backend import Backend

ABOUT_KEYS = {
    "valid": "a generous plan",
    "limited": "the smallest documented plan",
    "daily": f"{population.DAILY.requests_per_day} requests a day",
    "brief": f"{population.BRIEF.requests_per_minute} requests in {population.BRIEF.window_s} s",
    "pro": "the second documented plan",
    "broke": "no balance: 402",
    "revoked": "refused: 401",
    "other_customer": "another customer's",
    "other_agent": "opens another agent only",
    "account": "may create agent keys",
}


def banner(backend: Backend, base_url: str, settings: str, control: str = "") -> str:
    """The whole text, ready to print. ``control``: where the control API is, if there is one."""
    routes, script = backend.routes, backend.script
    urls = [(dialect.name, base_url + routes.base_path(dialect)) for dialect in routes.dialects]
    credentials: dict[str, str] = {}
    for dialect in routes.dialects:
        credentials |= population.roles(dialect)["credentials"]
    keys = [(role, key, ABOUT_KEYS.get(role, "")) for role, key in credentials.items()]
    more = [("control", control)] if control else []
    more += [("rulings", str(backend.rulings))] if backend.rulings.given else []
    more += [] if backend.limits else [("limits", "off: no 429, no 402; the limit headers count on")]
    lines = [
        f"chatproof serves on {base_url} ({settings}); Ctrl-C stops it",
        "",
        *columns([*urls, ("docs", f"{base_url}/docs"), ("openapi", f"{base_url}/openapi.json"), *more]),
        "",
    ]
    if script is None or not script.replace:
        lines += [
            "keys",
            *columns([*keys, ("metered", population.METERED_KEY, f"a balance of {population.METERED_BALANCE}")]),
            "",
            "agents",
            f"  {' '.join(population.AGENTS)}{_prefixes(routes)}",
            "",
        ]
    tries = [curl(routes.dialects[0], base_url + routes.base_path(routes.dialects[0]))]
    if script is not None:
        from .script.announce import announce, curls

        lines += [*announce(script, routes), ""]
        tries = curls(script, routes, base_url) or tries
    return "\n".join([*lines, "try", *(f"  {command}" for command in tries)])


def curl(
    dialect: Dialect,
    url: str,
    agent: str | None = None,
    key: str | None = None,
    message: str = "Hello",
    session: str | None = None,
) -> str:
    """One command that talks to an agent (the default one), in the form of that dialect's first chat."""
    operation = dialect.operation("switched", "stream", "json")
    assert operation is not None
    agent = agent or population.roles(dialect)["agents"]["default"]
    body: dict[str, Any] = {}
    for role, value in (("agent", agent), ("message", message), ("session", session), ("stream", True)):
        if value is not None and role in dialect.request.chat and (role != "stream" or operation.mode == "switched"):
            put(body, dialect.request.chat[role][0], value)
    words = ["curl", "-N", url + operation.path.replace(AGENT, quote(agent, safe=""))]
    words += [
        "-H",
        f"Authorization: Bearer {key or population.KEY_ROLES['valid']}",
        "-H",
        "Content-Type: application/json",
    ]
    return shlex.join([*words, "-d", json.dumps(body, ensure_ascii=False)])


def _prefixes(routes: Routes) -> str:
    found = [f"{dialect.agent_prefix}... in {dialect.name}" for dialect in routes.dialects if dialect.agent_prefix]
    return f" ({', '.join(found)})" if found else ""


def columns(rows: list[tuple[str, ...]] | list[tuple[str, str]] | list[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    return ["  " + "  ".join((*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1])) for row in rows]
