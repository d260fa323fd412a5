"""Faults that a request asks for itself: in a header, the query, its message, its key or its agent's id.

A client that cannot send headers can type; one that cannot type has a key; one that has neither still names an agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .faults import CATALOGUE, known
from .population import GENEROUS, Key
from .request import Asked, HttpRequest, bearer
from .worded import LONGEST, in_a_message

if TYPE_CHECKING:
    from .refusals import Case

HEADER = "x-chatproof-fault"
QUERY = "chatproof-fault"
TEXT = "!fault "
AGENT = "fault-"
"""What an agent's id begins with behind the dialect's own prefix, so that a request still finds its dialect (AMB-01)."""
KEY = re.compile(r"key-(?:(\d{3})|fault-(.+))", re.DOTALL)
"""``key-429`` is the refusal of that status; ``key-fault-NAME`` is any fault."""
ANSWERS = "echo"
"""The agent that answers in the place of one that only names a fault."""


def asked_for(case: Case) -> Iterator[tuple[str, str]]:
    """How a request asks for faults, and for which, in words; the last of them wins where two meet."""
    request = case.request
    agent = case.agent_asked if _may_name_an_agent(request) and case.route.operation is not None else ""
    text = by_agent(agent.removeprefix(case.route.dialect.agent_prefix or ""))
    if text is not None and case.agent == ANSWERS:
        yield "agent", text
    key = bearer(request.headers) or ""
    text = by_key(key)
    if text is not None and key not in case.realm.keys:
        yield "key", text
    if TEXT.encode() in request.body and case.route.operation is not None and isinstance(case.asked, Asked):
        message = str(case.asked.roles.get("message", ""))
        if message.startswith(TEXT):
            yield "text", in_a_message(message[len(TEXT) : LONGEST])
    yield from without_body(request)


def without_body(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Those that are told before the body."""
    if QUERY in request.target:
        query = request.target.partition("?")[2][: 4 * LONGEST]
        for name, value in parse_qsl(query):
            if name == QUERY:
                yield "query", value[:LONGEST]
    if HEADER in request.headers:
        yield "header", request.headers[HEADER][:LONGEST]


def in_body(body: bytes) -> bool:
    """Whether a body may ask for a fault, by its message or its agent."""
    return b"fault" in body and (TEXT.encode() in body or AGENT.encode() in body)


def in_head(request: HttpRequest) -> bool:
    """Whether a head may ask for one, by its query, a header or the agent in its path; keys aside."""
    return QUERY in request.target or AGENT in request.target or HEADER in request.headers


def by_key(key: str) -> str | None:
    """The fault that a key stands for, if it is such a key."""
    found = KEY.fullmatch(key) if key.startswith("key-") else None
    if found is None:
        return None
    text = f"http-{found[1]}" if found[1] else found[2]
    return text if text.partition(";")[0] in CATALOGUE else None


def by_agent(bare: str) -> str | None:
    """The fault that an agent stands for, if it is such an agent; ``bare``: its id without the dialect's prefix."""
    text = bare.removeprefix(AGENT)
    return text if bare.startswith(AGENT) and text.partition(";")[0] in CATALOGUE else None


def missed(case: Case, refusal: str) -> str:
    """Why a key or an agent that was refused stands for no fault, if that is what it was meant to be; else nothing."""
    if refusal == "unauthorized":
        found = KEY.fullmatch(bearer(case.request.headers) or "")
        return "" if found is None else _unknown("key", f"http-{found[1]}" if found[1] else found[2])
    if refusal != "agent_not_found":
        return ""
    bare = case.agent_asked.removeprefix(case.route.dialect.agent_prefix or "")
    return _unknown("agent", bare.removeprefix(AGENT)) if bare.startswith(AGENT) else ""


def _unknown(by: str, text: str) -> str:
    try:
        known(text.partition(";")[0])
    except ValueError as error:
        return f"{by}: {error}"
    return ""


def key_of(text: str) -> Key | None:
    """The key itself, generous, so that its fault has something to bend."""
    return Key(text, GENEROUS) if by_key(text) is not None else None


def answers_for(bare: str) -> str | None:
    """Who answers for such an agent."""
    return ANSWERS if by_agent(bare) is not None else None


def _may_name_an_agent(request: HttpRequest) -> bool:
    return AGENT in request.target or AGENT.encode() in request.body
