"""One kept connection under gevent, read by the hub itself: whatever has come is stamped before anybody thinks about a turn.

A greenlet that waits in ``recv`` is switched to when its socket is ready, and reads, looks and counts before the next socket has its
turn: with hundreds of streams the last of them is stamped milliseconds late. Here a callback of the hub takes and stamps what each ready
socket has, which costs microseconds, and the greenlet of a turn runs when all of them are served. What is recorded, and how it may end,
is that of the judge's client (``conformance.wire``); a test holds the two equal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from gevent import get_hub

from ..conformance.connection import (
    NOTHING_YET,
    Deadlines,
    Socket,
    broken_off,
    connect,
    holds_more,
    silent,
    unconnected,
)
from ..conformance.endpoint import Endpoint
from ..conformance.exchange import Chunk, End
from ..conformance.framer import Framer
from .heard import Heard
from .looks import Looks

RECV_SIZE = 65536
READABLE = 1
COMPLETE = End.COMPLETE


class Lane:
    """A connection to ``endpoint``, made with the first request. ``usable``: another request may follow on it;
    ``connected_in_ns``: how long it took to be made. For one greenlet at a time."""

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines, looks: Looks, *, insecure: bool = False) -> None:
        self.usable = True
        self.connected_in_ns = 0
        self._endpoint, self._deadlines, self._looks, self._insecure = endpoint, deadlines, looks, insecure
        self._hub: Any = get_hub()
        self._socket: Socket | None = None
        self._send: Callable[[bytes], int] = _unconnected
        self._recv: Callable[[int], bytes] = _unconnected
        self._watcher: Any = None
        self._timer: Any = None
        self._waiting: Any = None
        self._framer = Framer()
        self._reads: list[Chunk] = []
        self._end: End | None = None
        self._detail = ""
        self._sent_ns = self._asked_ns = 0
        self._total_ns = int(deadlines.total * 1e9)

    def send(self, method: str, head: bytes, body: bytes) -> Heard:
        """Send a request and record the response to its end. Blocks the calling greenlet; raises nothing for what a target does."""
        self._framer, self._reads, self._end, self._detail = Framer(method), [], None, ""
        self._sent_ns = time.monotonic_ns()
        if not self.usable:
            self._end, self._detail = End.CLOSED, "the kept connection had ended before this request"
        elif self._socket is not None or self._connect():
            self._write(head + body)
            if self._end is None:
                self._wait()
        assert self._end is not None
        if not (self.usable and self._end is COMPLETE and self._framer.keep_alive and not self._framer.surplus):
            self.close()
        return Heard(body, self._sent_ns, self._reads, self._end, self._detail, self._framer.chunks)

    def close(self) -> None:
        """Hang up; twice does no harm."""
        self.usable = False
        for watcher in (self._watcher, self._timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._timer = None
        if self._socket is not None:
            self._socket.close()

    def _connect(self) -> bool:
        began = time.monotonic_ns()
        try:
            self._socket = connect(self._endpoint, self._deadlines.connect, insecure=self._insecure)
        except (OSError, UnicodeError) as error:
            self._end, self._detail = unconnected(error, self._deadlines)
            return False
        self.connected_in_ns = time.monotonic_ns() - began
        self._socket.settimeout(0.0)
        plain = (
            self._endpoint.scheme == "http"
        )  # nothing waits here, so what gevent wraps around a plain socket has nothing to do
        bare = getattr(self._socket, "_sock", self._socket) if plain else self._socket
        self._send, self._recv = bare.send, bare.recv
        self._watcher = self._hub.loop.io(self._socket.fileno(), READABLE)
        self._watcher.start(self._readable)
        return True

    def _write(self, data: bytes) -> None:
        """The time of sending is the last moment before the first byte leaves. What does not fit at once is waited for."""
        self._sent_ns = self._asked_ns = time.monotonic_ns()
        try:
            sent = self._send(data)
        except NOTHING_YET:
            sent = 0
        except OSError as error:
            self._detail = f"while sending: {error}"
            return
        if sent < len(data):
            self._write_slowly(data[sent:])
            self._asked_ns = time.monotonic_ns()

    def _write_slowly(self, data: bytes) -> None:
        """What does not fit into the system's buffer; nobody reads meanwhile."""
        sock = self._socket
        assert sock is not None
        self._watcher.stop()
        sock.settimeout(max(min(self._deadlines.idle, self._left()), 0.001))
        try:
            sock.sendall(data)
        except TimeoutError:
            self._end, self._detail = End.IDLE_TIMEOUT, "the target did not take the whole request"
        except OSError as error:
            self._detail = f"while sending: {error}"
        sock.settimeout(0.0)
        self._watcher.start(self._readable)

    def _wait(self) -> None:
        """Until the hub has read the end of the response, or a deadline has passed."""
        self._waiting = gevent.getcurrent()
        if self._timer is None:
            self._watch(min(self._deadlines.first_byte, self._left()))
        try:
            while self._end is None:
                self._hub.switch()
        finally:
            self._waiting = None
            if self._end is None:
                self.close()

    # -- called by the hub

    def _readable(self) -> None:
        """Stamp first, then look only for the end."""
        try:
            data = self._recv(RECV_SIZE)
        except NOTHING_YET:
            return
        except OSError as error:
            self._watcher.stop()
            self.usable = False
            self._over(*broken_off(error))
            return
        at = time.monotonic_ns()
        if self._waiting is None or self._end is not None:
            self._watcher.stop()
            self.usable = False
            return
        self._looks.read(at)
        if not data:
            self._over(End.CLOSED, self._detail)
            return
        self._reads.append(Chunk(at, data))
        if self._framer.feed(data):
            self._whole(len(data))
        elif holds_more(self._socket):
            self._readable()

    def _whole(self, size: int) -> None:
        """Nothing is left to wait for. ``size``: that of the last read; one that was not full has taken all that was there."""
        if self._framer.complete:
            if size == RECV_SIZE or holds_more(self._socket):
                self._surplus()
            self._over(COMPLETE, self._detail)
        else:
            self._over(End.BROKEN, f"the framing is broken: {self._framer.broken}")

    def _surplus(self) -> None:
        """What is there already after the end belongs to nobody."""
        with suppress(OSError):
            while data := self._recv(RECV_SIZE):
                self._reads.append(Chunk(time.monotonic_ns(), data))
                self._framer.feed(data)
            self.usable = False

    def _watch(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.close()
        least = min(seconds, self._deadlines.idle, self._deadlines.first_byte, self._deadlines.total)
        self._timer = self._hub.loop.timer(max(least, 0.0))
        self._timer.start(self._patience_ends)

    def _patience_ends(self) -> None:
        """The timer is set neither for each read nor for each request, so this looks when the last was. It is never set beyond what a
        request that begins at once would wait for.
        """
        if self._waiting is None:
            self._timer.close()
            self._timer = None
            return
        patience = self._deadlines.idle if self._reads else self._deadlines.first_byte
        since = self._reads[-1].at_ns if self._reads else self._asked_ns
        left = min(patience - (time.monotonic_ns() - since) / 1e9, self._left())
        if left > 0:
            self._watch(left)
            return
        self._over(*silent(self._deadlines, total=self._left() <= 0, started=bool(self._reads)))

    def _left(self) -> float:
        return (self._sent_ns + self._total_ns - time.monotonic_ns()) / 1e9

    def _over(self, end: End, detail: str) -> None:
        """The exchange has ended; its greenlet runs when every other socket that is ready has been read."""
        if self._waiting is not None and self._end is None:
            self._end, self._detail = end, detail
            if end is not COMPLETE:
                self._watcher.stop()
            self._hub.loop.run_callback(self._waiting.switch)


def _unconnected(_: object) -> Any:
    raise AssertionError("there is no connection yet")
