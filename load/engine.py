"""Drives turns at a target under gevent: open arrivals by a schedule, or conversations that take turns. Fills a ledger.

Open: a turn is begun when it is due, whatever became of those before it; one that is due while too many are under way, or that this process
did not come to before the end, is *missed* and said to be. It goes on with the conversation that has been thought about longest, or else begins one. Closed: each user holds one conversation at a time, waits for its answer, thinks, and goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

import gevent
from gevent.event import Event

from ..conformance.advertised import stated_wait
from ..conformance.profile import Profile
from ..conformance.seen import Seen
from ..spec import Dialect
from ..spec import dialect as dialect_named
from .alarm import Alarm
from .book import Book, Over
from .evidence import Evidence
from .gate import Gate
from .ledger import Ledger
from .limits import Advertised
from .line import Line
from .maker import Maker
from .part import share_of
from .plan import DRAIN_S, Plan
from .processor import Used
from .turn import Turn, take
from .turn_file import TurnFile

PROBE_S = 0.05
LATE_S = 0.05
"""What was due before the end of a run may be begun so late."""
MANY = 256
"""Turns that were never begun are counted so many at a time."""


@dataclass
class Conversation:
    """One conversation under way: its messages, how far it is, and the session that the target gave it."""

    number: int
    messages: list[tuple[str, bool]]
    at: int = 0
    session: str | None = None


class Engine:
    """One process's share of a run: worker ``index`` of ``count``."""

    def __init__(self, plan: Plan, index: int = 0, count: int = 1) -> None:
        self.plan, self.index, self.count = plan, index, count
        self.dialect: Dialect = dialect_named(plan.profile.dialect)
        self.profile: Profile = plan.profile
        single = tuple(one for one in plan.judged_by() if one.kind == "quantity" and one.op not in ("=", "=="))
        self.ledger = Ledger(plan.bin_s, plan.headline, single)
        self.stopping = Event()
        self.finished = False
        self._walked = Event()
        self._walked.set()
        self.hear: Callable[[Turn], None] | None = None
        self.reason = self.unwritten = ""
        self._maker = Maker(self.dialect, plan.profile, plan.stream, plan.via)
        self._line = Line(plan.profile, insecure=plan.insecure)
        evidence, file = Evidence(plan, self._maker, self.ledger), TurnFile(plan.turn_file, index, count)
        self._book = Book(self.ledger, evidence, file)
        self.ledger.counters["words"] = int(plan.proof != "off")
        self.ledger.lags["read"] = self._line.looks.lag
        self._gate = Gate() if plan.pacing == "respect" else None
        self._under_way: set[Any] = set()
        self._most = share_of(plan.max_in_flight, index, count)
        self._in_flight = 0
        self._numbers, self._conversations = 0, plan.first
        self._waiting: deque[tuple[float, Conversation]] = deque()
        until_start = plan.start_at - time.time()
        self._origin_ns = time.monotonic_ns() + int((until_start if plan.first else max(until_start, 0.0)) * 1e9)
        self._ends, self._used = plan.seconds, Used()
        self.ledger.begins_s, self.ledger.ends_s = plan.warmup, plan.seconds
        self._patience, self._draining = plan.drain, False
        self._prompts = plan.prompts
        self._thinks = Random(f"{plan.seed}/think/{index}")

    # -- the run as a whole

    def start(self) -> None:
        """What watches the run begins, and the walk through an open schedule: in every process, whether Locust has a user for it or not."""
        self._used = Used()
        self._watch = gevent.spawn(self._probe)
        if self.plan.schedule is not None:
            self._walked.clear()
            gevent.spawn(self.arrive)

    def now(self) -> float:
        """Seconds of the run."""
        return (time.monotonic_ns() - self._origin_ns) / 1e9

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def stop(self, reason: str = "", *, hurried: bool = True) -> None:
        """Begin nothing more. ``hurried``: for a reason nobody waits long for what is under way, and not at all for a second one."""
        self.reason = self.reason or reason
        self._ends = self.ledger.ends_s = min(self._ends, self.now())
        self.stopping.set()
        if reason and hurried:
            self._patience = min(self._patience, DRAIN_S)
            if self._draining:
                gevent.killall(list(self._under_way), block=False)

    def finish(self) -> None:
        """End the run: ``drain``, and judge the samples. A second time does nothing."""
        if not self.finished:
            self.finished = True
            self.drain()
            self._book.evidence.judge()

    def drain(self) -> None:
        """Let what is under way end, for as long as the plan allows; the rest is cut off and counted as unfinished."""
        self.stopping.set()
        self.settle()
        self._draining = True
        self._walked.wait(self._patience)
        gevent.joinall(list(self._under_way), timeout=self._patience)
        self.ledger.lost(self._in_flight)
        gevent.killall(list(self._under_way), block=True, timeout=1)
        self._watch.kill()
        self.unwritten = self._book.close()
        self.settle()
        self._line.close()

    def settle(self) -> None:
        """Bring the ledger up to date. What the processors gave is of the time in which turns are begun, as ``span_s`` is."""
        self._book.settle()
        ledger = self.ledger
        ledger.span_s = max(min(self.now(), self._ends), 0.0)
        ledger.seconds = max(ledger.span_s - self.plan.warmup, 0.0)
        if not self._draining:
            ledger.cpu_s, ledger.kept_waiting = self._used.so_far()
            if 0 <= self.now() < self.plan.seconds:
                ledger.under_way(self.now(), self._in_flight)
        ledger.counters["connections"] = self._line.opened
        if self._gate is not None:
            self._book.key.waits = self._gate.stood(time.time() - max(self.now() - self._ends, 0.0))

    def _probe(self) -> None:
        """How late a greenlet wakes: what every stamp of this process may be off by."""
        while True:
            before = time.monotonic_ns()
            gevent.sleep(PROBE_S)
            self.ledger.lags["greenlet"].record(max((time.monotonic_ns() - before) // 1000 - int(PROBE_S * 1e6), 0))

    def drive(self, user: int) -> None:
        """What a user of Locust does: it holds conversations, or stays while a schedule is walked. ``user`` counts in this process."""
        if self.plan.schedule is None:
            self.converse(user * self.count + self.index)
        else:
            self._walked.wait()

    # -- open

    def arrive(self) -> None:
        """Begin each turn of this worker's share when it is due; returns when the schedule or the run ends, and nothing that was due is left out."""
        assert self.plan.schedule is not None
        due_times = islice(self.plan.schedule.due(self.plan.seed), self.index, None, self.count)
        try:
            with Alarm(self.stopping) as alarm:
                for number, due in enumerate(due_times):
                    self._wait_until(due, alarm, number)
                    if due >= self._ends or self._spent():
                        break
                    self._arrive(due)
                self._wait_until(self.plan.seconds, alarm)
        finally:
            self._walked.set()

    def _arrive(self, due: float) -> None:
        """Begin a turn that is due, unless there is a reason not to."""
        if self._gate is not None and self._gate.wait(time.time()) > 0:
            self.ledger.unsent(due, "held_back")
        elif self._in_flight >= self._most or (self.stopping.is_set() and self._too_late(due)):
            self.ledger.unsent(due, "missed")
        else:
            self.ledger.due(due)
            self._spawn(self._origin_ns + int(due * 1e9))

    def _too_late(self, due: float) -> bool:
        """When a run has ended in its own time, what was due just before is still begun."""
        return self._ends < self.plan.seconds or self.now() - due > LATE_S

    def _wait_until(self, due: float, alarm: Alarm, number: int = 0) -> None:
        """Sleep until that second of the run or its end. Never starves the turns under way."""
        due_ns = self._origin_ns + int(due * 1e9)
        if self.stopping.is_set():
            if number % MANY == 0:
                gevent.sleep(0)
        elif due_ns > time.monotonic_ns():
            alarm.wait_until(due_ns)
        else:
            gevent.sleep(0)

    def _spawn(self, intended_ns: int) -> None:
        thought = bool(self._waiting) and self._waiting[0][0] <= self.now()
        conversation = self._waiting.popleft()[1] if thought else self._new()
        self._in_flight += 1
        greenlet = gevent.spawn(self._arrival, conversation, intended_ns)
        self._under_way.add(greenlet)
        greenlet.rawlink(self._under_way.discard)

    def _arrival(self, conversation: Conversation, intended_ns: int) -> None:
        if self._take(conversation, intended_ns) and conversation.at < len(conversation.messages):
            self._waiting.append((self.now() + self.plan.think, conversation))

    # -- closed

    def converse(self, user: int) -> None:
        """Hold one conversation after another until the run ends. ``user`` is counted over all workers, from 0."""
        share = min(1.0, self.plan.seconds / 10)
        begins = share * user / max(self.plan.users, 1)
        if self.stopping.wait(max(begins - self.now(), 0.0)):
            return
        me: Any = gevent.getcurrent()
        self._under_way.add(me)
        me.rawlink(self._under_way.discard)
        while True:
            conversation = self._new()
            while conversation.at < len(conversation.messages):
                now_ns = time.monotonic_ns()
                at_s = (now_ns - self._origin_ns) / 1e9
                if at_s >= self.plan.seconds or self._spent() or self.stopping.is_set():
                    return
                if self._gate is not None and (wait := self._gate.wait(time.time())) > 0:
                    self.ledger.unsent(at_s, "held_back")
                    self.stopping.wait(min(wait, max(self.plan.seconds - at_s, 0.0)))
                    continue
                self.ledger.due(at_s)
                self._in_flight += 1
                goes_on = self._take(conversation, now_ns)
                self._think()
                if not goes_on:
                    break

    def _think(self) -> None:
        """A pause as people make it: about the mean, often shorter, sometimes much longer (lognormal)."""
        mean = self.plan.think
        if mean:
            self.stopping.wait(self._thinks.lognormvariate(-0.125, 0.5) * mean)

    # -- one turn

    def _spent(self) -> bool:
        if self._numbers * self.count + self.index >= self.plan.max_requests:
            self.stop(f"the {self.plan.max_requests} requests of --max-requests were sent", hurried=False)
            return True
        return False

    def _new(self) -> Conversation:
        number = self._conversations * self.count + self.index
        self._conversations += 1
        session = f"load_{int(self.plan.start_at * 1000):x}_{number}" if self.plan.own_sessions else None
        return Conversation(number, self._prompts.messages(number), session=session)

    def _take(self, conversation: Conversation, intended_ns: int) -> bool:
        """One turn; whether its conversation can go on."""
        number = self._numbers * self.count + self.index
        self._numbers += 1
        message, expects = conversation.messages[conversation.at]
        asked_session = conversation.session
        self.ledger.begin(self.now(), self._in_flight)
        place = self._gate.pass_() if self._gate is not None else 0
        turn = take(
            self._line,
            self._maker,
            number,
            conversation.number,
            conversation.at,
            message,
            asked_session,
            intended_ns,
            self.plan.seed,
            expects,
        )
        self._in_flight -= 1
        conversation.at += 1
        conversation.session = turn.seen.session or asked_session
        now = time.time()
        if self._gate is not None:
            self._tell(self._gate, place, turn, now)
        at_s = self.now()
        warm = (intended_ns - self._origin_ns) / 1e9 < self.plan.warmup
        self._book.add(Over(turn, at_s, now, warm, message, asked_session))
        if self.hear is not None:
            self.hear(turn)
        return turn.outcome == "ok" and (conversation.session is not None or len(conversation.messages) == 1)

    def _tell(self, gate: Gate, place: int, turn: Turn, now: float) -> None:
        """The gate hears at once what an answer said."""
        status = turn.seen.status
        if status is not None:
            exchange = turn.heard.exchange(self._maker.base) if status == 429 else None
            told = None if exchange is None else stated_wait(Seen(exchange, self.dialect, self.profile))
            gate.hear(place, status, Advertised.of(turn.seen.stated, now), told, now)

    def remember(self, turns: Iterable[Turn]) -> None:
        """Count what was sent before the run over the same key."""
        for turn in turns:
            now = time.time()
            self._book.account(turn, 0.0, now)
            if self._gate is not None:
                self._tell(self._gate, self._gate.pass_(), turn, now)
