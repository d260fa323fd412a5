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
import time
from collections.abc import Awaitable, Callable, MutableSequence, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from ..spec import Clock
from .plan import Plan
from .writes import columns

HIGH_WATER = 64 * 1024
"""Bytes that may wait in one connection's write buffer before its stream pauses (asyncio's own default)."""
AT_A_TIME = 200
"""Writes of one stream in a row, before others have their turn."""
AT_A_WAKE, AT_A_REQUEST = 1000, 64
"""Writes of all streams in a row, before the loop does something else; and before each request, which has to wait for them."""
TICK_S = 0.001
"""What event loops wait at least: for anything sooner uvloop does not wait, and would look again and again until it is time."""
TIME_ERROR_S = 1e-6
"""What a sum of times may be wrong by: what is due so soon is due."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST instead of FIN."""

UNREAD_S, UNREAD_POLL_S = 5.0, 0.002
"""How long a reset waits for a client that does not read, and how often it looks."""

Drain = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Stream:
    """``dues``: when each write of ``data`` is due, in seconds of a clock of which one takes ``pace`` real ones; ``at``: the next."""

    dues: Sequence[float]
    data: Sequence[bytes]
    transport: asyncio.Transport
    started: float
    woken: asyncio.Future[None]
    times: MutableSequence[float]
    pace: float
    at: int = 0
    over: bool = False

    @property
    def due(self) -> float:
        """When the next write is due, by the loop's time."""
        return self.started + self.dues[self.at] * self.pace


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
        times: MutableSequence[float] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Every write of the plan at its time; returns when the last is handed over. ``ConnectionResetError`` if the client has gone.

        ``drain`` waits until the transport's write buffer is low again. ``times`` is given the ``time.monotonic`` of each write, just before it is made:
        a loop's own time stands still while the loop is busy.
        ``clock``: the one of this plan, where it is not that of all.
        """
        kept = [] if times is None else times
        self.keep_time(self.loop.time())
        now = self.loop.time()
        dues, data = columns(plan.writes)
        pace = (clock or self.clock).real_delay(1.0)
        stream = _Stream(dues, data, transport, now, self.loop.create_future(), kept, pace)
        self.streams += plan.about.streamed
        try:
            while not self._write_due(stream, self.loop.time()):
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

    def keep_time(self, now: float) -> None:
        """Write some of what is due by now: for whoever keeps the loop busy while streams wait."""
        if self._heap and self._heap[0][0] <= now + TIME_ERROR_S:
            self._write_all(now, AT_A_REQUEST)

    def _write_due(self, stream: _Stream, now: float) -> bool:
        """Write what is due until the buffer is full or others have waited long enough; whether the plan is through."""
        transport = stream.transport
        pause = stream.at + AT_A_TIME
        while stream.at < len(stream.data):
            if transport.is_closing():
                raise ConnectionResetError("the client has gone")
            early = stream.due > now + TIME_ERROR_S
            if early or stream.at == pause or transport.get_write_buffer_size() > HIGH_WATER:
                return False
            stream.times.append(time.monotonic())
            transport.write(stream.data[stream.at])
            stream.at += 1
        return True

    def _schedule(self, stream: _Stream) -> None:
        heapq.heappush(self._heap, (stream.due, next(self._order), stream))
        self._set_timer()

    def _set_timer(self) -> None:
        """One timer, for the first that is due."""
        first = self._heap[0][0]
        if self._timer is not None:
            if first >= self._wakes_at:
                return
            self._timer.cancel()
        now = self.loop.time()
        self._wakes_at = first if first <= now else max(first, now + TICK_S)
        self._timer = self.loop.call_at(self._wakes_at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._write_all(self.loop.time(), AT_A_WAKE)
        if self._heap:
            self._set_timer()

    def _write_all(self, now: float, most: int) -> None:
        """Write what is due, in the order in which it is, for all streams: ``most`` writes in a row.

        A stream's coroutine hears of it only when its plan is through or held up.
        """
        heap, order, until = self._heap, self._order, now + TIME_ERROR_S
        for _ in range(most):
            if not heap or heap[0][0] > until:
                return
            stream = heap[0][2]
            transport, at, data = stream.transport, stream.at, stream.data
            if stream.over or transport.is_closing() or transport.get_write_buffer_size() > HIGH_WATER:
                heapq.heappop(heap)
                self._tell(stream)
                continue
            stream.times.append(time.monotonic())
            transport.write(data[at])
            stream.at = at = at + 1
            if at == len(data):
                heapq.heappop(heap)
                self._tell(stream)
            else:
                due = stream.started + stream.dues[at] * stream.pace
                heapq.heapreplace(heap, (due, next(order), stream))

    def _tell(self, stream: _Stream) -> None:
        if not stream.woken.done():
            stream.woken.set_result(None)

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
