"""Requests to a running backend, and its journal once they are over."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatproof.simulator.app import Running
from chatproof.simulator.journal import Entry, Journal

DEADLINE_S = 10.0


def ended(server: Running, count: int) -> list[Entry]:
    """The entries, once ``count`` of them are over."""
    with server.journal.changed:
        assert server.journal.changed.wait_for(lambda: _over(server.journal) >= count, DEADLINE_S)
    return server.journal.entries()


def _over(journal: Journal) -> int:
    return sum(entry.over for entry in journal.entries())


def post(server: Running, path: str, body: Any, key: str = "key-valid", **headers: str) -> bytes:
    client = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=DEADLINE_S)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    client.request(
        "POST", path, sent, {"Authorization": f"Bearer {key}".encode(), "Content-Type": "application/json", **headers}
    )
    got = client.getresponse().read()
    client.close()
    return got


@contextmanager
def dialled(server: Running, head: str, body: Any) -> Iterator[socket.socket]:
    host, port = server.base_url.removeprefix("http://").split(":")
    data = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as sock:
        sock.sendall(f"{head}Authorization: Bearer key-valid\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        yield sock
