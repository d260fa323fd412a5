"""A script in one dialect: who is found under which id, which keys there are, and one turn of it for the backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count

from ...spec import Dialect
from ..beats import Tempo
from ..ids import Ids
from ..plans import limited
from ..plans import plan as plan_of
from ..population import GENEROUS, Key
from ..refusals import Case
from ..request import Asked
from ..rules import Spot
from ..sessions import Session
from .fakes import Draw
from .lint import ids
from .model import Agent, Parallel, Script, ScriptKey
from .play import Cursor, Played, Told, Trial, begin, named, play

SAID = 100
"""How many earlier messages a template sees: a turn's work does not grow with its session."""


@dataclass(frozen=True)
class Stage:
    """``names``: agents by the ids that requests use. ``replace``: nobody else lives here."""

    agents: Mapping[str, Agent]
    names: Mapping[str, str]
    keys: Mapping[str, Key]
    replace: bool
    parallel: Parallel


def stage(script: Script, dialect: Dialect) -> Stage:
    """``script`` as it is played in ``dialect``."""
    here = {name: agent for name, agent in script.agents.items() if agent.lives_in(dialect.name)}
    names = {shown: agent.name for agent in here.values() for shown in ids(agent, dialect)}
    keys = {key.name: _key(key, script, dialect) for key in script.keys.values()}
    return Stage(here, names, keys, script.replace, script.parallel)


def performed(
    actor: Agent, session: Session, case: Case, spot: Spot, asked: Asked, streamed: bool, cut: bool
) -> Played:
    """One turn of ``session``, which it leaves as it is; ``case`` is told how it was decided. ``cut``: whether texts are, which a
    JSON reply wants for its times alone."""
    cursor: Cursor = session.acted[1] if session.acted is not None else begin(actor)
    told = _told(case, spot, asked, streamed, tuple(session.said[-SAID:]))
    draws = partial(chance, case.realm.ids, spot, cursor.answered)
    cutting = Tempo(case.realm.ids, spot, case.turn).cutter() if cut else None
    played = play(actor, cursor, told, draws(), cutting)
    case.trial, case.unmatched = Trial(actor, cursor, told, draws, played.rule), played.unmatched
    return played


def opening(actor: Agent, case: Case, key: str, agent: str, asked: Asked, streamed: bool) -> str | None:
    """The id of a session that begins now, if the script has one for it."""
    spot = (key, agent, "")
    sessions, rules = case.realm.sessions, case.rules
    return named(
        actor,
        _told(case, spot, asked, streamed, ()),
        chance(case.realm.ids, spot, 0),
        lambda id: sessions.taken(rules.spot((key, agent, id)), case.now),
    )


def _told(case: Case, spot: Spot, asked: Asked, streamed: bool, said: tuple[str, ...]) -> Told:
    return Told(
        message=asked.message,
        session=spot[2],
        dialect=case.route.dialect.name,
        agent=case.agent_asked,
        now=datetime.fromtimestamp(case.now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        metadata=asked.roles.get("metadata", {}),
        user=asked.roles.get("user"),
        stream=streamed,
        said=said,
        key=spot[0],
    )


def chance(ids: Ids, spot: Spot, turn: int) -> Draw:
    """The chance of one turn: it depends on the seed, the session and the turn, and on nothing that other sessions do."""
    stream = f"fake/{'/'.join(spot)}/{turn}"
    numbers = count(1)
    return lambda: int(ids.decide("fake", ids.at(stream, next(numbers))), 16)


def _key(key: ScriptKey, script: Script, dialect: Dialect) -> Key:
    plan = GENEROUS if key.plan is None else script.plans.get(key.plan) or plan_of(dialect, key.plan)
    return Key(key.name, limited(plan, key.limits), key.agent, key.balance, key.revoked)
