"""Proxies that spoil the life of a session; see ``proxies``."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest

from .memory import Answer, Front
from .proxies import SESSION, head_of, parsed, said, streams

LIFE_S = 86_400


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


def expires_from_the_beginning() -> Front:
    """A session lives a day from its first turn on, however often it is used: after that its id is that of a new one."""
    begun: dict[bytes, float] = {}

    def front(request: HttpRequest, answer: Answer) -> Plan:
        now = date_of(answer(request._replace(method="GET", body=b"")))

        def living(match: re.Match[bytes]) -> bytes:
            age = now - begun.setdefault(match[2], now)
            return b'%b%b%b"' % (match[1], match[2], b"-%d" % (age // LIFE_S) if age > LIFE_S else b"")

        return answer(request._replace(body=SESSION.sub(living, request.body)))

    return front


def odd_session(request: HttpRequest) -> bool:
    """Whether the session's id is none that a careless database takes."""
    body = parsed(request)
    session = body.get("session_id", body.get("conversationId"))
    return isinstance(session, str) and (len(session) > 255 or "\0" in session)


def date_of(plan: Plan) -> float:
    """When a response was made, in epoch seconds: a proxy has no other clock."""
    found = re.search(rb"Date: ([^\r]*)", head_of(plan))
    assert found is not None
    return parsedate_to_datetime(found[1].decode()).timestamp()
