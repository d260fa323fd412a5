"""What ``serve`` prints about a script: who lives in it, and requests to paste."""

from __future__ import annotations

from collections.abc import Sequence

from .. import population
from ..banner import columns, curl
from ..routes import Routes
from .lint import ids
from .model import Agent, Script, ScriptKey

SESSION = "session-1"
HELLO = "Hello"


def announce(script: Script, routes: Routes) -> list[str]:
    """Its keys and agents, as the banner has them."""
    keys = [(name, _about(key)) for name, key in script.keys.items()]
    agents = [(agent.name, _found(agent, routes)) for agent in script.agents.values()]
    lines = [f"script {script.path}: {script.size}"]
    return [*lines, *(columns(keys) if keys else ()), *columns(agents)]


def curls(script: Script, routes: Routes, base_url: str, said: Sequence[str] = ()) -> list[str]:
    """One command a message, all of one session with the first agent; without messages, one that its first rule may take."""
    agent = next(iter(script.agents.values()))
    dialect = next((one for one in routes.dialects if agent.lives_in(one.name)), None)
    if dialect is None:
        return []
    session = SESSION if said else None
    url, shown, key = base_url + routes.base_path(dialect), ids(agent, dialect)[0], _key(script, agent)
    return [curl(dialect, url, shown, key, message, session) for message in said or (_opening(agent),)]


def _key(script: Script, agent: Agent) -> str:
    """A key of the script that opens that agent, else the built-in one."""
    good = [
        key for key in script.keys.values() if key.agent in (None, agent.name) and not key.revoked and key.balance != 0
    ]
    return good[0].name if good else population.KEY_ROLES["valid"]


def _opening(agent: Agent) -> str:
    """What somebody might say first."""
    for rule in agent.turns[agent.start]:
        texts = (*(rule.when.exact or ()), *(rule.when.contains or ())) if rule.when else ()
        if texts:
            return texts[0]
    return HELLO


def _about(key: ScriptKey) -> str:
    words = [f"plan {key.plan}"] if key.plan else []
    words += [f"{count} {limit.replace('_', ' ')}" for limit, count in key.limits.items()]
    words += [f"a balance of {key.balance}"] if key.balance is not None else []
    words += [f"opens {key.agent} only"] if key.agent else []
    return ", ".join([*words, *(["revoked: 401"] if key.revoked else [])]) or "a generous plan"


def _found(agent: Agent, routes: Routes) -> str:
    found = [f"{ids(agent, one)[0]} in {one.name}" for one in routes.dialects if agent.lives_in(one.name)]
    return ", ".join(found) or "in none of these dialects"
