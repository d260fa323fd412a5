"""Sends one request over a socket and records what comes back, byte for byte and read for read.

Nothing a target does raises here: every failure is an ``Exchange`` with its ``End``. Each ``recv`` is stamped before its
bytes are looked at, and they are looked at only to find out whether more will come; reading can wait (``framing.parse``).
Blocking, so it works in threads and under gevent alike.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from .connection import Connection, Deadlines, broken_off, silent, unconnected
from .endpoint import Endpoint, encode
from .exchange import Chunk, End, Exchange, Request
from .framer import Framer
from .framing import parse
from .head import HEAD_END
from .sse import read

__all__ = ["Connection", "Deadlines", "Live", "open", "send"]

RECV_SIZE = 65536
WATCHED_S = 5.0
"""How long a target may take to close a connection after its response, where that is watched."""

Until = Callable[[bytes], bool]
"""Asked after each ``recv`` with all raw bytes so far: is this what we wanted?"""


def send(
    endpoint: Endpoint,
    request: Request,
    deadlines: Deadlines,
    *,
    until: Until | None = None,
    connection: Connection | None = None,
    insecure: bool = False,
    watch: bool = False,
) -> Exchange:
    """One request and its whole response, or as much of it as ``until`` wants. Raises only for a request we got wrong.

    With a ``connection`` the request goes over it and it stays open (``Connection: keep-alive``); otherwise a new one is made.
    ``watch``: stay after the response and see whether the target closes the connection.
    """
    with Live(endpoint, request, deadlines, connection, insecure, watch=watch) as live:
        return live.finish() if until is None or live.read_more(until) else live.leave()


def open(
    endpoint: Endpoint,
    request: Request,
    deadlines: Deadlines,
    *,
    connection: Connection | None = None,
    insecure: bool = False,
) -> Live:
    """Send, and come back when the first event has arrived (or the response ended without one), holding the stream open.

    ``leave()`` or ``finish()`` it, or use it in a ``with`` block: leaving that hangs up.
    """
    live = Live(endpoint, request, deadlines, connection, insecure)
    live.read_more(lambda raw: _has_event(raw, request.method))
    return live


def _has_event(raw: bytes, method: str) -> bool:
    response = parse(raw, ((len(raw), 0),), method=method, ended=False)
    return response is not None and bool(read(response.content).events)


class Live:
    """An exchange under way: the request is sent when this is made. Ends once, and never raises for what the target does."""

    def __init__(
        self,
        endpoint: Endpoint,
        request: Request,
        deadlines: Deadlines,
        connection: Connection | None = None,
        insecure: bool = False,
        *,
        watch: bool = False,
    ) -> None:
        self._request = request
        self._deadlines = deadlines
        self._kept = connection is not None
        self._watch = watch
        self._hung_up: bool | None = None
        self._holds_back = (request.header("expect") or "").lower() == "100-continue"
        self._body_ns: int | None = None
        self._connection = connection or Connection(endpoint, deadlines, insecure=insecure)
        self._framer = Framer(request.method)
        self._reads: list[Chunk] = []
        self._end: End | None = None
        self._detail = ""
        self._socket: socket.socket | None = None
        self._sent_at, self._sent_ns = time.time(), time.monotonic_ns()
        self._due_ns = self._sent_ns + int(deadlines.total * 1e9)
        self._start(encode(endpoint, request, keep_alive=self._kept))

    @property
    def ended(self) -> bool:
        """Whether the exchange is over, for whatever reason."""
        return self._end is not None

    @property
    def exchange(self) -> Exchange:
        """What has been recorded so far; while it is under way its ``end`` reads ``left``. It has no ``id`` or ``label`` yet."""
        reads, end = tuple(self._reads), self._end or End.LEFT
        return Exchange(
            "",
            "",
            self._request,
            self._sent_at,
            self._sent_ns,
            reads,
            end,
            self._detail,
            hung_up=self._hung_up,
            body_ns=self._body_ns,
        )

    def read_more(self, until: Until | None = None) -> bool:
        """One more ``recv``, or as many as ``until`` needs; whether the exchange has ended by that."""
        while self._end is None:
            self._recv()
            if until is None or (self._end is None and until(b"".join(chunk.data for chunk in self._reads))):
                break
        return self._end is not None

    def finish(self) -> Exchange:
        """Read to the end of the response."""
        while self._end is None:
            self._recv()
        return self.exchange

    def catch_up(self) -> None:
        """Look at what has arrived already, without waiting: whether the exchange ended while nobody read it.

        Of one that goes on nothing of that is kept, since it may stop inside an event. It can only be left after this.
        """
        known = len(self._reads)
        while self._end is None and self._waiting():
            self._recv()
        if self._end is None:
            del self._reads[known:]

    def leave(self, detail: str = "") -> Exchange:
        """Hang up, if it has not ended yet."""
        if self._end is None:
            self._over(End.LEFT, detail)
        return self.exchange

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._end is None:
            self._over(End.LEFT, "")

    def _start(self, data: bytes) -> None:
        if not self._connection.usable:
            self._over(End.CLOSED, "the kept connection had ended before this request")
            return
        try:
            self._socket = self._connection.socket()
        except (OSError, UnicodeError) as error:
            self._over(*unconnected(error, self._deadlines))
        else:
            self._send(self._socket, data)

    def _send(self, sock: socket.socket, data: bytes) -> None:
        """The time of sending is the last moment before the first byte leaves."""
        head, body = data, b""
        if self._holds_back:
            end = data.index(b"\r\n\r\n") + 4
            head, body = data[:end], data[end:]
        self._sent_at, self._sent_ns = time.time(), time.monotonic_ns()
        self._write(sock, head)
        if self._holds_back and self._end is None:
            self._hold_back(sock, body)

    def _hold_back(self, sock: socket.socket, body: bytes) -> None:
        """Send the body when a 100 asks for it, or when none came in time; not after a final answer (RFC 9110 10.1.1)."""
        while self._holds_back and self._end is None and self._framer.status is None:
            self._recv()
            if HEAD_END.search(b"".join(chunk.data for chunk in self._reads)):
                self._holds_back = False
        if self._end is None and self._framer.status is None:
            self._body_ns = time.monotonic_ns()
            self._write(sock, body)
        self._holds_back = False

    def _write(self, sock: socket.socket, data: bytes) -> None:
        sock.settimeout(max(min(self._deadlines.idle, self._left()), 0.001))
        try:
            sock.sendall(data)
        except TimeoutError:
            self._over(End.IDLE_TIMEOUT, "the target did not take the whole request")
        except OSError as error:
            self._detail = f"while sending: {error}"

    def _left(self) -> float:
        return (self._due_ns - time.monotonic_ns()) / 1e9

    def _recv(self) -> None:
        """Stamp first, then look only for the end."""
        assert self._socket is not None
        patience = self._deadlines.idle if self._reads else self._deadlines.first_byte
        left = self._left()
        try:
            self._socket.settimeout(max(min(patience, left), 0.0))
            data = self._socket.recv(RECV_SIZE)
            at = time.monotonic_ns()
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            self._timed_out(total=left <= patience)
        except OSError as error:
            self._over(*broken_off(error))
        else:
            self._take(data, at)

    def _take(self, data: bytes, at_ns: int) -> None:
        if not data:
            self._over(End.CLOSED, self._detail)
            return
        self._reads.append(Chunk(at_ns, data))
        if not self._framer.feed(data):
            return
        if self._framer.complete:
            self._surplus()
            if self._watch:
                self._hung_up = not self._connection.usable or self._closes()
            self._over(End.COMPLETE, self._detail)
        else:
            self._over(End.BROKEN, f"the framing is broken: {self._framer.broken}")

    def _timed_out(self, *, total: bool) -> None:
        if self._holds_back and not total:
            self._holds_back = False
        else:
            self._over(*silent(self._deadlines, total=total, started=bool(self._reads)))

    def _waiting(self) -> bool:
        assert self._socket is not None
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _surplus(self) -> None:
        """What is there already after the end belongs to nobody. Looks without waiting, so it costs one system call."""
        assert self._socket is not None
        self._socket.settimeout(0.0)
        with suppress(OSError):
            while data := self._socket.recv(RECV_SIZE):
                self._reads.append(Chunk(time.monotonic_ns(), data))
                self._framer.feed(data)
            self._connection.usable = False

    def _closes(self) -> bool:
        """Whether the target closes the connection soon, though nothing more is asked of it."""
        assert self._socket is not None
        try:
            while (left := min(WATCHED_S, self._deadlines.idle, self._left())) > 0:
                self._socket.settimeout(left)
                data = self._socket.recv(RECV_SIZE)
                if not data:
                    return True
                self._reads.append(Chunk(time.monotonic_ns(), data))
                self._framer.feed(data)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return False

    def _over(self, end: End, detail: str) -> None:
        self._end, self._detail = end, detail
        if self._watch and end is End.CLOSED:
            self._hung_up = True
        reusable = end is End.COMPLETE and self._framer.keep_alive and not self._framer.surplus
        if not (self._kept and reusable):
            self._connection.close()
