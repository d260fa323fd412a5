"""A server of canned bytes: what it says is what a test wrote, and what it was asked can be read as it came."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DEADLINE_S = 10
Part = bytes | threading.Event
"""Bytes to send, or something to wait for before going on."""


@dataclass
class Canned:
    url: str
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def canned(*answers: Sequence[Part]) -> Iterator[Canned]:
    """A server that gives the first request the first answer, and so on, each on a connection of its own that then ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Canned(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(listener, made, answers))
        thread.start()
        try:
            yield made
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, made: Canned, answers: Sequence[Sequence[Part]]) -> None:
    for answer in answers:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(DEADLINE_S)
        with connection, suppress(OSError):
            made.asked.append(_request(connection))
            for part in answer:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    part.wait(DEADLINE_S)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def stream(*events: str, done: bool = True, headers: str = "") -> bytes:
    """A response of Server-Sent Events whose end is that of the connection."""
    data = "".join(f"data: {event}\n\n" for event in events)
    last = (
        'data: {"type": "done", "session_id": "s-1", "usage": {"input_tokens": 1, "output_tokens": 2}}\n\n'
        if done
        else ""
    )
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{headers}\r\n{data}{last}".encode()


def whole(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A response of JSON."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body
