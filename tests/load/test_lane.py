"""The kept connection that the hub reads: it records what the judge's client records, and ends as that does."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import gevent
import pytest

from chatproof.conformance import wire
from chatproof.conformance.connection import Connection, Deadlines
from chatproof.conformance.endpoint import Endpoint, encode
from chatproof.conformance.exchange import End, Exchange, Request
from chatproof.load.lane import Lane
from chatproof.load.looks import Looks

from ..conformance.played import CHUNKED, EVENT, JSON, NEXT_REQUEST, POST, RESET, SOON, Step, server
from ..conformance.test_wire import ENDS, HANGS, tls

__all__ = ["tls"]

LAST = b"0\r\n\r\n"


OPEN: list[Lane] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Every lane of a test, whatever became of it."""
    yield
    while OPEN:
        OPEN.pop().close()


def lane(
    endpoint: Endpoint, deadlines: Deadlines = SOON, looks: Looks | None = None, *, insecure: bool = False
) -> Lane:
    OPEN.append(Lane(endpoint, deadlines, looks or Looks(), insecure=insecure))
    return OPEN[-1]


def sent(one: Lane, endpoint: Endpoint, request: Request = POST) -> Exchange:
    head = encode(endpoint, request, keep_alive=True).removesuffix(request.body)
    return one.send(request.method, head, request.body).exchange(replace(request, body=b""))


def judged(endpoint: Endpoint, deadlines: Deadlines) -> tuple[Exchange, bool]:
    """What the judge's client says of the same, and whether the connection may be used again."""
    with Connection(endpoint, deadlines) as connection:
        exchange = wire.send(endpoint, POST, deadlines, connection=connection)
        return exchange, connection.usable


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_as_the_judge_s_client_does(name: str) -> None:
    script, end, body, problems = ENDS[name]
    goes_on = end is End.COMPLETE
    with server(*script, *(threading.Event(),) * goes_on) as played:
        wanted, usable = judged(played.endpoint, SOON)
    with server(*script, *(threading.Event(),) * goes_on) as played:
        one = lane(played.endpoint)
        exchange = sent(one, played.endpoint)
    assert (exchange.end, exchange.body, {each.kind for each in exchange.problems}) == (end, body, problems)
    assert (exchange.raw, exchange.detail, one.usable) == (wanted.raw, wanted.detail, usable)


@pytest.mark.parametrize(("script", "deadlines", "end"), HANGS)
def test_deadlines(script: tuple[Step, ...], deadlines: Deadlines, end: End) -> None:
    with server(*script, threading.Event()) as played:
        one = lane(played.endpoint, deadlines)
        exchange = sent(one, played.endpoint)
    assert exchange.end is end
    assert "0.03 s" in exchange.detail
    assert not one.usable


def test_a_stream_that_goes_on_outlives_the_deadline_for_its_first_byte() -> None:
    """The one timer of an exchange is looked at when it fires, and set anew from the last read."""
    go = threading.Event()
    with server(CHUNKED, EVENT, go, EVENT, LAST) as played:
        one = lane(played.endpoint, Deadlines(connect=2, first_byte=0.05, idle=5, total=5))
        gevent.spawn_later(0.1, go.set)
        exchange = sent(one, played.endpoint)
    assert exchange.end is End.COMPLETE


def test_nobody_there_and_a_network_that_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint("http", "127.0.0.1", listener.getsockname()[1])
    assert sent(lane(endpoint), endpoint).end is End.REFUSED
    nowhere = Endpoint("http", "255.255.255.255", 80)
    assert sent(lane(nowhere), nowhere).end is End.UNREACHABLE


def test_one_connection_bears_request_after_request() -> None:
    with server(JSON, NEXT_REQUEST, CHUNKED + EVENT, LAST) as played:
        one = lane(played.endpoint)
        assert sent(one, played.endpoint).end is End.COMPLETE
        assert one.usable
        exchange = sent(one, played.endpoint)
    assert (exchange.end, exchange.body) == (End.COMPLETE, b"data: x\n\n")
    assert len(played.requests) == 2


