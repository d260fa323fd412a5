"""The short way through a connection, beside aiohttp's own: what a client gets does not depend on how its bytes were cut."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chatproof import Simulator
from chatproof.simulator.app import Running, running
from chatproof.simulator.door import HEADS, Door, Known
from chatproof.simulator.journal import Journal
from chatproof.simulator.pacer import Pacer
from chatproof.simulator.request import HttpRequest
from chatproof.spec import FrozenClock

DEADLINE_S = 10.0
STREAM = {"agent_id": "echo", "message": "Hi", "stream": True, "session_id": "s"}
JSON = {**STREAM, "stream": False}


@pytest.fixture(params=["uvloop", "asyncio"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    if request.param == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    else:
        pytest.importorskip("uvloop")
    with running(["guide"], clock=FrozenClock(), seed=3) as started:
        yield started


@pytest.fixture
def sock(server: Running) -> Iterator[socket.socket]:
    with dial(server) as connected:
        yield connected


def dial(server: Running) -> socket.socket:
    host, port = server.base_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=DEADLINE_S)


def post(body: Any, *more: str) -> bytes:
    data = json.dumps(body).encode()
    lines = ("POST /chat HTTP/1.1", "Host: x", "Authorization: Bearer key-valid", f"Content-Length: {len(data)}", *more)
    return "\r\n".join((*lines, "", "")).encode() + data


def answer(sock: socket.socket) -> bytes:
    """One whole response."""
    got = b""
    while True:
        head, end, body = got.partition(b"\r\n\r\n")
        length = head.partition(b"Content-Length: ")[2].partition(b"\r")[0]
        if end and (len(body) >= int(length) if length else body.endswith(b"0\r\n\r\n")):
            return got
        part = sock.recv(65536)
        assert part, got
        got += part


def ask(sock: socket.socket, *parts: bytes) -> bytes:
    """One response to a request that is sent in pieces; each waits until the other side has read the one before."""
    for part in parts:
        sock.sendall(part)
    return answer(sock)


def ended(server: Running, count: int) -> list[str]:
    """How so many responses ended, once they have: a client may have the last byte before its place is given back."""
    with server.journal.changed:
        assert server.journal.changed.wait_for(lambda: server.journal.ends == count, DEADLINE_S)
    assert server.backend.in_flight == 0
    return [entry.closed for entry in server.journal.entries()]


def test_a_head_that_is_known_comes_with_another_body(server: Running, sock: socket.socket) -> None:
    said = [ask(sock, post({**JSON, "message": message})) for message in ("one", "two", "six")]
    assert [json.loads(one.partition(b"\r\n\r\n")[2])["response"] for one in said] == [
        "You said: one",
        "You said: two",
        "You said: six",
    ]
    assert [entry.json["message"] for entry in server.journal.entries()] == ["one", "two", "six"]
    with dial(server) as other:
        assert b"You said: ten" in ask(other, post({**JSON, "message": "ten"}))


CUTS = {
    "whole": lambda data: [data],
    "head and body": lambda data: [data[: data.index(b"{")], data[data.index(b"{") :]],
    "in the head": lambda data: [data[:9], data[9:]],
    "in the body": lambda data: [data[:-3], data[-3:]],
    "in both": lambda data: [data[:5], data[5:-9], data[-9:]],
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_no_cut_changes_an_answer(cut: Any, server: Running) -> None:
    """The same conversation, each request whole in one and cut in the other, with cut and whole ones in turn between them."""
    told = [post(JSON), post(STREAM), post({}), post(JSON), post(STREAM)]
    with dial(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        mixed = [ask(sock, *(cut(data) if n % 2 else [data])) for n, data in enumerate(told)]
    with running(["guide"], clock=FrozenClock(), seed=3) as other, dial(other) as sock:
        whole = [
            ask(sock, *(list(map(bytes, zip(data, strict=True))) if n < 1 else [data])) for n, data in enumerate(told)
        ]
    assert mixed == whole


def test_requests_behind_one_with_a_known_head(sock: socket.socket) -> None:
    ask(sock, post(JSON))
    sock.sendall(post(JSON) + post(JSON) + post(JSON, "Connection: close"))
    got = b""
    while part := sock.recv(65536):
        got += part
    assert got.count(b"You said: Hi") == 3


def test_what_is_no_http_behind_known_heads(sock: socket.socket) -> None:
    ask(sock, post(JSON))
    ask(sock, post(JSON))
    sock.sendall(b"no http\r\n\r\n")
    got = b""
    while part := sock.recv(65536):
        got += part
    assert got.startswith(b"HTTP/1.1 400 ")


def test_a_known_head_and_an_answer_that_takes_its_time(server: Running, sock: socket.socket) -> None:
    """Its pauses are those of a frozen clock, and yet it has many writes: aiohttp's handler carries it out."""
    paced = {**STREAM, "agent_id": "paced"}
    first = ask(sock, post(paced))
    again = ask(sock, post(paced))
    assert first.count(b"piece") == again.count(b"piece") == 8
    assert b"You said: Hi" in ask(sock, post(JSON))
    assert ended(server, 3) == ["kept"] * 3


