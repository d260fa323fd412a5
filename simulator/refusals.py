"""Why a request is not answered: one table, in the order in which the reasons win (AMB-19)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from .ids import Ids, Tape
from .limits import Limiter
from .once import once
from .population import Key
from .realm import Realm
from .reply import Refusal
from .request import Asked, HttpRequest, Mistake, bearer, is_json, odd_message, read_body
from .routes import Route
from .rules import Readings, Rules, Spot
from .sessions import Session, forgotten

if TYPE_CHECKING:
    from .script.model import Agent as Actor
    from .script.play import Trial
    from .worded import Armament


class Case:
    """One request on its way through the table: what it says, read when first asked for and once.

    ``session_id``: the one it is answered in, once that is known. ``turn``: how many turns that has had. ``error``: how its agent failed.
    ``warnings``: what a person should know. ``trial``: what a scripted turn was decided by; ``unmatched``: by no rule.
    ``ruled``: the faults of the script's rule that answered, each with its place.
    """

    session_id: str | None = None
    turn: int = 0
    error: str = ""
    warnings: tuple[str, ...] = ()
    trial: Trial | None = None
    unmatched: bool = False
    ruled: tuple[tuple[str, Armament], ...] = ()

    def __init__(self, request: HttpRequest, route: Route, realm: Realm, now: float, rules: Rules) -> None:
        self.request, self.route, self.realm, self.now, self.rules = request, route, realm, now, rules

    @once
    def key(self) -> Key | None:
        """The key it came with, if it is one that opens anything at all."""
        key = self.realm.key(bearer(self.request.headers) or "")
        return None if key is None or key.revoked else key

    @once
    def limiter(self) -> Limiter | None:
        return self.realm.limiter(self.key) if self.key else None

    @once
    def asked(self) -> Asked | Mistake:
        assert self.route.operation is not None
        return read_body(self.route.dialect, self.route.operation, self.request.body)

    @property
    def agent_asked(self) -> str:
        if self.route.agent is not None:
            return self.route.agent
        return str(self.asked.roles.get("agent", "")) if isinstance(self.asked, Asked) else ""

    @once
    def agent(self) -> str | None:
        asked, realm = self.agent_asked, self.realm
        former = realm.former_names.get(asked) if realm.former_names else None
        began = next(filter(self._session_of, former), None) if former else None
        return began or realm.agent_name(asked)

    @once
    def session(self) -> Session | None:
        """The living session it belongs to."""
        return self._session_of(self.agent) if self.agent else None

    @property
    def session_kept(self) -> str | None:
        """The id that it names, unless that is one to be ignored (AMB-09)."""
        named = self.asked.session if isinstance(self.asked, Asked) else None
        ignored = self.rules.readings.unknown_session == "replaced" and self.session is None
        return None if ignored else named

    @once
    def actor(self) -> Actor | None:
        """The scripted agent that is to answer: the one its session began with, else that of today's script."""
        if self.agent in self.realm.agents:
            return None
        if self.session is not None and self.session.acted is not None:
            began: Actor = self.session.acted[0]
            if began.name == self.agent:
                return began
        return self.realm.stage.agents.get(self.agent or "") if self.realm.stage else None

    def opened(self, spot: Spot) -> Session:
        """The session it is answered in, used now. Where another had to be forgotten for it, a warning says so (not each time)."""
        sessions = self.realm.sessions
        dropped = sessions.dropped
        session = sessions.open(self.rules.spot(spot), self.now)
        self.warnings += forgotten(dropped, sessions.dropped)
        self.turn = session.said.total
        return session

    def expire(self) -> None:
        """The session that it names is forgotten, as if its idle time were over."""
        if self.route.operation is not None and self.session is not None:
            self.rules.felt("expire")
        asked = self.asked.session if isinstance(self.asked, Asked) else None
        if asked is not None and self.key is not None and self.agent:
            spot = self.rules.spot((self.key.name, self.agent, asked))
            self.realm.sessions.expire(lambda one: one == spot)
        self.__dict__.pop("session", None)

    @property
    def number(self) -> int:
        """Which request of its session it is, from 1, by what was said in it; not kept, since faults may change whose session it is."""
        session = self._session_of(self.agent) if self.agent else None
        return 1 if session is None else session.said.total + 1

    def _session_of(self, agent: str) -> Session | None:
        asked = self.asked.session if isinstance(self.asked, Asked) else None
        if asked is None or self.key is None:
            return None
        return self.realm.sessions.living(self.rules.spot((self.key.name, agent, asked)), self.now)


