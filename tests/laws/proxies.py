"""Proxies between the judge and a backend: each spoils what passes through, on the way there or back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from chatproof.simulator.plan import Plan, Write
from chatproof.simulator.request import HttpRequest

from .memory import Answer, Front

Made = Callable[[], Front]
"""Makes a fresh proxy, since some remember what they saw."""
Where = Callable[[HttpRequest, Plan], bool]
SESSION = re.compile(rb'("(?:session_id|conversationId)": ")([^"]+)"')


def anywhere(_request: HttpRequest, _plan: Plan) -> bool:
    return True


def streams(_request: HttpRequest, plan: Plan) -> bool:
    return b"text/event-stream" in head_of(plan)


def bodies(_request: HttpRequest, plan: Plan) -> bool:
    return b"text/event-stream" not in head_of(plan)


def replies(request: HttpRequest, plan: Plan) -> bool:
    return bodies(request, plan) and plan.status == 200


def creations(request: HttpRequest, plan: Plan) -> bool:
    return request.target.endswith("/api-keys") and plan.status == 200


def status(code: int) -> Where:
    return lambda _request, plan: plan.status == code


def head_of(plan: Plan) -> bytes:
    return plan.writes[0].data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def head(pattern: bytes, new: bytes, where: Where = anywhere) -> Made:
    """Another head: the first match of ``pattern`` replaced."""

    def front(request: HttpRequest, answer: Answer) -> Plan:
        plan = answer(request)
        if not where(request, plan):
            return plan
        first, *rest = plan.writes
        old = head_of(plan)
        spoilt = re.sub(pattern, lambda _: new, old, count=1) + first.data[len(old) :]
        return plan._replace(writes=(Write(first.due_s, spoilt), *rest))

    return lambda: front


def adds(line: bytes, where: Where = anywhere) -> Made:
    """One more header line."""
    return head(rb"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", where)


def body(pattern: bytes, new: bytes, where: Where = replies) -> Made:
    """Another JSON body: every match of ``pattern`` replaced, and the length told rightly."""

    def front(request: HttpRequest, answer: Answer) -> Plan:
        plan = answer(request)
        if not where(request, plan):
            return plan
        top, _, old = b"".join(write.data for write in plan.writes).partition(b"\r\n\r\n")
        spoilt = re.sub(pattern, new, old)
        top = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(spoilt), top)
        return plan._replace(writes=(Write(plan.writes[-1].due_s, top + b"\r\n\r\n" + spoilt),))

    return lambda: front


def events(pattern: bytes, new: bytes, where: Where = streams) -> Made:
    """Other events: every match of ``pattern`` in a chunk replaced, and the chunk's size told rightly."""

    def chunk(match: re.Match[bytes]) -> bytes:
        spoilt = re.sub(pattern, new, match[2])
        return b"%x\r\n%b\r\n" % (len(spoilt), spoilt) if spoilt else b""

    def front(request: HttpRequest, answer: Answer) -> Plan:
        plan = answer(request)
        if not where(request, plan):
            return plan
        changed = (
            Write(w.due_s, re.sub(rb"([0-9a-f]+)\r\n((?:data|event|:).*?\n\n)\r\n", chunk, w.data, flags=re.DOTALL))
            for w in plan.writes
        )
        return plan._replace(writes=tuple(changed))

    return lambda: front


def asks(change: Callable[[HttpRequest], HttpRequest]) -> Made:
    """A server that reads something else than was asked."""
    return lambda: lambda request, answer: answer(change(request))


def text(old: bytes, new: bytes) -> Callable[[HttpRequest], HttpRequest]:
    """The same bytes replaced wherever they stand in target and body."""

    def change(request: HttpRequest) -> HttpRequest:
        target = request.target.replace(old.decode(), new.decode())
        return request._replace(target=target, body=request.body.replace(old, new))

    return change


def refuses(when: Callable[[HttpRequest], bool], code: int = 400) -> Made:
    """A server that refuses what it must take."""
    return lambda: lambda request, answer: said(code, b'{"detail": "No"}') if when(request) else answer(request)


def said(code: int, content: bytes = b"", media: bytes = b"application/json", more: bytes = b"") -> Plan:
    """A whole response made by hand."""
    top = b"HTTP/1.1 %d No\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n"
    return Plan((Write(0.0, top % (code, media, more, len(content)) + content),), "close", code)


def forgets_keys() -> Front:
    """Only the very first request has a key that is known."""
    seen = 0

    def front(request: HttpRequest, answer: Answer) -> Plan:
        nonlocal seen
        seen += 1
        return answer(request) if seen == 1 else said(401, b'{"detail": "No"}')

    return front


