"""The backend on a real loopback socket: connections, framing, disconnects, bodies in pieces."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chatproof.simulator.app import Running, running
from chatproof.simulator.request import BODY_LIMIT
from chatproof.spec import FrozenClock, dialect, names

HEADERS = {"Authorization": "Bearer key-valid", "Content-Type": "application/json"}
DEADLINE_S = 10.0
STREAM = {"agent_id": "echo", "message": "Hi", "stream": True}
JSON = {**STREAM, "stream": False}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(clock=FrozenClock(), seed=3) as started:
        yield started


@pytest.fixture
def connection(server: Running) -> Iterator[http.client.HTTPConnection]:
    client = _client(server)
    yield client
    client.close()


def _client(server: Running) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=DEADLINE_S)


def _dial(server: Running) -> socket.socket:
    host, port = server.base_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=DEADLINE_S)


def _post(path: str, body: Any, *more: str, version: str = "1.1", key: str = "key-valid") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/{version}",
        "Host: x",
        f"Authorization: Bearer {key}",
        f"Content-Length: {len(data)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data


def _until(sock: socket.socket, end: bytes, anywhere: bool = False) -> bytes:
    got = b""
    while not (end in got if anywhere else got.endswith(end)):
        part = sock.recv(65536)
        assert part, got
        got += part
    return got


def _rest(sock: socket.socket) -> bytes:
    got = b""
    while part := sock.recv(65536):
        got += part
    return got


@pytest.mark.parametrize("name", names())
def test_each_dialect_answers_at_its_url(name: str, server: Running, connection: http.client.HTTPConnection) -> None:
    api = dialect(name)
    operation = api.operation("switched", "stream", "json")
    assert operation is not None
    path = server.url(name).removeprefix(server.base_url) + operation.path.replace("{agent}", "echo")
    connection.request("POST", path, json.dumps({"agent_id": "echo", "message": "Hi"}), HEADERS)
    assert connection.getresponse().status == 200


def test_a_connection_is_used_again_after_json_streams_and_errors(connection: http.client.HTTPConnection) -> None:
    used = None
    for path, body in (
        ("/guide/chat", STREAM),
        ("/guide/chat", JSON),
        ("/guide/chat", {}),
        ("/none", {}),
        ("/guide/chat", STREAM),
    ):
        connection.request("POST", path, json.dumps(body), HEADERS)
        connection.getresponse().read()
        assert used is None or connection.sock is used
        used = connection.sock


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    with _dial(server) as sock:
        sock.sendall(_post("/guide/chat", STREAM) + _post("/guide/chat", JSON, "Connection: close"))
        got = _rest(sock)
    assert got.index(b"text/event-stream") < got.index(b"application/json")


def test_a_request_to_close_is_respected(server: Running) -> None:
    with _dial(server) as sock:
        sock.sendall(_post("/guide/chat", STREAM, "Connection: close"))
        got = _rest(sock)
    assert b"\r\nConnection: close\r\n" in got
    assert got.endswith(b"0\r\n\r\n")


def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection(server: Running) -> None:
    with _dial(server) as sock:
        sock.sendall(_post("/guide/chat", STREAM, version="1.0"))
        got = _rest(sock)
    assert b"chunked" not in got.lower()
    assert got.endswith(b"}\n\n")


def test_a_head_request_has_no_body(connection: http.client.HTTPConnection) -> None:
    for path, status in (("/", 200), ("/guide/chat", 405), ("/none", 404)):
        connection.request("HEAD", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
        assert int(response.headers["Content-Length"]) > 0


def test_100_continue(server: Running) -> None:
    request = _post("/guide/chat", JSON, "Expect: 100-continue", "Connection: close")
    head, _, body = request.partition(b"\r\n\r\n")
    with _dial(server) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert _until(sock, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert _rest(sock).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_body_too_large_is_not_waited_for(server: Running) -> None:
    with _dial(server) as sock:
        sock.sendall(f"POST /guide/chat HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {BODY_LIMIT * 9}\r\n"
                     "Authorization: Bearer key-valid\r\n\r\n".encode())  # fmt: skip
        assert _until(sock, b"}").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT - 100, 200), (BODY_LIMIT + 1, 413)])
def test_big_bodies(size: int, status: int, connection: http.client.HTTPConnection) -> None:
    message = {**JSON, "message": "x" * (size - 60)} if status == 200 else {"message": "x" * size}
    connection.request("POST", "/guide/chat", json.dumps(message), HEADERS)
    response = connection.getresponse()
    assert response.status == status
    response.read()


def test_a_body_in_pieces_and_in_chunks(server: Running) -> None:
    data = json.dumps(JSON).encode()
    with _dial(server) as sock:
        sock.sendall(b"POST /guide/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                     b"Authorization: Bearer key-valid\r\n\r\n")  # fmt: skip
        for byte in data:
            sock.sendall(b"1\r\n%c\r\n" % byte)
        sock.sendall(b"0\r\n\r\n")
        assert _rest(sock).startswith(b"HTTP/1.1 200 ")


def test_what_is_not_http_is_refused(server: Running) -> None:
    with _dial(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nno colon\r\n\r\n")
        assert _rest(sock).startswith(b"HTTP/1.1 400 ")


@pytest.mark.slow
def test_a_client_that_leaves_gives_its_place_back() -> None:
    """The stream is far from over when its reader hangs up, and yet its place is free at once."""
    left = threading.Event()
    with running(["guide"], log=lambda line: left.set() if "client left" in line else None) as server:
        with _dial(server) as sock:
            sock.sendall(_post("/chat", {**STREAM, "agent_id": "slow", "message": "a b c d e f"}, key="key-limited"))
            _until(sock, b"\r\n\r\n")
            assert server.backend.in_flight == 1
        assert left.wait(1.0)
        assert server.backend.in_flight == 0


@pytest.mark.slow
def test_events_arrive_when_they_are_due() -> None:
    with running(["guide"]) as server, _dial(server) as sock:
        sock.sendall(_post("/chat", {**STREAM, "agent_id": "paced"}))
        parts: list[bytes] = []
        while not parts or not parts[-1].endswith(b"0\r\n\r\n"):
            parts.append(sock.recv(65536))
        assert len(parts) >= 8


def test_a_reset_comes_after_what_was_promised() -> None:
    with running(["guide"], fault="reset-mid-stream") as server, _dial(server) as sock:
        sock.sendall(_post("/chat", {**STREAM, "agent_id": "long"}))
        _until(sock, b'Sentence 900 of a long story. "}\n\n\r\n', anywhere=True)
        with pytest.raises(ConnectionResetError):
            _rest(sock)


@pytest.mark.slow
def test_a_reset_waits_until_a_slow_reader_has_what_was_promised() -> None:
    with running(["guide"], fault="reset-mid-stream") as server, socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(DEADLINE_S)
        host, port = server.base_url.removeprefix("http://").split(":")
        sock.connect((host, int(port)))
        sock.sendall(_post("/chat", {**STREAM, "message": "x" * 300_000}))
        with server.journal.changed:
            assert not server.journal.changed.wait_for(lambda: any(e.over for e in server.journal.entries()), 0.3)
        got: list[bytes] = []
        with pytest.raises(ConnectionResetError):
            got.extend(iter(lambda: sock.recv(1024), b""))
        assert b"".join(got) == b"".join(write.data for write in server.journal.entries()[0].plan.writes)  # type: ignore[union-attr]


def test_a_busy_port_is_an_oserror_in_the_caller(server: Running) -> None:
    port = int(server.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), running(["guide"], port=port):
        pass


def test_a_stopped_server_is_gone() -> None:
    with running(["guide"]) as server:
        pass
    with pytest.raises(ConnectionRefusedError):
        _dial(server)


def test_the_log_has_one_line_a_request() -> None:
    lines: list[str] = []
    with running(["guide"], log=lines.append) as server, _dial(server) as sock:
        sock.sendall(_post("/chat", JSON) + _post("/none?a=%0a", {}, "Connection: close"))
        _rest(sock)
    assert len(lines) == 2
    assert [line.split("  ")[1:5] for line in lines] == [
        ["POST", "/chat", "200", "json echo"],
        ["POST", "/none?a=%0a", "404", "path_not_found"],
    ]
