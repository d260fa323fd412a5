"""Carries plans out on time: one heap and one timer for all streams, absolute due times, bytes straight to the transports.

A stream whose reader does not read is held at its transport's write buffer; everything is handed to the system before a
connection ends.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import import_module

from ..spec import Clock
from .plan import Plan

HIGH_WATER = 64 * 1024
"""Bytes that may wait in one connection's write buffer before its stream pauses (asyncio's own default)."""
AT_A_TIME = 200
"""Writes of one stream in a row, before others have their turn."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST instead of FIN."""

UNREAD_S, UNREAD_POLL_S = 5.0, 0.002
"""How long a reset waits for a client that does not read, and how often it looks."""

Drain = Callable[[], Awaitable[None]]


@dataclass
class _Stream:
    plan: Plan
    transport: asyncio.Transport
    started: float
    woken: asyncio.Future[None]
    times: list[float]
    clock: Clock
    at: int = 0
    over: bool = False


@dataclass
class Pacer:
    """Plays plans on one event loop; ``clock`` says how long its pauses really take."""

    loop: asyncio.AbstractEventLoop
    clock: Clock
    _heap: list[tuple[float, int, _Stream]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _timer: asyncio.Handle | None = None
    _wakes_at: float = 0.0
    streams: int = 0
    """Responses to requests for a stream that are being written."""

    async def carry_out(
        self,
        plan: Plan,
        transport: asyncio.Transport,
        drain: Drain,
        times: list[float] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Every write of the plan at its time; returns when the last is handed over. ``ConnectionResetError`` if the client has gone.

        ``drain`` waits until the transport's write buffer is low again. ``times`` is given the loop's time of each write made.
        ``clock``: the one of this plan, where it is not that of all.
        """
        kept = [] if times is None else times
        stream = _Stream(plan, transport, self.loop.time(), self.loop.create_future(), kept, clock or self.clock)
        self.streams += plan.about.streamed
        try:
            while not self._write_due(stream):
                if transport.get_write_buffer_size() > HIGH_WATER:
                    await drain()
                else:
                    stream.woken = self.loop.create_future()
                    self._schedule(stream)
                    await stream.woken
        finally:
            stream.over = True
            self.streams -= plan.about.streamed
        if plan.end == "reset":
            await self._reset(transport, drain)

    def _write_due(self, stream: _Stream) -> bool:
        """Write what is due until the buffer is full or others have waited long enough; whether the plan is through."""
        now = self.loop.time()
        writes, transport = stream.plan.writes, stream.transport
        pause = stream.at + AT_A_TIME
        while stream.at < len(writes):
            if transport.is_closing():
                raise ConnectionResetError("the client has gone")
            if stream.at == pause or self._due_at(stream) > now or transport.get_write_buffer_size() > HIGH_WATER:
                return False
            transport.write(writes[stream.at].data)
            stream.times.append(now)
            stream.at += 1
        return True

    def _due_at(self, stream: _Stream) -> float:
        due = stream.plan.writes[stream.at].due_s
        return stream.started + stream.clock.real_delay(due) if due else stream.started

    def _schedule(self, stream: _Stream) -> None:
        heapq.heappush(self._heap, (self._due_at(stream), next(self._order), stream))
        first = self._heap[0][0]
        if self._timer is None or first < self._wakes_at:
            if self._timer is not None:
                self._timer.cancel()
            self._wake_at(first)

    def _wake_at(self, when: float) -> None:
        self._wakes_at = when
        self._timer = self.loop.call_at(when, self._wake)

    def _wake(self) -> None:
        """Write for every stream that is due; its coroutine hears of it only when the plan is through or held up."""
        self._timer = None
        now = self.loop.time()
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        for stream in due:
            if stream.over:
                continue
            try:
                through = self._write_due(stream)
            except ConnectionResetError:
                through = True
            if through or stream.transport.get_write_buffer_size() > HIGH_WATER:
                if not stream.woken.done():
                    stream.woken.set_result(None)
            else:
                heapq.heappush(self._heap, (self._due_at(stream), next(self._order), stream))
        if self._heap:
            self._wake_at(self._heap[0][0])

    async def _reset(self, transport: asyncio.Transport, drain: Drain) -> None:
        transport.set_write_buffer_limits(high=0)
        await drain()
        connection = transport.get_extra_info("socket")
        if connection is not None:
            await self._acknowledged(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()

    async def _acknowledged(self, connection: socket.socket) -> None:
        """Until the other side's system has all the bytes, or takes none for too long: a reset discards what is still here."""
        until = self.loop.time() + UNREAD_S
        while _unacknowledged(connection) and self.loop.time() < until:
            await asyncio.sleep(UNREAD_POLL_S)


def _unacknowledged(connection: socket.socket) -> int:
    """Bytes in the system's send queue; 0 where the system does not say."""
    try:
        termios, fcntl = import_module("termios"), import_module("fcntl")
        return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except (ImportError, AttributeError, OSError):
        return 0
