"""The express: a whole request that nothing bends and nobody objects to, from its body to the bytes of its answer in one go.

Most requests of a load run are of this kind. What a head alone decides is worked out once for each head. ``None`` is no answer: it
leaves a request to the backend's long way, and nothing has changed. ``tests/laws/test_express.py`` holds the two ways against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..spec import Limits, Operation
from . import magic, meter
from .agents import Answer, Turn
from .answering import said_of, told
from .armed import NOTHING
from .encode import dumps
from .limits import Limiter, Standing
from .plan import About, Plan, Write
from .population import Key
from .realm import Realm
from .refusals import Case
from .request import BODY_LIMIT, Asked, HttpRequest, bearer, is_json, read_body, wants_stream
from .routes import Route
from .sessions import forgotten
from .straight import Spoken, spoken, straight, text_reply, text_stream, texts_of
from .telling import about, answer_of

if TYPE_CHECKING:
    from .backend import Backend

HEADS = 1024
"""How many heads are remembered."""


class Errand(NamedTuple):
    """What a request's head decides. ``realm`` is ``None`` where it is none for the express. ``key``: the credential in it."""

    headers: Mapping[str, str]
    method: str
    target: str
    realm: Realm | None = None
    route: Route | None = None
    operation: Operation | None = None
    key: str = ""


def express(backend: Backend, request: HttpRequest, now: float) -> Plan | None:
    """The plan that ``Backend.reply`` gives, if it is an ordinary one."""
    headers, body = request.headers, request.body
    if not backend.unbent or backend.armoury or request.version != (1, 1) or not request.keep_alive:
        return None
    errand = backend.routes.errands.get(id(headers))
    if errand is None or not _same(errand, request):
        errand = _learn(backend, request)
    realm, operation, route = errand.realm, errand.operation, errand.route
    if realm is None or operation is None or route is None or realm.scripted:
        return None
    key = realm.keys.get(errand.key)
    if key is None or key.revoked or key.agent is not None or len(body) > BODY_LIMIT or magic.in_body(body):
        return None
    asked = read_body(route.dialect, operation, body)
    if not isinstance(asked, Asked):
        return None
    shown = asked.roles.get("agent", "") if route.agent is None else route.agent
    agent = realm.agent_name(shown)
    if agent is None or asked.message in realm.examples.conversations:
        return None
    limiter = realm.limiter(key)
    if backend.limits and (limiter.retry_after(now) is not None or realm.balances.get(key.name, 1) <= 0):
        return None
    backend.underway.ticket += 1
    backend.underway.admit(limiter, now)
    return _answered(backend, request, errand, key, limiter, agent, shown, asked, now)


def _answered(
    backend: Backend,
    request: HttpRequest,
    errand: Errand,
    key: Key,
    limiter: Limiter,
    agent: str,
    shown: str,
    asked: Asked,
    now: float,
) -> Plan:
    """What becomes of it once it has been admitted. ``shown``: the agent as the request names it."""
    realm, route, operation, roles = errand.realm, errand.route, errand.operation, asked.roles
    assert realm is not None
    assert route is not None
    assert operation is not None
    dialect, sessions, message, ticket = route.dialect, realm.sessions, asked.message, backend.underway.ticket
    session_id = asked.session or realm.new_session(key)
    dropped = sessions.dropped
    session = sessions.open((key.name, agent, session_id), now)
    warnings = () if sessions.dropped == dropped else forgotten(dropped, sessions.dropped)
    turns = session.said.total
    turn = Turn(message, session.said.view(), roles.get("metadata", {}), session_id, turns)
    sessions.heard(session, message)
    answer, error = answer_of(realm, agent, turn)
    wanted = wants_stream(dialect, operation, asked, request.headers)
    streamed = dialect.request.switch.default if wanted is None else wanted
    said: Spoken | str | None = None
    if backend.latency is None:
        said = spoken(dialect, answer) if streamed else _text(answer)
    if said is None:
        case = Case(request, route, realm, now, backend.rules)
        case.session_id, case.turn, case.warnings, case.error = session_id, turns, warnings, error
        reply = told(case, key, asked, answer, streamed, backend.underway, backend.latency)
        return straight(reply, request, now, ticket, about(case, reply, NOTHING, None))
    used_in, used_out = meter.words(message), meter.words(said) if isinstance(said, str) else said.words
    total = used_in + used_out
    realm.spend(key, total)
    lines = _limit_lines(dialect.limits, limiter.standing(now))
    spelt = {
        "session": dumps(session_id),
        "input_tokens": used_in,
        "output_tokens": used_out,
        "total_tokens": total,
    }
    if isinstance(said, str):
        spelt["agent"], spelt["model"] = _word(shown), _word(realm.examples.model)
        spelt["text"], spelt["tool_calls"] = dumps(said), "[]"
        writes: Sequence[Write] = (Write(_lasts(answer), text_reply(dialect, spelt, lines, now)),)
    else:
        writes = text_stream(dialect, said.middle, spelt, lines, now)
    known = About(dialect.name, operation.id, agent, session_id, errand.key, None, streamed, None, (), None, warnings)
    return Plan(writes, "keep-alive", 200, _said(agent, streamed), ticket, known)


def _text(answer: Answer) -> str | None:
    texts = texts_of(answer)
    return None if texts is None else "".join(texts)


def _lasts(answer: Answer) -> float:
    due = 0.0
    for wait, _ in answer.steps:
        due += wait
    return due + answer.end_s


def _same(errand: Errand, request: HttpRequest) -> bool:
    return errand.headers is request.headers and errand.target == request.target and errand.method == request.method


def _learn(backend: Backend, request: HttpRequest) -> Errand:
    """What a head decides, remembered by the identity of its headers."""
    found = Errand(request.headers, request.method, request.target)
    route = backend.routes.only(request)
    key = bearer(request.headers)
    if (
        route is not None
        and route.operation is not None
        and route.operation.mode != "keys"
        and key is not None
        and is_json(request.headers)
        and not magic.in_head(request)
    ):
        found = Errand(*found[:3], backend.realms[route.dialect.name], route, route.operation, key)
    errands = backend.routes.errands
    if len(errands) >= HEADS:
        errands.clear()
    errands[id(request.headers)] = found
    return found


def _limit_lines(names: Limits, standing: Standing | None) -> str:
    if standing is None:
        return ""
    limit, remaining, reset, _ = standing
    return f"{names.limit}: {limit}\r\n{names.remaining}: {remaining}\r\n{names.reset}: {reset}\r\n"


_said = lru_cache(maxsize=256)(said_of)
_word = lru_cache(maxsize=256)(dumps)
