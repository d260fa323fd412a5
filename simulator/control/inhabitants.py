"""Who lives in a backend, through the control API: agents, keys, sessions, and the scopes they live in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...spec import did_you_mean
from .. import masking, own, population
from ..own_keys import own_key, units
from ..population import Key
from ..realm import Realm
from ..scopes import Scope
from .world import Answer, Call, Refused

ROLES = {**population.KEY_ROLES, "metered": population.METERED_KEY}


def agents(call: Call) -> Any:
    realms = call.scope.backend.realms.values()
    own_ones = {name for realm in realms for name in realm.agents}
    played = {name for realm in realms if realm.stage for name in realm.stage.agents}
    printed = {name for realm in realms for name in realm.examples.agents}
    rows = [*((name, "own") for name in sorted(own_ones)), *((name, "built-in") for name in population.AGENTS)]
    rows += [(name, "script") for name in sorted(played)]
    rows += [(name, "documented") for name in sorted(printed)]
    return {"agents": [{"name": name, "kind": kind} for name, kind in rows]}


def add_agent(call: Call) -> Answer:
    made = own.paced(own.replying(*call.body["replies"]), call.body.get("latency"), call.body.get("chunk"))
    for realm in call.scope.backend.realms.values():
        realm.agents[call.body["name"]] = made
    return Answer({"name": call.body["name"]}, 201)


def remove_agent(call: Call) -> Any:
    name = call.path["name"]
    realms = call.scope.backend.realms.values()
    known = sorted({one for realm in realms for one in realm.agents})
    if name not in known:
        raise Refused(404, f"no agent {name!r} was added{did_you_mean(name, known)}")
    for realm in realms:
        realm.agents.pop(name, None)
    return {"removed": name}


def keys(call: Call) -> Any:
    now = call.scope.clock.now()
    return {
        "keys": [
            _shown_key(name, realm, key, now)
            for name, realm in call.scope.backend.realms.items()
            for key in realm.keys.values()
        ]
    }


def add_key(call: Call) -> Answer:
    given = dict(call.body)
    agent, balance, name = given.pop("agent", None), given.pop("balance", None), given.pop("name", None)
    named = given.pop("plan", None)
    realms = list(call.scope.backend.realms.values())
    own_key(realms[0].dialect, name or "key", named, given, agent, balance)  # or it is refused before an id is drawn
    text = name or "key-" + realms[0].ids.draw("control/key")
    made = [own_key(realm.dialect, text, named, given, agent, balance) for realm in realms]
    for realm, key in zip(realms, made, strict=True):
        realm.add(key)
    return Answer({"key": call.scope.key(text)}, 201)


def top_up(call: Call) -> Any:
    more = units(call.body["units"])
    found = [(realm, key) for realm, key in _keys(call) if key.name in realm.balances]
    if not found:
        raise Refused(409, "that key has no balance: it never ends")
    for realm, key in found:
        realm.balances[key.name] += more
    return {"balances": {realm.dialect.name: realm.balances[key.name] for realm, key in found}}


def renew(call: Call) -> Any:
    found = _keys(call)
    for realm, key in found:
        realm.renew(key)
        if key.balance is not None:
            realm.balances[key.name] = key.balance
    return {"reset": masking.label(found[0][1].name)}


def sessions(call: Call) -> Any:
    now = call.scope.clock.now()
    rows = []
    for name, realm in call.scope.backend.realms.items():
        for (key, agent, session), held in realm.sessions.all_living(now):
            idle = now - held.used_at
            expiry = realm.dialect.session_expiry_s
            row = {
                "dialect": name,
                "key": masking.label(key),
                "agent": agent,
                "session": session,
                "turns": held.said.total,
            }
            rows.append({**row, "idle_s": idle, "expires_in_s": None if expiry is None else expiry - idle})
    return {"sessions": masking.mask(rows, call.scope.backend.secrets())}


def expire(call: Call) -> Any:
    wanted = (
        key_text(call, call.body["key"]) if "key" in call.body else None,
        call.body.get("agent"),
        call.body.get("session"),
    )
    chosen = call.body.get("dialect")
    realms = call.scope.backend.realms
    if chosen is not None and chosen not in realms:
        raise Refused(404, f"no dialect {chosen!r}{did_you_mean(chosen, list(realms))}")

    def meant(spot: tuple[str, str, str]) -> bool:
        return all(word in (None, part) for word, part in zip(wanted, spot, strict=True))

    return {"expired": sum(realm.sessions.expire(meant) for name, realm in realms.items() if chosen in (None, name))}


def scopes(call: Call) -> Any:
    return {"scopes": [_shown_scope(call, one) for one in call.world.server.scopes]}


def open_scope(call: Call) -> Answer:
    try:
        scope = call.world.server.scopes.open(call.body["name"])
    except ValueError as error:
        raise Refused(409, str(error)) from None
    return Answer(_shown_scope(call, scope), 201)


def close_scope(call: Call) -> Any:
    scope = call.world.scope(call.path["name"])
    call.world.server.scopes.close(scope.name)
    call.world.server.journal.forget(lambda entry: entry.scope == scope.name)
    return {"closed": scope.name}


def key_text(call: Call, given: str) -> str:
    """A key as it is known in the scope: by its role, its text, or its text with the scope in it."""
    name = call.scope.name
    return ROLES.get(given, given.removesuffix(f"@{name}") if name else given)


def _shown_scope(call: Call, scope: Scope) -> dict[str, Any]:
    roles = {role: scope.key(key) for role, key in population.KEY_ROLES.items()}
    base = call.world.server.base_url + scope.prefix
    return {"name": scope.name, "base_url": base, "urls": call.world.urls(scope), "keys": roles}


def _shown_key(dialect: str, realm: Realm, key: Key, now: float) -> dict[str, Any]:
    limiter = realm.limiter(key)
    standing = limiter.standing(now)
    return {
        "key": masking.label(key.name),
        "dialect": dialect,
        "plan": asdict(key.plan),
        "agent": key.agent,
        "revoked": key.revoked,
        "balance": realm.balances.get(key.name),
        "in_flight": limiter.in_flight,
        "remaining": standing.remaining if standing else None,
    }


def _keys(call: Call) -> list[tuple[Realm, Key]]:
    text = key_text(call, call.body["key"])
    found = [(realm, realm.keys[text]) for realm in call.scope.backend.realms.values() if text in realm.keys]
    if not found:
        hint = did_you_mean(call.body["key"], list(ROLES))
        raise Refused(404, f"no such key{hint}; a key is named by its text, or its role: {', '.join(ROLES)}")
    return found
