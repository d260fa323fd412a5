"""The backend: requests in, plans out. No socket, no clock, no global randomness; time is an argument.

>>> from chatproof.spec import dialect
>>> ask = HttpRequest("POST", "/chat", {"authorization": "Bearer key-valid"}, b'{"agent_id": "echo", "message": "Hi"}')
>>> Backend([dialect("guide")]).reply(ask, now=0.0).status
200
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..spec import Delta, Dialect, Done, Failure, Shape, did_you_mean
from . import encode, meter, population
from .agents import Answer, Turn, words
from .faults import FAULTS
from .limits import Limiter, Standing
from .plan import Layer, Plan, Write, build, through
from .population import Key
from .realm import Realm
from .refusals import ORDER, Case
from .reply import Beat, Headers, Refusal, Reply
from .request import Asked, HttpRequest, Mistake, bearer, wants_stream
from .routes import Routes
from .rules import Rules
from .sessions import Session
from .variants import VARIANTS

if TYPE_CHECKING:
    from .script.model import Agent as Actor
    from .script.model import Script

NOTE = "X-Chatproof-Note"
"""The header in which this backend says what no document has words for."""
BROKEN_OFF = "the script's answer breaks off, and there is no event for that in this reply"
UNAVAILABLE_S = 1
"""What a 503 says about when to come back, in seconds."""


class Backend:
    """Some dialects with their populations. The same seed and the same requests at the same times give the same bytes.

    ``variant`` (legal) and ``fault`` (a violation) bend it on purpose, by name, and so do further ``layers``; an unknown name
    raises ``ValueError``. ``script``: further agents, keys and plans.
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        seed: int = 0,
        *,
        variant: str | None = None,
        fault: str | None = None,
        layers: Iterable[Layer] = (),
        script: Script | None = None,
    ) -> None:
        self.layers = (*named_layers(variant, fault), *layers)
        self.rules = through(Rules(), (layer.rules for layer in self.layers))
        self.routes = Routes(dialects)
        self.realms = {dialect.name: Realm(dialect, seed) for dialect in dialects}
        self._tickets = 0
        self._held: dict[int, Limiter] = {}
        self._turns: dict[int, Session] = {}
        self.script: Script | None = None
        if script is not None:
            self.perform(script)

    def perform(self, script: Script) -> None:
        """Play that script from now on, in every dialect; sessions under way go on with the agent that they began with."""
        from .script.stage import stage

        self.script = script
        for realm in self.realms.values():
            realm.perform(stage(script, realm.dialect))

    def reply(self, request: HttpRequest, now: float) -> Plan:
        """The plan of the response. Whoever carries it out tells ``finished`` when it is over, for whatever reason."""
        route = self.routes.find(request)
        realm = self.realms[route.dialect.name]
        case = Case(request, route, realm, now, self.rules)
        self._tickets += 1
        refusal = self._refusal(case)
        reply = self._refused(case, refusal) if refusal else self._admitted(case)
        return self._in_turn(build(reply, request, now, self.layers, self._tickets), now)

    def finished(self, plan: Plan) -> None:
        """The response is over or its client has gone: give back its place among the concurrent ones. Idempotent."""
        limiter = self._held.pop(plan.ticket, None)
        if limiter is not None:
            limiter.release()
        session = self._turns.pop(plan.ticket, None)
        if session is not None:
            session.busy.pop(plan.ticket, None)

    @property
    def in_flight(self) -> int:
        """Admitted requests that are not finished."""
        return len(self._held)

    def _in_turn(self, plan: Plan, now: float) -> Plan:
        """A turn of a scripted session is answered when the turns before it are planned to have been."""
        session = self._turns.get(plan.ticket)
        if session is None:
            return plan
        wait = session.free_in(now)
        if wait:
            plan = replace(plan, writes=tuple(Write(write.due_s + wait, write.data) for write in plan.writes))
        session.busy[plan.ticket] = now + plan.writes[-1].due_s
        return plan

    def _refusal(self, case: Case) -> Refusal | None:
        for reason in ORDER:
            refusal = reason(case)
            if refusal is not None:
                refusal = self.rules.refuse(refusal)
            if refusal is not None:
                return refusal
        return None

    def _refused(self, case: Case, refusal: Refusal, log: str = "") -> Reply:
        dialect = case.route.dialect
        row = dialect.errors[refusal.name]
        mistake = refusal.mistake or Mistake("", "", "")
        message = row.message.format(
            field=mistake.field,
            Field=mistake.field.capitalize(),
            problem=mistake.problem,
            kind=mistake.kind,
            agent=refusal.agent,
            retry_after=refusal.retry_after,
        )
        fields: dict[str, Any] = {
            "message": message if refusal.words is None else refusal.words,
            "code": row.code,
            "kind": mistake.kind,
            "location": list(mistake.location),
            "details": {},
            "retry_after": refusal.retry_after,
        }
        note = ((NOTE, _one_line(refusal.note)),) if refusal.note else ()
        headers = (*_explained(case, refusal, row.status), *_limit_headers(case), *note)
        said = f"{refusal.name}  {log}" if log else refusal.name
        return Reply(dialect, row.status, row.shape, fields, headers=headers, refusal=refusal, said=said)

    def _admitted(self, case: Case) -> Reply:
        """A request that nothing speaks against: it counts, whatever becomes of it."""
        key = case.key or case.realm.anyone
        limiter = case.realm.limiter(key)
        limiter.take(case.now)
        self._held[self._tickets] = limiter
        asked = case.asked if isinstance(case.asked, Asked) else Asked({})
        assert case.route.operation is not None
        if case.route.operation.mode == "keys":
            return self._created(case, key, str(asked.roles.get("name", "")))
        return self._answered(case, key, asked)

    def _created(self, case: Case, key: Key, name: str) -> Reply:
        dialect, realm = case.route.dialect, case.realm
        number, text = realm.create_key(key, case.agent or "default", name)
        shown_agent = realm.examples.aliases.get(case.agent_asked, case.agent_asked)
        fields = {"id": number, "key": text, "agent": shown_agent, "name": name}
        return Reply(dialect, 200, dialect.key_reply or Shape(), fields, headers=_limit_headers(case), said="key")

    def _answered(self, case: Case, key: Key, asked: Asked) -> Reply:
        realm, dialect = case.realm, case.route.dialect
        agent = case.agent or "default"
        printed = agent in realm.examples.agents and case.actor is None
        documented = realm.examples.conversations.get(asked.message) if printed else None
        streamed = self._streamed(case, asked, documented.stream if documented else None)
        session_id = asked.session or self._new_session(case, key, agent, documented.session if documented else None)
        spot = (key.name, agent, session_id)
        answer, log = self._answer(case, agent, spot, asked, streamed)
        if isinstance(answer, Refusal):
            return self._refused(case, answer, log)
        breaks_off = any(isinstance(event, Failure) for _, event in answer.steps)
        if answer.refusal or (breaks_off and not (streamed and _has_failure(dialect))):
            wait = UNAVAILABLE_S if answer.refusal == "unavailable" else None
            refusal = Refusal(answer.refusal or "internal_error", retry_after=wait, note=log and BROKEN_OFF)
            return self._refused(case, refusal, log)
        usage = answer.usage or meter.measure(asked.message, (event for _, event in answer.steps))
        realm.spend(key, meter.cost(usage))
        beats = _beats(answer, None if breaks_off else Done(session_id, usage), streamed and answer.by_word)
        fields = {"agent": case.agent_asked, "model": realm.examples.model}
        said = f"{'stream' if streamed else 'json'} {encode.dumps(agent)[1:-1]}{log and f'  {log}'}"
        return Reply(dialect, 200, dialect.reply, fields, beats, streamed, _limit_headers(case), said=said)

    def _streamed(self, case: Case, asked: Asked, documented: bool | None) -> bool:
        assert case.route.operation is not None
        wanted = wants_stream(case.route.dialect, case.route.operation, asked, case.request.headers)
        if wanted is not None:
            return wanted
        default = case.route.dialect.request.switch.default if documented is None else documented
        return default != self.rules.flip_switch

    def _new_session(self, case: Case, key: Key, agent: str, documented: str | None) -> str:
        realm = case.realm
        if documented and not realm.sessions.taken(self.rules.spot((key.name, agent, documented)), case.now):
            return documented
        return realm.examples.session_prefix + realm.ids.draw(f"session/{key.name}")

    def _answer(
        self, case: Case, agent: str, spot: tuple[str, str, str], asked: Asked, streamed: bool
    ) -> tuple[Answer | Refusal, str]:
        """What the agent says, or that it refuses; and what a script has to say to the log."""
        if case.actor is None:
            return population.answer(case.realm.examples, agent, self._turn(case, spot, asked)), ""
        return self._performed(case, case.actor, spot, asked, streamed)

    def _performed(
        self, case: Case, actor: Actor, spot: tuple[str, str, str], asked: Asked, streamed: bool
    ) -> tuple[Answer | Refusal, str]:
        from .script.stage import performed

        session = case.realm.sessions.open(self.rules.spot(spot), case.now)
        self._turns[self._tickets] = session
        played = performed(actor, session, case, spot, asked, streamed)
        if self.rules.remember and not played.astray:
            session.acted = (actor, played.cursor)
            session.said.append(asked.message)
        return played.answer, played.log

    def _turn(self, case: Case, spot: tuple[str, str, str], asked: Asked) -> Turn:
        session = case.realm.sessions.open(self.rules.spot(spot), case.now)
        turn = Turn(asked.message, tuple(session.said), asked.roles.get("metadata", {}))
        if self.rules.remember:
            session.said.append(asked.message)
        return turn


