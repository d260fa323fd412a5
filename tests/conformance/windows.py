"""A server of the guide with a window of each legal kind, on a clock that only its clients' waiting moves (AMB-21)."""

from __future__ import annotations

import email.utils
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chatproof.conformance.ask import Ask
from chatproof.conformance.exchange import Chunk, End, Exchange, Request
from chatproof.conformance.profile import Profile

from .recorded import ASKED, SENT_AT

CODE, ASKS = "code: ", "What code"
Standing = tuple[int, float]
"""What is left, and when it is whole again."""


def fixed(times: list[float], now: float, limit: int, window: float) -> Standing:
    """From the first request on."""
    opened = None
    for at in times:
        if opened is None or at >= opened + window:
            opened, used = at, 0
        used += 1
    if opened is None or now >= opened + window:
        return limit, now + window
    return limit - used, opened + window


def aligned(times: list[float], now: float, limit: int, window: float) -> Standing:
    """From one multiple of the window's length to the next."""
    number = now // window
    return limit - sum(at // window == number for at in times), (number + 1) * window


def sliding(times: list[float], now: float, limit: int, window: float) -> Standing:
    """The last seconds at any moment; whole again, for the one that is refused, when the oldest leaves."""
    recent = [at for at in times if at > now - window]
    return limit - len(recent), (recent[0] if recent else now) + window


KINDS: dict[str, Callable[[list[float], float, int, float], Standing]] = {
    "fixed": fixed,
    "aligned": aligned,
    "sliding": sliding,
}


@dataclass
class Windowed:
    """A channel whose other end is that server. ``takes_s``: how long each answer takes."""

    profile: Profile
    kind: str
    limit: int
    window: float
    now: float = SENT_AT
    takes_s: float = 0.0
    offset_s: float = 0.0
    wait_s: int | None = None
    remembers_refused: bool = False
    stays_shut: bool = False
    headers: bool = True
    codes: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now += self.offset_s

    def send(self, ask: Ask) -> Exchange:
        left, reset = KINDS[self.kind](self.times, self.now, self.limit, self.window)
        shut = left <= 0 or (self.stays_shut and len(self.times) >= self.limit)
        if not shut:
            self.times.append(self.now)
            left, reset = KINDS[self.kind](self.times, self.now, self.limit, self.window)
        if CODE in ask.message and (not shut or self.remembers_refused):
            self.codes[ask.session or ""] = ask.message.partition(CODE)[2]
        wait = max(1, math.ceil(reset - self.now)) if self.wait_s is None else self.wait_s
        text = self.codes.get(ask.session or "", "none") if ASKS in ask.message else f"You said: {ask.message}"
        body: dict[str, Any] = {"detail": f"Wait {wait} s", "retry_after": wait}
        exchange = self._said(ask, 429 if shut else 200, body if shut else {"response": text}, max(left, 0), reset)
        self.now += self.takes_s
        return exchange

    def _said(self, ask: Ask, status: int, body: dict[str, Any], left: int, reset: float) -> Exchange:
        told = {"Limit": self.limit, "Remaining": left, "Reset": math.ceil(reset)} if self.headers else {}
        content = json.dumps(body).encode()
        lines = [
            f"HTTP/1.1 {status} X",
            f"Date: {email.utils.formatdate(int(self.now), usegmt=True)}",
            *(f"X-RateLimit-{name}: {value}" for name, value in told.items()),
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n",
        ]
        read = Chunk(int(self.takes_s * 1e9), "\r\n".join(lines).encode() + content)
        asked = {**ASKED, "step": ask.step, "message": ask.message, "session": ask.session, "key": ask.key}
        return Exchange(ask.step, ask.step, Request("POST", "/chat"), self.now, 0, (read,), End.COMPLETE, asked=asked)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waited.append(seconds)

    def open(self, ask: Ask) -> Any:
        raise NotImplementedError

    def finish(self, held: Any) -> Exchange:
        raise NotImplementedError

    def leave(self, held: Any) -> Exchange:
        raise NotImplementedError

    def done(self) -> None:
        return None
