"""A verification without sockets and without waiting: the judge's requests go straight into a backend of this process.

The simulator's plans become the judge's exchanges. The clock of both is frozen and moves only as far as a plan lasts, so a
run takes no time but thinking, even over the expiry of a session, and two runs are the same to the last byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatproof.conformance.ask import Ask, compose
from chatproof.conformance.channel import WireChannel
from chatproof.conformance.check import CHECKS
from chatproof.conformance.exchange import Chunk, End, Exchange
from chatproof.conformance.framing import Framer
from chatproof.conformance.judge import Absent, Evidence, Judged, judge
from chatproof.conformance.preflight import explain
from chatproof.conformance.profile import Profile, profile
from chatproof.conformance.run import ALWAYS
from chatproof.conformance.scenario import SCENARIOS, Scenario, Scene, Script, drive
from chatproof.conformance.seen import Seen
from chatproof.conformance.transcript import Transcript
from chatproof.conformance.wire import Deadlines
from chatproof.simulator.backend import Backend
from chatproof.simulator.plan import Layer, Plan
from chatproof.simulator.population import profile as population
from chatproof.simulator.request import BODY_LIMIT, HttpRequest
from chatproof.spec import Dialect, FrozenClock, Requirement, requirements
from chatproof.spec.clock import FROZEN_AT

SEED = 1
CLAIMS = ("tools", "balance", "concurrency", "deterministic", "paced")
RECALL = {"tell": "Remember this code: {nonce}", "ask": "What code did I ask you to remember?"}
NS = 1_000_000_000


@dataclass(frozen=True)
class Result:
    """A run in memory. ``stopped``: what the preflight said, if that was the end of it; then nothing is judged."""

    evidence: Evidence
    judged: tuple[Judged, ...]
    stopped: str | None

    def broken(self) -> dict[str, str]:
        """Requirement id -> ``fail`` or ``warn``."""
        return {row.requirement.id: row.outcome for row in self.judged if row.outcome in ("fail", "warn")}


def full_profile(dialect: Dialect, base_url: str, **more: Any) -> Profile:
    """Everything that the simulator can be asked for: all its keys, agents, limits and claims; never paced."""
    said = {"base_url": base_url, "dialect": dialect.name, "claims": CLAIMS, "recall": RECALL, "budget": {"pace": "off"}}
    return profile({**population(dialect), **said, **more})


def verify(
    dialect: Dialect, layers: Sequence[Layer] = (), *, fault: str | None = None, variant: str | None = None
) -> Result:
    """A full run against a backend of that dialect alone, bent as said; all of its requirements are judged."""
    clock = FrozenClock()
    backend = Backend([dialect], SEED, fault=fault, variant=variant, layers=layers)
    expiry = {} if dialect.session_expiry_s is None else {"session_expiry": dialect.session_expiry_s}
    known = full_profile(dialect, "http://memory", **expiry)
    channel = MemoryChannel(dialect, known, pause=clock.advance, backend=backend, clock=clock)
    first = drive(_preflight(), "preflight", channel)
    stopped = explain(Seen(first.exchanges[0], dialect, known))
    if stopped is not None:
        return Result(Evidence(dialect, known, (first,)), (), stopped)
    rows = requirements(dialect)
    transcripts, absent = play(rows, channel)
    evidence = Evidence(dialect, known, (first, *transcripts), absent)
    return Result(evidence, tuple(judge(rows, evidence)), None)


def play(rows: Sequence[Requirement], channel: MemoryChannel) -> tuple[list[Transcript], dict[str, Absent]]:
    """Every scenario that these requirements need and the profile allows; those that use up a limit come last."""
    wanted = {CHECKS[row.check].scenario for row in rows if row.check is not None} | set(ALWAYS)
    chosen = sorted((s for s in SCENARIOS.values() if s.name in wanted), key=lambda scenario: scenario.last)
    absent = {s.name: Absent("not_verified", "not in the profile") for s in chosen if _lacks(s, channel.profile)}
    played = [
        drive(s.play(Scene(channel.dialect, channel.profile, SEED, s.name)), s.name, channel)
        for s in chosen
        if s.name not in absent
    ]
    return played, absent


def _lacks(scenario: Scenario, known: Profile) -> bool:
    return any(known.lacks(need) for need in scenario.needs)


def _preflight() -> Script:
    yield Ask("ordinary")


@dataclass
class MemoryChannel(WireChannel):
    """The judge's channel with a backend at its other end instead of a socket."""

    backend: Backend = field(kw_only=True)
    clock: FrozenClock = field(kw_only=True)

    def _send(self, ask: Ask) -> Exchange:
        exchange, plan = self._answer(ask)
        self.clock.advance((exchange.reads[-1].at_ns - exchange.sent_ns) / NS if exchange.reads else 0.0)
        self.backend.finished(plan)
        return exchange

    def open(self, ask: Ask) -> tuple[Exchange, Plan]:
        """The stream is held for as long as nobody tells the backend that it is over, unless it was over at once."""
        exchange, plan = self._answer(ask)
        if len(exchange.reads) == 1:
            self.backend.finished(plan)
        return exchange, plan

    def leave(self, held: tuple[Exchange, Plan]) -> Exchange:
        exchange, plan = held
        self.backend.finished(plan)
        return replace(exchange, reads=exchange.reads[:2], end=End.LEFT)

    def _answer(self, ask: Ask) -> tuple[Exchange, Plan]:
        request, asked = compose(ask, self.dialect, self.profile, self.via)
        headers = {"connection": "close", **{name.lower(): value for name, value in request.headers}}
        body = request.body[: BODY_LIMIT + 1]
        plan = self.backend.reply(HttpRequest(request.method, request.target, headers, body, keep_alive=False), self.clock.now())
        sent_ns = int((self.clock.now() - FROZEN_AT) * NS)
        reads, end, detail = carried(plan, request.method, sent_ns, self.profile.deadlines)
        exchange = Exchange(self._number(), ask.step, request, self.clock.now(), sent_ns, reads, end, detail, asked)
        return exchange, plan


def carried(plan: Plan, method: str, sent_ns: int, deadlines: Deadlines) -> tuple[tuple[Chunk, ...], End, str]:
    """What a client sees of a plan that is carried out to the moment: one read for each write, and how it ended."""
    framer, reads, silent_since = Framer(method), list[Chunk](), 0.0
    for write in plan.writes:
        if write.due_s - silent_since > (deadlines.idle if reads else deadlines.first_byte):
            return tuple(reads), End.IDLE_TIMEOUT if reads else End.FIRST_BYTE_TIMEOUT, "the plan is silent"
        silent_since = write.due_s
        reads.append(Chunk(sent_ns + int(write.due_s * NS), write.data))
        if framer.feed(write.data):
            return tuple(reads), End.COMPLETE if framer.complete else End.LEFT, framer.broken
    ends = {"close": End.CLOSED, "reset": End.RESET, "keep-alive": End.IDLE_TIMEOUT}
    return tuple(reads), ends[plan.end], ""
