"""What is asked of a connection beside an answer: that it closes after it, and that a body is asked for before it is sent."""

from __future__ import annotations

import select
import threading
from dataclasses import replace

import pytest

from chatproof.conformance import wire
from chatproof.conformance.check import Finding, Note
from chatproof.conformance.exchange import End, Exchange, Request
from chatproof.conformance.seen import Seen
from chatproof.conformance.wire import Deadlines
from chatproof.spec import dialect

from .played import CHUNKED, EVENT, JSON, OK, POST, SOON, server
from .recorded import ASKED, known, of, response, see

BRIEF = replace(SOON, first_byte=0.05, idle=0.05)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTS = Request("POST", "/chat", (*POST.headers, ("Expect", "100-continue")), POST.body)


def judged(check: str, exchange: Exchange, step: str) -> list[Note]:
    seen = Seen(replace(exchange, asked={**ASKED, "step": step}), dialect("guide"), known())
    return of(f"http.{check}", see(response(body={}), step="good"), seen)


@pytest.mark.parametrize("answer", [JSON, CHUNKED + EVENT + b"0\r\n\r\n", OK + b"\r\n{}"])
def test_a_target_that_closes_after_its_response_is_seen_to(answer: bytes) -> None:
    with server(answer) as played:
        exchange = wire.send(played.endpoint, POST, SOON, watch=True)
    assert exchange.hung_up is True
    assert exchange.problems == ()
    assert judged("closes", exchange, "close") == []


def test_one_that_stays_is_seen_to_stay_and_is_waited_for_only_so_long() -> None:
    with server(JSON, wait_for_hang_up=True) as played:
        exchange = wire.send(played.endpoint, POST, BRIEF, watch=True)
    assert (exchange.end, exchange.hung_up) == (End.COMPLETE, False)
    (note,) = judged("closes", exchange, "close")
    assert isinstance(note, Finding)


def test_a_held_stream_that_ended_while_nobody_looked_is_not_left() -> None:
    go = threading.Event()
    with server(CHUNKED + EVENT, go, b"0\r\n\r\n") as played, wire.open(played.endpoint, POST, SOON) as live:
        live.catch_up()
        assert not live.ended
        go.set()
        assert played.closed.wait(5)
        live.catch_up()
        assert live.leave().end is End.COMPLETE


def test_of_a_held_stream_that_goes_on_half_an_event_is_not_kept() -> None:
    go, sent = threading.Event(), threading.Event()
    with server(CHUNKED + EVENT, go, b"9\r\ndata:", sent) as played, wire.open(played.endpoint, POST, SOON) as live:
        before = live.exchange.raw
        go.set()
        assert live._socket is not None
        assert select.select([live._socket], [], [], 5)[0]
        live.catch_up()
        assert live.leave().end is End.LEFT
        assert live.exchange.raw == before


def test_what_comes_while_watching_is_surplus() -> None:
    with server(JSON, b"more") as played:
        exchange = wire.send(played.endpoint, POST, SOON, watch=True)
    assert [problem.kind for problem in exchange.problems] == ["surplus"]
    assert exchange.hung_up is True


def test_nobody_watches_unless_told_to() -> None:
    with server(JSON, wait_for_hang_up=True) as played:
        exchange = wire.send(played.endpoint, POST, SOON)
    assert exchange.hung_up is None
    assert not isinstance(judged("closes", exchange, "close")[0], Finding)


def test_a_body_that_is_asked_for_is_sent() -> None:
    with server(JSON, at_head=CONTINUE) as played:
        exchange = wire.send(played.endpoint, EXPECTS, SOON)
    assert exchange.response is not None
    assert (exchange.status, exchange.response.interim, exchange.problems) == (200, (100,), ())
    assert played.requests[0].endswith(POST.body)
    assert exchange.body_ns is not None
    assert exchange.reads[0].at_ns < exchange.body_ns
    assert judged("continues", exchange, "expect") == []


def test_after_a_final_answer_the_body_is_not_sent() -> None:
    with server(at_head=b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n") as played:
        exchange = wire.send(played.endpoint, EXPECTS, SOON)
    assert (exchange.status, exchange.end, exchange.body_ns) == (417, End.COMPLETE, None)
    assert played.requests[0].endswith(b"\r\n\r\n")
    assert judged("continues", exchange, "expect") == []


def test_a_final_answer_in_pieces_needs_no_body_either() -> None:
    with server(b"{}", at_head=b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n") as played:
        exchange = wire.send(played.endpoint, EXPECTS, SOON)
    assert (exchange.status, exchange.body, exchange.body_ns) == (401, b"{}", None)


def test_a_server_that_waits_for_the_body_gets_it_in_the_end_and_is_told_of() -> None:
    with server(JSON) as played:
        exchange = wire.send(played.endpoint, EXPECTS, replace(SOON, first_byte=0.05))
    assert (exchange.status, exchange.end) == (200, End.COMPLETE)
    assert played.requests[0].endswith(POST.body)
    (note,) = judged("continues", exchange, "expect")
    assert isinstance(note, Finding)
    assert "nothing until the body was sent" in note.got


def test_a_server_that_never_says_anything_is_told_of_as_well() -> None:
    with server(wait_for_hang_up=True) as played:
        exchange = wire.send(played.endpoint, EXPECTS, Deadlines(first_byte=0.03))
    assert exchange.end is End.FIRST_BYTE_TIMEOUT
    (note,) = judged("continues", exchange, "expect")
    assert isinstance(note, Finding)


def test_one_that_hangs_up_instead_is_told_of() -> None:
    with server() as played:
        exchange = wire.send(played.endpoint, EXPECTS, BRIEF)
    assert exchange.reads == ()
    assert len(judged("continues", exchange, "expect")) == 1
