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

from ..spec import Dialect
from . import bending
from . import magic as magic_words
from .aim import places
from .answering import admitted
from .armed import NOTHING, Armoury
from .express import express
from .ids import Ids, Tape
from .latency import Latency
from .plan import Layer, Plan, build, through
from .realm import Realm
from .refusals import Case, order
from .refused import refused
from .reply import Refusal
from .request import HttpRequest
from .routes import Routes
from .rules import Readings, plain_rules
from .rulings import rulings as ruled_by
from .straight import straight
from .telling import about
from .underway import Underway

if TYPE_CHECKING:
    from .script.model import Script


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
        self.armoury = Armoury(seed, places(dialects))
        self.armoury.reset(self.start_faults)
        self.variant = variant
        self.seed = self.start_seed = seed
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
        self.underway = Underway()
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
        self._ruled_plainly = ruled.readings == Readings()
        self.rules = through(self._plain_rules, (layer.rules for layer in self.layers))
        self.routes = Routes([ruled.table(dialect) for dialect in self.plain_dialects])
        for dialect in self.routes.dialects:
            self.realms[dialect.name].settle(dialect, ruled.readings.window, self.limits)

    def reply(self, request: HttpRequest, now: float) -> Plan:
        """The plan of the response. Whoever carries it out tells ``finished`` when it is over, for whatever reason."""
        plan = express(self, request, now)
        if plan is not None:
            return plan
        route = self.routes.find(request)
        realm = self.realms[route.dialect.name]
        case = Case(request, route, realm, now, self.rules)
        self.underway.ticket += 1
        ticket = self.underway.ticket
        strike, refusal = bending.struck(case, self.armoury, self.magic)
        layers = self.layers
        if strike is not NOTHING:
            layers = (*strike.layers, *layers)
            case.rules = through(self._plain_rules, (layer.rules for layer in layers))
            if case.rules.expire:
                case.expire()
        refusal = refusal or self._refusal(case)
        reply = refused(case, refusal) if refusal else admitted(case, self.underway, self.latency)
        if case.ruled:
            reply, strike = bending.ruled(case, self.armoury, strike, reply)
            layers = (*strike.layers, *self.layers)
        if not layers:
            plan = straight(reply, request, now, ticket, about(case, reply, strike, self.variant))
            return self.underway.in_turn(plan, now)
        plan = self.underway.in_turn(build(reply, request, now, layers, ticket), now)
        return plan._replace(about=about(case, reply, strike, self.variant))

    def reseed(self, seed: int) -> None:
        """All that chance decides begins again, under that seed."""
        self.seed = seed
        self.armoury.reseed(seed)
        for name, realm in self.realms.items():
            realm.ids = Ids(seed, name, realm.ids.tape)

    def twin(self) -> Backend:
        """Another backend as this one was at its start."""
        return Backend(
            self.plain_dialects,
            self.start_seed,
            variant=self.variant,
            rulings=self.start_rulings,
            limits=self.limits,
            latency=self.latency,
            fault=self.start_faults,
            layers=self._further,
            script=self.start_script,
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
        self.underway.finished(plan.ticket)

    @property
    def unbent(self) -> bool:
        """Whether it decides and answers as ruled, whatever faults are in force, and no decision log hears of it."""
        return self._ruled_plainly and not self.layers and self._tape is None

    @property
    def in_flight(self) -> int:
        """Admitted requests that are not finished."""
        return len(self.underway)

    def _refusal(self, case: Case) -> Refusal | None:
        for reason in order(case.rules.readings, self.seed, self.underway.ticket, self._tape):
            refusal = reason(case)
            if refusal is not None:
                refusal = case.rules.refuse(refusal)
            if refusal is not None:
                hint = magic_words.missed(case, refusal.name) if self.magic and not refusal.note else ""
                return replace(refusal, note=hint) if hint else refusal
        return None
