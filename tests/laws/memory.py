"""A verification without sockets and without waiting: the judge's requests go straight into a backend of this process.

The simulator's plans become the judge's exchanges. The clock of both is frozen and moves only as far as a plan lasts, so a
run takes no time but thinking, even over the expiry of a session, and two runs are the same to the last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h11

from chatproof.conformance import run
from chatproof.conformance.ask import Ask, compose
from chatproof.conformance.channel import WireChannel
from chatproof.conformance.endpoint import encode
from chatproof.conformance.exchange import Chunk, End, Exchange
from chatproof.conformance.framer import Framer
from chatproof.conformance.profile import Profile, profile
from chatproof.conformance.run import Options, Run
from chatproof.conformance.wire import Deadlines
from chatproof.simulator.backend import Backend
from chatproof.simulator.intake import CONTINUE
from chatproof.simulator.plan import Plan, Write, http_date
from chatproof.simulator.population import profile as population
from chatproof.simulator.request import TAKEN_LIMIT, HttpRequest
from chatproof.simulator.script.model import Script
from chatproof.spec import Dialect, FrozenClock, dialect, names
from chatproof.spec.clock import FROZEN_AT

FIFTH = Path(__file__).parents[1] / "dialects" / "echo"
SEED = 1
LONG = "long"
"""The agent that is left out here: thousands of events of the same kind take most of the time and show nothing new."""
NS = 1_000_000_000
MOMENT_NS = 1_000_000
"""What is due at once arrives within this; each write is read by itself, a nanosecond after the one before."""


def all_dialects() -> list[Dialect]:
    """The packaged dialects and the fifth one, which is a folder of data beside these tests."""
    return [*map(dialect, names()), dialect(FIFTH)]


def full_profile(of: Dialect, base_url: str, **more: Any) -> Profile:
    """Everything that the simulator can be asked for: all its keys, agents, limits and claims; never paced.

    Held to the reading that its agents keep what they were told to themselves, which no document says.
    """
    said = {"base_url": base_url, "dialect": of.name, "budget": {"pace": "off"}, "rulings": {"AMB-24": "apart"}}
    return profile({**population(of), **said, **more})


Answer = Callable[[HttpRequest], Plan]
Front = Callable[[HttpRequest, Answer], Plan]
"""What stands before a backend: it may change the request, the answer, or answer by itself."""


def verify(
    of: Dialect,
    *,
    fault: str | Sequence[str] | None = None,
    variant: str | None = None,
    front: Front | None = None,
    seed: int = SEED,
    script: Script | None = None,
    rulings: Mapping[str, str] | None = None,
    pins: Mapping[str, str] | None = None,
    select: tuple[str, ...] = (),
    default: str = "default",
) -> Run:
    """A full run (or of the rows in ``select``) against a backend of that dialect alone, bent as said; a session's expiry is waited for.

    ``pins``: readings that the profile pins. ``default``: the agent that is talked to unless another one is meant.
    """
    clock = FrozenClock()
    backend = Backend([of], seed, fault=fault, variant=variant, script=script, rulings=rulings)
    expiry = {} if of.session_expiry_s is None else {"session_expiry": of.session_expiry_s}
    known = full_profile(of, "http://memory", **expiry)
    agents = {role: agent for role, agent in known.agents.items() if role != LONG}
    known = replace(known, agents={**agents, "default": agents[default]}, rulings={**known.rulings, **(pins or {})})
    channel = MemoryChannel(of, known, pause=clock.advance, backend=backend, clock=clock, front=front)
    finished = run.verify(known, of, Options(select=select, seed=seed), channel=channel)
    return replace(finished, facts=replace(finished.facts, started=FROZEN_AT, duration_s=clock.now() - FROZEN_AT))


def broken(finished: Run) -> dict[str, str]:
    """Requirement id -> ``fail`` or ``warn``."""
    return {row.requirement.id: row.outcome for row in finished.judged if row.outcome in ("fail", "warn")}


@dataclass
class MemoryChannel(WireChannel):
    """The judge's channel with a backend at its other end instead of a socket."""

    backend: Backend = field(kw_only=True)
    clock: FrozenClock = field(kw_only=True)
    front: Front | None = None
    _gone: bool = False

    def _send(self, ask: Ask) -> Exchange:
        exchange, plan = self._answer(ask)
        if ask.keep and self._gone:
            exchange = replace(exchange, reads=(), end=End.CLOSED, detail="the kept connection had ended before")
        self._gone = ask.keep and plan.end != "keep-alive"
        self.clock.advance(_lasted(exchange))
        self.backend.finished(plan)
        return exchange

    def open(self, ask: Ask) -> tuple[Exchange, Exchange, Plan]:
        """Comes back at the first event; the stream is held until ``finish`` or ``leave``, unless it ended with that event."""
        exchange, plan = self._answer(ask)
        counts = range(1, len(exchange.reads) + 1)
        parts = (replace(exchange, reads=exchange.reads[:count], end=End.LEFT) for count in counts)
        begun = next((part for part in parts if part.stream.events), exchange)
        if exchange.reads[-1].at_ns - begun.reads[-1].at_ns < MOMENT_NS:
            begun = exchange
            self.backend.finished(plan)
        self.clock.advance(_lasted(begun))
        return begun, exchange, plan

    def finish(self, held: Any) -> Exchange:
        exchange: Exchange
        _, exchange, plan = held
        ended = FROZEN_AT + exchange.sent_ns / NS + _lasted(exchange)
        self.clock.advance(max(ended - self.clock.now(), 0.0))
        self.backend.finished(plan)
        return exchange

    def leave(self, held: Any) -> Exchange:
        begun: Exchange
        begun, _, plan = held
        self.backend.finished(plan)
        return begun

    def _answer(self, ask: Ask) -> tuple[Exchange, Plan]:
        request, asked = compose(ask, self.dialect, self.profile, self.via)
        now = self.clock.now()
        plan = self._plan(encode(self.endpoint, request, keep_alive=ask.keep), now)
        sent_ns = int((now - FROZEN_AT) * NS)
        body_ns = None
        if request.header("expect") is not None:
            body_ns = sent_ns + 1
        reads, end, detail = carried(plan, request.method, sent_ns + 2 * (body_ns is not None), self.profile.deadlines)
        if body_ns is not None:
            reads = (Chunk(sent_ns, CONTINUE), *reads)
        exchange = Exchange(self._number(), ask.step, request, now, sent_ns, reads, end, detail, asked, body_ns=body_ns)
        return replace(exchange, hung_up=plan.end != "keep-alive" if ask.watch else None), plan

    def _plan(self, raw: bytes, now: float) -> Plan:
        def answer(request: HttpRequest) -> Plan:
            return self.backend.reply(request, now)

        try:
            request = received(raw)
            return self.front(request, answer) if self.front else answer(request)
        except h11.RemoteProtocolError as error:
            head = f"HTTP/1.1 {error.error_status_hint}\x20\r\nDate: {http_date(int(now))}\r\nContent-Length: 0\r\n\r\n"
            return Plan((Write(0.0, head.encode()),), "close")


