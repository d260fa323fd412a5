"""What becomes of a request that nothing speaks against: a new key, or what its agent says, in its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spec import Dialect, Done, Failure, Shape
from . import encode, meter
from .agents import Answer, Turn
from .latency import Latency
from .population import Key
from .refusals import Case
from .refused import limit_headers, refused
from .reply import Refusal, Reply
from .request import Asked, wants_stream
from .rules import Spot
from .telling import heard
from .timing import Timing, timed
from .underway import Underway

if TYPE_CHECKING:
    from .script.model import Agent as Actor

BROKEN_OFF = "the script's answer breaks off, and there is no event for that in this reply"
UNAVAILABLE_S = 1
"""What a 503 says about when to come back, in seconds."""


def admitted(case: Case, underway: Underway, latency: Latency | None) -> Reply:
    """It counts, whatever becomes of it. ``latency``: of every agent that has none of its own."""
    key = case.key or case.realm.anyone
    underway.admit(case.realm.limiter(key), case.now)
    asked = case.asked if isinstance(case.asked, Asked) else Asked({})
    assert case.route.operation is not None
    if case.route.operation.mode == "keys":
        return _created(case, key, str(asked.roles.get("name", "")))
    return _answered(case, key, asked, underway, latency)


def told(
    case: Case,
    key: Key,
    asked: Asked,
    answer: Answer,
    streamed: bool,
    underway: Underway,
    latency: Latency | None,
    log: str = "",
) -> Reply:
    """An answer as a reply in the session of ``case``. ``log``: what a script has to say to the log."""
    realm, dialect = case.realm, case.route.dialect
    agent, session_id = case.agent or "default", case.session_id or ""
    events = [event for _, event in answer.steps]
    breaks_off = Failure in map(type, events)
    if answer.refusal or (breaks_off and not (streamed and _has_failure(dialect))):
        wait = UNAVAILABLE_S if answer.refusal == "unavailable" else None
        refusal = Refusal(answer.refusal or "internal_error", retry_after=wait, note=log and BROKEN_OFF)
        return refused(case, refusal, log)
    usage = answer.usage or meter.measure(asked.message, events)
    realm.spend(key, meter.cost(usage))
    ends = not breaks_off or case.rules.readings.done_after_failure
    end = Done(session_id, usage) if ends else None
    timing = Timing(underway.ticket, (key.name, agent, session_id), latency, underway.crowd)
    beats = timed(case, answer, end, timing, streamed)
    fields = {"agent": case.agent_asked, "model": realm.examples.model}
    said = f"{said_of(agent, streamed)}{log and f'  {log}'}"
    return Reply(dialect, 200, dialect.reply, fields, beats, streamed, limit_headers(case), said=said)


def said_of(agent: str, streamed: bool) -> str:
    """For the log: the kind of reply, and whose."""
    return f"{'stream' if streamed else 'json'} {encode.dumps(agent)[1:-1]}"


def _created(case: Case, key: Key, name: str) -> Reply:
    dialect, realm = case.route.dialect, case.realm
    number, text = realm.create_key(key, case.agent or "default", name)
    shown_agent = realm.examples.aliases.get(case.agent_asked, case.agent_asked)
    fields = {"id": number, "key": text, "agent": shown_agent, "name": name}
    return Reply(dialect, 200, dialect.key_reply or Shape(), fields, headers=limit_headers(case), said="key")


def _answered(case: Case, key: Key, asked: Asked, underway: Underway, latency: Latency | None) -> Reply:
    realm = case.realm
    agent = case.agent or "default"
    printed = agent in realm.examples.agents and case.actor is None and agent not in realm.agents
    documented = realm.examples.conversations.get(asked.message) if printed else None
    streamed = _streamed(case, asked, documented.stream if documented else None)
    wanted = documented.session if documented else None
    if case.actor is not None and asked.session is None:
        wanted = _opening(case, case.actor, key, agent, asked, streamed)
    case.session_id = case.session_kept or _new_session(case, key, agent, wanted)
    spot = (key.name, agent, case.session_id)
    answer, log = _answer(case, spot, asked, streamed, underway, latency)
    if isinstance(answer, Refusal):
        return refused(case, answer, log)
    return told(case, key, asked, answer, streamed, underway, latency, log)


def _streamed(case: Case, asked: Asked, documented: bool | None) -> bool:
    assert case.route.operation is not None
    wanted = wants_stream(case.route.dialect, case.route.operation, asked, case.request.headers)
    if wanted is not None:
        return wanted
    default = case.route.dialect.request.switch.default if documented is None else documented
    if case.rules.flip_switch:
        case.rules.felt("flip_switch")
    return default != case.rules.flip_switch


def _new_session(case: Case, key: Key, agent: str, documented: str | None) -> str:
    realm = case.realm
    if documented and not realm.sessions.taken(case.rules.spot((key.name, agent, documented)), case.now):
        return documented
    return realm.new_session(key)


def _answer(
    case: Case, spot: Spot, asked: Asked, streamed: bool, underway: Underway, latency: Latency | None
) -> tuple[Answer | Refusal, str]:
    """What the agent says, or that it refuses; and what a script has to say to the log."""
    if case.actor is None:
        return heard(case, spot[1], _turn(case, spot, asked, underway)), ""
    return _performed(case, case.actor, spot, asked, streamed, underway, latency)


def _performed(
    case: Case,
    actor: Actor,
    spot: Spot,
    asked: Asked,
    streamed: bool,
    underway: Underway,
    latency: Latency | None,
) -> tuple[Answer | Refusal, str]:
    from .script.stage import performed

    session = case.opened(spot)
    underway.turns[underway.ticket] = session
    cut = streamed or (actor.latency or latency) is not None
    played = performed(actor, session, case, spot, asked, streamed, cut)
    case.ruled = played.faults
    if not played.astray and _remembers(case):
        session.acted = (actor, played.cursor)
        case.realm.sessions.heard(session, asked.message)
    return played.answer, played.log


def _turn(case: Case, spot: Spot, asked: Asked, underway: Underway) -> Turn:
    session = case.opened(spot)
    turn = Turn(asked.message, session.said.view(), asked.roles.get("metadata", {}), spot[2], case.turn)
    if _remembers(case):
        case.realm.sessions.heard(session, asked.message)
    if case.rules.readings.second_turn_refused:
        underway.turns[underway.ticket] = session
    return turn


def _remembers(case: Case) -> bool:
    """Whether this turn is kept."""
    if not case.rules.remember:
        case.rules.felt("remember")
    return case.rules.remember


def _opening(case: Case, actor: Actor, key: Key, agent: str, asked: Asked, streamed: bool) -> str | None:
    """The id that the script has for this new session, if it has one."""
    from .script.stage import opening

    return opening(actor, case, key.name, agent, asked, streamed)


def _has_failure(dialect: Dialect) -> bool:
    return any(row.event == "failure" for row in dialect.stream)