@pytest.mark.parametrize("script", [(JSON,), (JSON, RESET)], ids=["closed", "reset"])
def test_a_connection_that_ended_while_idle_is_known_to_have(script: tuple[Step, ...]) -> None:
    with server(*script) as played:
        one = lane(played.endpoint)
        assert sent(one, played.endpoint).end is End.COMPLETE
        assert played.closed.wait(5)
        while one.usable:
            gevent.sleep(0.001)
        exchange = sent(one, played.endpoint)
    assert exchange.end in (End.CLOSED, End.RESET)
    assert not exchange.reads


def test_what_comes_unasked_ends_the_connection_s_use() -> None:
    go = threading.Event()
    with server(JSON, go, JSON, threading.Event()) as played:
        one = lane(played.endpoint)
        assert sent(one, played.endpoint).end is End.COMPLETE
        go.set()
        while one.usable:
            gevent.sleep(0.001)
        assert sent(one, played.endpoint).end is End.CLOSED


def test_it_reads_over_tls_what_was_decrypted_at_once(tls: ssl.SSLContext) -> None:
    """More than a record's worth: the system has handed it over, and nothing more will make the socket ready."""
    text = b"data: " + b"x" * 60_000 + b"\n\n"
    go = threading.Event()
    with server(CHUNKED + b"%x\r\n%b\r\n" % (len(text), text), LAST, NEXT_REQUEST, JSON, go, tls=tls) as played:
        one = lane(played.endpoint, insecure=True)
        exchange = sent(one, played.endpoint)
        assert (exchange.end, exchange.body) == (End.COMPLETE, text)
        assert sent(one, played.endpoint).body == b"{}"


def test_a_certificate_that_nobody_trusts_is_no_connection(tls: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLError), server(JSON, tls=tls) as played:
        assert sent(lane(played.endpoint), played.endpoint).end is End.TLS


def test_a_request_that_does_not_fit_is_waited_for() -> None:
    with server(JSON) as played:
        one = lane(played.endpoint)
        exchange = sent(one, played.endpoint, Request("POST", "/", (), b"x" * 4_000_000))
    assert exchange.end is End.COMPLETE
    assert len(played.requests[0]) > 4_000_000


def test_a_turn_that_is_cut_off_hangs_up() -> None:
    with server(wait_for_hang_up=True) as played:
        one = lane(played.endpoint)
        turn = gevent.spawn(sent, one, played.endpoint)
        gevent.sleep(0)
        turn.kill()
        assert not one.usable
        assert played.hung_up.wait(5)


def test_what_came_while_the_process_was_busy_was_read_late_and_that_is_told() -> None:
    busy_s = 0.02
    with server(JSON) as played:
        looks = Looks()
        one = lane(played.endpoint, SOON, looks)
        turn = gevent.spawn(sent, one, played.endpoint)
        gevent.sleep(0)
        until = time.perf_counter() + busy_s
        while time.perf_counter() < until or not played.closed.is_set():
            pass
        assert turn.get().end is End.COMPLETE
    looks.close()
    assert looks.lag.most >= busy_s * 1e6


class Hand:
    """A clock that is moved by hand, in microseconds."""

    at_us = 0

    def __call__(self) -> int:
        return self.at_us * 1000


@pytest.mark.parametrize(("waited_us", "lag_us"), [(5, 405), (5000, 100)], ids=["it was there", "it was waited for"])
def test_a_read_is_late_since_the_last_look_unless_that_look_waited_for_it(waited_us: int, lag_us: int) -> None:
    now = Hand()
    looks = Looks(now)
    looks.come_back()
    now.at_us += 300
    looks.leave()
    now.at_us += waited_us
    looks.come_back()
    now.at_us += 100
    looks.read(now())
    looks.close()
    assert looks.lag.most == lag_us