def _demand(case: Case) -> Refusal | None:
    """Refused on demand, wherever there is somebody to refuse."""
    return case.rules.demand if case.route.operation is not None else None


def _path(case: Case) -> Refusal | None:
    if case.route.operation is not None:
        return None
    return Refusal("method_not_allowed" if case.route.allow else "path_not_found")


def _auth(case: Case) -> Refusal | None:
    return None if case.key else Refusal("unauthorized")


def _size(case: Case) -> Refusal | None:
    return Refusal("too_large") if len(case.request.body) > case.rules.readings.body_limit else None


def _media(case: Case) -> Refusal | None:
    taken = is_json(case.request.headers) or case.rules.readings.odd_input == "taken"
    return None if taken else Refusal("unsupported_media")


def _body(case: Case) -> Refusal | None:
    return Refusal("invalid_request", mistake=case.asked) if isinstance(case.asked, Mistake) else None


def _odd(case: Case) -> Refusal | None:
    """A message that is empty, or no text that UTF-8 could carry, where odd input is refused (AMB-20)."""
    if (
        case.rules.readings.odd_input != "refused"
        or not isinstance(case.asked, Asked)
        or "message" not in case.asked.roles
    ):
        return None
    mistake = odd_message(case.route.dialect, case.asked.message)
    return Refusal("invalid_request", mistake=mistake) if mistake else None


def _agent(case: Case) -> Refusal | None:
    return None if case.agent else Refusal("agent_not_found", agent=case.agent_asked)


def _scope(case: Case) -> Refusal | None:
    scope = case.key.agent if case.key else None
    assert case.route.operation is not None
    creates = case.route.operation.mode == "keys" and not case.rules.readings.agent_keys_make_keys
    return Refusal("wrong_agent") if scope is not None and (creates or scope != case.agent) else None


def _rate(case: Case) -> Refusal | None:
    limiter, early = case.limiter, case.rules.early
    wait = limiter.retry_after(case.now, early) if limiter and case.rules.limits else None
    if limiter is None or wait is None:
        return None
    if early and limiter.retry_after(case.now) is None:
        case.rules.felt("early")
    return Refusal("rate_limited", retry_after=wait)


def _balance(case: Case) -> Refusal | None:
    rules = case.rules
    if not rules.limits or not (
        rules.readings.balance_everywhere or case.route.dialect.errors["insufficient_balance"].documented
    ):
        return None
    left = case.realm.balances.get(case.key.name) if case.key else None
    return Refusal("insufficient_balance") if left is not None and left <= 0 else None


def _session(case: Case) -> Refusal | None:
    """The session that it names does not live, where such an id is refused (AMB-09)."""
    asked = case.asked
    named = isinstance(asked, Asked) and asked.session is not None
    if case.rules.readings.unknown_session != "404" or not named or case.session is not None:
        return None
    return Refusal("path_not_found", words="Session not found", reason="session_not_found")


def _busy(case: Case) -> Refusal | None:
    """Another turn of its session is under way, and such turns are refused: by the script, or by the reading of AMB-25."""
    if case.session is None or not case.session.busy:
        return None
    stage = case.realm.stage
    by_script = stage is not None and stage.parallel == "refuse" and case.actor is not None
    if not (by_script or case.rules.readings.second_turn_refused):
        return None
    wait = max(1, math.ceil(case.session.free_in(case.now)))
    note = "another turn of this session is under way"
    return Refusal("rate_limited", retry_after=wait, note=note, reason="session_busy")


Reason = Callable[[Case], Refusal | None]
CONTENT: tuple[Reason, ...] = (_size, _media, _body, _odd)
ACCOUNT: tuple[Reason, ...] = (_rate, _balance)
ORDER: tuple[Reason, ...] = (_demand, _path, _auth, *CONTENT, _agent, _scope, *ACCOUNT, _session, _busy)
ORDERS: tuple[tuple[Reason, ...], ...] = (
    ORDER,
    (_demand, _path, *CONTENT, _agent, _auth, _scope, *ACCOUNT, _session, _busy),
    (_demand, _path, _auth, *ACCOUNT, *CONTENT, _agent, _scope, _session, _busy),
)
"""The ruled one, and two others that servers have: what was sent before who sent it, and the account before what was sent."""


def order(readings: Readings, seed: int, ticket: int, tape: Tape | None = None) -> tuple[Reason, ...]:
    """In which order reasons win for one request: the ruled one, or where any is right, one that the seed draws, or a tape has."""
    if not readings.any_order:
        return ORDER
    ids = Ids(seed, "order", tape)
    return ORDERS[ids.decide("order", int(ids.at("", ticket), 16) % len(ORDERS)) % len(ORDERS)]
