"""Proxies that spoil limits: who is refused, for how long, and what becomes of what was refused."""

from __future__ import annotations

import re

from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest

from .memory import Answer, Front
from .proxies import Made, head, message, said


def limits_everybody() -> Front:
    """One key over its limit, and nobody is served any more."""
    full = False

    def front(request: HttpRequest, answer: Answer) -> Plan:
        nonlocal full
        plan = answer(request)
        full = full or plan.status == 429
        return said(429, b'{"detail": "Full"}') if full else plan

    return front


def keeps_places() -> Front:
    """A key that was refused once has no place for a stream ever again."""
    full = False

    def front(request: HttpRequest, answer: Answer) -> Plan:
        nonlocal full
        plan = answer(request)
        if "key-limited" in request.headers.get("authorization", "") and b'"stream": true' in request.body:
            full = full or plan.status == 429
            return said(429, b'{"detail": "Full", "retry_after": 1}') if full else plan
        return plan

    return front


def never_renews() -> Front:
    """A key that was refused once is refused for ever, with the same words."""
    refused: dict[str, Plan] = {}

    def front(request: HttpRequest, answer: Answer) -> Plan:
        key = request.headers.get("authorization", "")
        plan = refused.get(key) or answer(request)
        if plan.status == 429:
            refused[key] = plan
        return plan

    return front


def none_remain_again() -> Front:
    """A key that was refused once is served again, but told for ever that nothing remains."""
    refused = set[str]()

    def front(request: HttpRequest, answer: Answer) -> Plan:
        key, plan = request.headers.get("authorization", ""), answer(request)
        if plan.status == 429:
            refused.add(key)
        return (
            head(rb"X-RateLimit-Remaining: \d+", b"X-RateLimit-Remaining: 0")()(request, lambda _: plan)
            if key in refused
            else plan
        )

    return front


def hears_the_refused() -> Front:
    """What was refused for a limit is said to the agent as soon as there is room for it."""
    refused: dict[str, HttpRequest] = {}

    def front(request: HttpRequest, answer: Answer) -> Plan:
        key = request.headers.get("authorization", "")
        if message(request).startswith("What code") and key in refused:
            answer(refused.pop(key))
        plan = answer(request)
        if plan.status == 429 and message(request).startswith("Remember"):
            refused[key] = request
        return plan

    return front


def not_in_earnest() -> Front:
    """Of two requests in a row that are over a limit, the second is served."""
    refused: str | None = None

    def front(request: HttpRequest, answer: Answer) -> Plan:
        nonlocal refused
        key, plan = request.headers.get("authorization", ""), answer(request)
        if plan.status == 429 and refused == key:
            plan = answer(request._replace(headers={**request.headers, "authorization": "Bearer key-valid"}))
        refused = key if plan.status == 429 else None
        return plan

    return front


def many_places(request: HttpRequest, answer: Answer) -> Plan:
    """The second plan has no end of places for streams."""
    plan = answer(request)
    if plan.status != 429 or "key-pro" not in request.headers.get("authorization", ""):
        return plan
    return answer(request._replace(headers={**request.headers, "authorization": "Bearer key-valid"}))


def streams_unlimited(request: HttpRequest, answer: Answer) -> Plan:
    """A stream is never refused for a spent limit."""
    plan = answer(request)
    if plan.status != 429 or (b'"stream": true' not in request.body and "/stream" not in request.target):
        return plan
    return answer(request._replace(headers={**request.headers, "authorization": "Bearer key-valid"}))


def counts(by: int) -> Made:
    """The key with the short window is answered one request less in each, or one more."""

    def make() -> Front:
        extra = False

        def front(request: HttpRequest, answer: Answer) -> Plan:
            nonlocal extra
            plan = answer(request)
            if not request.headers.get("authorization", "").endswith("key-brief"):
                return plan
            if by < 0:
                last = re.search(rb"(?i)remaining: 0\r\n", plan.writes[0].data)
                return said(429, b'{"detail": "Full"}') if last and plan.status == 200 else plan
            if plan.status == 429 and not extra:
                extra = True
                return answer(request._replace(headers={**request.headers, "authorization": "Bearer key-valid"}))
            extra = extra and plan.status == 429
            return plan

        return front

    return make
