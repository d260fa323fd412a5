"""A scenario's requests over a real socket: composed, paced below the advertised limit, recorded, numbered.

A stray 429 (one that the scenario did not ask for) is waited out once; if it comes again the exchange is marked, and what
rests on it becomes inconclusive, never a failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..spec import Dialect
from . import wire
from .advertised import advertised, number
from .ask import Ask, Via, compose
from .endpoint import Endpoint
from .exchange import Chunk, End, Exchange, Request
from .lateness import Witness
from .profile import Profile
from .seen import Seen

MOST_WAIT_S = 61.0
UNKNOWN = (401, 403)
"""Refusals of a key that opens nothing: what they say of limits is nobody's."""
MOST_HUNG = 5
"""So many deadlines in a row are waited out; each may be half a minute."""
SPENDING = ("limited", "daily", "brief", "pro")
"""Keys that scenarios use up on purpose: never paced, and a 429 to them is what was wanted."""


class CutShort(Exception):
    """The run cannot go on: its number of requests is used up, or the target answers nothing any more. The text says which."""


@dataclass
class WireChannel:
    """Sends for one run. ``on_send`` hears of every request, ``pause`` sleeps (a fake in tests)."""

    dialect: Dialect
    profile: Profile
    via: Via = "body"
    on_send: Callable[[int], None] = lambda count: None
    pause: Callable[[float], None] = time.sleep
    count: int = 0
    _kept: wire.Connection | None = None
    _ready_at: dict[str, float] = field(default_factory=dict)
    _distrusted: set[str] = field(default_factory=set)
    _stays_open: bool = False
    _hung: int = 0

    def __post_init__(self) -> None:
        self.endpoint = Endpoint.parse(self.profile.base_url)

    def send(self, ask: Ask) -> Exchange:
        """One request and its answer; a stray 429 is waited out once."""
        exchange = self._send(ask)
        if exchange.status == 429 and ask.patient and ask.key not in SPENDING:
            self.pause(min(self._wait_named(exchange), MOST_WAIT_S))
            again = self._send(ask)
            return again if again.status != 429 else replace(again, asked={**again.asked, "stray": True})
        return exchange

    def open(self, ask: Ask) -> Any:
        """Begin a stream and hold it."""
        self._before(ask)
        request, asked = compose(ask, self.dialect, self.profile, self.via)
        held = wire.open(self.endpoint, request, self.profile.deadlines)
        return _Held(held, self._number(), asked)

    def done(self) -> None:
        """A scenario is over: nothing is kept for the next one."""
        self._hang_up()

    def finish(self, held: _Held) -> Exchange:
        """A held stream, read to its end."""
        return held.named(held.stream.finish())

    def leave(self, held: _Held) -> Exchange:
        """Hang up on a held stream; what it received until then, and whether it had ended by itself."""
        held.stream.catch_up()
        return held.named(held.stream.leave())

    def wait(self, seconds: float) -> None:
        self.pause(seconds)

    def _send(self, ask: Ask) -> Exchange:
        self._before(ask)
        request, asked = compose(ask, self.dialect, self.profile, self.via)
        if not ask.keep:
            self._hang_up()
        elif self._kept is None:
            self._kept = wire.Connection(self.endpoint, self.profile.deadlines)
        until = partial(self._is_done, request, asked) if self._stays_open else None
        send = partial(wire.send, self.endpoint, request, self.profile.deadlines, until=until, connection=self._kept)
        if ask.timed:
            with Witness() as witness:
                exchange = send()
            asked = {**asked, "late_s": round(witness.late_s, 3)}
        else:
            exchange = send(watch=ask.watch)
        exchange = replace(exchange, id=self._number(), label=ask.step, asked=asked)
        self._after(ask, exchange)
        return exchange

    def _is_done(self, request: Request, asked: dict[str, Any], raw: bytes) -> bool:
        """Whether a stream has said its last word. Waiting for its end once is enough: each time takes a whole deadline."""
        so_far = Exchange("", "", request, 0.0, 0, (Chunk(0, raw),), End.LEFT, asked=asked)
        return self._ended(so_far)

    def _ended(self, exchange: Exchange) -> bool:
        seen = Seen(exchange, self.dialect, self.profile)
        return seen.is_stream and bool(seen.of_kind("done"))

    def _hang_up(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _number(self) -> str:
        self.count += 1
        self.on_send(self.count)
        return f"ex-{self.count:04}"

    def _before(self, ask: Ask) -> None:
        if self._hung >= MOST_HUNG:
            raise CutShort(f"{self._hung} requests in a row were not answered to their end within the deadlines")
        if self.profile.max_requests is not None and self.count >= self.profile.max_requests:
            raise CutShort(f"the budget of {self.profile.max_requests} requests is spent")
        key = ask.key or ""
        delay = self._ready_at.pop(key, 0.0) - time.monotonic()
        if delay > 0:
            self.pause(min(delay, MOST_WAIT_S))

    def _after(self, ask: Ask, exchange: Exchange) -> None:
        """Pace: with a rate given, evenly; else stop before the advertised limit until its window ends.

        A target that says again and again that nothing remains, and answers all the same, is not believed a third time.
        """
        hung = exchange.end in (End.FIRST_BYTE_TIMEOUT, End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
        self._stays_open = self._stays_open or (hung and self._ended(exchange))
        self._hung = self._hung + 1 if hung else 0
        key = ask.key or ""
        if ask.key is None or ask.key in SPENDING or self.profile.pace == 0 or exchange.status in UNKNOWN:
            return
        if self.profile.pace is not None:
            self._ready_at[key] = time.monotonic() + 60 / self.profile.pace
            return
        said = advertised(Seen(exchange, self.dialect, self.profile))
        if said.remaining == 0 and said.reset is not None and key not in self._distrusted:
            wait = said.reset - exchange.sent_at
            if 0 < wait <= MOST_WAIT_S:
                self._ready_at[key] = time.monotonic() + wait + 0.5
            if said.limit is not None and self.count < said.limit:
                self._distrusted.add(key)

    def _wait_named(self, exchange: Exchange) -> float:
        seen = Seen(exchange, self.dialect, self.profile)
        header, body = exchange.header(self.dialect.limits.retry_after), seen.refusal().get("retry_after")
        reset = advertised(seen).reset
        if number(header) is not None:
            return float(number(header) or 0)
        if isinstance(body, int) and not isinstance(body, bool):
            return float(max(body, 0))
        return max(reset - exchange.sent_at, 1.0) if reset is not None else 5.0


@dataclass(frozen=True)
class _Held:
    stream: wire.Live
    id: str
    asked: dict[str, Any]

    def named(self, exchange: Exchange) -> Exchange:
        """The exchange of a stream that we were the ones to pause, so that its times tell nothing of the target."""
        return replace(exchange, id=self.id, label=self.asked["step"], asked={**self.asked, "held": True})
