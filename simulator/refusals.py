"""Why a request is not answered: one table, in the order in which the reasons win (AMB-19)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from .limits import Limiter
from .population import Key
from .realm import Realm
from .reply import Refusal
from .request import BODY_LIMIT, Asked, HttpRequest, Mistake, bearer, is_json, read_body
from .routes import Route
from .rules import Rules
from .sessions import Session

if TYPE_CHECKING:
    from .script.model import Agent as Actor
    from .worded import Armament


class Case:
    """One request on its way through the table: what it says, read when first asked for and once.

    ``session_id``: the one it is answered in, once that is known. ``error``: how its agent failed.
    ``ruled``: the faults of the script's rule that answered, each with its place.
    """

    session_id: str | None = None
    error: str = ""
    ruled: tuple[tuple[str, Armament], ...] = ()

    def __init__(self, request: HttpRequest, route: Route, realm: Realm, now: float, rules: Rules) -> None:
        self.request, self.route, self.realm, self.now, self.rules = request, route, realm, now, rules

    @cached_property
    def key(self) -> Key | None:
        """The key it came with, if it is one that opens anything at all."""
        key = self.realm.key(bearer(self.request.headers) or "")
        return None if key is None or key.revoked else key

    @cached_property
    def limiter(self) -> Limiter | None:
        return self.realm.limiter(self.key) if self.key else None

    @cached_property
    def asked(self) -> Asked | Mistake:
        assert self.route.operation is not None
        return read_body(self.route.dialect, self.route.operation, self.request.body)

    @property
    def agent_asked(self) -> str:
        if self.route.agent is not None:
            return self.route.agent
        return str(self.asked.roles.get("agent", "")) if isinstance(self.asked, Asked) else ""

    @cached_property
    def agent(self) -> str | None:
        former = self.realm.former_names.get(self.agent_asked, ())
        return next(filter(self._session_of, former), None) or self.realm.agent_name(self.agent_asked)

    @cached_property
    def session(self) -> Session | None:
        """The living session it belongs to."""
        return self._session_of(self.agent) if self.agent else None

    @cached_property
    def actor(self) -> Actor | None:
        """The scripted agent that is to answer: the one its session began with, else that of today's script."""
        if self.agent in self.realm.agents:
            return None
        if self.session is not None and self.session.acted is not None:
            began: Actor = self.session.acted[0]
            return began
        return self.realm.stage.agents.get(self.agent or "") if self.realm.stage else None

    def expire(self) -> None:
        """The session that it names is forgotten, as if its idle time were over."""
        asked = self.asked.session if isinstance(self.asked, Asked) else None
        if asked is not None and self.key is not None and self.agent:
            spot = self.rules.spot((self.key.name, self.agent, asked))
            self.realm.sessions.expire(lambda one: one == spot)
        self.__dict__.pop("session", None)

    @property
    def turn(self) -> int:
        """The number of this request in its session, by what was said in it; not kept, since faults may change whose session it is."""
        session = self._session_of(self.agent) if self.agent else None
        return 1 if session is None else len(session.said) + 1

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
    return Refusal("too_large") if len(case.request.body) > BODY_LIMIT else None


def _media(case: Case) -> Refusal | None:
    return None if is_json(case.request.headers) else Refusal("unsupported_media")


def _body(case: Case) -> Refusal | None:
    return Refusal("invalid_request", mistake=case.asked) if isinstance(case.asked, Mistake) else None


def _agent(case: Case) -> Refusal | None:
    return None if case.agent else Refusal("agent_not_found", agent=case.agent_asked)


def _scope(case: Case) -> Refusal | None:
    scope = case.key.agent if case.key else None
    assert case.route.operation is not None
    creates = case.route.operation.mode == "keys"
    return Refusal("wrong_agent") if scope is not None and (creates or scope != case.agent) else None


def _rate(case: Case) -> Refusal | None:
    wait = case.limiter.retry_after(case.now, case.rules.early) if case.limiter else None
    return None if wait is None else Refusal("rate_limited", retry_after=wait)


def _balance(case: Case) -> Refusal | None:
    left = case.realm.balances.get(case.key.name) if case.key else None
    return Refusal("insufficient_balance") if left is not None and left <= 0 else None


def _busy(case: Case) -> Refusal | None:
    """Another turn of a scripted session is under way, and the script wants such turns refused."""
    stage = case.realm.stage
    if stage is None or stage.parallel != "refuse" or case.session is None or not case.session.busy or not case.actor:
        return None
    wait = max(1, math.ceil(case.session.free_in(case.now)))
    return Refusal("rate_limited", retry_after=wait, note="another turn of this session is under way")


ORDER: tuple[Callable[[Case], Refusal | None], ...] = (
    _demand,
    _path,
    _auth,
    _size,
    _media,
    _body,
    _agent,
    _scope,
    _rate,
    _balance,
    _busy,
)
