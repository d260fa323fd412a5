"""A connection to a target, TLS included, and how long anything may take on it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Self

from .endpoint import Endpoint


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
