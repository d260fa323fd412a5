"""Proxies that spoil when a stream's pieces come, how it ends, or what is one; see ``proxies``."""

from __future__ import annotations

from chatproof.simulator.plan import Plan, Write
from chatproof.simulator.request import HttpRequest

from .memory import Answer
from .proxies import hangs_up, message, parsed, said, streams


def first_then_all(request: HttpRequest, answer: Answer) -> Plan:
    """The first write at once, and all that follows with the last one."""
    plan = answer(request)
    if not streams(request, plan):
        return plan
    first, *rest = plan.writes
    return plan._replace(writes=(first, *(Write(plan.writes[-1].due_s, write.data) for write in rest)))


def two_bursts(request: HttpRequest, answer: Answer) -> Plan:
    """Half of the writes with the first one, the others with the last."""
    plan = answer(request)
    if not streams(request, plan):
        return plan
    half, ends = len(plan.writes) // 2, (plan.writes[0].due_s, plan.writes[-1].due_s)
    return plan._replace(writes=tuple(Write(ends[n >= half], write.data) for n, write in enumerate(plan.writes)))


def breaks_off_at_nul(request: HttpRequest, answer: Answer) -> Plan:
    """A stream whose message holds U+0000 ends with its first piece, and its connection with it."""
    plan = answer(request)
    if not streams(request, plan) or "\0" not in message(request):
        return plan
    data = b"".join(write.data for write in plan.writes)
    return plan._replace(writes=(Write(0.0, data[: data.index(b"\n\n") + 4]),), end="close")


def hangs_up_after_json(request: HttpRequest, answer: Answer) -> Plan:
    """As ``hangs_up``, but streams keep their connection."""
    plan = answer(request)
    return plan if streams(request, plan) else hangs_up(request, lambda _: plan)


def refuses_in_streams(request: HttpRequest, answer: Answer) -> Plan:
    """Who asks for a stream is told in one that nothing comes of it."""
    plan = answer(request)
    asks = parsed(request).get("stream") is True or request.target.endswith("/stream")
    if plan.status not in (401, 402, 404) or not asks:
        return plan
    return said(200, b'data: {"type": "error", "message": "No"}\n\n', b"text/event-stream")