def makes_one_key() -> Front:
    """The same answer to every key creation."""
    first: list[Plan] = []

    def front(request: HttpRequest, answer: Answer) -> Plan:
        if not request.target.endswith("/api-keys") or not request.body:
            return answer(request)
        first.append(answer(request))
        return first[0]

    return front


def answers_late() -> Front:
    """Each question gets the answer to the one before."""
    waiting: list[Plan] = []

    def front(request: HttpRequest, answer: Answer) -> Plan:
        plan = answer(request)
        if not message(request).startswith("Say "):
            return plan
        waiting.append(plan)
        return waiting[-2] if len(waiting) > 1 else plan

    return front


def cached() -> Front:
    """The same request gets the same response for ever."""
    known: dict[tuple[str, bytes, str | None], Plan] = {}

    def front(request: HttpRequest, answer: Answer) -> Plan:
        key = (request.target, request.body, request.headers.get("authorization"))
        if key not in known:
            known[key] = answer(request)
        return known[key]

    return front


def newest_session() -> Front:
    """There is one conversation at a time: whoever names an older session is given the one that began last."""
    known: list[bytes] = []

    def newest(match: re.Match[bytes]) -> bytes:
        if match[2] not in known:
            known.append(match[2])
        return match[1] + known[-1] + b'"'

    def change(request: HttpRequest) -> HttpRequest:
        return request._replace(body=SESSION.sub(newest, request.body))

    return lambda request, answer: answer(change(request))


def one_stream_session(request: HttpRequest) -> HttpRequest:
    """All streams that name no session are given the same one."""
    streamed = b'"stream": true' in request.body or request.target.endswith("/stream")
    if not streamed or SESSION.search(request.body):
        return request
    name = b"conversationId" if "/chat/" in request.target and not request.target.endswith("/stream") else b"session_id"
    return request._replace(body=request.body.replace(b"{", b'{"%b": "shared", ' % name, 1))


def truncates_ids(request: HttpRequest) -> HttpRequest:
    """Session ids are told apart by their first twenty characters."""
    return request._replace(body=SESSION.sub(lambda match: match[1] + match[2][:20] + b'"', request.body))


def hears_refused(request: HttpRequest, answer: Answer) -> Plan:
    """What was said is written down before anybody looks whose key it came with."""
    plan = answer(request)
    if plan.status == 401 and SESSION.search(request.body):
        answer(request._replace(headers={**request.headers, "authorization": "Bearer key-valid"}))
    return plan


def by_beginning(request: HttpRequest) -> HttpRequest:
    """A key is known by how it begins."""
    credential = request.headers.get("authorization", "")
    valid = "Bearer key-valid"
    return (
        request._replace(headers={**request.headers, "authorization": valid})
        if credential.startswith(valid)
        else request
    )


def second_turn(code: int) -> Made:
    """Of two turns of one session at the same time, the second is answered with that status."""

    def make() -> Front:
        begun: set[bytes] = set()

        def front(request: HttpRequest, answer: Answer) -> Plan:
            found = SESSION.search(request.body)
            if found is None or not message(request).startswith("At the same time"):
                return answer(request)
            second = found[2] in begun
            begun.add(found[2])
            return said(code, b'{"detail": "Busy"}') if second else answer(request)

        return front

    return make


def echoes_key(request: HttpRequest, answer: Answer) -> Plan:
    key = request.headers.get("authorization", "").partition(" ")[2].encode()
    return body(rb"\}$", b', "for": "%b"}' % key)()(request, answer)


def later(extra_s: float, part: Callable[[Plan], int]) -> Made:
    """From that write on, everything so much later."""

    def front(request: HttpRequest, answer: Answer) -> Plan:
        plan = answer(request)
        if not streams(request, plan):
            return plan
        parts = apart(plan)
        at = part(parts)
        delayed = (Write(w.due_s + extra_s * (number >= at), w.data) for number, w in enumerate(parts.writes))
        return parts._replace(writes=tuple(delayed))

    return lambda: front


def apart(plan: Plan) -> Plan:
    """The last chunk, and the head, as writes of their own."""
    *rest, last = plan.writes
    end = b"0\r\n\r\n"
    return plan._replace(writes=(*rest, Write(last.due_s, last.data.removesuffix(end)), Write(last.due_s, end)))


def hangs_up(request: HttpRequest, answer: Answer) -> Plan:
    """A connection that ends without having been announced to."""
    return answer(request)._replace(end="close")


def fixed(front: Front) -> Made:
    """A proxy that remembers nothing."""
    return lambda: front


def late_auth(request: HttpRequest) -> bool:
    """The only request whose credential stands behind the other headers is the one that writes its name in lower case."""
    names = list(request.headers)
    return "authorization" in names and names.index("authorization") > names.index("accept")


def parsed(request: HttpRequest) -> Any:
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def message(request: HttpRequest) -> str:
    found = parsed(request).get("message")
    return found if isinstance(found, str) else ""
