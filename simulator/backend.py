"""The backend: requests in, plans out. No socket, no clock, no global randomness; time is an argument.

>>> from chatproof.spec import dialect
>>> ask = HttpRequest("POST", "/chat", {"authorization": "Bearer key-valid"}, b'{"agent_id": "echo", "message": "Hi"}')
>>> Backend([dialect("guide")]).reply(ask, now=0.0).status
200
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..spec import Dialect, Done, Failure, Shape
from . import bending, encode, meter
from . import magic as magic_words
from .agents import Answer, Turn
from .armed import NOTHING, Armoury
from .crowd import Crowd
from .ids import Tape
from .latency import Latency
from .limits import Limiter
from .plan import Layer, Plan, Write, build, through
from .population import Key
from .realm import Realm
from .refusals import Case, order
from .refused import limit_headers, refused
from .reply import Refusal, Reply
from .request import Asked, HttpRequest, wants_stream
from .routes import Routes
from .rules import plain_rules
from .rulings import rulings as ruled_by
from .sessions import Session
from .straight import straight
from .telling import about, heard
from .timing import Timing, timed

if TYPE_CHECKING:
    from .script.model import Agent as Actor
    from .script.model import Script

BROKEN_OFF = "the script's answer breaks off, and there is no event for that in this reply"
UNAVAILABLE_S = 1
"""What a 503 says about when to come back, in seconds."""


class Backend:
    """Some dialects with their populations. The same seed and the same requests at the same times give the same bytes.

    ``variant`` (legal) and ``fault`` (a violation) bend it on purpose, by name, and so do further ``layers``; an unknown name
    raises ``ValueError``. ``fault`` may be several, each with parameters and an aim in words. ``script``: further agents, keys and plans. ``rulings``: readings of open questions (question -> its name);
    they go before those of the script. ``limits``: without, nobody is held to a plan or a balance. ``armoury``: the faults in force,
    those first; they come and go while it runs. ``latency``: of every agent that has none of its own. ``magic``: whether requests may
    ask for faults themselves.
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        seed: int = 0,
        *,
        variant: str | None = None,
        fault: str | Sequence[str] | None = None,
        layers: Iterable[Layer] = (),
        script: Script | None = None,
        latency: Latency | None = None,
        rulings: Mapping[str, str] | None = None,
        limits: bool = True,
        magic: bool = True,
    ) -> None:
        self.start_faults = (fault,) if isinstance(fault, str) else tuple(fault or ())
        self.armoury = Armoury(seed)
        self.armoury.reset(self.start_faults)
        self.variant = variant
        self.seed = seed
        self._further = tuple(layers)
        self.layers = (*bending.variant(variant), *self._further)
        self.plain_dialects = tuple(dialects)
        self.realms = {dialect.name: Realm(dialect, seed) for dialect in dialects}
        self.limits = limits
        self.script: Script | None = None
        self.start_rulings = dict(rulings or {})
        self.rule({})
        self._tape: Tape | None = None
        self.magic = magic
        for realm in self.realms.values() if magic else ():
            realm.stand_in, realm.stand_for = magic_words.key_of, magic_words.answers_for
        self._tickets = 0
        self._held: dict[int, Limiter] = {}
        self._turns: dict[int, Session] = {}
        self._crowd = Crowd()
        self.latency = latency
        self.start_script: Script | None = None
        if script is not None:
            self.perform(script)

    def perform(self, script: Script | None, *, lasting: bool = True) -> None:
        """Play that script (or none) from now on, in every dialect; sessions under way go on with the agent that they began with.

        ``lasting``: a reset comes back to it.
        """
        from .script.stage import stage

        self.script = script
        self.start_script = script if lasting else self.start_script
        self.rule(self.later_rulings)
        for realm in self.realms.values():
            realm.perform(stage(script, realm.dialect) if script else None)
        self.armoury.perform(script.faults if script else ())

    def rule(self, later: Mapping[str, str]) -> None:
        """Follow these readings from now on, over those of the start and the script; ``ValueError`` for one that there is not."""
        ruled = ruled_by({**(self.script.rulings if self.script else {}), **self.start_rulings, **later})
        self.rulings, self.later_rulings = ruled, dict(later)
        self._plain_rules = plain_rules(ruled.readings, self.limits)
        self.rules = through(self._plain_rules, (layer.rules for layer in self.layers))
        self.routes = Routes([ruled.table(dialect) for dialect in self.plain_dialects])
        for dialect in self.routes.dialects:
            self.realms[dialect.name].settle(dialect, ruled.readings.window, self.limits)

    def reply(self, request: HttpRequest, now: float) -> Plan:
        """The plan of the response. Whoever carries it out tells ``finished`` when it is over, for whatever reason."""
        route = self.routes.find(request)
        realm = self.realms[route.dialect.name]
        case = Case(request, route, realm, now, self.rules)
        self._tickets += 1
        strike, refusal = bending.struck(case, self.armoury, self.magic)
        layers = self.layers
        if strike is not NOTHING:
            layers = (*strike.layers, *layers)
            case.rules = through(self._plain_rules, (layer.rules for layer in layers))
            if case.rules.expire:
                case.expire()
        refusal = refusal or self._refusal(case)
        reply = refused(case, refusal) if refusal else self._admitted(case)
        if case.ruled:
            reply, strike = bending.ruled(case, self.armoury, strike, reply)
            layers = (*strike.layers, *self.layers)
        if not layers:
            plan = straight(reply, request, now, self._tickets, about(case, reply, strike, self.variant))
            return self._in_turn(plan, now) if self._turns else plan
        plan = self._in_turn(build(reply, request, now, layers, self._tickets), now)
        return replace(plan, about=about(case, reply, strike, self.variant))

    def twin(self) -> Backend:
        """Another backend as this one was at its start."""
        return Backend(
            self.plain_dialects,
            self.seed,
            variant=self.variant,
            rulings=self.start_rulings,
            limits=self.limits,
            latency=self.latency,
            fault=self.start_faults,
            layers=self._further,
            script=self.script,
            magic=self.magic,
        )

    def use(self, tape: Tape | None) -> None:
        """Let a decision log hear of every decision from now on."""
        if self._tape is not tape:
            self._tape = self.armoury.tape = tape
            for realm in self.realms.values():
                realm.ids.tape = tape

    def secrets(self) -> list[str]:
        """The keys that did not exist at the start: whoever shows a text that may hold one masks it."""
        return [key for realm in self.realms.values() for key in realm.keys if key not in realm.public]

    def finished(self, plan: Plan) -> None:
        """The response is over or its client has gone: give back its place among the concurrent ones. Idempotent."""
        limiter = self._held.pop(plan.ticket, None)
        if limiter is not None:
            limiter.release()
        session = self._turns.pop(plan.ticket, None)
        if session is not None:
            session.busy.pop(plan.ticket, None)
        self._crowd.leave(plan.ticket)

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
        for reason in order(case.rules.readings, self.seed, self._tickets, self._tape):
            refusal = reason(case)
            if refusal is not None:
                refusal = case.rules.refuse(refusal)
            if refusal is not None:
                return refusal
        return None

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
        return Reply(dialect, 200, dialect.key_reply or Shape(), fields, headers=limit_headers(case), said="key")

    def _answered(self, case: Case, key: Key, asked: Asked) -> Reply:
        realm, dialect = case.realm, case.route.dialect
        agent = case.agent or "default"
        printed = agent in realm.examples.agents and case.actor is None and agent not in realm.agents
        documented = realm.examples.conversations.get(asked.message) if printed else None
        streamed = self._streamed(case, asked, documented.stream if documented else None)
        wanted = documented.session if documented else None
        if case.actor is not None and asked.session is None:
            wanted = _opening(case, case.actor, key, agent, asked, streamed)
        session_id = case.session_kept or self._new_session(case, key, agent, wanted)
        case.session_id = session_id
        spot = (key.name, agent, session_id)
        answer, log = self._answer(case, agent, spot, asked, streamed)
        if isinstance(answer, Refusal):
            return refused(case, answer, log)
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
        timing = Timing(self._tickets, spot, self.latency, self._crowd)
        beats = timed(case, answer, end, timing, streamed)
        fields = {"agent": case.agent_asked, "model": realm.examples.model}
        said = f"{'stream' if streamed else 'json'} {encode.dumps(agent)[1:-1]}{log and f'  {log}'}"
        return Reply(dialect, 200, dialect.reply, fields, beats, streamed, limit_headers(case), said=said)

    def _streamed(self, case: Case, asked: Asked, documented: bool | None) -> bool:
        assert case.route.operation is not None
        wanted = wants_stream(case.route.dialect, case.route.operation, asked, case.request.headers)
        if wanted is not None:
            return wanted
        default = case.route.dialect.request.switch.default if documented is None else documented
        return default != case.rules.flip_switch

    def _new_session(self, case: Case, key: Key, agent: str, documented: str | None) -> str:
        realm = case.realm
        if documented and not realm.sessions.taken(case.rules.spot((key.name, agent, documented)), case.now):
            return documented
        return realm.examples.session_prefix + realm.ids.draw(f"session/{key.name}")

    def _answer(
        self, case: Case, agent: str, spot: tuple[str, str, str], asked: Asked, streamed: bool
    ) -> tuple[Answer | Refusal, str]:
        """What the agent says, or that it refuses; and what a script has to say to the log."""
        if case.actor is None:
            return heard(case, agent, self._turn(case, spot, asked)), ""
        return self._performed(case, case.actor, spot, asked, streamed)

    def _performed(
        self, case: Case, actor: Actor, spot: tuple[str, str, str], asked: Asked, streamed: bool
    ) -> tuple[Answer | Refusal, str]:
        from .script.stage import performed

        session = case.opened(spot)
        self._turns[self._tickets] = session
        cut = streamed or (actor.latency or self.latency) is not None
        played = performed(actor, session, case, spot, asked, streamed, cut)
        case.ruled = played.faults
        if case.rules.remember and not played.astray:
            session.acted = (actor, played.cursor)
            case.realm.sessions.heard(session, asked.message)
        return played.answer, played.log

    def _turn(self, case: Case, spot: tuple[str, str, str], asked: Asked) -> Turn:
        session = case.opened(spot)
        turn = Turn(asked.message, session.said.view(), asked.roles.get("metadata", {}), spot[2], case.turn)
        if case.rules.remember:
            case.realm.sessions.heard(session, asked.message)
        if case.rules.readings.second_turn_refused:
            self._turns[self._tickets] = session
        return turn


def _opening(case: Case, actor: Actor, key: Key, agent: str, asked: Asked, streamed: bool) -> str | None:
    """The id that the script has for this new session, if it has one."""
    from .script.stage import opening

    return opening(actor, case, key.name, agent, asked, streamed)


def _has_failure(dialect: Dialect) -> bool:
    return any(row.event == "failure" for row in dialect.stream)
