"""Proxies that spoil when a stream's pieces come, or which response is a stream; see ``proxies``."""

from __future__ import annotations

from dataclasses import replace

from chatproof.simulator.plan import Plan, Write
from chatproof.simulator.request import HttpRequest

from .memory import Answer
from .proxies import streams


def first_then_all(request: HttpRequest, answer: Answer) -> Plan:
    """The first write at once, and all that follows with the last one."""
    plan = answer(request)
    if not streams(request, plan):
        return plan
    first, *rest = plan.writes
    return replace(plan, writes=(first, *(Write(plan.writes[-1].due_s, write.data) for write in rest)))


def two_bursts(request: HttpRequest, answer: Answer) -> Plan:
    """Half of the writes with the first one, the others with the last."""
    plan = answer(request)
    if not streams(request, plan):
        return plan
    half, ends = len(plan.writes) // 2, (plan.writes[0].due_s, plan.writes[-1].due_s)
    return replace(plan, writes=tuple(Write(ends[n >= half], write.data) for n, write in enumerate(plan.writes)))
