"""aiohttp's connection with a shorter way through it: a request that has come whole and whose answer is due at once is answered
where it is parsed, without a task, a coroutine or an object of a response.

Everything else (bodies that are still coming, pauses, closing, errors, upgrades, what is no HTTP) takes aiohttp's own way, so
that there is one behaviour and not two. Whether aiohttp's connection is idle, and what has been parsed, only its own attributes say.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from .connections import Awaits, Connections, Watched
from .pacer import HIGH_WATER
from .request import HttpRequest

if TYPE_CHECKING:
    from .app import Begun, Front

SMALL = 32 * 1024
"""The largest body, in bytes, that is taken here; aiohttp's own way reads a larger one piece by piece."""


class Door(Connections):
    """Makes a connection for each client."""

    def __init__(self, front: Front, **settings: Any) -> None:
        super().__init__(front, **settings)
        self._front = front

    def __call__(self) -> RequestHandler:
        return Connection(self, self._front, loop=self._loop, **self._kwargs)


class Connection(Watched):
    """One client's. ``begun``: the answer under way that aiohttp's handler is to carry out."""

    __slots__ = ("begun", "front")

    def __init__(self, manager: Connections, front: Front, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self.front = front
        self.begun: Begun | None = None

    def take(self, data: bytes) -> Awaits:
        waiter = self._waiter
        if waiter is None or waiter.done():
            return super().take(data)
        self._waiter = None
        answered = 0
        try:
            super().take(data)
            answered = self._answer()
        finally:
            self._waiter = waiter
        if not self._messages:
            return "nothing" if answered or not data else "head"
        if waiter.done():
            return "answer"
        if self._coming():
            return "body"
        waiter.set_result(None)
        return "answer"

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        if self.begun is not None:
            self.front.over(self.begun, "client")

    def taken(self) -> Begun | None:
        """The answer that has been begun, for whoever carries it out."""
        begun, self.begun = self.begun, None
        return begun

    def _coming(self) -> bool:
        """Whether there is one request, of which nothing is missing but some of a small body."""
        message, payload = self._messages[0]
        if len(self._messages) > 1 or self.begun is not None or not isinstance(message, RawRequestMessage):
            return False
        if payload.is_eof() or payload.exception() is not None:
            return False
        length = message.headers.get("Content-Length", "")
        return length.isdigit() and int(length) <= SMALL and _usual(message)

    def _answer(self) -> int:
        """Answer what can be answered now, in the order in which it came; the rest stays. How many that were."""
        messages, answered = self._messages, 0
        while messages and self.begun is None and self.transport is not None:
            asked = _whole(*messages[0])
            if asked is None:
                break
            self.begun = self.front.begin(asked)
            if not self._carried_out(self.begun, self.transport):
                break
            self.begun = None
            answered += 1
            messages.popleft()
            assert self._parser is not None
            self._parser.message_consumed()
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            if not messages and self._buffer_paused:
                self._resume_reading_if_drained()
        return answered

    def _carried_out(self, begun: Begun, transport: asyncio.Transport) -> bool:
        """Whether it was one write that is due, to a client that is there and reads."""
        plan = begun.entry.plan
        if plan is None or len(plan.writes) != 1 or plan.end != "keep-alive":
            return False
        due, data = plan.writes[0]
        if due or transport.is_closing() or transport.get_write_buffer_size() > HIGH_WATER:
            return False
        transport.write(data)
        begun.entry.sent.append(begun.entry.began)
        self.front.over(begun, "kept")
        return True


def _usual(message: RawRequestMessage) -> bool:
    """Whether a request is of the kind that is answered here."""
    return not (message.should_close or message.upgrade or message.compression or "Expect" in message.headers)


def _whole(message: RawRequestMessage | Any, payload: StreamReader) -> HttpRequest | None:
    """A request of which nothing is missing and nothing is unusual; ``None`` for any other, and for what is no HTTP."""
    if not isinstance(message, RawRequestMessage) or not payload.is_eof() or payload.exception() is not None:
        return None
    if not _usual(message) or payload.total_bytes > SMALL:
        return None
    headers = {name.lower(): value for name, value in message.headers.items()}
    body = b"".join(payload._buffer) if payload.total_bytes else b""
    return HttpRequest(message.method, message.path, headers, body, message.version[:2])
