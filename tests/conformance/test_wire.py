"""The wire client against servers that say literal bytes: every way an exchange can end."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from chatproof.conformance import wire
from chatproof.conformance.endpoint import Endpoint, encode
from chatproof.conformance.exchange import End, Request
from chatproof.conformance.wire import Connection, Deadlines

from .played import CHUNKED, EVENT, JSON, NEXT_REQUEST, OK, POST, RESET, SOON, Step, server

ENDS: dict[str, tuple[tuple[Step, ...], End, bytes, set[str]]] = {
    "content-length": ((JSON,), End.COMPLETE, b"{}", set()),
    "chunked": ((CHUNKED, EVENT, b"0\r\n\r\n"), End.COMPLETE, b"data: x\n\n", set()),
    "continue": ((b"HTTP/1.1 100 Continue\r\n\r\n", JSON), End.COMPLETE, b"{}", set()),
    "http/1.0": ((b"HTTP/1.0 200 OK\r\n\r\n{}",), End.CLOSED, b"{}", set()),
    "close-delimited": ((b"HTTP/1.1 200 OK\r\n\r\n{}",), End.CLOSED, b"{}", set()),
    "surplus": ((JSON + b"more",), End.COMPLETE, b"{}", {"surplus"}),
    "short": ((OK + b"Content-Length: 9\r\n\r\n{}",), End.CLOSED, b"{}", {"short-body", "h11"}),
    "no last chunk": ((CHUNKED, EVENT), End.CLOSED, b"data: x\n\n", {"missing-last-chunk", "h11"}),
    "bad chunk": ((CHUNKED, EVENT, b"zz\r\n"), End.BROKEN, b"data: x\n\n", {"bad-chunk-size", "h11"}),
    "nothing": ((), End.CLOSED, b"", set()),
    "reset": ((RESET,), End.RESET, b"", set()),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_it_ends(name: str) -> None:
    script, end, body, problems = ENDS[name]
    with server(*script) as played:
        exchange = wire.send(played.endpoint, POST, SOON)
    assert (exchange.end, exchange.body) == (end, body)
    assert {problem.kind for problem in exchange.problems} == problems


def test_reset_after_some_events_keeps_what_came() -> None:
    go = threading.Event()
    with server(CHUNKED + EVENT, go, RESET) as played, wire.open(played.endpoint, POST, SOON) as live:
        go.set()
        exchange = live.finish()
    assert (exchange.end, exchange.body) == (End.RESET, b"data: x\n\n")
    assert "missing-last-chunk" in {problem.kind for problem in exchange.problems}


HANGS: list[tuple[tuple[Step, ...], Deadlines, End]] = [
    ((), Deadlines(first_byte=0.03), End.FIRST_BYTE_TIMEOUT),
    ((CHUNKED, EVENT), Deadlines(idle=0.03), End.IDLE_TIMEOUT),
    ((CHUNKED, EVENT), Deadlines(total=0.03), End.TOTAL_TIMEOUT),
    ((), Deadlines(total=0.03), End.TOTAL_TIMEOUT),
]


@pytest.mark.parametrize(("script", "deadlines", "end"), HANGS)
def test_deadlines(script: tuple[Step, ...], deadlines: Deadlines, end: End) -> None:
    with server(*script, threading.Event()) as played:
        exchange = wire.send(played.endpoint, POST, deadlines)
    assert exchange.end is end
    assert "0.03 s" in exchange.detail
    assert not any(problem.kind == "missing-last-chunk" for problem in exchange.problems)


def test_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    exchange = wire.send(Endpoint("http", "127.0.0.1", port), POST, SOON)
    assert (exchange.end, exchange.reads, exchange.status) == (End.REFUSED, (), None)


def test_unreachable() -> None:
    assert wire.send(Endpoint("http", "255.255.255.255", 80), POST, SOON).end is End.UNREACHABLE


def test_connect_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for crowd in waiting:
                crowd.setblocking(False)
                crowd.connect_ex(listener.getsockname())
            endpoint = Endpoint("http", "127.0.0.1", listener.getsockname()[1])
            exchange = wire.send(endpoint, POST, Deadlines(connect=0.03))
        finally:
            for crowd in waiting:
                crowd.close()
    assert exchange.end is End.CONNECT_TIMEOUT


def test_request_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint("http", "127.0.0.1", listener.getsockname()[1])
        exchange = wire.send(endpoint, Request("POST", "/", (), b"x" * 20_000_000), Deadlines(idle=0.03))
    assert (exchange.end, exchange.detail) == (End.IDLE_TIMEOUT, "the target did not take the whole request")


def test_an_answer_before_the_request_was_taken_is_still_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint("http", "127.0.0.1", listener.getsockname()[1])

        def refuse() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        exchange = wire.send(endpoint, Request("POST", "/", (), b"x" * 20_000_000), SOON)
        thread.join(5)
    assert exchange.status == 413 or exchange.end is End.RESET


def test_what_is_sent() -> None:
    with server(JSON) as played:
        endpoint = Endpoint.parse(f"http://127.0.0.1:{played.endpoint.port}/guide/")
        wire.send(endpoint, POST, SOON)
    head, _, body = played.requests[0].partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /guide/chat HTTP/1.1",
        f"Host: 127.0.0.1:{endpoint.port}",
        "Content-Type: application/json",
        "Accept-Encoding: identity",
        "User-Agent: chatproof",
        "Content-Length: 17",
        "Connection: close",
    ]
    assert body == b'{"message": "hi"}'


def test_headers_that_are_given_are_not_added() -> None:
    headers = (
        ("host", "h"),
        ("CONTENT-LENGTH", "3"),
        ("connection", "x"),
        ("accept-encoding", "gzip"),
        ("user-agent", "u"),
    )
    data = encode(Endpoint("http", "h", 80), Request("POST", "/", headers, b"abcdef"))
    assert data.split(b"\r\n") == [b"POST / HTTP/1.1", *(f"{k}: {v}".encode() for k, v in headers), b"", b"abcdef"]


def test_a_get_has_no_length_and_odd_text_is_utf8() -> None:
    endpoint = Endpoint("http", "::1", 8080)
    assert b"Content-Length" not in encode(endpoint, Request("GET", "/"))
    assert b"Host: [::1]:8080\r\n" in encode(endpoint, Request("GET", "/"))
    assert b"X: \xe9\r\n" in encode(endpoint, Request("GET", "/", (("X", "\xe9"),)))
    assert "X: \u2603\r\n".encode() in encode(endpoint, Request("GET", "/", (("X", "\u2603"),)))


def test_a_line_break_in_a_header_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="'X'"):
        encode(Endpoint("http", "h", 80), Request("GET", "/", (("X", "a\r\nY: b"),)))


def test_reads_are_stamped_in_order_after_sending() -> None:
    go = threading.Event()
    with server(CHUNKED + EVENT, go, b"0\r\n\r\n") as played, wire.open(played.endpoint, POST, SOON) as live:
        assert len(live.exchange.stream.events) == 1
        assert live.exchange.end is End.LEFT
        go.set()
        exchange = live.finish()
    times = [exchange.sent_ns, *(read.at_ns for read in exchange.reads)]
    assert times == sorted(times)
    assert len(exchange.reads) >= 2
    assert exchange.arrived_ns(0) == exchange.reads[-2].at_ns


def test_open_returns_when_there_will_be_no_event() -> None:
    with server(JSON) as played, wire.open(played.endpoint, POST, SOON) as live:
        assert live.ended
        assert live.leave().end is End.COMPLETE


def test_leaving_hangs_up() -> None:
    with server(CHUNKED, EVENT, wait_for_hang_up=True) as played:
        live = wire.open(played.endpoint, POST, SOON)
        assert not live.ended
        exchange = live.leave()
        assert played.hung_up.wait(5)
    assert (exchange.end, exchange.problems) == (End.LEFT, ())
    assert live.finish() == exchange


def test_until_stops_and_hangs_up() -> None:
    with server(CHUNKED, EVENT, wait_for_hang_up=True) as played:
        exchange = wire.send(played.endpoint, POST, SOON, until=lambda raw: b"data: x" in raw)
        assert played.hung_up.wait(5)
    assert exchange.end is End.LEFT
    assert len(exchange.stream.events) == 1


def test_until_that_never_comes_reads_to_the_end() -> None:
    with server(JSON) as played:
        assert wire.send(played.endpoint, POST, SOON, until=lambda raw: False).end is End.COMPLETE


def test_a_stream_leaves_the_connection_usable() -> None:
    stream = CHUNKED + EVENT + b"0\r\n\r\n"
    with server(stream, NEXT_REQUEST, JSON) as played, Connection(played.endpoint, SOON) as connection:
        first = wire.send(played.endpoint, POST, SOON, connection=connection)
        assert connection.usable
        second = wire.send(played.endpoint, POST, SOON, connection=connection)
    assert (first.end, second.end) == (End.COMPLETE, End.COMPLETE)
    assert second.body == b"{}"
    assert [b"Connection: keep-alive" in request for request in played.requests] == [True, True]


@pytest.mark.parametrize(
    "answer", [JSON + b"more", JSON.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), JSON[:-1]]
)
def test_a_connection_that_ended_is_not_opened_again(answer: bytes) -> None:
    with server(answer) as played, Connection(played.endpoint, SOON) as connection:
        wire.send(played.endpoint, POST, SOON, connection=connection)
        assert not connection.usable
        again = wire.send(played.endpoint, POST, SOON, connection=connection)
    assert (again.end, again.reads) == (End.CLOSED, ())
    assert "before this request" in again.detail


def test_surplus_spoils_a_connection_though_it_stays_open() -> None:
    with server(JSON + b"more", threading.Event()) as played, Connection(played.endpoint, SOON) as connection:
        wire.send(played.endpoint, POST, SOON, connection=connection)
        assert not connection.usable


def test_a_close_right_after_the_response_is_seen() -> None:
    go = threading.Event()
    with server(CHUNKED + EVENT, go, b"0\r\n\r\n") as played, Connection(played.endpoint, SOON) as connection:
        live = wire.open(played.endpoint, POST, SOON, connection=connection)
        go.set()
        assert played.closed.wait(5)
        assert live.finish().end is End.COMPLETE
        assert not connection.usable


def test_threads() -> None:
    found: list[End] = []
    with server(JSON) as one, server(CHUNKED, EVENT, b"0\r\n\r\n") as two:
        threads = [
            threading.Thread(target=lambda at=at: found.append(wire.send(at, POST, SOON).end))
            for at in (one.endpoint, two.endpoint)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert found == [End.COMPLETE, End.COMPLETE]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A context with a certificate that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    folder: Path = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


def test_tls(tls: ssl.SSLContext) -> None:
    with server(CHUNKED, EVENT, b"0\r\n\r\n", tls=tls) as played:
        exchange = wire.send(played.endpoint, POST, SOON, insecure=True)
    assert (exchange.end, exchange.body) == (End.COMPLETE, b"data: x\n\n")


def test_tls_certificate_not_trusted(tls: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLError), server(JSON, tls=tls) as played:
        exchange = wire.send(played.endpoint, POST, SOON)
    assert exchange.end is End.TLS
    assert "certificate" in exchange.detail


def test_tls_to_a_plain_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        exchange = wire.send(Endpoint("https", "127.0.0.1", listener.getsockname()[1]), POST, SOON, insecure=True)
        thread.join(5)
    assert exchange.end is End.TLS
