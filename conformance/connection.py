"""A connection to a target, TLS included, how long anything may take on it, and what its errors and silences say: the same for every client of ours."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Self

from .endpoint import Endpoint
from .exchange import End

Socket = socket.socket
NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What a socket that does not block raises where there is nothing to read, or no room to write."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds: until the connection (and TLS) stands, until the first byte, between two reads, and for all of it.

    ``window``: how long the end of a limit's window is waited for; 0 for not at all.
    """

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 30.0
    total: float = 120.0
    window: float = 65.0


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


def holds_more(sock: socket.socket | None) -> bool:
    """Whether bytes were decrypted and not read yet, of which the system knows nothing."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


Ended = tuple[End, str]
"""How it ended, and the detail for people."""


def unconnected(error: Exception, deadlines: Deadlines) -> Ended:
    """Why no connection came to stand."""
    match error:
        case TimeoutError():
            return End.CONNECT_TIMEOUT, f"no connection within {deadlines.connect:g} s"
        case ConnectionRefusedError():
            return End.REFUSED, str(error)
        case ssl.SSLError():
            return End.TLS, str(error)
    return End.UNREACHABLE, str(error)


def broken_off(error: OSError) -> Ended:
    """Why nothing more can be read."""
    match error:
        case ssl.SSLEOFError():
            return End.CLOSED, f"without a TLS close: {error}"
        case ssl.SSLError():
            return End.TLS, str(error)
    return End.RESET, str(error)


def silent(deadlines: Deadlines, *, total: bool, started: bool) -> Ended:
    """Which deadline passed. ``total``: that of the whole exchange; ``started``: a byte had come."""
    if total:
        return End.TOTAL_TIMEOUT, f"not complete within {deadlines.total:g} s"
    if started:
        return End.IDLE_TIMEOUT, f"nothing for {deadlines.idle:g} s"
    return End.FIRST_BYTE_TIMEOUT, f"no byte within {deadlines.first_byte:g} s"
