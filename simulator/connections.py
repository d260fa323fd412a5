"""The connections of a server: how many there may be, and how long one may take to send a request's head.

A slow or silent client costs one connection for a while, and nobody else anything. Where there are as many as there may be, the
oldest that has never sent a whole request gives way to a new one, or the one that is idle the longest; if all are in use, the new
one is turned away with 503.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_server import Server

from .plan import head, http_date

IDLE_S = 600.0
"""How long a connection is kept between two requests, in seconds."""
LINGER_S = 5.0
"""How long what is left of a body that is not wanted is read and thrown away, so that its sender hears the answer; in seconds."""


@dataclass(frozen=True)
class Patience:
    """How long a client may take, in seconds: ``first_s`` to say anything at all, ``head_s`` for the head of a request from its first
    byte, ``body_s`` for its body."""

    first_s: float = 60.0
    head_s: float = 10.0
    body_s: float = 30.0


PATIENCE = Patience()
Awaits = Literal["head", "body", "answer", "nothing"]
"""What a connection waits for: the rest of a head or of a body, our answer, or nothing that has begun."""
LATE = "the {} of the request did not arrive within {:g} s"
SPARE_FILES = 64
"""File descriptors that connections leave for everything else."""
MOST = 10_000


def most_connections() -> int:
    """How many connections there may be unless somebody says: as many as the system lets a process have, ``MOST`` at most."""
    try:
        import resource
    except ImportError:
        return 500
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - SPARE_FILES))


class Sent(StreamResponse):
    """A response whose bytes have been written already."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Connections(Server):
    """aiohttp's server with watched connections. ``most``: how many there may be; ``now``: the clock of their answers."""

    def __init__(
        self, *words: Any, most: int, now: Callable[[], float], patience: Patience = PATIENCE, **more: Any
    ) -> None:
        super().__init__(*words, keepalive_timeout=IDLE_S, lingering_time=LINGER_S, **more)
        self.most, self.now, self.patience = most, now, patience
        self.fresh: dict[Watched, None] = {}
        """Those that have never sent a whole request, the oldest first."""

    def __call__(self) -> RequestHandler:
        return Watched(self, loop=self._loop, **self._kwargs)

    def room(self) -> bool:
        """Whether there is room for one more connection, if need be after one that is not in use has gone."""
        if len(self._connections) < self.most:
            return True
        gone = next(iter(self.fresh), None) or self._idle()
        if gone is not None:
            gone.force_close()
            self._connections.pop(gone, None)
            self.fresh.pop(gone, None)
        return gone is not None

    def _idle(self) -> Watched | None:
        found = (one for one in self._connections if isinstance(one, Watched) and one.idle)
        return min(found, key=lambda one: one.idle_since, default=None)


class Watched(RequestHandler):
    """One connection, and the timer for what it has not sent yet."""

    __slots__ = ("_host", "_late", "_patience", "_refused")

    def __init__(self, manager: Connections, **more: Any) -> None:
        super().__init__(manager, **more)
        self._host = manager
        self._patience: asyncio.TimerHandle | None = None
        self._late: Awaits = "nothing"
        self._refused = False

    @property
    def idle(self) -> bool:
        """Whether it waits for a request."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def idle_since(self) -> float:
        return self._next_keepalive_close_time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._host.room():
            self._refused = True
            self._say(transport, 503, "too many connections", ("Retry-After", "1"))
            return
        super().connection_made(transport)
        self._host.fresh[self] = None
        self._patience = self._loop.call_later(self._host.patience.first_s, self._out_of_patience)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        awaits = self.take(data)
        if awaits in ("answer", "nothing"):
            if self._patience is not None:
                self._host.fresh.pop(self, None)
                self._stop()
        elif awaits != self._late:
            self._stop()
            self._late = awaits
            allowed = self._host.patience.head_s if awaits == "head" else self._host.patience.body_s
            self._patience = self._loop.call_later(allowed, self._out_of_patience)

    def take(self, data: bytes) -> Awaits:
        """Have bytes parsed, and say what is waited for then."""
        super().data_received(data)
        waiter = self._waiter
        if waiter is None or waiter.done():
            return "answer"
        return "head" if data else "nothing"

    def connection_lost(self, exc: BaseException | None) -> None:
        self._host.fresh.pop(self, None)
        self._stop()
        if not self._refused:
            super().connection_lost(exc)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """What is no HTTP is told so, in a line; the connection ends. ``ConnectionError`` if an answer had begun."""
        if request.writer.output_size > 0 or self.transport is None:
            raise ConnectionError("an answer has begun already")
        why = (message or "").partition("\n")[0].rstrip(":")
        self._say(self.transport, status, f"not HTTP as it should be: {why}" if why else "the server failed")
        return Sent(keep_alive=False)

    def _stop(self) -> None:
        self._late = "nothing"
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _out_of_patience(self) -> None:
        self._patience = None
        patience = self._host.patience
        allowed = {"head": patience.head_s, "body": patience.body_s}.get(self._late)
        if allowed is not None and self.transport is not None:
            self._say(self.transport, 408, LATE.format(self._late, allowed))
        self.force_close()

    def _say(self, transport: asyncio.BaseTransport, status: int, text: str, *more: tuple[str, str]) -> None:
        body = json.dumps({"error": {"status": status, "message": text}})
        headers = [("Date", http_date(int(self._host.now()))), ("Content-Type", "application/json"), *more]
        headers += [("Content-Length", str(len(body))), ("Connection", "close")]
        cast(asyncio.WriteTransport, transport).write(head(status, headers) + body.encode())
        transport.close()
