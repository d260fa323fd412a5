"""The admitted requests whose responses are not over, each by its ticket: what it holds until then, and gives back."""

from __future__ import annotations

from .crowd import Crowd
from .limits import Limiter
from .plan import Plan, Write
from .sessions import Session


class Underway:
    """``ticket``: that of the last request, admitted or not. ``turns``: the sessions that another turn has to wait for."""

    def __init__(self) -> None:
        self.ticket = 0
        self.turns: dict[int, Session] = {}
        self.crowd = Crowd()
        self._held: dict[int, Limiter] = {}

    def __len__(self) -> int:
        return len(self._held)

    def admit(self, limiter: Limiter, now: float) -> None:
        """Count the last request, and let it hold its place among its key's concurrent ones."""
        limiter.take(now)
        self._held[self.ticket] = limiter

    def finished(self, ticket: int) -> None:
        """The response is over or its client has gone. Idempotent."""
        limiter = self._held.pop(ticket, None)
        if limiter is not None:
            limiter.release()
        session = self.turns.pop(ticket, None) if self.turns else None
        if session is not None:
            session.busy.pop(ticket, None)
        self.crowd.leave(ticket)

    def in_turn(self, plan: Plan, now: float) -> Plan:
        """A turn of a scripted session is answered when the turns before it are planned to have been."""
        session = self.turns.get(plan.ticket)
        if session is None:
            return plan
        wait = session.free_in(now)
        if wait:
            plan = plan._replace(writes=tuple(Write(write.due_s + wait, write.data) for write in plan.writes))
        session.busy[plan.ticket] = now + plan.writes[-1].due_s
        return plan
