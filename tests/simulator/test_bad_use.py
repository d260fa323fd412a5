"""Clients that are broken or mean, over raw sockets: each gets a clear answer, and everybody else is served meanwhile."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from chatproof.simulator.app import Running, running
from chatproof.simulator.connections import Patience
from chatproof.simulator.request import BODY_LIMIT
from chatproof.spec import FrozenClock

from .controlled import Desk, controlled

DEADLINE_S = 10.0
PATH = b"POST /guide/chat HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
KEY = b"Authorization: Bearer key-valid\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GOOD = b'{"agent_id": "echo", "message": "Hi", "stream": false}'
QUICK = Patience(first_s=0.05, head_s=0.05, body_s=0.05)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(clock=FrozenClock(), seed=3) as started:
        yield started


@pytest.fixture(scope="module")
def hasty() -> Iterator[Running]:
    with running(clock=FrozenClock(), seed=3, patience=QUICK) as started:
        yield started


def dial(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=DEADLINE_S)


def ask(url: str, data: bytes) -> tuple[int, bytes]:
    """The status and everything that came until the connection ended; 0 for nothing. A client may stop hearing when it is cut off."""
    got = b""
    with dial(url) as sock:
        try:
            sock.sendall(data)
            while part := sock.recv(65_536):
                got += part
        except ConnectionError:
            pass
    return (int(got.split(b" ", 2)[1]) if got else 0), got


def post(body: bytes, *more: bytes, head: bytes = KEY + HOST + CLOSE) -> bytes:
    return PATH + head + b"".join(line + b"\r\n" for line in more) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def said(message: bytes, /, **more: Any) -> bytes:
    """A body whose message is that JSON text."""
    rest = b"".join(b', "%b": %b' % (name.encode(), value) for name, value in more.items())
    return b'{"agent_id": "echo", "stream": false, "message": ' + message + rest + b"}"


def served(server: Running) -> bool:
    return ask(server.base_url, post(GOOD))[0] == 200


HEADS = {
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 99, 400),
    "http-2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "huge-header": (PATH + KEY + HOST + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n", 400),
    "many-headers": (PATH + KEY + HOST + b"X-A: a\r\n" * 500 + b"\r\n", 400),
    "huge-target": (b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "raw-target": (b"POST /slug/chat/\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "nul-in-header": (post(GOOD, b"X-A: a\0b"), 400),
    "no-host": (PATH + KEY + CLOSE + b"Content-Length: 2\r\n\r\n{}", 400),
    "negative-length": (PATH + KEY + HOST + b"Content-Length: -3\r\n\r\n{} ", 400),
    "endless-length": (PATH + KEY + HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}", 400),
    "two-lengths": (PATH + KEY + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "length-and-chunks": (post(b"0\r\n\r\n", b"Transfer-Encoding: chunked"), 400),
    "unknown-coding": (PATH + KEY + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    "bad-chunk": (PATH + KEY + HOST + CHUNKED + b"\r\nzz\r\n{", 400),
    "bad-second-chunk": (PATH + KEY + HOST + CHUNKED + b"\r\n1\r\n{\r\nzz\r\n", 400),
    "no-gzip": (post(b"no gzip at all", b"Content-Encoding: gzip"), 400),
    "unknown-content-coding": (post(GOOD, b"Content-Encoding: br"), 400),
    "gzip-bomb": (post(gzip.compress(said(b'"' + b"x" * 9_000_000 + b'"')), b"Content-Encoding: gzip"), 413),
    "key-no-utf-8": (PATH + b"Authorization: Bearer \xff\xfe\r\n" + HOST + CLOSE + b"Content-Length: 2\r\n\r\n{}", 401),
    "header-no-utf-8": (post(GOOD, b"X-A: \xff\xfe"), 200),
    "unknown-expectation": (post(GOOD, b"Expect: miracles"), 200),
    "absolute-target": (post(GOOD).replace(b"/guide", b"http://x/guide", 1), 200),
    "http-1.0": (post(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0", 1), 200),
    "connect": (b"CONNECT x:80 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 404),
    "odd-agent-in-path": (post(b'{"message": "x"}').replace(b"/guide/chat", b"/slug/chat/%ff%00%F0%9F", 1), 404),
}
"""What is sent, and the status that it gets."""
BODIES = {
    "no-utf-8": (said(b'"\xff\xfe"'), 400),
    "byte-order-mark": (b"\xef\xbb\xbf" + GOOD, 400),
    "deep": (said(b"[" * 200_000 + b"]" * 200_000), 400),
    "deep-elsewhere": (said(b'"x"', metadata=b'{"a":' * 100_000 + b"1" + b"}" * 100_000), 400),
    "name-twice": (said(b'"x"', message=b'"y"'), 400),
    "many-digits": (said(b'"x"', metadata=b'{"a": ' + b"9" * 10_000 + b"}"), 400),
    "not-a-number": (said(b"NaN"), 400),
    "beyond-floats": (said(b'"x"', metadata=b'{"a": 1e999}'), 200),
    "half-a-pair": (said(b'"\\ud83d"'), 200),
    "half-a-pair-as-session": (said(b'"x"', session_id=b'"\\ud83d"'), 200),
    "half-a-pair-as-agent": (said(b'"x"').replace(b'"echo"', b'"\\ud83d"'), 404),
    "nul": (said(b'"\\u0000"'), 200),
    "raw-nul": (said(b'"\0"'), 400),
    "nothing": (b"", 400),
    "too-large": (said(b'"' + b"x" * BODY_LIMIT + b'"'), 413),
}


@pytest.mark.parametrize(("data", "status"), HEADS.values(), ids=HEADS)
def test_what_is_no_good_http_is_answered_in_words(data: bytes, status: int, server: Running) -> None:
    got, raw = ask(server.base_url, data)
    assert got == status, raw
    assert b"Traceback" not in raw
    assert b"aiohttp" not in raw
    if status == 400:
        assert json.loads(raw.partition(b"\r\n\r\n")[2])["error"]["message"]
    assert served(server)


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_a_strange_body_is_taken_or_refused_in_the_dialect(body: bytes, status: int, server: Running) -> None:
    got, raw = ask(server.base_url, post(body))
    assert got == status, raw
    assert "detail" in json.loads(raw.partition(b"\r\n\r\n")[2]) or status == 200
    assert served(server)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_endless_body_is_refused_while_it_is_sent(chunked: bool, server: Running) -> None:
    """The client does not stop by itself: it hears the answer while it goes on."""
    piece = b"1000\r\n" + b" " * 4096 + b"\r\n" if chunked else b" " * 4096
    length = CHUNKED if chunked else b"Content-Length: 5000000000\r\n"
    with dial(server.base_url) as sock:
        sock.sendall(PATH + KEY + HOST + length + b"\r\n")
        sock.settimeout(0)
        got = b""
        for _ in range(3 * BODY_LIMIT // 4096):
            sock.settimeout(DEADLINE_S)
            sock.sendall(piece)
            sock.settimeout(0)
            try:
                got += sock.recv(65_536)
            except BlockingIOError:
                continue
            break
        sock.settimeout(DEADLINE_S)
        while not got.endswith(b"}"):
            got += sock.recv(65_536)
        assert got.startswith(b"HTTP/1.1 413 ")
        assert served(server)


STALLS = {
    "head": (PATH + b"Hos", 408),
    "body": (PATH + KEY + HOST + b"Content-Length: 50\r\n\r\n{", 408),
    "chunks": (PATH + KEY + HOST + CHUNKED + b"\r\n5\r\n{", 408),
    "promised-body": (PATH + KEY + HOST + b"Expect: 100-continue\r\nContent-Length: 50\r\n\r\n", 100),
    "nothing": (b"", 0),
}


@pytest.mark.parametrize(("data", "status"), STALLS.values(), ids=STALLS)
def test_who_stalls_is_cut_off(data: bytes, status: int, hasty: Running) -> None:
    """Not before others were served: the connection stays open meanwhile, and ends by itself."""
    got, raw = ask(hasty.base_url, data)
    assert got == status, raw
    assert raw.count(b"HTTP/1.1 408 ") == bool(data), "after what could be answered"
    assert served(hasty)


def test_a_byte_now_and_then_wins_no_time(hasty: Running) -> None:
    """The deadline is the head's, from its first byte, and not the next byte's."""
    with dial(hasty.base_url) as sock:
        for byte in PATH + b"X-A: " + b"a" * 8_000:
            try:
                sock.sendall(bytes([byte]))
                sock.settimeout(0.001)
                got = sock.recv(1024)
            except TimeoutError:
                continue
            except ConnectionError:
                return
            break
        assert got.startswith(b"HTTP/1.1 408 ")


@pytest.mark.slow
def test_half_open_connections_give_way_to_those_who_ask() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(clock=FrozenClock(), max_connections=20))
        idle = stack.enter_context(dial(server.base_url))
        idle.sendall(post(GOOD, head=KEY + HOST))
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200 ")
        silent = [stack.enter_context(dial(server.base_url)) for _ in range(200)]
        assert served(server)
        assert silent[0].recv(1) == b"", "the oldest has gone"
        idle.sendall(post(GOOD))
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200 "), "one that has asked is the last to go"


def test_idle_connections_give_way_too() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(clock=FrozenClock(), max_connections=3))
        for _ in range(9):
            kept = stack.enter_context(dial(server.base_url))
            kept.sendall(post(GOOD, head=KEY + HOST))
            assert kept.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_where_all_connections_are_in_use_a_new_one_is_told() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(max_connections=3))
        held = [stack.enter_context(dial(server.base_url)) for _ in range(3)]
        for sock in held:
            sock.sendall(post(GOOD.replace(b"echo", b"paced").replace(b"false", b"true")))
            assert sock.recv(64).startswith(b"HTTP/1.1 200 ")
        status, raw = ask(server.base_url, b"")
        assert (status, b"\r\nRetry-After: 1\r\n" in raw) == (503, True)
        held.pop().close()
        while not served(server):
            continue


def test_nothing_of_a_bad_request_is_left_behind(server: Running) -> None:
    """A message that was cut short, garbled or refused was never heard, and another key's session stays its own."""
    begun = said(b'"Remember this code: sesame"', session_id=b'"s-bad"').replace(b"echo", b"memory")
    asks = said(b'"What code did I ask you to remember?"', session_id=b'"s-bad"').replace(b"echo", b"memory")
    with dial(server.base_url) as sock:
        sock.sendall(PATH + KEY + HOST + b"Content-Length: %d\r\n\r\n" % (len(begun) + 1) + begun)
    ask(server.base_url, post(begun, b"Content-Encoding: gzip"))
    ask(server.base_url, post(begun + b"}"))
    _, raw = ask(server.base_url, post(asks))
    assert b"sesame" not in raw
    assert ask(server.base_url, post(begun))[0] == 200
    assert b"sesame" in ask(server.base_url, post(asks))[1]
    other = post(asks).replace(b"key-valid", b"key-other-customer")
    assert b"sesame" not in ask(server.base_url, other)[1]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with controlled() as both:
        yield both


