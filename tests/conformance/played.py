"""A server that plays literal bytes, for tests of the wire."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from chatproof.conformance.endpoint import Endpoint
from chatproof.conformance.exchange import Request
from chatproof.conformance.wire import Deadlines

SOON = Deadlines(connect=2, first_byte=2, idle=2, total=5)
OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
EVENT = b"9\r\ndata: x\n\n\r\n"
POST = Request("POST", "/chat", (("Content-Type", "application/json"),), b'{"message": "hi"}')

RESET = "reset"
NEXT_REQUEST = "next request"
Step = bytes | str | threading.Event


@dataclass
class Played:
    """A server that has one connection to play its script to. ``requests``: the bytes it was sent."""

    endpoint: Endpoint
    requests: list[bytes] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    errors: list[Exception] = field(default_factory=list)


@contextmanager
def server(
    *script: Step, tls: ssl.SSLContext | None = None, wait_for_hang_up: bool = False, at_head: bytes = b""
) -> Iterator[Played]:
    """Reads a request, then plays: bytes are sent, an event is awaited, ``RESET`` resets; afterwards it closes.

    ``at_head`` is sent when the request's head has come; unless it is a 100, the body is then not waited for.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        played = Played(Endpoint("https" if tls else "http", "127.0.0.1", listener.getsockname()[1]))
        thread = threading.Thread(target=_play, args=(listener, script, played, tls, wait_for_hang_up, at_head))
        thread.start()
        try:
            yield played
        finally:
            for step in script:
                if isinstance(step, threading.Event):
                    step.set()
            thread.join(5)
    assert not thread.is_alive()
    if played.errors:
        raise played.errors[0]


def _play(
    listener: socket.socket,
    script: tuple[Step, ...],
    played: Played,
    tls: ssl.SSLContext | None,
    wait: bool,
    at_head: bytes,
) -> None:
    try:
        plain, _ = listener.accept()
        plain.settimeout(5)
        with tls.wrap_socket(plain, server_side=True) if tls else plain as peer:
            played.requests.append(_request(peer, at_head))
            for step in script:
                if isinstance(step, bytes):
                    peer.sendall(step)
                elif isinstance(step, threading.Event):
                    assert step.wait(5)
                elif step == NEXT_REQUEST:
                    played.requests.append(_request(peer))
                elif step == RESET:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if wait:
                _until_hung_up(peer)
                played.hung_up.set()
    except Exception as error:  # noqa: BLE001 - raised again where the server is used
        played.errors.append(error)
    finally:
        played.closed.set()


def _request(peer: socket.socket, at_head: bytes = b"") -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    peer.sendall(at_head)
    if at_head and b" 100 " not in at_head:
        return data
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


def _until_hung_up(peer: socket.socket) -> None:
    try:
        while peer.recv(65536):
            pass
    except ConnectionResetError:
        pass
