"""The only file with a socket. Sends one request and records what comes back, byte for byte and read for read.

Nothing a target does raises here: every failure is an ``Exchange`` with its ``End``. Each ``recv`` is stamped before its
bytes are looked at, and they are looked at only to find out whether more will come; reading can wait (``framing.parse``).
Blocking, so it works in threads and under gevent alike.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

from .endpoint import Endpoint, encode
from .exchange import Chunk, End, Exchange, Request
from .framing import Framer, parse
from .sse import read

RECV_SIZE = 65536

Until = Callable[[bytes], bool]
"""Asked after each ``recv`` with all raw bytes so far: is this what we wanted?"""


@dataclass(frozen=True)
class Deadlines:
    """Seconds: until the connection (and TLS) stands, until the first byte, between two reads, and for all of it."""

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 30.0
    total: float = 120.0


class Connection:
    """A connection kept open for several requests, to see whether the target keeps it too. Never reconnects.

    ``usable`` turns false when the target closes, breaks the framing, or sends what nobody asked for.
    """

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines, *, insecure: bool = False) -> None:
        self.endpoint = endpoint
        self.usable = True
        self._deadlines = deadlines
        self._insecure = insecure
        self._socket: socket.socket | None = None

    def socket(self) -> socket.socket:
        """The socket, connected on the first call; raises ``OSError`` as ``connect`` does."""
        if self._socket is None:
            self._socket = connect(self.endpoint, self._deadlines.connect, insecure=self._insecure)
        return self._socket

    def close(self) -> None:
        """Hang up; twice does no harm."""
        self.usable = False
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@cache
def _tls(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connect(endpoint: Endpoint, timeout: float, *, insecure: bool = False) -> socket.socket:
    """A connected socket, TLS included, within ``timeout`` seconds an address; raises ``OSError``."""
    plain = socket.create_connection((endpoint.host, endpoint.port), timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if endpoint.scheme == "http":
        return plain
    try:
        return _tls(insecure).wrap_socket(plain, server_hostname=endpoint.host)
    except OSError:
        plain.close()
        raise


def send(
    endpoint: Endpoint,
    request: Request,
    deadlines: Deadlines,
    *,
    until: Until | None = None,
    connection: Connection | None = None,
    insecure: bool = False,
) -> Exchange:
    """One request and its whole response, or as much of it as ``until`` wants. Raises only for a request we got wrong.

    With a ``connection`` the request goes over it and it stays open (``Connection: keep-alive``); otherwise a new one is made.
    """
    with Live(endpoint, request, deadlines, connection, insecure) as live:
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
    ) -> None:
        self._request = request
        self._deadlines = deadlines
        self._kept = connection is not None
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
        return Exchange("", "", self._request, self._sent_at, self._sent_ns, reads, end, self._detail)

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

    def leave(self, detail: str = "") -> Exchange:
        """Hang up, if it has not ended yet."""
        if self._end is None:
            self._over(End.LEFT, detail)
        return self.exchange

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def _start(self, data: bytes) -> None:
        if not self._connection.usable:
            self._over(End.CLOSED, "the kept connection had ended before this request")
            return
        try:
            self._socket = self._connection.socket()
        except TimeoutError:
            self._over(End.CONNECT_TIMEOUT, f"no connection within {self._deadlines.connect:g} s")
        except ConnectionRefusedError as error:
            self._over(End.REFUSED, str(error))
        except ssl.SSLError as error:
            self._over(End.TLS, str(error))
        except (OSError, UnicodeError) as error:
            self._over(End.UNREACHABLE, str(error))
        else:
            self._send(self._socket, data)

    def _send(self, sock: socket.socket, data: bytes) -> None:
        """The time of sending is the last moment before the first byte leaves."""
        sock.settimeout(max(min(self._deadlines.idle, self._left()), 0.001))
        self._sent_at, self._sent_ns = time.time(), time.monotonic_ns()
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
        except ConnectionResetError as error:
            self._over(End.RESET, str(error))
        except ssl.SSLEOFError as error:
            self._over(End.CLOSED, f"without a TLS close: {error}")
        except ssl.SSLError as error:
            self._over(End.TLS, str(error))
        except OSError as error:
            self._over(End.RESET, str(error))
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
            self._over(End.COMPLETE, self._detail)
        else:
            self._over(End.BROKEN, f"the framing is broken: {self._framer.broken}")

    def _timed_out(self, *, total: bool) -> None:
        if total:
            self._over(End.TOTAL_TIMEOUT, f"not complete within {self._deadlines.total:g} s")
        elif self._reads:
            self._over(End.IDLE_TIMEOUT, f"nothing for {self._deadlines.idle:g} s")
        else:
            self._over(End.FIRST_BYTE_TIMEOUT, f"no byte within {self._deadlines.first_byte:g} s")

    def _surplus(self) -> None:
        """What is there already after the end belongs to nobody. Looks without waiting, so it costs one system call."""
        assert self._socket is not None
        self._socket.settimeout(0.0)
        with suppress(OSError):
            while data := self._socket.recv(RECV_SIZE):
                self._reads.append(Chunk(time.monotonic_ns(), data))
                self._framer.feed(data)
            self._connection.usable = False

    def _over(self, end: End, detail: str) -> None:
        self._end, self._detail = end, detail
        reusable = end is End.COMPLETE and self._framer.keep_alive and not self._framer.surplus
        if not (self._kept and reusable):
            self._connection.close()
