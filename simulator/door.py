"""aiohttp's connection with a shorter way through it: a request that has come whole and whose answer is due at once is answered
where it is parsed, without a task, a coroutine or an object of a response.

Everything else (bodies that are still coming, pauses, closing, errors, upgrades, what is no HTTP) takes aiohttp's own way, so
that there is one behaviour and not two. Whether aiohttp's connection is idle, and what has been parsed, only its own attributes say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp.http import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from .bending import wants_hurry
from .connections import Awaits, Connections, Watched
from .pacer import HIGH_WATER
from .request import HttpRequest

if TYPE_CHECKING:
    from .front import Begun, Front

HEAD_END = b"\r\n\r\n"
HEADS, HEAD_LENGTH = 1024, 2048
"""How many heads are remembered, and how many bytes one may have."""
SMALL = 32 * 1024
"""The largest body, in bytes, that is taken here; aiohttp's own way reads a larger one piece by piece."""


class Known(NamedTuple):
    """What aiohttp has read in a request's head, and how long its body is."""

    message: RawRequestMessage
    headers: Mapping[str, str]
    length: int


class Door(Connections):
    """Makes a connection for each client. ``heads``: those of whole requests, by their bytes: clients send the same ones again."""

    def __init__(self, front: Front, **settings: Any) -> None:
        super().__init__(front, **settings)
        self._front = front
        self.heads: dict[bytes, Known] = {}

    def __call__(self) -> RequestHandler:
        self._front.pacer.keep_time(self._loop.time())
        return Connection(self, self._front, loop=self._loop, **self._kwargs)

    def learn(self, head: bytes, known: Known) -> None:
        """Remember a head, unless it is a long one; when there are too many, they are learnt anew."""
        if len(head) <= HEAD_LENGTH:
            if len(self.heads) >= HEADS:
                self.heads.clear()
            self.heads[head] = known


class Connection(Watched):
    """One client's. ``begun``: the answer under way that aiohttp's handler is to carry out.

    ``aligned``: aiohttp's parser has been given whole requests only, so that the next byte begins one.
    """

    __slots__ = ("aligned", "begun", "door", "front")

    def __init__(self, door: Door, front: Front, **settings: Any) -> None:
        super().__init__(door, **settings)
        self.door, self.front = door, front
        self.begun: Begun | None = None
        self.aligned = True

    def take(self, data: bytes) -> Awaits:
        waiter = self._waiter
        unasked = waiter is None and not self._request_count  # its handler has not begun to wait
        idle = not self._messages and (unasked or (waiter is not None and not waiter.done()))
        if idle and (self.front.hurries or self.transport in self.front.doomed):
            self.aligned = False
            return super().take(data)
        if idle and self.aligned and not (self._close or self._force_close):
            head, _, body = data.partition(HEAD_END)
            known = self.door.heads.get(head)
            if known is not None and known.length == len(body):
                return self._again(known, body)
        self._parsed(data)
        if not self._messages:
            return "head" if idle and data else "nothing" if idle else "answer"
        if not idle and (waiter is None or waiter.done()):
            return "answer"
        self._waiter = None  # what an answer does may come back here, and must find nobody idle
        try:
            self._answer()
        finally:
            self._waiter = waiter
        if not self._messages:
            return "nothing"
        if self._coming():
            return "body"
        if waiter is not None:
            waiter.set_result(None)
        return "answer"

    def _parsed(self, data: bytes) -> None:
        """Let aiohttp parse, without waking its handler; learn the head of a request that has come whole."""
        waiter, self._waiter = self._waiter, None
        before = len(self._messages)
        try:
            super().take(data)
        finally:
            self._waiter = waiter
        if not self.aligned or not data:
            return
        head, _, body = data.partition(HEAD_END)
        message, payload = self._messages[-1] if len(self._messages) == before + 1 else (None, None)
        self.aligned = (
            isinstance(message, RawRequestMessage)
            and payload is not None
            and payload.is_eof()
            and payload.exception() is None
            and payload.total_bytes == len(body)
            and _usual(message)
        )
        if self.aligned and isinstance(message, RawRequestMessage) and len(body) <= SMALL:
            self.door.learn(head, Known(message, _headers(message), len(body)))

    def _again(self, known: Known, body: bytes) -> Awaits:
        """Answer a request whose head has been read before."""
        message = known.message
        self._request_count += 1
        assert self.transport is not None
        begun = self.front.begin(HttpRequest(message.method, message.path, known.headers, body, message.version[:2]))
        if self._carried_out(begun, self.transport):
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            return "nothing"
        self.begun = begun
        self._messages.append((message, EMPTY_PAYLOAD))
        if self._waiter is not None:
            self._waiter.set_result(None)
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

    def _answer(self) -> None:
        """Answer what can be answered now, in the order in which it came; the rest stays."""
        messages = self._messages
        while messages and self.begun is None and self.transport is not None:
            asked = _whole(*messages[0])
            if asked is None:
                return
            self.begun = self.front.begin(asked)
            if not self._carried_out(self.begun, self.transport):
                return
            self.begun = None
            messages.popleft()
            assert self._parser is not None
            self._parser.message_consumed()
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            if not messages and self._buffer_paused:
                self._resume_reading_if_drained()

    def _carried_out(self, begun: Begun, transport: asyncio.Transport) -> bool:
        """Whether it was one write that is due, to a client that is there and reads."""
        plan = begun.entry.plan
        if plan is None or len(plan.writes) != 1 or plan.end != "keep-alive":
            return False
        due, data = plan.writes[0]
        if due or transport.is_closing() or transport.get_write_buffer_size() > HIGH_WATER:
            return False
        begun.entry.sent.append(time.monotonic())
        transport.write(data)
        self.front.over(begun, "kept")
        return True


def _usual(message: RawRequestMessage) -> bool:
    """Whether a request is of the kind that is answered here."""
    if message.should_close or message.upgrade or message.compression or "Expect" in message.headers:
        return False
    return not wants_hurry(message.path, message.headers)


def _whole(message: RawRequestMessage | Any, payload: StreamReader) -> HttpRequest | None:
    """A request of which nothing is missing and nothing is unusual; ``None`` for any other, and for what is no HTTP."""
    if not isinstance(message, RawRequestMessage) or not payload.is_eof() or payload.exception() is not None:
        return None
    if not _usual(message) or payload.total_bytes > SMALL:
        return None
    body = b"".join(payload._buffer) if payload.total_bytes else b""
    return HttpRequest(message.method, message.path, _headers(message), body, message.version[:2])


def _headers(message: RawRequestMessage) -> dict[str, str]:
    return {name.lower(): value for name, value in message.headers.items()}
