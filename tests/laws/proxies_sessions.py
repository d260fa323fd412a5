"""Proxies that spoil the life of a session; see ``proxies``."""

from __future__ import annotations

from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest

from .memory import Answer, Front
from .proxies import SESSION, said, streams


def locks_left() -> Front:
    """A session is busy from the first stream of the slow agent on: nobody notices that the client hung up on it."""
    busy: set[bytes] = set()

    def front(request: HttpRequest, answer: Answer) -> Plan:
        found = SESSION.search(request.body)
        if found is None or b"paced" not in request.body + request.target.encode():
            return answer(request)
        if found[2] in busy:
            return said(423, b'{"detail": "Busy"}')
        plan = answer(request)
        if streams(request, plan):
            busy.add(found[2])
        return plan

    return front
