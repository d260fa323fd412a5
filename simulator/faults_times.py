"""Further ways in which a connection can behave: late, slow, silent, cut at a byte, ended before the first or after the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from . import chunks
from .fault import Fault, Given, Kind
from .faults_bytes import AFTER, cut_at, whole_streams
from .parameter import Parameter
from .places import INSIDE, behind, cut_inside, middle, split, wire_of
from .plan import End, Layer, Plan, Write

LONGEST_S = 600.0
"""How long anything here can take; a server that never lets go is no use to a test."""
TICK_S = 0.05
"""How often a trickle writes."""
ENDS: tuple[End, ...] = tuple(one for one in get_args(End) if one in ("close", "reset"))
HOW = Parameter("how", "close", "FIN, or RST", choices=ENDS)


def seconds(default: float, says: str) -> Parameter:
    return Parameter("seconds", default, says, float, "s", 0, LONGEST_S)


def later(by: float, plan: Plan) -> Plan:
    """The same, all of it that much later."""
    return plan._replace(writes=tuple(Write(write.due_s + by, write.data) for write in plan.writes))


def _slow_headers(given: Given) -> Layer:
    return Layer(plan=lambda plain: later(given.values["seconds"], plain))


def _hang(given: Given) -> Layer:
    return Layer(plan=lambda plain: plain._replace(writes=(Write(given.values["seconds"], b""),), end="close"))


def _no_answer(given: Given) -> Layer:
    return Layer(plan=lambda plain: plain._replace(writes=(Write(0.0, b""),), end=given.values["how"]))


def _stall(given: Given) -> Layer:
    def plan(plain: Plan) -> Plan:
        wire, after = wire_of(plain), given.values["after"]
        at = middle(wire) if after is None else behind(wire, after)
        if at is None:
            return plain
        before, rest = split(plain.writes, at)
        return plain._replace(writes=(*before, *(Write(w.due_s + given.values["seconds"], w.data) for w in rest)))

    return Layer(plan=plan)


def _trickle(given: Given) -> Layer:
    """So many bytes a second behind the head; faster if that took longer than ``LONGEST_S``."""

    def plan(plain: Plan) -> Plan:
        wire = wire_of(plain)
        start = wire.index(chunks.HEAD_END) + len(chunks.HEAD_END)
        rest = wire[start:]
        rate = max(given.values["bytes"], len(rest) / LONGEST_S)
        size = max(1, round(rate * TICK_S))
        pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
        due = plain.writes[0].due_s
        slow = (Write(due + number * size / rate, piece) for number, piece in enumerate(pieces, 1))
        return plain._replace(writes=(Write(due, wire[:start]), *slow))

    return Layer(plan=plan)


def _linger(given: Given) -> Layer:
    def plan(plain: Plan, end: int) -> Plan:
        before, rest = split(plain.writes, end)
        data = b"".join(write.data for write in rest)
        return plain._replace(writes=(*before, Write(before[-1].due_s + given.values["seconds"], data)))

    return whole_streams(plan)


def _cut_at_byte(given: Given) -> Layer:
    def at(wire: bytes) -> int | None:
        where = chunks.places(wire) or chunks.rest(wire)
        return where[given.values["byte"]] if given.values["byte"] < len(where) else None

    return cut_at(at, given.values["how"])


def _cut_inside(given: Given) -> Layer:
    return cut_at(lambda wire: cut_inside(wire, given.values["at"]), given.values["how"])


def _doomed(plain: Plan) -> Plan:
    return plain._replace(end="doomed") if plain.end == "keep-alive" else plain


def _fault(name: str, kind: Kind, breaks: str, how: Layer | Callable[[Given], Layer], *parameters: Parameter) -> Fault:
    layer, make = (how, None) if isinstance(how, Layer) else (Layer(), how)
    return Fault(name, "transport", (breaks,), layer, kind, parameters, make)


FAULTS: tuple[Fault, ...] = (
    _fault("cut-at-byte", "violation", "a body is sent whole", _cut_at_byte,
        Parameter("byte", 20, "how many bytes of the body arrive, framing not counted", int, "bytes", 0), HOW),
    _fault("cut-inside", "violation", "a body is sent whole", _cut_inside,
        Parameter("at", "name", "what the cut is inside of", choices=tuple(INSIDE)), HOW),
    _fault("no-answer", "violation", "a request is answered", _no_answer, HOW),
    _fault("hang", "violation", "a request is answered", _hang, seconds(60, "until the connection is closed without an answer")),
    _fault("slow-headers", "occasional", "an answer begins soon", _slow_headers, seconds(5, "before the first byte")),
    _fault("stall", "occasional", "a stream goes on", _stall, seconds(10, "of silence"), AFTER),
    _fault("trickle", "occasional", "bytes come as fast as they can", _trickle,
        Parameter("bytes", 200, "a second", int, "bytes", 1, 1 << 20)),
    _fault("linger", "violation", "a stream's body ends with its last event", _linger, seconds(5, "between the last event and the end")),
    _fault("reset-on-reuse", "occasional", "a connection that is kept can be used again", Layer(plan=_doomed)),
)  # fmt: skip
