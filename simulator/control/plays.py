"""What is played, through the control API: the script, the plans, and where sessions stand in their scripts."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ...spec import did_you_mean
from ...spec.files import Problem
from .. import masking
from ..realm import Realm
from ..rules import Spot
from ..sessions import Session
from .world import SHORT, Call, Refused, flag

if TYPE_CHECKING:
    from ..script.model import Script
    from ..script.reading import Checked

NAME = "script"
"""What a script is called that came through this API, in messages about its lines."""
MEANT = ("key", "agent", "session")


def script(call: Call) -> Any:
    played = call.scope.backend.script
    if played is None:
        return {"script": None}
    text = masking.mask(played.text, call.scope.backend.secrets())
    return {"script": {**_shown(played), "text": text}}


def checked(call: Call) -> Checked:
    """The script that was sent, or what is wrong with it."""
    from ..script.reading import check_text

    return check_text(call.text, NAME, call.scope.backend.routes.dialects)


def put_script(call: Call) -> Any:
    """All mistakes are told at once, as ``chatproof check`` does, and then nothing has changed."""
    backend, checked = call.scope.backend, call.prepared
    if checked.script is None:
        problems = [f"{NAME}:{one.line}:{one.column}: {one.message}" for one in sorted(checked.errors, key=_place)]
        raise Refused(400, f"the script is kept as it was: {'; '.join(problems)}", problems)
    dry = flag(call, "dry_run", False, SHORT)
    if not dry:
        backend.perform(checked.script, lasting=False)
        call.world.log(
            f"script: {checked.script.size}; sent to the control API, sessions under way finish on the one they began"
        )
    warnings = [f"{NAME}:{one.line}:{one.column}: {one.message}" for one in checked.warnings]
    return {"script": _shown(checked.script), "warnings": warnings, "dry_run": dry}


def plans(call: Call) -> Any:
    backend = call.scope.backend
    documented = [
        (name, "documented", plan) for name, realm in backend.realms.items() for plan in realm.dialect.plans.values()
    ]
    own = [(None, "script", plan) for plan in (backend.script.plans.values() if backend.script else ())]
    return {"plans": [{"dialect": name, "kind": kind, **asdict(plan)} for name, kind, plan in (*documented, *own)]}


def session(call: Call) -> Any:
    id = call.path["id"]
    found = [one for one in _living(call) if one[2][2] == id]
    if not found:
        known = [spot[2] for _, _, spot, _ in _living(call)]
        raise Refused(404, f"no living session {id!r}{did_you_mean(id, known)}")
    rows = [_shown_session(name, spot, held) for name, _, spot, held in found]
    return {"sessions": masking.mask(rows, call.scope.backend.secrets())}


def jump(call: Call) -> Any:
    """Every session that is meant moves, or none does."""
    from .inhabitants import key_text

    body = dict(call.body)
    turn, dialect = body["turn"], body.get("dialect")
    realms = call.scope.backend.realms
    if dialect is not None and dialect not in realms:
        raise Refused(404, f"no dialect {dialect!r}{did_you_mean(dialect, list(realms))}")
    if "key" in body:
        body["key"] = key_text(call, body["key"])
    wanted = [body.get(word) for word in MEANT]
    found = [
        one
        for one in _living(call)
        if dialect in (None, one[0]) and all(w in (None, part) for w, part in zip(wanted, one[2], strict=True))
    ]
    if not found:
        known = [spot[2] for _, _, spot, _ in _living(call)]
        raise Refused(404, f"no living session {body['session']!r} is meant{did_you_mean(body['session'], known)}")
    for name, _, spot, held in found:
        _check_turn(name, spot, held, turn)
    for _, _, _, held in found:
        assert held.acted is not None
        actor, cursor = held.acted
        held.acted = (actor, replace(cursor, turn=turn))
    rows = [_shown_session(name, spot, held) for name, _, spot, held in found]
    return {"jumped": masking.mask(rows, call.scope.backend.secrets())}


def _check_turn(dialect: str, spot: Spot, held: Session, turn: str) -> None:
    if held.acted is None:
        raise Refused(409, f"session {spot[2]!r} in {dialect} is with {spot[1]!r}, which has no script and so no turns")
    known = list(held.acted[0].turns)
    if turn not in known:
        hint = did_you_mean(turn, known) or f"; there are {', '.join(known)}"
        raise Refused(400, f"turn: {spot[1]!r} has no turn {turn!r}{hint}")


def _living(call: Call) -> list[tuple[str, Realm, Spot, Session]]:
    now = call.scope.clock.now()
    realms = call.scope.backend.realms.items()
    return [(name, realm, spot, held) for name, realm in realms for spot, held in realm.sessions.all_living(now)]


def _shown_session(dialect: str, spot: Spot, held: Session) -> dict[str, Any]:
    key, agent, id = spot
    row = {
        "dialect": dialect,
        "key": masking.label(key),
        "agent": agent,
        "session": id,
        "said": list(held.said),
        "script": None,
    }
    if held.acted is None:
        return row
    actor, cursor = held.acted
    variables = {
        name: masking.HIDDEN if masking.SECRET_HEADER.search(name) else value
        for name, value in cursor.variables.items()
    }
    return {
        **row,
        "script": {
            "agent": actor.name,
            "turn": cursor.turn,
            "turns": list(actor.turns),
            "answered": cursor.answered,
            "variables": variables,
            "tools": dict(cursor.results),
        },
    }


def _shown(played: Script) -> dict[str, Any]:
    turns = {agent.name: {turn: len(rules) for turn, rules in agent.turns.items()} for agent in played.agents.values()}
    keys = [masking.label(key) for key in played.keys]
    return {
        "path": played.path,
        "size": played.size,
        "agents": turns,
        "keys": keys,
        "plans": list(played.plans),
        "replace": played.replace,
    }


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