def received(raw: bytes) -> HttpRequest:
    """A request's bytes as a server of HTTP reads them, h11 in the place of aiohttp; ``h11.RemoteProtocolError``."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(raw)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    parts: list[bytes] = []
    while isinstance(part := server.next_event(), h11.Data):
        parts.append(part.data)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    major, _, minor = head.http_version.decode().partition(".")
    return HttpRequest(
        head.method.decode(),
        head.target.decode(),
        headers,
        b"".join(parts)[: TAKEN_LIMIT + 1],
        (int(major), int(minor)),
        server.their_state is h11.DONE,
    )


def carried(plan: Plan, method: str, sent_ns: int, deadlines: Deadlines) -> tuple[tuple[Chunk, ...], End, str]:
    """What a client sees of a plan that is carried out to the moment: one read for each write, and how it ended."""
    framer, reads, heard_s = Framer(method), list[Chunk](), 0.0
    for number, write in enumerate(plan.writes):
        if write.due_s - heard_s > (deadlines.idle if reads else deadlines.first_byte):
            return tuple(reads), End.IDLE_TIMEOUT if reads else End.FIRST_BYTE_TIMEOUT, "the plan is silent"
        heard_s = write.due_s
        reads.append(Chunk(sent_ns + int(write.due_s * NS) + number, write.data))
        if framer.feed(write.data):
            surplus = (w.data for w in plan.writes[number + 1 :] if w.due_s == write.due_s and framer.complete)
            reads += [Chunk(reads[-1].at_ns, data) for data in surplus]
            return tuple(reads), End.COMPLETE if framer.complete else End.BROKEN, framer.broken
    ends = {
        "close": End.CLOSED,
        "reset": End.RESET,
        "keep-alive": End.IDLE_TIMEOUT if reads else End.FIRST_BYTE_TIMEOUT,
        "doomed": End.IDLE_TIMEOUT if reads else End.FIRST_BYTE_TIMEOUT,
    }
    return tuple(reads), ends[plan.end], ""


def _lasted(exchange: Exchange) -> float:
    return (exchange.reads[-1].at_ns + MOMENT_NS - exchange.sent_ns) / NS if exchange.reads else 0.0