CONTROLS = {
    "deep": (b'{"fault":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400, b"nested too deeply"),
    "no-utf-8": (b'{"fault": "\xff"}', 400, b"not valid JSON"),
    "many-digits": (b'{"fault": "html-errors", "times": ' + b"9" * 10_000 + b"}", 400, b"not valid JSON"),
    "name-twice": (b'{"fault": "html-errors", "fault": "x"}', 400, b"given twice"),
    "half-a-pair": (b'{"fault": "\\ud83d"}', 400, b"no fault"),
    "list": (b"[]", 400, b"expected a mapping"),
    "nothing": (b"", 400, b"not valid JSON"),
    "wrong-types": (b'{"fault": 7, "times": "x", "headers": []}', 400, b"expected text"),
    "too-large": (b'{"fault": "' + b"x" * BODY_LIMIT + b'"}', 413, b"bytes at most"),
}


@pytest.mark.parametrize(("body", "status", "says"), CONTROLS.values(), ids=CONTROLS)
def test_a_bad_control_body_changes_nothing(body: bytes, status: int, says: bytes, desk: Desk) -> None:
    head = b"POST /faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" + CLOSE
    got, raw = ask(desk.control, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert (got, says in raw) == (status, True), raw
    assert desk.get("/faults") == {"faults": [], "triggered": []}
    assert desk.log == []


def test_the_control_port_refuses_broken_framing_too(desk: Desk) -> None:
    head = b"POST /faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for framing in (
        CHUNKED + b"\r\nzz\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"X-A: a\0b\r\n\r\n",
    ):
        assert ask(desk.control, head + framing)[0] == 400
    assert desk.get("/health")["status"] == "ok"