def test_an_error_of_ours_is_a_500_on_both_ways(server: Running) -> None:
    reply = server.backend.reply

    def fails(request: HttpRequest, now: float) -> Any:
        if b"boom" in request.body:
            raise RuntimeError("boom")
        return reply(request, now)

    server.backend.reply = fails  # type: ignore[method-assign]
    for known in ("fine", "boom"):
        with dial(server) as sock:
            ask(sock, post({**JSON, "message": known}))
    with dial(server) as sock:
        assert b" 500 " in ask(sock, post({**JSON, "message": "boom"}))
    assert ended(server, 3) == ["kept", "server", "server"]
    assert all("RuntimeError: boom" in entry.error for entry in server.journal.entries()[1:])


def test_a_request_that_is_never_finished_keeps_nothing(server: Running) -> None:
    with dial(server) as sock:
        sock.sendall(post(JSON)[:-1])
    with dial(server) as sock:
        ask(sock, post(JSON))
    assert ended(server, 1) == ["kept"]


def test_heads_are_remembered_up_to_a_number_and_a_length() -> None:
    door = Door.__new__(Door)
    door.heads = {}
    known = Known(None, {}, 0)  # type: ignore[arg-type]
    for number in range(HEADS + 5):
        door.learn(b"%d" % number, known)
    assert len(door.heads) == 5
    door.learn(b"x" * 5000, known)
    assert len(door.heads) == 5


def test_a_known_request_inside_another_request_is_not_one(server: Running, sock: socket.socket) -> None:
    """Half a head has been read when bytes come that would be a whole request, were they at the beginning of one."""
    known = post(JSON)
    ask(sock, known)
    ask(sock, known + b"POST /chat HTTP/1.1\r\nX-Held: ")
    ask(sock, known)
    assert ended(server, 3) == ["kept"] * 3
    assert server.journal.entries()[2].headers["x-held"] == "POST /chat HTTP/1.1"


def test_a_request_while_a_known_one_is_answered_waits_for_its_turn() -> None:
    with Simulator(["guide"]) as sim:
        sim.agent("waits", ["first", 0.05, "last"])
        host, port = sim.base_url.removeprefix("http://").split(":")
        for _ in range(2):
            with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as sock:
                sock.sendall(post({**STREAM, "agent_id": "waits"}))
                got = b""
                while b"first" not in got:
                    got += sock.recv(65536)
                sock.sendall(post(JSON))
                while b"You said" not in got:
                    got += sock.recv(65536)
                assert got.index(b"last") < got.index(b"You said")


def test_streams_under_way_are_served_before_whoever_comes_or_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand clients that come at once, or streams that begin or end at once, are one turn of the loop: at the door, at a request, when
    its stream begins, and when that ends.
    """
    looked: list[str] = []
    keep_time, end = Pacer.keep_time, Journal.end

    def watched(pacer: Pacer, now: float) -> None:
        looked.append("streams")
        keep_time(pacer, now)

    def ended_too(journal: Journal, *how: Any) -> None:
        looked.append("over")
        end(journal, *how)

    monkeypatch.setattr(Pacer, "keep_time", watched)
    monkeypatch.setattr(Journal, "end", ended_too)
    with running(["guide"], clock=FrozenClock()) as started, dial(started) as sock:
        ask(sock, post({**STREAM, "agent_id": "paced"}))
        ended(started, 1)
    assert looked == ["streams", "streams", "streams", "streams", "over"]