def _beats(answer: Answer, done: Done | None, by_word: bool) -> tuple[Beat, ...]:
    """The steps at absolute times, and ``done`` at the end unless the answer broke off."""
    beats: list[Beat] = []
    due = 0.0
    for wait, event in answer.steps:
        due += wait
        if by_word and isinstance(event, Delta):
            beats += [Beat(due, Delta(word)) for word in words(event.text)]
        else:
            beats.append(Beat(due, event))
    if done is not None:
        beats.append(Beat(due + answer.end_s, done))
    return tuple(beats)


def named_layers(variant: str | None, fault: str | None) -> tuple[Layer, ...]:
    """The layers of a variant and a fault; ``ValueError`` for a name that nothing has."""
    if variant is not None and variant not in VARIANTS:
        raise ValueError(f"no variant {variant!r}{did_you_mean(variant, list(VARIANTS))}")
    if fault is not None and fault not in FAULTS:
        raise ValueError(f"no fault {fault!r}{did_you_mean(fault, list(FAULTS))}")
    return tuple([FAULTS[fault].layer] if fault else []) + tuple([VARIANTS[variant].layer] if variant else [])


def _explained(case: Case, refusal: Refusal, status: int) -> Headers:
    """What HTTP wants beside a status: a challenge (RFC 6750, 3), the methods allowed, how long to wait."""
    if status == HTTPStatus.UNAUTHORIZED:
        bad = bearer(case.request.headers) is not None
        return (("WWW-Authenticate", 'Bearer error="invalid_token"' if bad else "Bearer"),)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return (("Allow", ", ".join(case.route.allow)),)
    if refusal.retry_after is not None:
        return ((case.route.dialect.limits.retry_after, str(refusal.retry_after)),)
    return ()


def _one_line(text: str) -> str:
    """Any text as the value of a header (RFC 9110, 5.5)."""
    return "".join(char if " " <= char <= "~" else char.encode("unicode_escape").decode() for char in text)[:2000]


def _has_failure(dialect: Dialect) -> bool:
    return any(row.event == "failure" for row in dialect.stream)


def _limit_headers(case: Case) -> Headers:
    standing: Standing | None
    if case.limiter is not None:
        standing = case.limiter.standing(case.now)
    else:
        standing = Limiter(population.first_plan(case.route.dialect)).standing(case.now)
    if standing is None:
        return ()
    names = case.route.dialect.limits
    told = (standing.limit, standing.remaining, standing.reset)
    return tuple(zip((names.limit, names.remaining, names.reset), map(str, told), strict=True))
